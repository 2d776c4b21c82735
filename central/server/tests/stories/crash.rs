//! The real program, killed in the middle of its work.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use central_api::{Client, ClientConfig, TopUpAnswer, TopUpRequest};
use central_server::demo;
use domain::{Amount, CardRef, Wall};
use kiosk_records::IntentId;
use tokio::sync::mpsc;

use crate::rig;

/// A central in a process of its own.
struct Running {
    process: Child,
    address: SocketAddr,
}

impl Running {
    async fn start(dir: &Path) -> Self {
        let announce = dir.join("central.addr");
        drop(std::fs::remove_file(&announce));
        let mut process = Command::new(env!("CARGO_BIN_EXE_central"))
            .args(["serve", "--listen", "127.0.0.1:0", "--ops-listen", "127.0.0.1:0"])
            .arg("--config")
            .arg(dir.join("central.toml"))
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let address = loop {
            if let Ok(text) = std::fs::read(&announce) {
                let addresses: serde_json::Value = serde_json::from_slice(&text).unwrap();
                break addresses["listen"].as_str().unwrap().parse().unwrap();
            }
            assert!(process.try_wait().unwrap().is_none(), "central ended at its start");
            tokio::task::yield_now().await;
        };
        Self { process, address }
    }

    fn client(&self, dir: &Path) -> Client {
        let read = |file: &str| std::fs::read(dir.join(file)).unwrap();
        Client::new(&ClientConfig {
            url: format!("https://{}", self.address),
            ca_pem: read("ca.pem"),
            certificate_pem: read("K0001.pem"),
            key_pem: read("K0001.key"),
            connect_timeout: ClientConfig::CONNECT_TIMEOUT,
            timeout: ClientConfig::TIMEOUT,
        })
        .unwrap()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

fn order(seq: u64, card_ref: CardRef) -> (IntentId, TopUpRequest) {
    let request = TopUpRequest {
        card_ref,
        amount: Amount::from_cents(500).unwrap(),
        offline: false,
        ordered_at: Wall::default(),
    };
    (format!("K0001-{seq}").parse().unwrap(), request)
}

/// Sends every order at once; gives back the answers there were until `enough`.
async fn send_until_killed(
    central: &mut Running,
    client: &Client,
    card_ref: CardRef,
    enough: usize,
) -> BTreeMap<u64, TopUpAnswer> {
    let (answered, mut answers) = mpsc::channel(64);
    for seq in 1..=ORDERS {
        let (client, answered) = (client.clone(), answered.clone());
        tokio::spawn(async move {
            let (intent, request) = order(seq, card_ref);
            let answer = client.top_up(&intent, &request).await;
            drop(answered.send((seq, answer)).await);
        });
    }
    drop(answered);
    let mut known = BTreeMap::new();
    while let Some((seq, answer)) = answers.recv().await {
        if let Ok(answer) = answer {
            known.insert(seq, answer);
        }
        if known.len() == enough {
            central.process.kill().unwrap();
            central.process.wait().unwrap();
        }
    }
    known
}

/// More than fit the wallet, so that claims are made too.
const ORDERS: u64 = 40;

#[tokio::test]
async fn whatever_was_answered_before_a_power_cut_is_so_after_it() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    demo::make_town(&rig::options(dir)).await.unwrap();
    let cards = rig::cards(dir);
    let omar = cards.iter().find(|card| card.id == "omar").unwrap();
    let card_ref = rig::card_ref(&rig::card_ref_key(dir), omar);

    let mut known = BTreeMap::new();
    for enough in [1, 7, 19] {
        let mut central = Running::start(dir).await;
        let client = central.client(dir);
        let now_known = send_until_killed(&mut central, &client, card_ref, enough).await;
        for (seq, answer) in now_known {
            let before = known.entry(seq).or_insert_with(|| answer.clone());
            assert_eq!(*before, answer, "K0001-{seq} was answered differently before");
        }
    }
    let central = Running::start(dir).await;
    let client = central.client(dir);
    let mut credited = 0;
    for seq in 1..=ORDERS {
        let (intent, request) = order(seq, card_ref);
        let answer = client.top_up(&intent, &request).await.unwrap();
        credited += i64::from(matches!(answer, TopUpAnswer::Accepted { .. })) * 500;
        if let Some(before) = known.get(&seq) {
            assert_eq!(*before, answer);
        }
    }
    assert_eq!(credited, 15_000, "each order once: the wallet is exactly full");
    let audit = Command::new(env!("CARGO_BIN_EXE_central"))
        .args(["audit", "--config"])
        .arg(dir.join("central.toml"))
        .output()
        .unwrap();
    assert!(audit.status.success(), "{}", String::from_utf8_lossy(&audit.stderr));
}
