//! kiosk-ui beside a browser in kiosk mode: the same words on the same X server.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use domain::Lang;
use ui_proto::{Prefs, Screen, ToUi, View, encode};

use crate::display::{Display, HEIGHT, WIDTH};
use crate::measure::{Ratio, Samples, Span};
use crate::process::{IDLE, Rest, Running, megabytes, percent};
use crate::report::Section;
use crate::{programs, repository};

/// The municipality's colour: its band is painted with the rest of the first frame.
const PRIMARY: u32 = 0x000A_5561;
const PRIMARY_PERCENT_MIN: usize = 3;
const STARTS: usize = 9;
/// After that long nothing is still being started.
const SETTLED: Duration = Duration::from_secs(6);
const PAINT_MAX: Duration = Duration::from_secs(60);
const LOOK_EVERY: Duration = Duration::from_millis(1);
const NOBODY: u32 = 65_534;

pub(crate) fn run(directory: &Path) -> Result<Section> {
    let display = Display::start(directory)?;
    let socket = directory.join("ui.sock");
    serve_attract(&socket)?;
    let page = page(directory)?;
    let kiosk_ui = || -> Result<Command> {
        let mut command = Command::new(programs("kiosk-ui")?);
        command.args(["--backend", "window", "--socket"]).arg(&socket);
        Ok(command)
    };

    let (mut ours, mut theirs) = (Samples::default(), Samples::default());
    for start in 0..STARTS {
        ours.push(first_frame(&display, &mut kiosk_ui()?)?.0);
        theirs.push(first_frame(&display, &mut chromium(directory, &page, start)?)?.0);
    }
    let our_rest = at_rest(&display, &mut kiosk_ui()?)?;
    let their_rest = at_rest(&display, &mut chromium(directory, &page, STARTS)?)?;

    let mut section = Section::new("kiosk-ui beside Chromium");
    section.say(&format!(
        "The attract screen, {WIDTH} × {HEIGHT}, on one Xvfb: kiosk-ui in a window, and {} with \
         `--kiosk` showing `tests/bench/page/attract.html`. First frame = process start until the \
         band of colour is in the frame buffer, {STARTS} starts each in turns, warm page cache. \
         Memory = PSS of the process tree {} s after the start, then CPU over {} s. kiosk-ui is \
         built with the back end it uses and the headless one: without linuxkms and the libraries \
         it brings (libinput, GLib), as the appliance's is without X.",
        version(),
        SETTLED.as_secs(),
        IDLE.as_secs(),
    ));
    table(&mut section, [&ours, &theirs], [&our_rest, &their_rest]);
    Ok(section)
}

fn table(section: &mut Section, starts: [&Samples; 2], rests: [&Rest; 2]) {
    let row = |what: &str, cells: [String; 2], ratio: String| {
        let [ours, theirs] = cells;
        [what.to_owned(), ours, theirs, ratio]
    };
    let [ours, theirs] = starts;
    let first = starts.map(|samples| {
        let (low, high) = (samples.percentile(0), samples.percentile(100));
        format!("{} ({}–{})", Span(samples.median()), Span(low), Span(high))
    });
    let memory = |rest: &Rest| format!("{:.1} MB", megabytes(rest));
    let busy = |rest: &Rest| format!("{:.2} %", percent(rest));
    let [our_rest, their_rest] = rests;
    let memory_ratio = their_rest.pss_bytes as f64 / our_rest.pss_bytes as f64;
    section.table(
        ["", "kiosk-ui", "Chromium", "Chromium / kiosk-ui"],
        [
            row("start → first frame", first, Ratio(theirs.median(), ours.median()).to_string()),
            row("memory, PSS", rests.map(memory), format!("{memory_ratio:.1} ×")),
            row("CPU at rest", rests.map(busy), String::new()),
            row("processes", rests.map(|rest| rest.processes.to_string()), String::new()),
        ],
    );
}

/// How long from the start until the picture is there; the process, too.
fn first_frame(display: &Display, command: &mut Command) -> Result<(Duration, Running)> {
    while display.percent_of(PRIMARY)? > 0 {
        // The window of the one before is being taken down.
        thread::sleep(LOOK_EVERY);
    }
    let command = command.env("DISPLAY", &display.name);
    let start = Instant::now();
    let running = Running::start(command.stdout(Stdio::null()).stderr(Stdio::null()))?;
    while display.percent_of(PRIMARY)? < PRIMARY_PERCENT_MIN {
        if start.elapsed() > PAINT_MAX {
            let program = command.get_program().to_string_lossy();
            bail!("{program} painted nothing within {} s", PAINT_MAX.as_secs());
        }
        thread::sleep(LOOK_EVERY);
    }
    Ok((start.elapsed(), running))
}

fn at_rest(display: &Display, command: &mut Command) -> Result<Rest> {
    let (_, running) = first_frame(display, command)?;
    thread::sleep(SETTLED);
    Ok(running.tree().at_rest())
}

/// kioskd's part: everyone who connects is shown the attract screen.
fn serve_attract(socket: &Path) -> Result<()> {
    let listener = UnixListener::bind(socket)?;
    let message = encode(&ToUi {
        seq: 1,
        view: View {
            lang: Lang::Es,
            prefs: Prefs::default(),
            ends_in_s: None,
            screen: Screen::Attract { limited: false },
        },
    });
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let message = message.clone();
            thread::spawn(move || {
                let shown = stream.write_all(&message);
                // Stays until kiosk-ui goes.
                shown.map(|()| BufReader::new(stream).lines().map_while(Result::ok).count())
            });
        }
    });
    Ok(())
}

/// Page and fonts, where a browser that is nobody can read them.
fn page(directory: &Path) -> Result<PathBuf> {
    let page = directory.join("page");
    fs::create_dir(&page)?;
    let repository = repository();
    for file in [
        "tests/bench/page/attract.html",
        "ui/app/fonts/NotoSans-Regular.ttf",
        "ui/app/fonts/NotoSans-Bold.ttf",
    ] {
        let from = repository.join(file);
        let name = from.file_name().context("a file has a name")?;
        fs::copy(&from, page.join(name)).with_context(|| format!("{file} is missing"))?;
    }
    fs::set_permissions(directory, fs::Permissions::from_mode(0o755))?;
    Ok(page.join("attract.html"))
}

/// Sandboxed, which Chromium refuses to root: then as nobody. A profile of its own for each start,
/// made by an earlier start of the same number.
fn chromium(directory: &Path, page: &Path, start: usize) -> Result<Command> {
    let profile = directory.join(format!("profile-{start}"));
    fs::create_dir(&profile)?;
    let is_root = rustix::process::geteuid().is_root();
    let mut command = if is_root {
        chown(&profile, Some(NOBODY), Some(NOBODY))?;
        let mut command = Command::new("setpriv");
        command.args(["--reuid", "65534", "--regid", "65534", "--clear-groups", "chromium"]);
        command
    } else {
        Command::new("chromium")
    };
    command
        .env("HOME", &profile)
        .arg(format!("--user-data-dir={}", profile.display()))
        .arg("--kiosk")
        .arg(format!("--app=file://{}", page.display()))
        .arg(format!("--window-size={WIDTH},{HEIGHT}"))
        .args([
            "--window-position=0,0",
            "--no-first-run",
            "--no-default-browser-check",
            "--disable-features=Translate",
            "--disable-gpu",
            "--allow-file-access-from-files",
            "--password-store=basic",
        ]);
    Ok(command)
}

fn version() -> String {
    let output = Command::new("chromium").arg("--version").output();
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    let text = text.unwrap_or_default();
    let words: Vec<_> = text.split_whitespace().take(2).collect();
    words.join(" ")
}
