//! Our ESC/POS driver against the simulated printer, over a real pty.

#![allow(
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    reason = "a test that meets the unexpected shall fail there"
)]

use std::time::Duration;

use driver_api::FaultKind;
use driver_api::printer::{Command, Document, Event, JobId, Line};
use driver_escpos::{Config, Printer as Driver, Proof};
use driver_host::{SerialLine, drive};
use driver_sim::printer::{Options, PaperLevel, Printer, State};
use tempfile::TempDir;
use tokio::sync::mpsc;

/// A driver and a printer with a cable between them.
struct Bench {
    printer: Printer,
    commands: mpsc::Sender<Command>,
    events: mpsc::Receiver<Event>,
    _dir: TempDir,
}

impl Bench {
    async fn ready() -> Self {
        let mut bench = Self::with(Config::default());
        assert_eq!(bench.next().await, Event::Ready);
        bench
    }

    fn with(config: Config) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let port = dir.path().join("printer");
        let printer = Printer::spawn(&port, Options::default()).unwrap();
        let driver = Driver::new(Config { poll: Duration::from_millis(20), ..config });
        let (commands, todo) = mpsc::channel(4);
        let (news, events) = mpsc::channel(64);
        tokio::spawn(drive(driver, SerialLine::new(port, 115_200), todo, news));
        Self { printer, commands, events, _dir: dir }
    }

    fn texts(&self) -> Vec<String> {
        let receipts = self.printer.receipts().into_iter();
        receipts.map(|receipt| receipt.text).collect()
    }

    async fn next(&mut self) -> Event {
        let patience = Duration::from_secs(60);
        let event = tokio::time::timeout(patience, self.events.recv()).await;
        event.expect("an event within a minute").expect("the driver runs")
    }

    async fn next_fault(&mut self) -> FaultKind {
        match self.next().await {
            Event::Fault(fault) => fault.kind,
            other => panic!("not a fault: {other:?}"),
        }
    }

    async fn print(&self, job: u64, document: Document) {
        let job = JobId(job);
        self.commands.send(Command::Print { job, document }).await.unwrap();
    }

    async fn not_printed(&mut self, job: u64) -> FaultKind {
        match self.next().await {
            Event::NotPrinted(id, fault) if id == JobId(job) => fault.kind,
            other => panic!("job {job} should have failed: {other:?}"),
        }
    }

    fn fault(&self, name: &str, on: bool) {
        self.printer.set_fault(name, on).unwrap();
    }

    async fn until(&self, what: impl Fn(&State) -> bool) {
        let mut states = self.printer.watch();
        states.wait_for(|state| what(state)).await.unwrap();
    }
}

fn receipt() -> Document {
    Document {
        lines: vec![
            Line::Title("Ajuntament".into()),
            Line::Text("Recàrrega de la targeta · col·legi".into()),
            Line::Rule,
            Line::Pair("Import".into(), "30,00 €".into()),
            Line::Total("TOTAL".into(), "30,00 €".into()),
            Line::Qr("https://example.org/r/K0001-42".into()),
            Line::Barcode("K0001-42".into()),
        ],
    }
}

fn long(lines: usize) -> Document {
    let line = |number| Line::Text(format!("line {number}"));
    Document { lines: (0..lines).map(line).collect() }
}

#[tokio::test]
async fn a_receipt_is_printed_cut_and_proven() {
    let mut bench = Bench::ready().await;
    bench.print(7, receipt()).await;
    assert_eq!(bench.next().await, Event::Printed(JobId(7)));

    let state = bench.printer.state();
    assert_eq!((state.receipts, state.hanging, state.uncut.as_str()), (1, 1, ""));
    assert_eq!(state.unknown_commands, 0);
    insta::assert_snapshot!(bench.printer.last().unwrap().text);
    assert_eq!(bench.printer.take(), bench.printer.last());
    assert_eq!(bench.printer.take(), None, "nothing hangs any more");
}

#[tokio::test]
async fn weaker_proofs_work_too() {
    for proof in [Proof::PaperSensor, Proof::Status] {
        let mut bench = Bench::with(Config { proof, ..Config::default() });
        assert_eq!(bench.next().await, Event::Ready);
        bench.print(1, receipt()).await;
        assert_eq!(bench.next().await, Event::Printed(JobId(1)), "{proof:?}");
    }
}

#[tokio::test]
async fn without_paper_nothing_is_sent() {
    let mut bench = Bench::ready().await;
    bench.fault("paper_end", true);
    assert_eq!(bench.next().await, Event::PaperLow(true));
    assert_eq!(bench.next_fault().await, FaultKind::PaperEnd);
    bench.print(1, receipt()).await;
    assert_eq!(bench.not_printed(1).await, FaultKind::PaperEnd);

    bench.fault("paper_end", false);
    assert_eq!(bench.next().await, Event::PaperLow(false));
    assert_eq!(bench.next().await, Event::Cleared(FaultKind::PaperEnd));
    assert_eq!(bench.next().await, Event::Ready);
    assert_eq!(bench.printer.state().receipts, 0, "the old job does not come back");
    bench.print(2, receipt()).await;
    assert_eq!(bench.next().await, Event::Printed(JobId(2)));
}

#[tokio::test]
async fn paper_that_ends_in_the_middle_fails_the_job_for_good() {
    let mut bench = Bench::ready().await;
    bench.fault("paper_end_mid_job", true);
    bench.print(1, long(200)).await;
    assert_eq!(bench.next().await, Event::PaperLow(true));
    assert_eq!(bench.next_fault().await, FaultKind::PaperEnd);
    assert_eq!(bench.not_printed(1).await, FaultKind::PaperEnd);
    assert_eq!(bench.printer.state().paper, PaperLevel::End);
    assert_eq!(bench.printer.state().uncut, "line 0\nline 1\nline 2\n");
    bench.until(|state| state.buffered == 0).await;

    bench.fault("paper_end_mid_job", false);
    assert_eq!(bench.next().await, Event::PaperLow(false));
    assert_eq!(bench.next().await, Event::Cleared(FaultKind::PaperEnd));
    assert_eq!(bench.next().await, Event::Ready);
    let state = bench.printer.state();
    assert_eq!((state.receipts, state.uncut.as_str()), (0, ""), "what it held was cleared");
    bench.print(2, long(1)).await;
    assert_eq!(bench.next().await, Event::Printed(JobId(2)));
    assert_eq!(bench.printer.last().unwrap().text, "line 0");
}

#[tokio::test]
async fn little_paper_still_prints() {
    let mut bench = Bench::ready().await;
    bench.fault("paper_low", true);
    assert_eq!(bench.next().await, Event::PaperLow(true));
    bench.print(1, receipt()).await;
    assert_eq!(bench.next().await, Event::Printed(JobId(1)));
    bench.fault("paper_low", false);
    assert_eq!(bench.next().await, Event::PaperLow(false));
}

#[tokio::test]
async fn an_open_cover_and_a_printer_offline_are_told_and_cleared() {
    for (name, kind) in [("cover_open", FaultKind::CoverOpen), ("offline", FaultKind::Defective)] {
        let mut bench = Bench::ready().await;
        bench.fault(name, true);
        assert_eq!(bench.next_fault().await, kind);
        bench.print(1, receipt()).await;
        assert_eq!(bench.not_printed(1).await, kind);
        bench.fault(name, false);
        assert_eq!(bench.next().await, Event::Cleared(kind));
        assert_eq!(bench.next().await, Event::Ready);
    }
}

#[tokio::test]
async fn a_stuck_cutter_fails_the_job_and_the_rest_is_cut_off_before_the_next() {
    let mut bench = Bench::ready().await;
    bench.print(1, long(1)).await;
    assert_eq!(bench.next().await, Event::Printed(JobId(1)));
    bench.fault("cutter_jam", true);
    bench.print(2, long(2)).await;
    assert_eq!(bench.next_fault().await, FaultKind::Cutter);
    assert_eq!(bench.not_printed(2).await, FaultKind::Cutter);
    bench.until(|state| state.buffered == 0).await;

    bench.fault("cutter_jam", false);
    assert_eq!(bench.next().await, Event::Cleared(FaultKind::Cutter));
    assert_eq!(bench.next().await, Event::Ready);
    bench.print(3, long(1)).await;
    assert_eq!(bench.next().await, Event::Printed(JobId(3)));
    assert_eq!(bench.texts(), ["line 0", "line 0\nline 1", "line 0"]);
}

#[tokio::test]
async fn a_cable_pulled_in_the_middle_fails_the_job_and_plugged_again_it_prints() {
    let mut bench = Bench::ready().await;
    bench.print(1, long(20_000)).await;
    bench.until(|state| !state.uncut.is_empty()).await;
    bench.fault("unplugged", true);
    assert_eq!(bench.not_printed(1).await, FaultKind::LinkLost);
    assert_eq!(bench.next().await, Event::LinkLost);
    bench.print(2, receipt()).await;
    assert_eq!(bench.not_printed(2).await, FaultKind::LinkLost);

    bench.fault("unplugged", false);
    assert_eq!(bench.next().await, Event::Ready);
    bench.print(3, long(1)).await;
    assert_eq!(bench.next().await, Event::Printed(JobId(3)));
    assert_eq!(bench.printer.last().unwrap().text, "line 0");
    assert_eq!(bench.printer.state().receipts, 2, "the rest of job 1, then job 3");
}

#[tokio::test]
async fn a_power_cut_is_a_lost_link_and_heals() {
    let mut bench = Bench::ready().await;
    bench.fault("power", true);
    assert_eq!(bench.next().await, Event::LinkLost);
    bench.fault("power", false);
    assert_eq!(bench.next().await, Event::Ready);
}

#[tokio::test]
async fn a_silent_printer_is_a_lost_link() {
    let mut bench = Bench::with(Config { answer: Duration::from_millis(50), ..Config::default() });
    assert_eq!(bench.next().await, Event::Ready);
    bench.fault("silent", true);
    assert_eq!(bench.next().await, Event::LinkLost);
    bench.print(1, receipt()).await;
    assert_eq!(bench.not_printed(1).await, FaultKind::LinkLost);
    bench.fault("silent", false);
    assert_eq!(bench.next().await, Event::Ready);
}

#[tokio::test]
async fn no_status_can_tell_a_printer_that_lies() {
    let mut bench = Bench::ready().await;
    bench.fault("lies_ok", true);
    bench.print(1, receipt()).await;
    assert_eq!(bench.next().await, Event::Printed(JobId(1)));
    assert_eq!(bench.texts(), [""], "the paper stayed blank");
}

#[test]
fn faults_are_found_by_the_names_they_are_shown_with() {
    use driver_sim::printer::Fault;
    for fault in Fault::ALL {
        let name = format!("\"{}\"", fault.name());
        assert_eq!(serde_json::to_string(&fault).unwrap(), name);
    }
}
