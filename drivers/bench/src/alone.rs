//! One device alone, for other people's programs: on a named pty or socket, operated with lines on
//! standard input. `docs/workbench.md` describes them.

use std::fmt::Display;
use std::io::Write as _;
use std::path::Path;

use anyhow::{Context as _, anyhow, bail};
use driver_sim::card::Card;
use driver_sim::pn532::Pn532Server;
use driver_sim::printer::{self, Printer};
use driver_sim::reader::{self, Reader};
use driver_sim::terminal::Fault;
use driver_sim::validator::{self, Validator};
use tokio::io::{AsyncBufReadExt, BufReader};

use crate::cabinet::READER_MODEL;
use crate::options::{DeviceKind, TerminalKind};
use crate::run::StopSignal;
use crate::terminal::{CARDHOLDERS, CardTerminal};

/// Runs the device until SIGINT or SIGTERM.
///
/// # Errors
/// Its port cannot be made.
pub async fn run(kind: DeviceKind, at: &Path) -> anyhow::Result<()> {
    let made = || format!("cannot make {}", at.display());
    match kind {
        DeviceKind::Validator => {
            let validator = Validator::spawn(at, validator::Options::default());
            let validator = validator.with_context(made)?;
            operate(at, VALIDATOR_HELP, |words| validator_does(&validator, words)).await
        }
        DeviceKind::Printer => {
            let printer = Printer::spawn(at, printer::Options::default()).with_context(made)?;
            operate(at, PRINTER_HELP, |words| printer_does(&printer, words)).await
        }
        DeviceKind::Reader => {
            let reader = Reader::new(READER_MODEL);
            let _line = reader.serve_ifd(at).with_context(made)?;
            operate(at, READER_HELP, |words| reader_does(&reader, words)).await
        }
        DeviceKind::Pn532 => {
            let reader = Reader::new(READER_MODEL);
            let _line = Pn532Server::plug(reader.clone(), at).with_context(made)?;
            operate(at, READER_HELP, |words| reader_does(&reader, words)).await
        }
        DeviceKind::Zvt => terminal(TerminalKind::Zvt, at).await,
        DeviceKind::ZvtSerial => terminal(TerminalKind::ZvtSerial, at).await,
        DeviceKind::Nexo => terminal(TerminalKind::Nexo, at).await,
    }
}

async fn terminal(kind: TerminalKind, at: &Path) -> anyhow::Result<()> {
    let made = || format!("cannot make {}", at.display());
    std::fs::create_dir_all(at).with_context(made)?;
    let terminal = CardTerminal::start(kind, at, 1).await.with_context(made)?;
    operate(at, TERMINAL_HELP, |words| terminal_does(&terminal, words)).await?;
    Ok(terminal.save()?)
}

/// Says that it is there, then does what the lines say and answers each with `ok …` or `error …`.
/// At the end of the lines the device goes on.
async fn operate(
    at: &Path,
    help: &str,
    mut does: impl FnMut(&[&str]) -> anyhow::Result<String>,
) -> anyhow::Result<()> {
    let mut stop = StopSignal::take()?;
    say(format_args!("ready {}", at.display()));
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    loop {
        let line = tokio::select! {
            line = lines.next_line() => line?,
            () = stop.received() => return Ok(()),
        };
        let Some(line) = line else { break };
        let words: Vec<_> = line.split_whitespace().collect();
        match words.as_slice() {
            [] => {}
            ["help"] => say(help),
            words => match does(words) {
                Ok(answer) if answer.is_empty() => say("ok"),
                Ok(answer) => say(format_args!("ok {answer}")),
                Err(error) => say(format_args!("error {error:#}")),
            },
        }
    }
    stop.received().await;
    Ok(())
}

fn validator_does(validator: &Validator, words: &[&str]) -> anyhow::Result<String> {
    match words {
        ["insert", cents] => {
            let cents = cents.parse().context("cents is a whole number")?;
            validator.insert(cents)?;
        }
        ["take"] => return Ok(serde_json::to_string(&validator.take_returned())?),
        ["fault", name, on] => {
            let fault: Result<validator::Fault, _> = name.parse();
            let fault = fault.with_context(|| {
                format!("faults: {}", names(validator::Fault::ALL, |fault| fault.name()))
            })?;
            validator.set_fault(fault, is_on(on)?);
        }
        ["state"] => return Ok(serde_json::to_string(&validator.state())?),
        _ => bail!("not understood; {VALIDATOR_HELP}"),
    }
    Ok(String::new())
}

fn printer_does(printer: &Printer, words: &[&str]) -> anyhow::Result<String> {
    match words {
        ["fault", fault, on] => {
            let known = printer.set_fault(fault, is_on(on)?);
            known.map_err(|error| {
                anyhow!("{error}; faults: {}", names(printer::Fault::ALL, |fault| fault.name()))
            })?;
            Ok(String::new())
        }
        ["receipt"] => {
            let last = printer.last().context("nothing was printed yet")?;
            Ok(format!("{} lines\n{}", last.text.lines().count(), last.text))
        }
        ["receipt", "png", path] => {
            let last = printer.last().context("nothing was printed yet")?;
            std::fs::write(path, &last.png).with_context(|| format!("cannot write {path}"))?;
            Ok(String::new())
        }
        ["state"] => Ok(serde_json::to_string(&printer.state())?),
        _ => bail!("not understood; {PRINTER_HELP}"),
    }
}

fn reader_does(reader: &Reader, words: &[&str]) -> anyhow::Result<String> {
    match words {
        ["tap", "blank"] => reader.tap(Card::blank([0x27, 0x18, 0x28, 0x18])),
        ["tap", "bank"] => reader.tap(Card::bank([0x31, 0x41, 0x59])),
        ["tap", path] => reader.tap(card_from(path)?),
        ["remove"] => drop(reader.remove()),
        ["fault", name, on] => {
            let all = reader::Fault::ALL;
            let fault = all.into_iter().find(|fault| fault.name() == *name);
            let fault = fault.with_context(|| {
                format!("no fault {name}; faults: {}", names(all, |fault| fault.name()))
            })?;
            reader.set_fault(fault, is_on(on)?);
        }
        ["state"] => {
            let faults: Vec<_> = reader.faults().into_iter().map(|fault| fault.name()).collect();
            let occupied = reader.is_occupied();
            return Ok(serde_json::json!({"occupied": occupied, "faults": faults}).to_string());
        }
        _ => bail!("not understood; {READER_HELP}"),
    }
    Ok(String::new())
}

fn terminal_does(terminal: &CardTerminal, words: &[&str]) -> anyhow::Result<String> {
    match words {
        ["cardholder", name] => {
            let known = CARDHOLDERS.iter().find(|(known, _)| known == name);
            let known = known.with_context(|| {
                format!("cardholders: {}", names(CARDHOLDERS, |(known, _)| known))
            })?;
            terminal.set_cardholder(known.1);
        }
        ["fault", name, on] => {
            let fault: Result<Fault, _> = name.parse();
            let fault =
                fault.with_context(|| format!("faults: {}", names(Fault::ALL, Fault::name)))?;
            terminal.set_fault(fault, is_on(on)?);
        }
        ["state"] => {
            return Ok(serde_json::json!({
                "cardholder": terminal.shown().cardholder,
                "faults": terminal.faults().into_iter().map(Fault::name).collect::<Vec<_>>(),
                "bank_cents": terminal.bank_cents(),
                "kioskd_toml": terminal.config(),
            })
            .to_string());
        }
        _ => bail!("not understood; {TERMINAL_HELP}"),
    }
    Ok(String::new())
}

/// A dump as `nfc-mfclassic` reads and writes it: 64 blocks of 16 bytes.
fn card_from(path: &str) -> anyhow::Result<Card> {
    let dump = std::fs::read(path).with_context(|| format!("cannot read {path}"))?;
    let image = dump.try_into().ok();
    let image = image.with_context(|| format!("{path} is no dump of a 1K card: 1024 bytes"))?;
    Ok(Card::classic(image))
}

fn is_on(word: &str) -> anyhow::Result<bool> {
    match word {
        "on" => Ok(true),
        "off" => Ok(false),
        _ => bail!("{word} is neither on nor off"),
    }
}

fn names<T>(all: impl IntoIterator<Item = T>, name: impl Fn(T) -> &'static str) -> String {
    all.into_iter().map(name).collect::<Vec<_>>().join(" ")
}

fn say(line: impl Display) {
    // Who reads it may be gone; the device works all the same.
    writeln!(std::io::stdout(), "{line}").ok();
}

const VALIDATOR_HELP: &str = "validator: insert CENTS · take · fault NAME on|off · state";

const PRINTER_HELP: &str = "printer: fault NAME on|off · receipt · receipt png FILE · state";

const READER_HELP: &str = "reader: tap FILE.mfd|blank|bank · remove · fault NAME on|off · state";

const TERMINAL_HELP: &str = "terminal: cardholder NAME · fault NAME on|off · state";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reader_is_operated_by_words() {
        let reader = Reader::new(READER_MODEL);
        reader_does(&reader, &["tap", "blank"]).unwrap();
        assert!(reader.is_occupied());
        reader_does(&reader, &["fault", "torn", "on"]).unwrap();
        assert!(reader_does(&reader, &["state"]).unwrap().contains("torn"));
        reader_does(&reader, &["remove"]).unwrap();
        assert!(!reader.is_occupied());
        for wrong in [&["tap"][..], &["tap", "/no/such"], &["fault", "x", "on"], &["eat"]] {
            assert!(reader_does(&reader, wrong).is_err(), "{wrong:?}");
        }
    }

    #[tokio::test]
    async fn a_validator_is_operated_by_words() {
        let dir = tempfile::tempdir().unwrap();
        let options = validator::Options::default();
        let validator = Validator::spawn(dir.path().join("v"), options).unwrap();
        validator_does(&validator, &["fault", "fraud", "on"]).unwrap();
        assert!(validator_does(&validator, &["state"]).unwrap().contains("fraud"));
        assert_eq!(validator_does(&validator, &["take"]).unwrap(), "[]");
        for wrong in [&["insert"][..], &["insert", "x"], &["insert", "2000"], &["fault", "x", "on"]]
        {
            assert!(validator_does(&validator, wrong).is_err(), "{wrong:?}");
        }
    }

    #[tokio::test]
    async fn a_printer_is_operated_by_words() {
        let dir = tempfile::tempdir().unwrap();
        let printer = Printer::spawn(dir.path().join("p"), printer::Options::default()).unwrap();
        printer_does(&printer, &["fault", "paper_end", "on"]).unwrap();
        assert!(printer_does(&printer, &["state"]).unwrap().contains("paper_end"));
        for wrong in [&["receipt"][..], &["fault", "paper_end", "maybe"], &["fault", "x", "on"]] {
            assert!(printer_does(&printer, wrong).is_err(), "{wrong:?}");
        }
    }

    #[tokio::test]
    async fn a_terminal_is_operated_by_words() {
        for kind in [TerminalKind::Zvt, TerminalKind::ZvtSerial, TerminalKind::Nexo] {
            let dir = tempfile::tempdir().unwrap();
            let terminal = CardTerminal::start(kind, dir.path(), 1).await.unwrap();
            terminal_does(&terminal, &["cardholder", "walks_off"]).unwrap();
            terminal_does(&terminal, &["fault", "busy", "on"]).unwrap();
            let state = terminal_does(&terminal, &["state"]).unwrap();
            for part in ["walks_off", "busy", r#""bank_cents":0"#, "protocol = "] {
                assert!(state.contains(part), "{part} in {state}");
            }
            for wrong in [&["cardholder", "x"][..], &["fault", "x", "on"], &["pay"]] {
                assert!(terminal_does(&terminal, wrong).is_err(), "{wrong:?}");
            }
        }
    }
}
