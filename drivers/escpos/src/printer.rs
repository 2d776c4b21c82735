use std::collections::VecDeque;
use std::mem;
use std::time::Duration;

use domain::Mono;
use driver_api::printer::{Command, Event, JobId};
use driver_api::{Busy, Fault, FaultKind, Frame, Link, Protocol, Remedy};

use crate::receipt::{REPORT_CHANGES, compose};
use crate::{Answer, Config, Parser, Proof, Query, Status};

/// One ESC/POS printer.
///
/// It asks the status in rounds of the four `DLE EOT` questions, one question at a time: every few
/// seconds when idle; before, during and after a job. A job goes out in chunks, each followed by a
/// round, so that a printer that stops is noticed before the next chunk. Behind the last byte goes
/// a request that the printer answers only when it has worked through everything before it
/// ([`Proof`]); the job is printed when a round asked after that answer finds nothing wrong.
///
/// A job that fails is given up for good: what the printer still holds of it is cleared, at once or
/// when there is a line again, and what is on the paper is cut off before the next job.
#[derive(Debug)]
pub struct Printer {
    config: Config,
    parser: Parser,
    asking: Asking,
    job: Option<Job>,
    health: Health,
    /// Told, and not told to be over.
    faults: Vec<FaultKind>,
    paper_low: bool,
    misses: u8,
    /// It answered at least one process id since the line came up.
    knows_process_ids: bool,
    /// Something may hang out of it that is no part of the next job: of one that was given up, or
    /// of one from before we were started.
    has_remains: bool,
    writes: VecDeque<Frame>,
    events: VecDeque<Event>,
}

/// What we know of it, as reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Health {
    /// Nothing yet.
    New,
    Usable,
    Faulty,
    Lost,
}

/// Where we are with asking the status.
#[derive(Debug)]
enum Asking {
    NoLine,
    Pause { until: Mono },
    Round(Round),
}

#[derive(Debug)]
struct Round {
    query: Query,
    until: Mono,
    status: Status,
    /// It began too early to count: ask again.
    is_stale: bool,
}

#[derive(Debug)]
struct Job {
    id: JobId,
    pieces: VecDeque<Vec<u8>>,
    stage: Stage,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// Asking whether it can print; nothing was sent.
    Checking,
    Sending,
    /// All is sent; it has not yet said that it is through.
    Proving {
        until: Mono,
    },
    /// Asking whether all went well; so many rounds still to go.
    Confirming {
        rounds: u8,
    },
}

impl Printer {
    /// A printer whose line is down.
    pub fn new(config: Config) -> Self {
        Self {
            config,
            parser: Parser::default(),
            asking: Asking::NoLine,
            job: None,
            health: Health::New,
            faults: Vec::new(),
            paper_low: false,
            misses: 0,
            knows_process_ids: false,
            has_remains: true,
            writes: VecDeque::new(),
            events: VecDeque::new(),
        }
    }

    fn handle_answer(&mut self, now: Mono, answer: Answer) {
        self.misses = 0;
        match answer {
            Answer::RealTime(byte) => self.handle_real_time(now, byte),
            Answer::Unasked(status) => self.handle_unasked(now, status),
            Answer::PaperSensor => {
                let counts = match self.config.proof {
                    Proof::Auto => !self.knows_process_ids,
                    Proof::PaperSensor => true,
                    Proof::Status => false,
                };
                if counts {
                    self.handle_proof(now);
                }
            }
            Answer::Process(id) => {
                self.knows_process_ids = true;
                if self.job.as_ref().is_some_and(|job| process_id(job.id) == id) {
                    self.handle_proof(now);
                }
            }
        }
    }

    fn handle_real_time(&mut self, now: Mono, byte: u8) {
        // An answer that comes after its time-out is dropped: nothing says to which question.
        let Asking::Round(round) = &mut self.asking else {
            return;
        };
        round.status.add(round.query, byte);
        match round.query.next() {
            Some(query) => {
                round.query = query;
                self.ask(now, query);
            }
            None if round.is_stale => self.begin_round(now),
            None => {
                let status = round.status;
                self.report(status);
                self.end_round(now, status);
            }
        }
    }

    /// It tells of a change by itself. Bad news count at once; good news make us ask.
    fn handle_unasked(&mut self, now: Mono, status: Status) {
        if let Asking::Round(round) = &mut self.asking {
            round.status = round.status.or(status);
        }
        if let Some(fault) = status.faults().next() {
            self.report(status);
            self.give_up(fault);
        } else if let (Health::Faulty | Health::Lost, Asking::Pause { .. }) =
            (self.health, &self.asking)
        {
            self.begin_round(now);
        }
    }

    /// It is through with everything we sent for this job.
    fn handle_proof(&mut self, now: Mono) {
        if let Some(job) = &mut self.job
            && let Stage::Proving { .. } = job.stage
        {
            job.stage = Stage::Confirming { rounds: 1 };
            match &mut self.asking {
                Asking::Round(round) => round.is_stale = true,
                Asking::Pause { .. } | Asking::NoLine => self.begin_round(now),
            }
        }
    }

    /// All four answers are there.
    fn end_round(&mut self, now: Mono, status: Status) {
        if let Some(fault) = status.faults().next() {
            self.give_up(fault);
        }
        let Some(stage) = self.job.as_ref().map(|job| job.stage) else {
            return self.pause(now, self.config.poll);
        };
        match stage {
            Stage::Checking | Stage::Sending => self.send_more(now),
            Stage::Proving { .. } => self.pause(now, POLL_BUSY),
            Stage::Confirming { rounds: 0 | 1 } => {
                let done = self.job.take();
                self.events.extend(done.map(|job| Event::Printed(job.id)));
                self.pause(now, self.config.poll);
            }
            Stage::Confirming { rounds } => {
                self.set_stage(Stage::Confirming { rounds: rounds - 1 });
                self.pause(now, SETTLE);
            }
        }
    }

    /// The next chunk and a round behind it; or, behind the last one, the request for the proof.
    fn send_more(&mut self, now: Mono) {
        let Some(job) = &mut self.job else { return };
        let mut chunk = Vec::new();
        if mem::take(&mut self.has_remains) {
            // Nobody shall find the rest of another customer's receipt on top of theirs.
            chunk.extend(REMAINS_CUT);
        }
        while chunk.len() < CHUNK_BYTES
            && let Some(piece) = job.pieces.pop_front()
        {
            chunk.extend(piece);
        }
        job.stage = Stage::Sending;
        if job.pieces.is_empty() {
            chunk.extend(proof_request(self.config.proof, job.id));
            job.stage = match self.config.proof {
                Proof::Auto | Proof::PaperSensor => {
                    Stage::Proving { until: now + self.config.finish }
                }
                Proof::Status => Stage::Confirming { rounds: 2 },
            };
        }
        // Receipts are about a person: no recording may show them.
        self.writes.push_back(Frame::secret(chunk));
        self.begin_round(now);
    }

    fn set_stage(&mut self, stage: Stage) {
        if let Some(job) = &mut self.job {
            job.stage = stage;
        }
    }

    fn begin_round(&mut self, now: Mono) {
        self.asking = Asking::Round(Round {
            query: Query::Printer,
            until: now,
            status: Status::default(),
            is_stale: false,
        });
        self.ask(now, Query::Printer);
    }

    fn ask(&mut self, now: Mono, query: Query) {
        let patience = match &self.job {
            Some(job) if job.stage != Stage::Checking => self.config.answer_busy,
            Some(_) | None => self.config.answer,
        };
        if let Asking::Round(round) = &mut self.asking {
            round.until = now + patience;
        }
        let question = query.bytes().to_vec();
        self.writes.push_back(Frame::open(question));
    }

    fn pause(&mut self, now: Mono, span: Duration) {
        self.asking = Asking::Pause { until: now + span };
    }

    /// Tells what is new in `status`.
    fn report(&mut self, status: Status) {
        if self.paper_low != status.paper_low {
            self.paper_low = status.paper_low;
            self.events.push_back(Event::PaperLow(status.paper_low));
        }
        let faults: Vec<Fault> = status.faults().collect();
        let kinds: Vec<FaultKind> = faults.iter().map(|fault| fault.kind).collect();
        let known = mem::replace(&mut self.faults, kinds);
        let is_over = known.iter().filter(|kind| !self.faults.contains(kind));
        self.events.extend(is_over.map(|kind| Event::Cleared(*kind)));
        let before = mem::replace(&mut self.health, Health::Faulty);
        // After a gap all is told anew.
        let is_new = |fault: &Fault| before == Health::Lost || !known.contains(&fault.kind);
        self.events.extend(faults.into_iter().filter(is_new).map(Event::Fault));
        if self.faults.is_empty() {
            self.health = Health::Usable;
            if before != Health::Usable {
                self.events.push_back(Event::Ready);
            }
        }
    }

    /// The end of the job, if there is one: it will not be tried again here.
    fn give_up(&mut self, fault: Fault) {
        let Some(job) = self.job.take() else { return };
        if job.stage != Stage::Checking {
            self.has_remains = true;
            if !matches!(self.asking, Asking::NoLine) {
                self.writes.push_back(Frame::open(CLEAR_BUFFERS.to_vec()));
            }
        }
        self.events.push_back(Event::NotPrinted(job.id, fault));
    }

    fn handle_silence(&mut self, now: Mono) {
        self.misses = self.misses.saturating_add(1);
        let is_printing = self.job.as_ref().is_some_and(|job| job.stage != Stage::Checking);
        if is_printing || self.misses >= MISSES_MAX {
            self.lose();
        }
        let span = match self.health {
            Health::Lost => self.config.poll,
            Health::New | Health::Usable | Health::Faulty => RETRY_PAUSE,
        };
        self.pause(now, span);
    }

    fn lose(&mut self) {
        self.give_up(Fault::new(FaultKind::LinkLost, Remedy::Retry));
        if self.health != Health::Lost {
            self.health = Health::Lost;
            self.events.push_back(Event::LinkLost);
        }
    }

    fn proof_deadline(&self) -> Option<Mono> {
        match self.job.as_ref()?.stage {
            Stage::Proving { until } => Some(until),
            Stage::Checking | Stage::Sending | Stage::Confirming { .. } => None,
        }
    }
}

impl Protocol for Printer {
    type Command = Command;
    type Event = Event;

    fn handle_command(&mut self, now: Mono, command: Command) -> Result<(), Busy> {
        if self.job.is_some() {
            return Err(Busy);
        }
        let Command::Print { job: id, document } = command;
        if let Asking::NoLine = self.asking {
            let fault = Fault::new(FaultKind::LinkLost, Remedy::Retry);
            self.events.push_back(Event::NotPrinted(id, fault));
            return Ok(());
        }
        self.job = Some(Job {
            id,
            pieces: compose(&document, &self.config).into(),
            stage: Stage::Checking,
        });
        if let Asking::Pause { .. } = self.asking {
            self.begin_round(now);
        }
        Ok(())
    }

    fn handle_bytes(&mut self, now: Mono, bytes: &[u8]) {
        if let Asking::NoLine = self.asking {
            return;
        }
        for byte in bytes {
            if let Some(answer) = self.parser.push(*byte) {
                self.handle_answer(now, answer);
            }
        }
    }

    fn handle_link(&mut self, now: Mono, link: Link) {
        self.parser = Parser::default();
        self.misses = 0;
        self.knows_process_ids = false;
        self.writes.clear();
        match link {
            Link::Up => {
                if !matches!(self.asking, Asking::NoLine) {
                    // Another line without a word about the end of the last one.
                    self.asking = Asking::NoLine;
                    self.lose();
                }
                if self.has_remains {
                    // It may hold the rest of a job, and print it when someone fills in paper; or
                    // wait for the end of a command, and take the next job for it.
                    self.writes.push_back(Frame::open(CLEAR_BUFFERS.to_vec()));
                }
                self.writes.push_back(Frame::open(REPORT_CHANGES.to_vec()));
                if self.config.proof == Proof::Auto {
                    // Of a printer that answers, no byte of noise is taken for the lesser proof.
                    self.writes.push_back(Frame::open(process_request(*b"LINE")));
                }
                self.begin_round(now);
            }
            Link::Down => {
                self.asking = Asking::NoLine;
                self.lose();
            }
        }
    }

    fn handle_timeout(&mut self, now: Mono) {
        if self.proof_deadline().is_some_and(|until| until <= now) {
            // It answers, but never says that it is through: this kind of proof is not its.
            self.give_up(Fault::new(FaultKind::Garbled, Remedy::Technician));
        }
        match &self.asking {
            Asking::Pause { until } if *until <= now => self.begin_round(now),
            Asking::Round(round) if round.until <= now => self.handle_silence(now),
            Asking::Pause { .. } | Asking::Round(_) | Asking::NoLine => {}
        }
    }

    fn poll_write(&mut self) -> Option<Frame> {
        self.writes.pop_front()
    }

    fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    fn poll_timeout(&self) -> Option<(Mono, &'static str)> {
        let asking = match &self.asking {
            Asking::NoLine => None,
            Asking::Pause { until } => Some((*until, "printer status due")),
            Asking::Round(round) => Some((round.until, "printer silent")),
        };
        let proof = self.proof_deadline().map(|until| (until, "printer unproven"));
        asking.into_iter().chain(proof).min()
    }
}

/// Print data per write: well under the smallest receive buffer (4 KiB).
const CHUNK_BYTES: usize = 512;
/// Unanswered questions in a row until an idle printer counts as lost.
const MISSES_MAX: u8 = 3;
/// Pause after an unanswered question, so that a late answer is not taken for the next one's.
const RETRY_PAUSE: Duration = Duration::from_secs(1);
/// Pause between rounds while it prints.
const POLL_BUSY: Duration = Duration::from_millis(300);
/// Pause between the two rounds of [`Proof::Status`]: it may still print what it has buffered.
const SETTLE: Duration = Duration::from_secs(4);
/// `DLE DC4 8`: "clear buffer(s)", obeyed even when offline.
const CLEAR_BUFFERS: [u8; 10] = [0x10, 0x14, 8, 1, 3, 20, 1, 6, 2, 8];
/// `ESC @`, then `GS V 66 0`.
const REMAINS_CUT: [u8; 6] = [0x1B, b'@', 0x1D, b'V', 66, 0];

/// What is answered only when everything before it is done.
fn proof_request(proof: Proof, job: JobId) -> Vec<u8> {
    let paper_sensor = [0x1D, b'r', 1];
    match proof {
        Proof::Auto => {
            let mut request = process_request(process_id(job));
            request.extend(paper_sensor);
            request
        }
        Proof::PaperSensor => paper_sensor.to_vec(),
        Proof::Status => Vec::new(),
    }
}

/// `GS ( H`: answered with this id, in its turn.
fn process_request(id: [u8; 4]) -> Vec<u8> {
    [&[0x1D, b'(', b'H', 6, 0, 48, 48], &id[..]].concat()
}

/// Four printable characters: enough to tell a job from those before it.
fn process_id(job: JobId) -> [u8; 4] {
    let digits = format!("{:04X}", job.0 & 0xFFFF).into_bytes();
    digits.try_into().expect("four digits of sixteen bits")
}

#[cfg(test)]
mod tests;
