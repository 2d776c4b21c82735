//! Programs of others look at the simulated card: libnfc and libfreefare, over an emulated PN532 on
//! a pty. Nothing between them and the card's memory was written by us but the chip models. Where
//! a program is missing the test says `SKIPPED`.

#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test that meets the unexpected shall fail there, and say what it skips"
)]

use std::path::PathBuf;
use std::process::{Output, Stdio};

use domain::{CardNumber, Uid};
use driver_mifare::{CardImage, CardMasterKey, Identity, NetworkCode, SectorKeys, personalise};
use driver_sim::card::Card;
use driver_sim::pn532::Pn532Server;
use driver_sim::reader::{Model, Reader};
use ed25519_dalek::SigningKey;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;

const UID: Uid = Uid([0xDE, 0xAD, 0xBE, 0xEF]);

#[tokio::test]
async fn libnfc_sees_a_mifare_classic() {
    let desk = Desk::new();
    desk.reader.tap(Card::blank(UID.0));
    let Some(output) = desk.run("nfc-list", &[]).await else { return };
    let text = String::from_utf8(output.stdout).unwrap();
    for line in ["ATQA (SENS_RES): 00  04", "UID (NFCID1): de  ad  be  ef", "SAK (SEL_RES): 08"] {
        assert!(text.contains(line), "{line} in {text}");
    }
}

#[tokio::test]
async fn libnfc_sees_a_banks_card_as_something_else() {
    let desk = Desk::new();
    desk.reader.tap(Card::bank([1, 2, 3]));
    let Some(output) = desk.run("nfc-list", &[]).await else { return };
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("SAK (SEL_RES): 20") && text.contains("ATS: "), "{text}");
}

#[tokio::test]
async fn libnfc_polls_for_a_card_and_notices_that_it_goes() {
    let desk = Desk::new();
    desk.reader.tap(Card::blank(UID.0));
    let spawned = desk.command("nfc-poll").stdout(Stdio::piped()).spawn();
    let Ok(mut poll) = spawned else { return skip("nfc-poll") };
    let mut lines = BufReader::new(poll.stdout.take().unwrap());
    let mut text = String::new();
    while !text.contains("Waiting for card removing") {
        let mut word = Vec::new();
        assert_ne!(lines.read_until(b'.', &mut word).await.unwrap(), 0, "it ended early: {text}");
        text.push_str(std::str::from_utf8(&word).unwrap());
    }
    assert!(text.contains("UID (NFCID1): de  ad  be  ef"), "{text}");
    desk.reader.remove();
    assert!(poll.wait().await.unwrap().success());
}

#[tokio::test]
async fn libnfc_reads_a_citizen_card_byte_for_byte_with_its_keys() {
    let desk = Desk::new();
    let image = citizen_card();
    for side in ["a", "b"] {
        desk.reader.swap(Card::classic(image.0));
        let keys = desk.file("keys.mfd", &image.0);
        let dump = desk.path(&format!("dump-{side}.mfd"));
        let arguments = ["r", side, "u", dump.to_str().unwrap(), keys.to_str().unwrap()];
        let Some(output) = desk.run("nfc-mfclassic", &arguments).await else { return };
        let log = String::from_utf8_lossy(&output.stdout).into_owned();
        assert_eq!(std::fs::read(&dump).unwrap(), image.0, "key {side}: {log}");
    }
}

#[tokio::test]
async fn without_its_keys_libnfc_gets_into_no_sector_of_ours() {
    let desk = Desk::new();
    desk.reader.tap(Card::classic(citizen_card().0));
    let dump = desk.path("dump.mfd");
    let arguments = ["r", "a", "u", dump.to_str().unwrap()];
    let Some(output) = desk.run("nfc-mfclassic", &arguments).await else { return };
    let log = String::from_utf8_lossy(&output.stdout);
    // It begins at the end: our last sector's key is none of those that everybody tries.
    assert!(log.contains("authentication failed for block 0x3f"), "{log}");
    assert!(!dump.exists());
}

#[tokio::test]
async fn libnfc_writes_what_key_b_may_and_key_a_may_not() {
    let desk = Desk::new();
    let image = citizen_card();
    let mut wanted = image.clone();
    wanted.set_block(12, &[0x5A; 16]);
    let keys = desk.file("keys.mfd", &image.0);
    let new = desk.file("new.mfd", &wanted.0);
    let arguments = |side| ["w", side, "u", new.to_str().unwrap(), keys.to_str().unwrap()];

    desk.reader.tap(Card::classic(image.0));
    if desk.run("nfc-mfclassic", &arguments("a")).await.is_none() {
        return;
    }
    assert_eq!(memory(desk.reader.remove()), image.0, "key A has changed nothing");

    desk.reader.tap(Card::classic(image.0));
    desk.run("nfc-mfclassic", &arguments("b")).await;
    assert_eq!(memory(desk.reader.remove()), wanted.0);
}

#[tokio::test]
async fn libfreefare_formats_a_blank_card_and_reads_its_own_message_back() {
    let desk = Desk::new();
    desk.reader.tap(Card::blank(UID.0));
    // A well-known text record, "PAUSE+" in English.
    let message = b"\xD1\x01\x09T\x02enPAUSE+";
    let input = desk.file("in.ndef", message);
    let output = desk.path("out.ndef");
    if desk.run("mifare-classic-format", &["-y"]).await.is_none() {
        return;
    }
    let write = ["-y", "-i", input.to_str().unwrap()];
    desk.run("mifare-classic-write-ndef", &write).await;
    let read = ["-y", "-o", output.to_str().unwrap()];
    desk.run("mifare-classic-read-ndef", &read).await;
    assert_eq!(std::fs::read(&output).unwrap(), message);
}

/// A reader with a PN532 on a pty, and a place for files.
struct Desk {
    reader: Reader,
    dir: TempDir,
    _chip: Pn532Server,
}

impl Desk {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let reader = Reader::new(Model::Acr122u);
        let chip = Pn532Server::plug(reader.clone(), dir.path().join("pn532")).unwrap();
        Self { reader, dir, _chip: chip }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn file(&self, name: &str, content: &[u8]) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, content).unwrap();
        path
    }

    fn command(&self, program: &str) -> Command {
        let line = format!("pn532_uart:{}", self.path("pn532").display());
        let mut command = Command::new(program);
        command.env("LIBNFC_DEFAULT_DEVICE", line).env("LIBNFC_AUTO_SCAN", "false");
        command
    }

    /// What the program says, or nothing where it is not installed.
    async fn run(&self, program: &str, arguments: &[&str]) -> Option<Output> {
        let output = self.command(program).args(arguments).output().await;
        if output.is_err() {
            skip(program);
        }
        output.ok()
    }
}

fn skip(program: &str) {
    println!("SKIPPED: no {program} (Debian: libnfc-bin, libfreefare-bin)");
}

fn citizen_card() -> CardImage {
    let network = NetworkCode(7);
    let identity = Identity {
        network,
        key_version: 1,
        number: CardNumber::from_serial(42).unwrap(),
        issue: 1,
        issued_day: 20_000,
        expires_day: 23_650,
    };
    let keys = SectorKeys::of_card(&CardMasterKey([9; 16]), network, UID);
    personalise(UID, &identity, &SigningKey::from_bytes(&[1; 32]), &keys)
}

fn memory(cards: Vec<Card>) -> [u8; 1024] {
    match cards.as_slice() {
        [Card::Classic(card)] => *card.image(),
        other => panic!("one card was there, not {other:?}"),
    }
}
