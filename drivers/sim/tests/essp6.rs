//! ITL's own C code, as PyPI's `eSSP6` 1.0.8 builds it, drives the simulated validator over a pty:
//! framing, sequence, key exchange, encryption, setup, and one note up to its credit.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use driver_sim::validator::{Encryption, Options, Pace, Validator};
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{ChildStdout, Command};
use tokio::time::timeout;

/// Says what it sees, one word per line; its polls accept whatever is in escrow.
const HOST: &str = r#"
import ctypes, os, sys, time
from eSSP import eSSP
from eSSP.constants import Status

# The binding leaves the handle an int, which ctypes cuts to 32 bits.
class Handle(ctypes.c_void_p):
    pass
eSSP.essp.ssp_init.restype = Handle

host = eSSP(com_port=sys.argv[1], ssp_address="0", debug=True)
print("ENABLED", flush=True)
seen = 0
while True:
    while seen < len(host.events):
        value, _, event = host.events[seen]
        seen += 1
        if event == Status.SSP_POLL_CREDIT.value and value:
            print("CREDIT", value, flush=True)
        if event == Status.SSP_POLL_STACKED.value:
            print("STACKED", flush=True)
            os._exit(0)
    time.sleep(0.05)
"#;

/// The virtual environment that `./dev` makes, or the interpreter that `PAUSE_PYTHON` names.
fn python() -> PathBuf {
    std::env::var_os("PAUSE_PYTHON").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.dev/venv/bin/python"),
        PathBuf::from,
    )
}

async fn has_essp6(python: &Path) -> bool {
    let import = ["-c", "import eSSP"];
    let status = Command::new(python).args(import).stderr(Stdio::null()).status().await;
    status.is_ok_and(|status| status.success())
}

struct Host {
    lines: Lines<BufReader<ChildStdout>>,
    said: Vec<String>,
}

impl Host {
    async fn says(&mut self, word: &str) {
        let found = timeout(Duration::from_secs(60), async {
            while let Some(line) = self.lines.next_line().await.expect("it prints text") {
                let is_it = line == word;
                self.said.push(line);
                if is_it {
                    return true;
                }
            }
            false
        });
        assert!(matches!(found.await, Ok(true)), "no {word:?} in {:#?}", self.said);
    }
}

#[tokio::test]
async fn itls_own_host_sets_up_encrypts_and_takes_a_note() {
    let python = python();
    if !has_essp6(&python).await {
        println!("SKIPPED: no eSSP6 for {}", python.display());
        return;
    }
    for encryption in [Encryption::Mandatory, Encryption::Optional] {
        let dir = tempfile::tempdir().unwrap();
        let port = dir.path().join("validator");
        let options = Options { encryption, pace: Pace::FAST, ..Options::default() };
        let validator = Validator::spawn(&port, options).unwrap();
        let mut child = Command::new(&python)
            .args(["-u", "-c", HOST])
            .arg(&port)
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut host = Host { lines, said: Vec::new() };

        host.says("ENABLED").await;
        // Without it, ITL's code would go on in the clear.
        assert!(host.said.contains(&"Encryption Setup".to_owned()), "{:#?}", host.said);
        validator.insert(2000).unwrap();
        host.says("CREDIT 3").await;
        host.says("STACKED").await;
        assert_eq!(validator.state().cash_box, [(2000, 1)].into());
        assert!(child.wait().await.unwrap().success());
    }
}
