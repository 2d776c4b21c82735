//! Somebody else's program attacks the running server, from its own OpenAPI document: no 5xx, no
//! answer that the document does not announce. Where it is not installed the test says `SKIPPED`.

#![allow(clippy::unwrap_used, reason = "in tests")]

use std::env;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use central_server::demo;
use domain::{CardRef, CardRefKey, Uid};
use serde_json::{Value, json};

/// With it a run takes well below a minute.
const EXAMPLES: &str = "60";
/// Checked by ourselves in `stories`, or not what an API with a PIN promises: a request of the
/// right form is still refused when the card is unknown.
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,\
    response_headers_conformance,response_schema_conformance,negative_data_rejection,\
    missing_required_header,unsupported_method,allow_header_conformance";

#[tokio::test]
async fn schemathesis_finds_nothing() {
    let Some(schemathesis) = schemathesis() else {
        let word = "SKIPPED: schemathesis is not installed (PyPI, in .dev/venv)\n";
        std::io::stderr().write_all(word.as_bytes()).unwrap();
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    make_town(dir).await;
    let central = Running::start(dir).await;
    let document: Value = serde_json::from_str(&central_server::openapi_json()).unwrap();
    for (name, document) in [("as it is", document.clone()), ("steered", steered(document, dir))] {
        let file = dir.join("openapi.json");
        std::fs::write(&file, document.to_string()).unwrap();
        let output = attack(&schemathesis, &file, dir, &central.url);
        let report = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{name}:\n{report}");
        assert!(report.contains("Tested: 8"), "{name}: not all operations were tested:\n{report}");
    }
    assert_deep(&central.metrics());
}

/// The attack got past the doors: what it did not find it had looked for.
fn assert_deep(metrics: &str) {
    for (route, status) in [
        ("/v1/card-sessions", 201),
        ("/v1/card-sessions", 401),
        ("/v1/card-sessions", 403),
        ("/v1/topups", 200),
        ("/v1/topups", 201),
        ("/v1/topups", 422),
        ("/v1/journal-batches", 422),
        ("/v1/kiosk-config", 200),
        ("/v1/hotlist", 200),
        ("/v1/kiosks/{id}/books", 200),
        ("/v1/cards/{number}/status", 204),
        ("/v1/cards/{number}/pin-lock/reset", 204),
    ] {
        let answered = metrics.lines().any(|line| {
            line.contains(&format!("route=\"{route}\"")) && line.contains(&format!("\"{status}\""))
        });
        assert!(answered, "{route} never answered {status}:\n{metrics}");
    }
}

fn attack(schemathesis: &Path, document: &Path, dir: &Path, url: &str) -> Output {
    Command::new(schemathesis)
        .arg("run")
        .arg(document)
        .args(["--url", url, "--max-examples", EXAMPLES, "--checks", CHECKS])
        // The same attack every time: what it finds today, it finds tomorrow.
        .args(["--seed", "1", "--generation-database", "none", "--no-color"])
        .args(["--phases", "examples,coverage,fuzzing", "--suppress-health-check", "all"])
        .arg("--request-cert")
        .arg(dir.join("tools.pem"))
        .arg("--request-cert-key")
        .arg(dir.join("tools.key"))
        .arg("--tls-verify")
        .arg(dir.join("ca.pem"))
        .current_dir(dir)
        .output()
        .unwrap()
}

/// The document with the town's own cards and the caller's own keys in it: what gets past the first
/// check meets the ones behind it.
fn steered(mut document: Value, dir: &Path) -> Value {
    let town = std::fs::read(dir.join("town.json")).unwrap();
    let town: Value = serde_json::from_slice(&town).unwrap();
    let cards = town["cards"].as_array().unwrap();
    let schemas = &mut document["components"]["schemas"];

    let session = schemas["CardSessionRequest"].take();
    let sessions = cards.iter().map(|card| {
        let mut session = session.clone();
        for field in ["number", "uid", "pin"] {
            session["properties"][field] = json!({"enum": [card[field]]});
        }
        session
    });
    schemas["CardSessionRequest"] = json!({"oneOf": sessions.collect::<Vec<_>>()});
    let refs = card_refs(dir, cards);
    let top_up = &mut schemas["TopUpRequest"];
    top_up["properties"]["card_ref"] = json!({"enum": refs});
    top_up["properties"]["amount"] = json!({"enum": [499, 500, 1_000, 15_001]});
    // One that is accepted, before chance has filled the wallet or used its key.
    top_up["example"] = json!({
        "card_ref": refs[0],
        "amount": 1_000,
        "tender": "card",
        "offline": false,
        "ordered_at": {"utc_ms": 1_790_000_000_000_i64, "offset_min": 60},
    });

    // The ordinary cards stay as they are, or no top-up might find one that takes it.
    let numbers: Vec<_> = cards.iter().skip(4).map(|card| card["number"].clone()).collect();
    for (path, method) in
        [("/v1/cards/{number}/status", "post"), ("/v1/cards/{number}/pin-lock/reset", "post")]
    {
        let parameter = &mut document["paths"][path][method]["parameters"][0]["schema"];
        *parameter = json!({"type": "string", "enum": numbers});
    }
    let key = &mut document["paths"]["/v1/topups"]["post"]["parameters"][0];
    key["schema"]["pattern"] = json!("^TOOLS-[1-9][0-9]{0,3}$");
    key["example"] = json!("TOOLS-1");
    let kiosk = &mut document["paths"]["/v1/kiosks/{id}/books"]["get"]["parameters"][0]["schema"];
    *kiosk = json!({"type": "string", "enum": ["TOOLS"]});
    document
}

fn card_refs(dir: &Path, cards: &[Value]) -> Vec<CardRef> {
    let key = std::fs::read_to_string(dir.join("card_ref.key")).unwrap();
    let mut bytes = [0; 32];
    hex::decode_to_slice(key.trim(), &mut bytes).unwrap();
    let key = CardRefKey(bytes);
    let card_ref = |card: &Value| {
        let number = card["number"].as_str().unwrap().parse().unwrap();
        let uid = Uid::try_from(card["uid"].as_str().unwrap().to_owned()).unwrap();
        CardRef::new(&key, number, uid)
    };
    cards.iter().map(card_ref).collect()
}

/// The program, if a Python has it.
fn schemathesis() -> Option<PathBuf> {
    let venv = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.dev/venv/bin/python");
    let python = env::var_os("PAUSE_PYTHON").map_or(venv, PathBuf::from);
    let program = python.with_file_name("schemathesis");
    let version = Command::new(&program).arg("--version").stdout(Stdio::null()).status();
    version.is_ok_and(|status| status.success()).then_some(program)
}

/// Without the limits that would answer in place of what is behind them.
async fn make_town(dir: &Path) {
    let options = demo::Options {
        dir: dir.to_owned(),
        seed: 1,
        kiosks: vec!["K0001".parse().unwrap()],
        port: None,
    };
    demo::make_town(&options).await.unwrap();
    let file = dir.join("central.toml");
    let mut text = std::fs::read_to_string(&file).unwrap();
    for limit in ["requests_per_s = 50", "burst = 200", "pins_per_min = 60"] {
        let (name, _) = limit.split_once(" = ").unwrap();
        assert!(text.contains(limit), "{limit} is no longer in central.toml");
        text = text.replace(limit, &format!("{name} = 1000000"));
    }
    std::fs::write(&file, text).unwrap();
}

/// A central in a process of its own.
struct Running {
    process: Child,
    url: String,
    ops: String,
}

impl Running {
    async fn start(dir: &Path) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_central"))
            .args(["serve", "--listen", "127.0.0.1:0", "--ops-listen", "127.0.0.1:0"])
            .arg("--config")
            .arg(dir.join("central.toml"))
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let addresses: Value = loop {
            if let Ok(text) = std::fs::read(dir.join("central.addr")) {
                break serde_json::from_slice(&text).unwrap();
            }
            assert!(process.try_wait().unwrap().is_none(), "central ended at its start");
            tokio::task::yield_now().await;
        };
        let address = |name: &str| addresses[name].as_str().unwrap().to_owned();
        let url = format!("https://{}", address("listen"));
        Self { process, url, ops: address("ops_listen") }
    }

    fn metrics(&self) -> String {
        let mut stream = TcpStream::connect(&self.ops).unwrap();
        stream.write_all(b"GET /metrics HTTP/1.0\r\n\r\n").unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        text
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}
