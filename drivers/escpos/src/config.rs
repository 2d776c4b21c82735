use std::time::Duration;

use crate::CodePage;

/// What differs between printers and how patient we are. The default fits an Epson TM at 80 mm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Characters of font A across the paper: 48 (80 mm, 576 dots), 42 (80 mm, 512 dots),
    /// 32 (58 mm). Taken within [`Config::COLUMNS_MIN`] and [`Config::COLUMNS_MAX`].
    pub columns: usize,
    /// The characters the text is encoded in.
    pub code_page: CodePage,
    /// The `n` of `ESC t n` that selects that code page on this printer, if not Epson's.
    pub code_page_select: Option<u8>,
    /// How the receipt is parted from the roll.
    pub cut: Cut,
    /// What the printer can say about a finished job.
    pub proof: Proof,
    /// Time between two status rounds when idle.
    pub poll: Duration,
    /// How long an answer may take when idle.
    pub answer: Duration,
    /// How long an answer may take while the printer works through a job.
    pub answer_busy: Duration,
    /// How long the printer may take from our last byte to its proof of print.
    pub finish: Duration,
}

impl Config {
    /// Narrowest paper we lay out for.
    pub const COLUMNS_MIN: usize = 16;
    /// Widest paper we lay out for: 112 mm.
    pub const COLUMNS_MAX: usize = 69;
}

impl Default for Config {
    fn default() -> Self {
        Self {
            columns: 48,
            code_page: CodePage::Wpc1252,
            code_page_select: None,
            cut: Cut::Partial,
            proof: Proof::Auto,
            poll: Duration::from_secs(3),
            answer: Duration::from_secs(1),
            answer_busy: Duration::from_secs(10),
            finish: Duration::from_secs(20),
        }
    }
}

/// How the receipt is parted from the roll.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// One point is left: the receipt does not fall down.
    Partial,
    /// Wholly: for printers with a presenter.
    Full,
}

/// What the printer can say about a finished job. Every kind also asks the status afterwards.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// `GS ( H` (process id) and `GS r 1` behind the cut. The id counts; only of a printer that
    /// has never answered one is the `GS r` taken instead.
    Auto,
    /// `GS r 1` behind the cut, for printers that print `GS ( H` as text.
    PaperSensor,
    /// Nothing in the order of the data: two good status rounds, a pause apart, after the last
    /// byte. The weakest proof, for printers that answer only `DLE EOT`.
    Status,
}
