//! A till that others wrote drives the simulated terminal: Adyen's own library for Node,
//! `@adyen/api-library`, with its own TLS, its own encryption and its own reading of each answer.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use driver_sim::terminal::nexo::{Options, Terminal};
use driver_sim::terminal::{Cardholder, Pace};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::time::timeout;

/// Where `./dev setup` installs what tests/package.json names.
fn modules() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.dev/node/node_modules")
}

struct Till {
    _process: Child,
    steps: ChildStdin,
    answers: Lines<BufReader<ChildStdout>>,
}

impl Till {
    fn start(endpoint: &str, root: &Path, options: &Options) -> Self {
        let key = json!({
            "AdyenCryptoVersion": 1,
            "KeyIdentifier": options.key_identifier,
            "KeyVersion": options.key_version,
            "Passphrase": options.passphrase,
        });
        let mut process = Command::new("node")
            .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/nexo_till.js"))
            .arg(endpoint)
            .arg(root)
            .args([&options.poi_id, &key.to_string()])
            .env("NODE_PATH", modules())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("node starts");
        let steps = process.stdin.take().expect("piped");
        let answers = BufReader::new(process.stdout.take().expect("piped")).lines();
        Self { _process: process, steps, answers }
    }

    /// What the library understood of the terminal's answer.
    async fn does(&mut self, step: &str) -> Value {
        self.steps.write_all(format!("{step}\n").as_bytes()).await.expect("it listens");
        let line = timeout(Duration::from_secs(30), self.answers.next_line()).await;
        let line = line.expect("it answers").expect("it speaks UTF-8").expect("it lives");
        serde_json::from_str(&line).expect("it prints JSON")
    }
}

#[tokio::test]
async fn adyens_own_library_pays_asks_stops_reverses_and_reconciles() {
    if !modules().join("@adyen/api-library").is_dir() {
        println!("SKIPPED: no @adyen/api-library at {}", modules().display());
        return;
    }
    // Nobody walks off before they are told to.
    let pace = Pace { patience: Duration::from_secs(100), ..Pace::FAST };
    let options = Options { pace, ..Options::default() };
    let (terminal, address) = Terminal::listen(options.clone()).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("root.pem");
    std::fs::write(&root, terminal.root_pem()).unwrap();
    let mut till = Till::start(&format!("https://{address}"), &root, &options);
    let success = json!("Success");

    let login = till.does("login").await;
    assert_eq!(login["LoginResponse"]["Response"]["Result"], success, "{login}");
    let health = till.does("diagnose").await;
    assert_eq!(health["DiagnosisResponse"]["POIStatus"]["GlobalStatus"], "OK", "{health}");

    let paid = till.does("pay").await;
    assert_eq!(paid["MessageHeader"]["ServiceID"], "1");
    let paid = &paid["PaymentResponse"];
    assert_eq!(paid["Response"]["Result"], success, "{paid}");
    assert_eq!(paid["PaymentResult"]["AmountsResp"]["AuthorizedAmount"], json!(10.99));
    let card = &paid["PaymentResult"]["PaymentInstrumentData"]["CardData"];
    assert_eq!(card["EntryMode"], json!(["Contactless"]), "{card}");
    assert_eq!(terminal.charges()[0].cents, 1099);

    let again = till.does("again").await;
    assert_eq!(again["PaymentResponse"]["Response"]["ErrorCondition"], "NotAllowed", "{again}");
    assert_eq!(terminal.charges().len(), 1, "a ServiceID pays once");

    let told = till.does("status").await;
    let repeated = &told["TransactionStatusResponse"]["RepeatedMessageResponse"];
    let repeated = &repeated["RepeatedResponseMessageBody"]["PaymentResponse"];
    assert_eq!(repeated["POIData"], paid["POIData"], "{told}");

    terminal.set_cardholder(Cardholder::Declined);
    let refused = till.does("refused").await;
    assert_eq!(refused["PaymentResponse"]["Response"]["ErrorCondition"], "Refusal", "{refused}");

    terminal.set_cardholder(Cardholder::WalksOff);
    let stopped = till.does("stop").await;
    let verdict = &stopped["PaymentResponse"]["Response"];
    assert_eq!(verdict["ErrorCondition"], "Aborted", "{stopped}");
    let unknown = till.does("unknown").await;
    let verdict = &unknown["TransactionStatusResponse"]["Response"];
    assert_eq!(verdict["ErrorCondition"], "NotFound", "{unknown}");

    let reversed = till.does("reverse").await;
    assert_eq!(reversed["ReversalResponse"]["Response"]["Result"], success, "{reversed}");
    assert!(terminal.charges()[0].is_reversed);
    let totals = till.does("reconcile").await;
    let totals = &totals["ReconciliationResponse"]["TransactionTotals"][0]["PaymentTotals"];
    assert_eq!(totals[0]["TransactionAmount"], totals[1]["TransactionAmount"], "{totals}");

    let answer = till.does("wrongKey").await;
    assert!(answer["error"].is_string(), "the terminal rejected it: {answer}");
}
