//! A printer that says what it likes about its state while it prints.

use std::collections::{BTreeSet, VecDeque};

use domain::Mono;
use driver_api::printer::{Command, Document, Event, JobId, Line};
use driver_api::{Link, Protocol};
use driver_escpos::{Config, Printer};

use crate::pieces::{Pieces, write};

/// Each piece is something that happens; see `Desk::happen`. Was anything printed?
pub fn run(input: &[u8]) -> bool {
    let mut desk = Desk::new();
    for (kind, piece) in Pieces(input) {
        desk.happen(kind, piece);
    }
    desk.printed
}

/// A receipt on a printer that is in order, as an input of [`run`].
pub fn one_receipt() -> Vec<u8> {
    let mut desk = Desk::new();
    let mut input = Vec::new();
    let mut put = |desk: &mut Desk, kind: u8, piece: &[u8]| {
        write(&mut input, kind, piece);
        desk.happen(kind, piece);
    };
    put(&mut desk, LINK, &[1]);
    put(&mut desk, PRINT, b"Recarga 30,00");
    while !desk.printed {
        put(&mut desk, TIME, &[]);
        while let Some(frame) = desk.sent.pop_front() {
            if frame.windows(3).any(|bytes| bytes == [0x1D, b'r', 1]) {
                put(&mut desk, BYTES, &[0x00]);
            }
            if frame.starts_with(&[0x10, 0x04]) {
                put(&mut desk, BYTES, &[0x12]);
            }
        }
    }
    input
}

const BYTES: u8 = 0;
const TIME: u8 = 1;
const PRINT: u8 = 2;
const LINK: u8 = 3;

struct Desk {
    printer: Printer,
    now: Mono,
    /// What nobody has answered yet.
    sent: VecDeque<Vec<u8>>,
    jobs: u64,
    open: BTreeSet<JobId>,
    printed: bool,
}

impl Desk {
    fn new() -> Self {
        Self {
            printer: Printer::new(Config::default()),
            now: Mono(0),
            sent: VecDeque::new(),
            jobs: 0,
            open: BTreeSet::new(),
            printed: false,
        }
    }

    fn happen(&mut self, kind: u8, piece: &[u8]) {
        match kind % 4 {
            BYTES => self.printer.handle_bytes(self.now, piece),
            TIME => {
                let due = self.printer.poll_timeout().map(|(at, _)| at);
                self.now = due.map_or(self.now, |at| at.max(self.now));
                self.printer.handle_timeout(self.now);
            }
            PRINT => self.print(&String::from_utf8_lossy(piece)),
            _ => {
                let up = piece.first().is_none_or(|byte| byte % 2 == 1);
                self.printer.handle_link(self.now, if up { Link::Up } else { Link::Down });
            }
        }
        while let Some(frame) = self.printer.poll_write() {
            self.sent.push_back(frame.bytes);
        }
        while let Some(event) = self.printer.poll_event() {
            if let Event::Printed(job) | Event::NotPrinted(job, _) = event {
                assert!(self.open.remove(&job), "{job:?} ended twice, or never began");
                self.printed |= event == Event::Printed(job);
            }
        }
    }

    fn print(&mut self, text: &str) {
        self.jobs += 1;
        let job = JobId(self.jobs);
        let document = Document { lines: vec![Line::Text(text.to_owned())] };
        if self.printer.handle_command(self.now, Command::Print { job, document }).is_ok() {
            self.open.insert(job);
        }
    }
}
