//! Programs of others against the simulated printer: a host that was not written for it, and a
//! scanner that reads its paper. Where one is missing the test says `SKIPPED`.

#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test that meets the unexpected shall fail there, and say what it skips"
)]

use std::env;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use driver_sim::printer::{Options, Printer};
use tempfile::TempDir;
use tokio::process::Command;

/// What python-escpos 3.1 is made to do; it tells what it learned. Every question lasts as long as
/// the time-out, because it reads 16 bytes and gets one.
const HOST: &str = r#"
import sys
from escpos.printer import Serial

printer = Serial(sys.argv[1], baudrate=9600, timeout=2)
print("status", printer.is_online(), printer.paper_status())
if len(sys.argv) > 2:
    printer.set(align="center", double_width=True, double_height=True, bold=True)
    printer.text("PAUSE+\n")
    printer.set_with_default(align="left")
    printer.text("Español ñ, català l·l à, Straße, 12,50 €\n")
    printer.qr("https://example.org/r/42", native=True, size=6)
    printer.barcode("{B12345", "CODE128", function_type="B")
    printer.cut()
    print("status", printer.is_online(), printer.paper_status())
"#;

/// A Python that can import what is named, or the reason why not.
async fn python_with(module: &str) -> Result<PathBuf, String> {
    let venv = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.dev/venv/bin/python");
    let python = env::var_os("PAUSE_PYTHON").map_or(venv, PathBuf::from);
    let import = Command::new(&python)
        .args(["-c", &format!("import {module}")])
        .stderr(Stdio::null())
        .status()
        .await;
    match import {
        Ok(status) if status.success() => Ok(python),
        Ok(_) | Err(_) => Err(format!("SKIPPED: no Python module {module} ({python:?})")),
    }
}

/// A printer, and what python-escpos says and does on its port.
struct Desk {
    printer: Printer,
    port: PathBuf,
    python: PathBuf,
    _dir: TempDir,
}

impl Desk {
    async fn new() -> Option<Self> {
        let python = match python_with("escpos, serial").await {
            Ok(python) => python,
            Err(reason) => {
                println!("{reason}");
                return None;
            }
        };
        let dir = tempfile::tempdir().unwrap();
        let port = dir.path().join("port");
        Some(Self {
            printer: Printer::spawn(&port, Options::default()).unwrap(),
            port,
            python,
            _dir: dir,
        })
    }

    async fn host(&self, more: &[&str]) -> Vec<String> {
        let mut host = Command::new(&self.python);
        host.args(["-c", HOST]).arg(&self.port).args(more);
        let output = host.output().await.unwrap();
        let complaint = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{complaint}");
        let said = String::from_utf8(output.stdout).unwrap();
        let statuses = said.lines().filter_map(|line| line.strip_prefix("status "));
        statuses.map(str::to_owned).collect()
    }
}

#[tokio::test]
async fn python_escpos_reads_the_status() {
    // Paper: 2 = enough, 1 = near its end, 0 = none.
    let cases = [
        (None, "True 2"),
        (Some("paper_low"), "True 1"),
        (Some("paper_end"), "False 0"),
        (Some("cover_open"), "False 2"),
        (Some("offline"), "False 2"),
    ];
    let mut asked = tokio::task::JoinSet::new();
    for (fault, expected) in cases {
        let Some(desk) = Desk::new().await else {
            return;
        };
        asked.spawn(async move {
            if let Some(fault) = fault {
                desk.printer.set_fault(fault, true).unwrap();
            }
            assert_eq!(desk.host(&[]).await, [expected], "{fault:?}");
        });
    }
    asked.join_all().await;
}

#[tokio::test]
async fn python_escpos_prints_and_zbarimg_reads_what_is_on_the_paper() {
    let Some(desk) = Desk::new().await else {
        return;
    };
    assert_eq!(desk.host(&["print"]).await, ["True 2", "True 2"]);
    let receipt = desk.printer.last().unwrap();
    assert_eq!(desk.printer.state().unknown_commands, 0);
    insta::assert_snapshot!(receipt.text);
    if let Some(codes) = scanned(&receipt.png).await {
        assert_eq!(codes, ["CODE-128:12345", "QR-Code:https://example.org/r/42"]);
    }
}

#[tokio::test]
async fn zbarimg_reads_the_codes_of_our_driver() {
    let Some(codes) = scanned(&paper::printed_by_our_driver().await).await else {
        return;
    };
    assert_eq!(
        codes,
        [
            "CODE-128:004200420042",
            "CODE-128:K0001-42",
            "QR-Code:https://example.org/r/K0001-42?a=1"
        ]
    );
}

/// What zbarimg finds on a picture, in the order of the alphabet.
async fn scanned(png: &[u8]) -> Option<Vec<String>> {
    let dir = tempfile::tempdir().unwrap();
    let picture = dir.path().join("receipt.png");
    std::fs::write(&picture, png).unwrap();
    let zbarimg = Command::new("zbarimg")
        .args(["--quiet", "-Sdisable", "-Sqrcode.enable", "-Scode128.enable"])
        .arg(&picture)
        .output()
        .await;
    let Ok(output) = zbarimg else {
        println!("SKIPPED: zbarimg is not installed (Debian: zbar-tools)");
        return None;
    };
    let text = String::from_utf8(output.stdout).unwrap();
    let mut codes: Vec<String> = text.lines().map(str::to_owned).collect();
    codes.sort_unstable();
    Some(codes)
}

mod paper {
    use std::sync::Arc;

    use driver_api::printer::{Command, Document, Event, JobId, Line};
    use driver_escpos::{Config, Printer as Driver};
    use driver_host::{SerialLine, drive};
    use driver_sim::printer::{Options, Printer};
    use tokio::sync::mpsc;

    pub(super) async fn printed_by_our_driver() -> Arc<[u8]> {
        let dir = tempfile::tempdir().unwrap();
        let port = dir.path().join("port");
        let printer = Printer::spawn(&port, Options::default()).unwrap();
        let (commands, todo) = mpsc::channel(1);
        let (news, mut events) = mpsc::channel(8);
        let line = SerialLine::new(port, 115_200);
        tokio::spawn(drive(Driver::new(Config::default()), line, todo, news));
        let document = Document {
            lines: vec![
                Line::Text("Above the code.".into()),
                Line::Qr("https://example.org/r/K0001-42?a=1".into()),
                Line::Text("Between the codes.".into()),
                Line::Barcode("K0001-42".into()),
                Line::Barcode("004200420042".into()),
            ],
        };
        assert_eq!(events.recv().await, Some(Event::Ready));
        let job = JobId(1);
        commands.send(Command::Print { job, document }).await.unwrap();
        assert_eq!(events.recv().await, Some(Event::Printed(job)));
        printer.last().unwrap().png
    }
}
