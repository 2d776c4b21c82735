use driver_api::{Fault, FaultKind, MoneyRisk, Remedy, VendorCode};

/// Takes answers out of one byte stream: `DLE EOT`, unasked status (`GS a`), `GS r`, process ids.
///
/// The kinds are told apart by fixed bits ("Differentiating transmission data" in Epson's
/// reference): a real-time answer is `0xx1xx10`, unasked status begins with `0xx1xx00`, a block
/// with `0xx1xx11`, and XON/XOFF (0x11, 0x13) mean nothing here. Real-time answers may come even
/// between the four bytes of an unasked status.
#[derive(Clone, Debug, Default)]
pub struct Parser {
    state: State,
}

#[derive(Clone, Debug, Default)]
enum State {
    #[default]
    Start,
    Unasked {
        bytes: [u8; 4],
        seen: usize,
    },
    Block(Vec<u8>),
}

/// One thing the printer said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// To the `DLE EOT` that was sent last.
    RealTime(u8),
    /// Unasked: the whole status (`GS a`).
    Unasked(Status),
    /// To `GS r`: everything sent before it is done.
    PaperSensor,
    /// To `GS ( H`: everything sent before the request with this id is done.
    Process([u8; 4]),
}

impl Parser {
    /// Takes the next byte. Noise is dropped.
    pub fn push(&mut self, byte: u8) -> Option<Answer> {
        if let State::Block(block) = &mut self.state {
            match byte {
                0 => {
                    let answer = process_of(block);
                    self.state = State::Start;
                    return answer;
                }
                // What is inside a block has no high bit and no control characters.
                b' '..=b'~' if block.len() < BLOCK_MAX => {
                    block.push(byte);
                    return None;
                }
                _ => self.state = State::Start,
            }
        }
        match byte & 0x93 {
            0x12 => Some(Answer::RealTime(byte)),
            0x10 => {
                let bytes = [byte, 0, 0, 0];
                self.state = State::Unasked { bytes, seen: 1 };
                None
            }
            0x13 if byte == BLOCK_PROCESS_ID => {
                self.state = State::Block(Vec::new());
                None
            }
            _ if byte & 0x90 == 0 => self.push_plain(byte),
            _ => None,
        }
    }

    /// `0xx0xxxx`: the second to fourth byte of an unasked status, or an answer to `GS r`.
    fn push_plain(&mut self, byte: u8) -> Option<Answer> {
        let State::Unasked { bytes, seen } = &mut self.state else {
            return Some(Answer::PaperSensor);
        };
        bytes[*seen] = byte;
        *seen += 1;
        if *seen < bytes.len() {
            return None;
        }
        let status = Status::of_unasked(*bytes);
        self.state = State::Start;
        Some(Answer::Unasked(status))
    }
}

/// Header of a block that answers `GS ( H`.
const BLOCK_PROCESS_ID: u8 = 0x37;
/// Longest block we wait for the end of; Epson's are at most 80 bytes.
const BLOCK_MAX: usize = 80;

fn process_of(block: &[u8]) -> Option<Answer> {
    match block {
        [0x22, id @ ..] => <[u8; 4]>::try_from(id).ok().map(Answer::Process),
        _ => None,
    }
}

/// The four real-time questions, in the order we ask them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Query {
    /// `DLE EOT 1`.
    Printer,
    /// `DLE EOT 2`.
    OfflineCause,
    /// `DLE EOT 3`.
    ErrorCause,
    /// `DLE EOT 4`.
    Paper,
}

impl Query {
    /// The bytes of the question.
    pub const fn bytes(self) -> [u8; 3] {
        let n = match self {
            Self::Printer => 1,
            Self::OfflineCause => 2,
            Self::ErrorCause => 3,
            Self::Paper => 4,
        };
        [0x10, 0x04, n]
    }

    /// The question after this one in a round.
    pub const fn next(self) -> Option<Self> {
        match self {
            Self::Printer => Some(Self::OfflineCause),
            Self::OfflineCause => Some(Self::ErrorCause),
            Self::ErrorCause => Some(Self::Paper),
            Self::Paper => None,
        }
    }
}

/// What a printer says about itself. All `false` is a printer that can print.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Status {
    /// It does not take print data.
    pub offline: bool,
    /// A cover is open.
    pub cover_open: bool,
    /// No paper.
    pub paper_end: bool,
    /// Little paper; it still prints.
    pub paper_low: bool,
    /// The cutter is stuck.
    pub cutter: bool,
    /// Only a repair helps.
    pub unrecoverable: bool,
    /// Another error a person can mend.
    pub recoverable: bool,
    /// An error that passes by itself: the print head is too hot.
    pub passing: bool,
}

impl Status {
    /// Adds what the answer to `query` says.
    pub const fn add(&mut self, query: Query, answer: u8) {
        match query {
            Query::Printer => self.offline |= answer & 0x08 != 0,
            Query::OfflineCause => {
                self.cover_open |= answer & 0x04 != 0;
                self.paper_end |= answer & 0x20 != 0;
            }
            Query::ErrorCause => {
                self.recoverable |= answer & 0x04 != 0;
                self.cutter |= answer & 0x08 != 0;
                self.unrecoverable |= answer & 0x20 != 0;
                self.passing |= answer & 0x40 != 0;
            }
            Query::Paper => {
                self.paper_low |= answer & 0x0C != 0;
                self.paper_end |= answer & 0x60 != 0;
            }
        }
    }

    /// Bits of the four bytes of `GS a`.
    const fn of_unasked([printer, errors, paper, _reserved]: [u8; 4]) -> Self {
        Self {
            offline: printer & 0x08 != 0,
            cover_open: printer & 0x20 != 0,
            recoverable: errors & 0x04 != 0,
            cutter: errors & 0x08 != 0,
            unrecoverable: errors & 0x20 != 0,
            passing: errors & 0x40 != 0,
            paper_low: paper & 0x03 != 0,
            paper_end: paper & 0x0C != 0,
        }
    }

    /// All bad news of both.
    #[must_use]
    pub const fn or(self, other: Self) -> Self {
        Self {
            offline: self.offline || other.offline,
            cover_open: self.cover_open || other.cover_open,
            paper_end: self.paper_end || other.paper_end,
            paper_low: self.paper_low || other.paper_low,
            cutter: self.cutter || other.cutter,
            unrecoverable: self.unrecoverable || other.unrecoverable,
            recoverable: self.recoverable || other.recoverable,
            passing: self.passing || other.passing,
        }
    }

    /// What keeps it from printing, gravest first, one per kind.
    pub fn faults(self) -> impl Iterator<Item = Fault> {
        let defect = if self.unrecoverable {
            Some(Remedy::Technician)
        } else if self.recoverable {
            Some(Remedy::Attendant)
        } else if self.passing || self.is_only_offline() {
            Some(Remedy::Retry)
        } else {
            None
        };
        let attendant = |kind, is_on: bool| is_on.then_some((kind, Remedy::Attendant));
        [
            attendant(FaultKind::CoverOpen, self.cover_open),
            attendant(FaultKind::Cutter, self.cutter),
            defect.map(|remedy| (FaultKind::Defective, remedy)),
            attendant(FaultKind::PaperEnd, self.paper_end),
        ]
        .into_iter()
        .flatten()
        .map(move |(kind, remedy)| Fault {
            kind,
            remedy,
            money: MoneyRisk::None,
            vendor: self.vendor(),
        })
    }

    const fn is_only_offline(self) -> bool {
        self.offline && !self.cover_open && !self.paper_end && !self.cutter
    }

    /// One bit per field, in the order of the fields, from bit 0: see the device's page.
    fn vendor(self) -> VendorCode {
        let bits = [
            self.offline,
            self.cover_open,
            self.paper_end,
            self.paper_low,
            self.cutter,
            self.unrecoverable,
            self.recoverable,
            self.passing,
        ];
        let code = bits.iter().rev().fold(0, |code, bit| code << 1 | u32::from(*bit));
        VendorCode(code)
    }
}
