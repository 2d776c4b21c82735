//! The real program, killed in the middle of its work.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use central_api::{Client, ClientConfig, TopUpAnswer, TopUpRequest};
use central_server::demo;
use domain::{Amount, CardRef, Tender, Wall};
use kiosk_records::IntentId;
use tokio::sync::mpsc;

use crate::kiosk::Journal;
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

    fn client(&self, dir: &Path, name: &str) -> Client {
        let read = |file: &str| std::fs::read(dir.join(file)).unwrap();
        let [certificate, key] = ["pem", "key"].map(|end| read(&format!("{name}.{end}")));
        Client::new(&ClientConfig {
            url: format!("https://{}", self.address),
            ca_pem: read("ca.pem"),
            certificate_pem: certificate,
            key_pem: key,
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
        amount: Amount::euro(10),
        tender: if seq.is_multiple_of(2) { Tender::Card } else { Tender::Cash },
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
        let client = central.client(dir, "K0001");
        let now_known = send_until_killed(&mut central, &client, card_ref, enough).await;
        for (seq, answer) in now_known {
            let before = known.entry(seq).or_insert_with(|| answer.clone());
            assert_eq!(*before, answer, "K0001-{seq} was answered differently before");
        }
    }
    let central = Running::start(dir).await;
    let client = central.client(dir, "K0001");
    let mut credited = 0;
    for seq in 1..=ORDERS {
        let (intent, request) = order(seq, card_ref);
        let answer = client.top_up(&intent, &request).await.unwrap();
        credited += i64::from(matches!(answer, TopUpAnswer::Accepted { .. })) * 1_000;
        if let Some(before) = known.get(&seq) {
            assert_eq!(*before, answer);
        }
    }
    assert_eq!(credited, 15_000, "each order once: the wallet is exactly full");
    assert_sound(dir);
}

/// By the program's own audit.
fn assert_sound(dir: &Path) {
    let audit = Command::new(env!("CARGO_BIN_EXE_central"))
        .args(["audit", "--config"])
        .arg(dir.join("central.toml"))
        .output()
        .unwrap();
    assert!(audit.status.success(), "{}", String::from_utf8_lossy(&audit.stderr));
}

/// Line after line, until `enough` are acknowledged: then the power goes while the next one is
/// under way, each time at another step of it.
async fn send_lines_until_killed(
    central: &mut Running,
    client: &Client,
    journal: &Journal,
    enough: usize,
) {
    let (sent, rest) = journal.lines.split_at(enough);
    for line in sent {
        client.send_journal(vec![line.clone()]).await.unwrap();
    }
    let cut = async {
        for _ in 0..enough {
            tokio::task::yield_now().await;
        }
        central.process.kill().unwrap();
        central.process.wait().unwrap();
    };
    // An answer or none: the books must not care.
    drop(tokio::join!(client.send_journal(vec![rest[0].clone()]), cut));
}

#[tokio::test]
async fn what_goes_back_to_bank_cards_goes_back_once_whatever_the_power_does() {
    const PAYMENTS: u16 = 6;
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    demo::make_town(&rig::options(dir)).await.unwrap();
    let (nobody, amount) = (CardRef([7; 16]), Amount::euro(10));
    let mut journal = Journal::new();
    let mut orders = Vec::new();
    for _ in 0..PAYMENTS {
        let payment = journal.pay(amount);
        let intent = journal.order_delivery(nobody, amount, payment);
        orders.push(intent);
        journal.refused(intent, amount);
        let reversal = journal.order_reversal(payment);
        journal.reversed(reversal, amount);
        journal.close_day(0, Some(2), 0);
    }
    for enough in [0, 6, 7, 20, 34] {
        let mut central = Running::start(dir).await;
        let client = central.client(dir, "K0001");
        for seq in &orders {
            let tender = Tender::Card;
            let request = TopUpRequest { amount, tender, ..order(seq.0, nobody).1 };
            client.top_up(&format!("K0001-{seq}").parse().unwrap(), &request).await.unwrap();
        }
        send_lines_until_killed(&mut central, &client, &journal, enough).await;
    }
    let central = Running::start(dir).await;
    central.client(dir, "K0001").send_journal(journal.lines).await.unwrap();
    let kiosk = "K0001".parse().unwrap();
    let books = central.client(dir, "operator").books(&kiosk).await.unwrap();
    assert_eq!(books.card.given_back, Amount::euro(10 * PAYMENTS));
    assert_eq!(books.card.days.len(), usize::from(PAYMENTS));
    assert!(books.card.days.iter().all(|day| day.agrees));
    assert_eq!((books.claims, books.card.open_cents), (Amount::ZERO, 0));
    assert_eq!(books.differences, []);
    assert_sound(dir);
}
