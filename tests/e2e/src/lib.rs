//! A whole town for one test: the workbench and everything it starts, in a folder of its own,
//! driven over the HTTP API that `docs/workbench.md` describes.
//!
//! ```no_run
//! let bench = e2e::Bench::start();
//! let ana = bench.card("ana");
//! bench.tap(&ana);
//! bench.wait_screen("pin");
//! bench.type_pin(&ana);
//! bench.wait_screen("home");
//! ```
//!
//! Whatever goes wrong panics with what the workbench said, and the end of every log.

mod books;
mod visit;

use std::ffi::OsStr;
use std::fmt::Write as _;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

pub use crate::books::Money;

/// The running town. Dropping it stops everything and removes its folder.
#[derive(Debug)]
pub struct Bench {
    workbench: Child,
    url: String,
    dir: TempDir,
    agent: ureq::Agent,
}

/// A citizen of the demo town.
#[derive(Clone, Debug)]
pub struct Card {
    /// Its id in the API.
    pub id: String,
    /// Its PIN.
    pub pin: String,
    /// Everything the API says of it.
    pub json: Value,
}

impl Bench {
    /// A town with fast devices; returns when the kiosk waits for its first customer.
    pub fn start() -> Self {
        Self::start_with(["--speed", "10"])
    }

    /// A town with these options of `workbench`; `--dir` and `--port` are given already.
    pub fn start_with<I: IntoIterator<Item: AsRef<OsStr>>>(options: I) -> Self {
        let dir =
            tempfile::Builder::new().prefix("town-").tempdir().expect("a folder for the town");
        let mut workbench = Command::new(program("workbench"))
            .arg("--dir")
            .arg(dir.path())
            .args(["--port", "0"])
            .args(options)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("workbench starts");
        let url = url_of(&mut workbench);
        let agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(ANSWER_MAX))
            // A kept connection may be closed at the moment it is used again, and then nobody knows
            // whether the note went in.
            .max_idle_connections(0)
            .build()
            .into();
        let bench = Self { workbench, url: url.unwrap_or_default(), dir, agent };
        assert!(!bench.url.is_empty(), "the workbench did not come up; see above");
        bench
    }

    /// Where the page is, with the slash at the end.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The town's folder.
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// All cards of the town.
    pub fn cards(&self) -> Vec<Card> {
        let cards = self.get("api/cards");
        let cards = cards.as_array().expect("cards are a list");
        cards.iter().map(Card::from).collect()
    }

    /// The card with this id.
    pub fn card(&self, id: &str) -> Card {
        let mut cards = self.cards().into_iter();
        cards
            .find(|card| card.id == id)
            .unwrap_or_else(|| panic!("no card {id:?} in the demo town"))
    }

    /// Puts a card on the reader.
    pub fn tap(&self, card: &Card) {
        self.post("api/card/tap", &json!({"card": card.id}));
    }

    /// Puts two cards on the reader at once.
    pub fn tap_together(&self, card: &Card, with: &Card) {
        self.post("api/card/tap", &json!({"card": card.id, "with": with.id}));
    }

    /// Takes it away.
    pub fn remove_card(&self) {
        self.post("api/card/remove", &json!({}));
    }

    /// Puts somebody else before the card terminal.
    pub fn cardholder(&self, name: &str) {
        self.post("api/terminal/cardholder", &json!({"cardholder": name}));
    }

    /// Pushes a note of so many euro into the slot.
    pub fn insert(&self, euro: u32) {
        self.post("api/acceptor/insert", &json!({"cents": euro * 100}));
    }

    /// Takes the notes that were given back: their values in cents.
    pub fn take_returned(&self) -> Vec<u64> {
        let taken = self.post("api/acceptor/take", &json!({}));
        serde_json::from_str(&taken).expect("a list of cents")
    }

    /// Waits until the machine has given notes back, and takes them: their values in cents.
    pub fn wait_returned(&self) -> Vec<u64> {
        let mut taken = Vec::new();
        self.wait_until("a note comes back", || {
            taken = self.take_returned();
            !taken.is_empty()
        });
        taken
    }

    /// Waits until the slot says this: `20 € stacking`.
    pub fn wait_slot(&self, says: &str) {
        self.wait_until(&format!("the slot says {says:?}"), || {
            self.get("api/state")["ports"]["notes"]["says"] == says
        });
    }

    /// Presses what has this label, whole or as a unique beginning.
    pub fn press(&self, label: &str) {
        self.post("api/screen/press", &json!({"label": label}));
    }

    /// Presses the one action that the screen is about: the first that a screen reader finds.
    pub fn press_primary(&self) {
        let buttons = self.buttons();
        self.press(buttons.first().expect("a screen has a way on"));
    }

    /// A key: `Tab`, `Enter`, `Backspace`, or one character.
    pub fn key(&self, key: &str) {
        self.post("api/screen/press", &json!({"key": key}));
    }

    /// Types the card's PIN on the screen `pin` and confirms it.
    pub fn type_pin(&self, card: &Card) {
        self.type_digits(&card.pin);
        self.key("Enter");
    }

    /// Types digits, each seen by the screen before the next.
    pub fn type_digits(&self, digits: &str) {
        for (count, digit) in digits.chars().enumerate() {
            self.key(&digit.to_string());
            let typed = (count + 1).to_string();
            self.wait_screen_with("pin", &[("digits", &typed)]);
        }
    }

    /// What is shown now: the screen's fields and its `name`.
    pub fn screen(&self) -> Value {
        self.get("api/screen")
    }

    /// Waits until a screen of this name is shown; several names with commas.
    pub fn wait_screen(&self, name: &str) -> Value {
        self.wait_screen_with(name, &[])
    }

    /// Waits until a screen of this name is shown whose fields have these values, as JSON writes
    /// them; `done.credited.amount` reaches inside.
    pub fn wait_screen_with(&self, name: &str, fields: &[(&str, &str)]) -> Value {
        let fields = fields.iter().fold(String::new(), |mut query, (path, value)| {
            write!(query, "&{path}={value}").expect("a String takes it");
            query
        });
        self.get(&format!("api/screen/wait?timeout_ms={WAIT_MS}&name={name}{fields}"))
    }

    /// Waits until a screen of this name is shown or was shown since the view `since` (its field
    /// `serial`): finds screens that pass quickly.
    pub fn saw_screen_since(&self, since: &Value, name: &str) -> Value {
        let serial = &since["serial"];
        self.get(&format!("api/screen/wait?timeout_ms={WAIT_MS}&name={name}&after={serial}"))
    }

    /// Waits until a screen of this name is shown of which `holds` is true.
    pub fn wait_screen_until(&self, name: &str, holds: impl Fn(&Value) -> bool) -> Value {
        let mut seen = self.wait_screen(name);
        while !holds(&seen) {
            seen = self.saw_screen_since(&seen, name);
        }
        seen
    }

    /// The labels of everything that can be pressed now, in reading order.
    pub fn buttons(&self) -> Vec<String> {
        let elements = self.get("api/screen/elements");
        let elements = elements.as_array().expect("elements are a list");
        let buttons = elements.iter();
        buttons
            .filter(|element| element["role"] == "button" && element["enabled"] == true)
            .filter_map(|element| element["label"].as_str().map(str::to_owned))
            .collect()
    }

    /// Waits until the screen's process shows a button of this label: it may have been started
    /// anew.
    pub fn wait_button(&self, label: &str) {
        self.wait_text(label);
    }

    /// Waits until the screen's process shows these words.
    pub fn wait_text(&self, words: &str) {
        self.wait_until(&format!("{words:?} on the screen"), || {
            self.try_get("api/screen/elements").is_some_and(|all| all.contains(words))
        });
    }

    /// Asks again and again, for what the API has no wait for.
    ///
    /// # Panics
    /// It does not come about on a slow machine either.
    pub fn wait_until(&self, what: &str, mut holds: impl FnMut() -> bool) {
        let deadline = Instant::now() + Duration::from_millis(WAIT_MS.into());
        while !holds() {
            assert!(Instant::now() < deadline, "in vain waited for: {what}");
            std::thread::yield_now();
        }
    }

    /// Makes a fault, or mends it.
    pub fn fault(&self, device: &str, fault: &str, on: bool) {
        self.post("api/fault", &json!({"device": device, "fault": fault, "on": on}));
    }

    /// Cuts the power of a process or device, or gives it back; `kiosk` is the whole cabinet.
    pub fn power(&self, process: &str, on: bool) {
        self.post("api/power", &json!({"process": process, "on": on}));
    }

    /// A power cut: off and on again.
    pub fn power_cut(&self, process: &str) {
        self.power(process, false);
        self.power(process, true);
    }

    /// All three sets of books now.
    pub fn books(&self) -> Value {
        self.get("api/books")
    }

    /// Waits until the kiosk, central and the cash box say the same.
    pub fn wait_books_agree(&self) -> Value {
        self.get(&format!("api/books/wait?agree=true&timeout_ms={WAIT_MS}"))
    }

    /// How many receipts were printed.
    pub fn receipt_count(&self) -> usize {
        self.get("api/receipts").as_array().map_or(0, Vec::len)
    }

    /// The last receipt as text.
    pub fn receipt_text(&self) -> String {
        self.get_text("api/receipts/last.txt")
    }

    /// Asks the API; panics unless it answers 200 with JSON.
    pub fn get(&self, path: &str) -> Value {
        let text = self.get_text(path);
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("GET {path}: {error}: {text}"))
    }

    /// Asks the API; panics unless it answers 200.
    pub fn get_text(&self, path: &str) -> String {
        let answer = self.agent.get(format!("{}{path}", self.url)).call();
        done("GET", path, answer)
    }

    /// Asks the API; `None` unless it answers 200.
    pub fn try_get(&self, path: &str) -> Option<String> {
        let answer = self.agent.get(format!("{}{path}", self.url)).call();
        let (status, text) = read("GET", path, answer);
        (200..300).contains(&status).then_some(text)
    }

    /// Tells the API and returns what it answers; panics unless it does it.
    pub fn post(&self, path: &str, body: &Value) -> String {
        let answer = self.agent.post(format!("{}{path}", self.url)).send_json(body);
        done("POST", path, answer)
    }

    /// Tells the API and returns the status and the body, for what is to be refused.
    pub fn try_post(&self, path: &str, body: &Value) -> (u16, String) {
        let answer = self.agent.post(format!("{}{path}", self.url)).send_json(body);
        read("POST", path, answer)
    }

    fn say_logs(&self) {
        let logs = std::fs::read_dir(self.dir.path().join("log"));
        for log in logs.into_iter().flatten().flatten() {
            let text = std::fs::read_to_string(log.path()).unwrap_or_default();
            let lines: Vec<_> = text.lines().collect();
            let end = &lines[lines.len().saturating_sub(LOG_LINES)..];
            eprintln!("---- {}\n{}", log.path().display(), end.join("\n"));
        }
    }

    fn stop(&mut self) {
        let pid = i32::try_from(self.workbench.id()).ok();
        if let Some(pid) = pid.and_then(rustix::process::Pid::from_raw) {
            rustix::process::kill_process(pid, rustix::process::Signal::TERM).ok();
        }
        let deadline = Instant::now() + STOP_MAX;
        while matches!(self.workbench.try_wait(), Ok(None)) && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(20));
        }
        self.workbench.kill().ok();
        self.workbench.wait().ok();
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        self.stop();
        if std::thread::panicking() {
            self.say_logs();
        }
    }
}

impl From<&Value> for Card {
    fn from(json: &Value) -> Self {
        let text = |field: &str| json[field].as_str().unwrap_or_default().to_owned();
        Self { id: text("id"), pin: text("pin"), json: json.clone() }
    }
}

/// One of our programs. Tests run in `deps/` beside them; cargo builds programs of
/// other packages only when asked to.
///
/// # Panics
/// It was not built.
pub fn program(name: &str) -> PathBuf {
    let test = std::env::current_exe().expect("a test has a path");
    let dir = test.parent().expect("a program lies in a folder");
    let dir = if dir.ends_with("deps") { dir.parent().expect("target/*/deps") } else { dir };
    let program = dir.join(name);
    assert!(program.exists(), "{} is not built: cargo build --workspace", program.display());
    program
}

fn url_of(workbench: &mut Child) -> Option<String> {
    let out = workbench.stdout.take()?;
    let (sender, line) = mpsc::channel();
    // Reading on to the end keeps the pipe open for as long as the workbench lives.
    std::thread::spawn(move || {
        for line in BufReader::new(out).lines().map_while(Result::ok) {
            sender.send(line).ok();
        }
    });
    let line = line.recv_timeout(START_MAX).ok()?;
    line.strip_prefix("workbench: ").map(str::to_owned)
}

type Answer = Result<ureq::http::Response<ureq::Body>, ureq::Error>;

fn done(method: &str, path: &str, answer: Answer) -> String {
    let (status, text) = read(method, path, answer);
    assert!((200..300).contains(&status), "{method} {path}: {status} {text}");
    text
}

fn read(method: &str, path: &str, answer: Answer) -> (u16, String) {
    let mut answer = answer.unwrap_or_else(|error| panic!("{method} {path}: {error}"));
    let text = answer.body_mut().read_to_string().unwrap_or_default();
    (answer.status().as_u16(), text)
}

/// A slow machine hashes the demo town's PINs in this time too.
const START_MAX: Duration = Duration::from_secs(180);

/// Longer than the longest wait asked for.
const ANSWER_MAX: Duration = Duration::from_secs(90);

/// How long a screen or the books may take to come about on a busy machine.
const WAIT_MS: u32 = 60_000;

/// The workbench needs less, unless it hangs.
const STOP_MAX: Duration = Duration::from_secs(20);

/// How much of each log a failed test shows.
const LOG_LINES: usize = 60;
