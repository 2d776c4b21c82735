use driver_api::printer::{Document, Line};

use super::*;

/// The printer at the other end of the line, played by hand, in virtual time.
struct Rig {
    printer: Printer,
    now: Mono,
    sent: Vec<Vec<u8>>,
    events: Vec<Event>,
}

const FINAL_CUT: &[u8] = b"\x1DVB\x18";
const GOOD: u8 = 0x12;
/// Answers to the four questions when the paper is used up.
const PAPER_END: [u8; 4] = [0x1A, 0x32, GOOD, 0x7E];
const UNASKED_GOOD: [u8; 4] = [0x10, 0, 0, 0];
const UNASKED_PAPER_END: [u8; 4] = [0x18, 0, 0x0F, 0];

impl Rig {
    fn new() -> Self {
        Self::with(Config::default())
    }

    fn with(config: Config) -> Self {
        Self {
            printer: Printer::new(config),
            now: Mono(1_000),
            sent: Vec::new(),
            events: Vec::new(),
        }
    }

    fn up() -> Self {
        Self::new().link(Link::Up)
    }

    fn idle() -> Self {
        Self::up().round().forget()
    }

    fn proving() -> Self {
        Self::idle().print(1, 3).round()
    }

    fn drain(mut self) -> Self {
        self.sent.extend(std::iter::from_fn(|| self.printer.poll_write()).map(|frame| frame.bytes));
        self.events.extend(std::iter::from_fn(|| self.printer.poll_event()));
        self
    }

    fn forget(mut self) -> Self {
        self.sent.clear();
        self.events.clear();
        self
    }

    fn link(mut self, link: Link) -> Self {
        self.printer.handle_link(self.now, link);
        self.drain()
    }

    fn hear(mut self, bytes: &[u8]) -> Self {
        self.printer.handle_bytes(self.now, bytes);
        self.drain()
    }

    /// All four questions are answered well.
    fn round(self) -> Self {
        self.hear(&[GOOD; 4])
    }

    fn print(mut self, job: u64, lines: usize) -> Self {
        let line = |number| Line::Text(format!("line {number}"));
        let command = Command::Print {
            job: JobId(job),
            document: Document { lines: (0..lines).map(line).collect() },
        };
        // A refusal is part of what the matrix shows.
        if self.printer.handle_command(self.now, command).is_err() {
            self.sent.push(b"busy".to_vec());
        }
        self.drain()
    }

    fn wait(mut self) -> Self {
        if let Some((until, _)) = self.printer.poll_timeout() {
            self.now = until.max(self.now);
            self.printer.handle_timeout(self.now);
        }
        self.drain()
    }

    fn has_sent(&self, part: &[u8]) -> usize {
        let all = self.sent.concat();
        all.windows(part.len()).filter(|bytes| *bytes == part).count()
    }

    fn state(&self) -> &'static str {
        let is_asking = matches!(self.printer.asking, Asking::Round(_));
        let health = match &self.printer.health {
            Health::New => "new",
            Health::Usable if is_asking => "polling",
            Health::Usable => "idle",
            Health::Faulty if is_asking => "faulty, polling",
            Health::Faulty => "faulty",
            Health::Lost => "lost",
        };
        match (&self.printer.asking, &self.printer.job) {
            (Asking::NoLine, None) => "no line",
            (Asking::NoLine, Some(_)) => panic!("a job without a line"),
            (_, None) => health,
            (_, Some(job)) => match job.stage {
                Stage::Checking => "checking",
                Stage::Sending => "sending",
                Stage::Proving { .. } => "proving",
                Stage::Confirming { .. } => "confirming",
            },
        }
    }
}

fn failed(job: u64, kind: FaultKind) -> impl Fn(&Event) -> bool {
    let failure = (JobId(job), kind);
    move |event| matches!(event, Event::NotPrinted(job, fault) if (*job, fault.kind) == failure)
}

#[test]
fn printed_is_said_only_after_the_proof_and_a_status_asked_after_it() {
    let rig = Rig::idle().print(1, 3);
    assert_eq!(rig.has_sent(b"line"), 0, "the status is asked first");
    let rig = rig.round();
    assert_eq!((rig.has_sent(b"line 2\n"), rig.has_sent(FINAL_CUT)), (1, 1));
    let rig = rig.round();
    assert_eq!(rig.events, [], "a good status alone is no proof");
    let rig = rig.wait().hear(b"\x12\x12\x37\x220001\0\x12\x12");
    assert_eq!(rig.events, [], "this round began before the proof");
    let rig = rig.round();
    assert_eq!(rig.events, [Event::Printed(JobId(1))]);
    assert_eq!(rig.has_sent(b"line 0\n"), 1);
}

#[test]
fn the_proof_of_another_job_does_not_count() {
    let rig = Rig::proving().hear(b"\x37\x220007\0").round().wait().round();
    assert_eq!((rig.state(), rig.events.as_slice()), ("proving", &[][..]));
    // It knows process ids now, so the coarser answer is not taken any more.
    let rig = rig.hear(&[0x00]).wait().round();
    assert_eq!(rig.state(), "proving");
    let rig = rig.hear(b"\x37\x220001\0").round();
    assert_eq!(rig.events, [Event::Printed(JobId(1))]);
}

#[test]
fn a_byte_of_noise_is_no_proof_of_a_printer_that_knows_process_ids() {
    let rig = Rig::up();
    assert_eq!(rig.has_sent(b"\x1D(H\x06\x0000LINE"), 1, "it is asked before there is a job");
    let rig = rig.hear(b"\x37\x22LINE\0").round().print(1, 3).round();
    let rig = rig.round().wait().hear(&[0x00]).round().wait().round();
    assert!(!rig.events.contains(&Event::Printed(JobId(1))), "{:?}", rig.events);
    let rig = rig.hear(b"\x37\x220001\0").round();
    assert!(rig.events.contains(&Event::Printed(JobId(1))), "{:?}", rig.events);
}

#[test]
fn a_printer_without_process_ids_proves_with_its_paper_sensor() {
    let rig = Rig::proving().round().hear(&[0x00]).round();
    assert_eq!(rig.events, [Event::Printed(JobId(1))]);
}

#[test]
fn a_fault_found_after_the_proof_is_not_printed() {
    let rig = Rig::proving().round().hear(&[0x00]).hear(&PAPER_END);
    assert!(rig.events.iter().any(failed(1, FaultKind::PaperEnd)));
    assert!(!rig.events.contains(&Event::Printed(JobId(1))));
}

#[test]
fn without_a_proof_the_job_fails_in_time() {
    let mut rig = Rig::proving().round();
    let start = rig.now;
    while rig.events.is_empty() {
        rig = rig.wait().round();
    }
    assert!(rig.events.iter().any(failed(1, FaultKind::Garbled)));
    let waited = rig.now - start;
    let patience = Config::default().finish;
    assert!(waited >= patience && waited < patience + POLL_BUSY, "{waited:?}");
    assert_eq!(rig.has_sent(&CLEAR_BUFFERS), 1);
}

#[test]
fn silence_while_it_prints_fails_the_job_and_silence_afterwards_is_a_lost_link() {
    let rig = Rig::proving();
    let start = rig.now;
    let rig = rig.wait();
    assert_eq!(rig.now - start, Config::default().answer_busy);
    assert!(rig.events.iter().any(failed(1, FaultKind::LinkLost)));
    assert!(rig.events.contains(&Event::LinkLost));
    let rig = rig.forget().wait().round();
    assert_eq!(rig.events, [Event::Ready]);
}

#[test]
fn one_lost_answer_is_forgiven_three_are_a_lost_link_told_once() {
    let rig = Rig::idle().wait().wait().hear(&[GOOD]).wait();
    assert_eq!(rig.has_sent(&Query::Printer.bytes()), 2);
    assert_eq!(rig.has_sent(&Query::OfflineCause.bytes()), 0, "late answers are dropped");
    let rig = rig.round();
    assert_eq!(rig.events, [], "all is as before");
    let mut rig = rig.wait();
    for _ in 0..20 {
        rig = rig.wait();
    }
    assert_eq!(rig.events, [Event::LinkLost]);
}

#[test]
fn a_second_job_waits_for_the_first() {
    let rig = Rig::idle().print(1, 1).forget().print(2, 1);
    assert_eq!(rig.sent, [b"busy".to_vec()]);
}

#[test]
fn a_long_document_goes_out_in_chunks_each_followed_by_a_status_round() {
    let mut rig = Rig::idle().print(1, 300);
    let mut chunks = 0;
    while rig.has_sent(FINAL_CUT) == 0 {
        rig = rig.forget().round();
        let data: usize = rig.sent.iter().map(Vec::len).filter(|len| *len > 3).sum();
        assert!(data <= CHUNK_BYTES + 64, "{data}");
        assert_eq!(rig.sent.last().map(Vec::as_slice), Some(&Query::Printer.bytes()[..]));
        chunks += 1;
    }
    assert!(chunks > 3);
    let rig = Rig::idle().print(1, 300).round().forget().hear(&UNASKED_PAPER_END);
    assert!(rig.events.iter().any(failed(1, FaultKind::PaperEnd)));
    let rig = rig.forget().round().wait().round();
    assert_eq!(rig.has_sent(b"line"), 0, "nothing more is sent");
}

#[test]
fn the_remains_of_a_failed_job_are_cut_off_before_the_next_that_is_sent() {
    let rig = Rig::proving().forget().hear(&PAPER_END).print(2, 1).wait().hear(&PAPER_END);
    assert_eq!(rig.has_sent(&REMAINS_CUT), 0, "job 2 was never begun");
    let rig = rig.forget().wait().round().print(3, 1).round();
    assert_eq!(rig.has_sent(&REMAINS_CUT), 1);
    let rig = rig.round().hear(&[0x00]).round().forget().print(4, 1).round();
    assert_eq!(rig.has_sent(&REMAINS_CUT), 0);
}

#[test]
fn what_it_may_hold_of_a_job_that_ended_with_the_line_is_cleared_on_the_next_line() {
    let before_us = Rig::up();
    assert_eq!(before_us.sent[0], CLEAR_BUFFERS, "the kiosk was cut off in the middle of a job");

    let printed = before_us.round().print(1, 3).round().hear(b"\x37\x220001\0").round().round();
    assert_eq!(printed.events.last(), Some(&Event::Printed(JobId(1))));
    let idle = printed.forget().link(Link::Down).link(Link::Up);
    assert_eq!(idle.has_sent(&CLEAR_BUFFERS), 0, "there is nothing to be cleared");

    let printing = idle.round().print(2, 3).round().forget().link(Link::Down).link(Link::Up);
    assert_eq!(printing.sent[0], CLEAR_BUFFERS);
}

#[test]
fn a_fault_that_ends_while_the_line_is_down_is_told_to_be_over() {
    let faulty = Rig::up().hear(&PAPER_END).forget();
    let back = faulty.link(Link::Down).link(Link::Up).round();
    let over = [Event::PaperLow(false), Event::Cleared(FaultKind::PaperEnd), Event::Ready];
    assert_eq!(back.events[1..], over);
}

#[test]
fn an_idle_minute_costs_twenty_rounds() {
    let mut rig = Rig::idle();
    let start = rig.now;
    while rig.now - start < Duration::from_secs(60) {
        rig = rig.wait().round();
    }
    assert_eq!(rig.sent.len(), 20 * 4);
    assert_eq!(rig.events, []);
}

#[test]
fn two_faults_are_told_and_cleared_one_by_one() {
    let cover_and_paper = [0x1A, 0x36, GOOD, 0x7E];
    let rig = Rig::idle().wait().hear(&cover_and_paper);
    let told: Vec<String> = rig.events.iter().map(shown).collect();
    let expected = ["PaperLow(true)", "Fault(CoverOpen)", "Fault(PaperEnd)"];
    assert_eq!(told, expected);
    let rig = rig.forget().wait().hear(&PAPER_END);
    assert_eq!(rig.events, [Event::Cleared(FaultKind::CoverOpen)]);
    let rig = rig.forget().wait().round();
    let healed = [Event::PaperLow(false), Event::Cleared(FaultKind::PaperEnd), Event::Ready];
    assert_eq!(rig.events, healed);
}

#[test]
fn good_news_make_it_ask_at_once() {
    let rig = Rig::idle().wait().hear(&PAPER_END).forget();
    let rig = rig.hear(&UNASKED_GOOD);
    assert_eq!(rig.has_sent(&Query::Printer.bytes()), 1);
    assert_eq!(rig.round().events.last(), Some(&Event::Ready));
}

#[test]
fn receipts_are_hidden_from_recordings() {
    let mut printer = Rig::idle().print(1, 1).printer;
    printer.handle_bytes(Mono(1_000), &[GOOD; 4]);
    let frames: Vec<Frame> = std::iter::from_fn(|| printer.poll_write()).collect();
    let shows_text = |frame: &Frame| frame.bytes.windows(4).any(|bytes| bytes == b"line");
    assert!(frames.iter().any(shows_text));
    assert!(frames.iter().filter(|frame| shows_text(frame)).all(|frame| frame.secret));
}

type Reach = fn() -> Rig;
type Happen = fn(Rig) -> Rig;

/// Name of a state and how to get there.
const STATES: [(&str, Reach); 11] = [
    ("no line", Rig::new),
    ("new", Rig::up),
    ("idle", Rig::idle),
    ("polling", || Rig::idle().wait()),
    ("faulty", || Rig::up().hear(&PAPER_END)),
    ("faulty, polling", || Rig::up().hear(&PAPER_END).wait()),
    ("lost", || Rig::up().wait().wait().wait().wait().wait()),
    ("checking", || Rig::idle().print(1, 300)),
    ("sending", || Rig::idle().print(1, 300).round()),
    ("proving", Rig::proving),
    ("confirming", || Rig::proving().round().hear(&[0x00])),
];

/// Name of an event and how it comes.
const EVENTS: [(&str, Happen); 10] = [
    ("print", |rig| rig.print(2, 1)),
    ("good round", Rig::round),
    ("paper end round", |rig| rig.hear(&PAPER_END)),
    ("unasked good", |rig| rig.hear(&UNASKED_GOOD)),
    ("unasked paper end", |rig| rig.hear(&UNASKED_PAPER_END)),
    ("paper sensor", |rig| rig.hear(&[0x00])),
    ("process id of job 1", |rig| rig.hear(b"\x37\x220001\0")),
    ("time-out", Rig::wait),
    ("link up", |rig| rig.link(Link::Up)),
    ("link down", |rig| rig.link(Link::Down)),
];

#[test]
fn every_state_meets_every_event() {
    let mut table = String::new();
    for (name, reach) in STATES {
        assert_eq!(reach().state(), name);
        table.push_str(&format!("{name}\n"));
        for (event, happen) in EVENTS {
            let rig = happen(reach().forget());
            let news: Vec<String> = rig.events.iter().map(shown).collect();
            let busy = if rig.sent.contains(&b"busy".to_vec()) { "busy " } else { "" };
            let line = format!("{event:>22} → {:<16}{busy}{}", rig.state(), news.join(" "));
            table.push_str(line.trim_end());
            table.push('\n');
        }
    }
    insta::assert_snapshot!(table);
}

fn shown(event: &Event) -> String {
    match event {
        Event::Fault(fault) => format!("Fault({:?})", fault.kind),
        Event::NotPrinted(job, fault) => format!("NotPrinted({}, {:?})", job.0, fault.kind),
        Event::Ready
        | Event::Printed(_)
        | Event::PaperLow(_)
        | Event::Cleared(_)
        | Event::LinkLost => format!("{event:?}"),
    }
}
