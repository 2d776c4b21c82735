//! A till that others wrote drives the simulated terminal: the example `status` of the crate `zvt`
//! 0.1.0 registers, diagnoses, ends the day and enquires the status, and prints what it understood.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use driver_sim::terminal::{Options, Orphan, Pace, Terminal, Transport};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::process::Command;
use tokio::time::timeout;

/// `cargo install zvt --version 0.1.0 --example status --root .dev/zvt`, or what `PAUSE_ZVT_STATUS`
/// names.
fn status_till() -> PathBuf {
    std::env::var_os("PAUSE_ZVT_STATUS").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.dev/zvt/bin/status"),
        PathBuf::from,
    )
}

/// 20 €, by a till of three lines: it says "taken" to everything until the completion.
async fn pay(till: &mut TcpStream) -> std::io::Result<()> {
    till.write_all(&[0x06, 0x01, 7, 0x04, 0, 0, 0, 0, 0x20, 0]).await?;
    loop {
        let mut head = [0; 3];
        till.read_exact(&mut head).await?;
        let mut data = vec![0; usize::from(head[2])];
        till.read_exact(&mut data).await?;
        if head[0] == 0x80 {
            continue;
        }
        till.write_all(&[0x80, 0, 0]).await?;
        if head[..2] == [0x06, 0x0F] {
            return Ok(());
        }
    }
}

#[tokio::test]
async fn the_crate_zvt_understands_the_terminal() {
    let program = status_till();
    if !program.is_file() {
        println!("SKIPPED: no till of the crate zvt at {}", program.display());
        return;
    }
    let options = Options { transport: Transport::Tcp, pace: Pace::FAST, orphan: Orphan::Finishes };
    let (_terminal, address) = Terminal::listen(options).await.unwrap();
    let mut till = TcpStream::connect(address).await.unwrap();
    pay(&mut till).await.unwrap();
    drop(till);

    let till = Command::new(program)
        .args(["--ip", &address.to_string()])
        .env("ZVT_LOGGER_LEVEL", "info")
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let output = timeout(Duration::from_secs(30), till).await.expect("it ends").unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let understood = |about: &str, what: &[&str]| {
        let about = format!("Response to {about}: Ok(");
        let is_there = said
            .lines()
            .any(|line| line.contains(&about) && what.iter().all(|part| line.contains(part)));
        assert!(is_there, "{about} {what:?} in {said}");
    };
    let completed = "CompletionData";
    understood("Registration", &[completed, "terminal_id: Some(28004869)", "currency: Some(978)"]);
    understood("Diagnosis", &[completed]);
    understood("EndOfDay", &["IntermediateStatusInformation", "status: 15"]);
    understood("EndOfDay", &["StatusInformation", "amount: Some(2000)", "total: 2000"]);
    understood("EndOfDay", &[completed]);
    understood("StatusEnquiry", &[completed]);
}
