//! Another till of others drives the simulated terminal, on a serial line: `ecrterm`, in Python. It
//! registers, enquires, pays, is refused, diagnoses and ends the day.
//!
//! It is in no registry. Whoever has its source names the folder it lies in in `PAUSE_ECRTERM`, and
//! has pyserial: `cargo test -p driver-sim --test terminal_by_ecrterm -- --ignored`.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use driver_sim::terminal::{Cardholder, Options, Orphan, Pace, Terminal, Transport};
use tokio::process::Command;
use tokio::time::timeout;

async fn till(port: &Path, steps: &[&str]) -> String {
    let folder = std::env::var_os("PAUSE_ECRTERM").expect("PAUSE_ECRTERM names the folder");
    let till = Command::new("python3")
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/ecrterm_till.py"))
        .arg(folder)
        .arg(port)
        .args(steps)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let output = timeout(Duration::from_secs(30), till).await.expect("it ends").expect("Python");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let complained = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}{complained}");
    said
}

fn assert_said(said: &str, about: &str, what: &[&str]) {
    let is_there = said
        .lines()
        .any(|line| line.starts_with(about) && what.iter().all(|part| line.contains(part)));
    assert!(is_there, "{about} {what:?} in {said}");
}

#[tokio::test]
#[ignore = "ecrterm is in no registry"]
async fn ecrterm_pays_at_the_terminal() {
    let dir = tempfile::tempdir().unwrap();
    let port = dir.path().join("terminal");
    let options =
        Options { transport: Transport::Serial, pace: Pace::FAST, orphan: Orphan::Finishes };
    let terminal = Terminal::plug(&port, options).unwrap();

    let said = till(&port, &["register", "status", "pay"]).await;
    assert_said(&said, "register", &["Completion", "'tid': '28004869'", "'0978'"]);
    assert_said(&said, "status", &["Completion", "'terminal-status': 0"]);
    assert_said(&said, "pay", &["IntermediateStatus"]);
    assert_said(&said, "pay", &["StatusInformation", "'amount': '000000002000'", "'trace_number'"]);
    assert_said(&said, "pay -> True", &[]);
    assert_eq!(terminal.charges().len(), 1);

    terminal.set_cardholder(Cardholder::Declined);
    let said = till(&port, &["register", "pay"]).await;
    assert_said(&said, "pay", &["Abort"]);
    assert_said(&said, "pay -> False", &[]);
    assert_eq!(terminal.charges().len(), 1);

    let said = till(&port, &["register", "diagnose", "end_of_day"]).await;
    assert_said(&said, "diagnose", &["Completion"]);
    assert_said(&said, "end_of_day", &["StatusInformation", "'amount': '000000002000'"]);
    assert_said(&said, "end_of_day -> 0", &[]);
}
