//! Receipt printers.

use serde::{Deserialize, Serialize};

use crate::{Fault, FaultKind};

/// What the core may ask of a printer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Print, cut, and report what became of it.
    Print {
        /// Chosen by the core; comes back in the event.
        job: JobId,
        /// What to print.
        document: Document,
    },
}

/// Names one print.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct JobId(pub u64);

/// What a printer reports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// It answers and has paper.
    Ready,
    /// Printed and cut: a status asked *after* the last byte says that all went well.
    Printed(JobId),
    /// Not, or not wholly, printed. The customer may hold a part of it.
    NotPrinted(JobId, Fault),
    /// Paper for a few more receipts; `false` = filled again.
    PaperLow(bool),
    /// It cannot go on.
    Fault(Fault),
    /// What broke works again.
    Cleared(FaultKind),
    /// No line to the printer.
    LinkLost,
}

/// A receipt as content and emphasis; the driver knows paper width and bytes.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Document {
    /// From top to bottom.
    pub lines: Vec<Line>,
}

/// One line of a receipt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Line {
    /// Centred and large: the municipality, an amount.
    Title(String),
    /// Left.
    Text(String),
    /// Left, bold.
    Strong(String),
    /// Label left, value right.
    Pair(String, String),
    /// Label left, value right, bold and high: the total.
    Total(String, String),
    /// A rule across.
    Rule,
    /// Empty.
    Gap,
    /// A QR code of this text, centred.
    Qr(String),
    /// A Code 128 barcode of this text with the text below, centred.
    Barcode(String),
}
