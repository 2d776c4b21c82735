//! The printer without its cable: bytes in, answers out, paper.

use std::collections::BTreeSet;
use std::mem;

use super::Fault;
use super::codes;
use super::command::{Command, parse};
use super::font::{FONT_A, FONT_B};
use super::paper::{Cell, Justify, Paper};

/// One printer without a port, powered. It has no time of its own: what it is told it does at once.
pub struct Firmware {
    faults: BTreeSet<Fault>,
    /// The cutter met the jam; stays until someone mends it.
    is_cutter_stuck: bool,
    /// Lines until the paper ends, while [`Fault::PaperEndMidJob`] lies in wait.
    lines_to_paper_end: Option<u8>,
    real_time: RealTime,
    /// Received and not yet worked through.
    buffer: Vec<u8>,
    settings: Settings,
    line: Vec<Cell>,
    code_2d: Code2d,
    paper: Paper,
    /// Text that [`Fault::LiesOk`] kept from the paper since the last cut.
    swallowed: bool,
    /// Said, and not yet sent.
    answers: Vec<u8>,
    /// Cut off since the last look.
    pieces: Vec<Paper>,
    /// Commands not in the reference, since power-up.
    pub(super) unknown: u64,
    last_unasked: [u8; 4],
}

/// What `ESC @` resets.
#[derive(Clone, Debug)]
struct Settings {
    code_page: u8,
    justify: Justify,
    bold: bool,
    size: (u8, u8),
    font_b: bool,
    spacing: usize,
    barcode_height: usize,
    barcode_module: usize,
    barcode_text: u8,
    report_changes: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            code_page: 0,
            justify: Justify::Left,
            bold: false,
            size: (1, 1),
            font_b: false,
            spacing: LINE_SPACING_DOTS,
            barcode_height: 162,
            barcode_module: 3,
            barcode_text: 0,
            report_changes: false,
        }
    }
}

/// The symbol memory of `GS ( k`.
#[derive(Clone, Debug)]
struct Code2d {
    module: usize,
    level: u8,
    data: Vec<u8>,
}

impl Default for Code2d {
    fn default() -> Self {
        Self { module: 3, level: 48, data: Vec::new() }
    }
}

/// How far the last bytes spell a real-time command (`DLE …`).
#[derive(Clone, Debug, Default)]
struct RealTime(Vec<u8>);

impl Firmware {
    /// Switched on, with a new roll that is so many dots wide.
    pub fn new(width: usize) -> Self {
        Self {
            faults: BTreeSet::new(),
            is_cutter_stuck: false,
            lines_to_paper_end: None,
            real_time: RealTime::default(),
            buffer: Vec::new(),
            settings: Settings::default(),
            line: Vec::new(),
            code_2d: Code2d::default(),
            paper: Paper::new(width),
            swallowed: false,
            answers: Vec::new(),
            pieces: Vec::new(),
            unknown: 0,
            last_unasked: [0; 4],
        }
    }

    pub(super) const fn faults(&self) -> &BTreeSet<Fault> {
        &self.faults
    }

    /// What hangs out of it, uncut.
    pub(super) fn hanging_text(&self) -> &str {
        self.paper.text()
    }

    pub(super) const fn buffered(&self) -> usize {
        self.buffer.len()
    }

    /// Bytes from the cable. Real-time commands are obeyed at once, wherever they stand.
    pub fn receive(&mut self, bytes: &[u8]) {
        if self.faults.contains(&Fault::Silent) {
            return;
        }
        for byte in bytes {
            self.receive_byte(*byte);
        }
        self.work();
        self.tell_changes();
    }

    /// What it has said since the last look.
    pub fn take_answers(&mut self) -> Vec<u8> {
        mem::take(&mut self.answers)
    }

    /// What it has cut off since the last look.
    pub fn take_pieces(&mut self) -> Vec<Paper> {
        mem::take(&mut self.pieces)
    }

    /// Breaks or mends it. [`Fault::Unplugged`] is only noted, and of [`Fault::Power`] that the
    /// memory is gone: whoever holds the port acts on it.
    pub fn set_fault(&mut self, fault: Fault, on: bool) {
        if on {
            self.faults.insert(fault);
        } else {
            self.faults.remove(&fault);
        }
        match (fault, on) {
            (Fault::PaperEndMidJob, true) => self.lines_to_paper_end = Some(3),
            (Fault::PaperEndMidJob | Fault::PaperEnd, false) => {
                self.lines_to_paper_end = None;
                // Who changes the roll throws away what hung out of the printer.
                self.paper.cut();
            }
            (Fault::CutterJam, false) => self.is_cutter_stuck = false,
            (Fault::Power, true) => self.lose_power(),
            (_, _) => {}
        }
        self.work();
        self.tell_changes();
    }

    /// Paper stays; what was in memory does not.
    fn lose_power(&mut self) {
        self.real_time = RealTime::default();
        self.buffer.clear();
        self.answers.clear();
        self.line.clear();
        self.settings = Settings::default();
        self.code_2d = Code2d::default();
    }

    fn receive_byte(&mut self, byte: u8) {
        self.real_time.0.push(byte);
        match self.real_time.0.as_slice() {
            [DLE] | [DLE, 4 | 5] => return,
            [DLE, 0x14, rest @ ..] if CLEAR.starts_with(rest) && rest.len() < CLEAR.len() => return,
            &[DLE, 4, n] => self.tell_real_time(n),
            [DLE, 5, 1 | 2] => self.recover(),
            [DLE, 0x14, rest @ ..] if rest == CLEAR => {
                self.buffer.clear();
                self.line.clear();
                self.answers.extend([0x37, 0x25, 0x00]);
            }
            _ if self.buffer.len() < BUFFER_BYTES_MAX => {
                self.buffer.append(&mut self.real_time.0);
            }
            // Offline and full: a host that does not ask loses what it goes on sending.
            _ => {}
        }
        self.real_time.0.clear();
    }

    fn recover(&mut self) {
        self.is_cutter_stuck &= self.faults.contains(&Fault::CutterJam);
    }

    /// Works through the buffer until it is empty or something stops the printer.
    fn work(&mut self) {
        while !self.is_offline()
            && let Some((command, length)) = parse(&self.buffer)
        {
            self.buffer.drain(..length);
            self.obey(command);
        }
    }

    fn obey(&mut self, command: Command) {
        match command {
            Command::Character(byte) => self.put(byte),
            Command::LineFeed => self.end_line(),
            Command::Initialise => {
                self.line.clear();
                self.settings = Settings::default();
            }
            Command::CodePage(page) => self.settings.code_page = page,
            Command::Justify(n) => {
                self.settings.justify = match n {
                    1 | b'1' => Justify::Centre,
                    2 | b'2' => Justify::Right,
                    _ => Justify::Left,
                }
            }
            Command::Bold(on) => self.settings.bold = on,
            Command::Size(width, height) => self.settings.size = (width, height),
            Command::FontB(on) => self.settings.font_b = on,
            Command::Mode(bits) => {
                self.settings.font_b = bits & 0x01 != 0;
                self.settings.bold = bits & 0x08 != 0;
                self.settings.size = (1 + (bits >> 5 & 1), 1 + (bits >> 4 & 1));
            }
            Command::FeedLines(lines) => {
                for _ in 0..lines.max(1) {
                    self.end_line();
                }
            }
            Command::FeedDots(dots) => {
                if !self.line.is_empty() {
                    self.end_line();
                }
                self.feed(dots.into());
            }
            Command::LineSpacing(dots) => {
                self.settings.spacing = dots.map_or(LINE_SPACING_DOTS, usize::from);
            }
            Command::Cut { feed } => self.cut(feed),
            Command::BarcodeHeight(dots) => self.settings.barcode_height = dots.into(),
            Command::BarcodeModule(dots) => self.settings.barcode_module = dots.into(),
            Command::BarcodeText(n) => self.settings.barcode_text = n,
            Command::Barcode(system, data) => self.print_barcode(system, &data),
            Command::Code2d(data) => self.obey_code_2d(&data),
            Command::Raster(row_bytes, data) => {
                if !self.is_lying() {
                    self.paper.print_raster(row_bytes, &data);
                }
            }
            Command::ReportChanges(n) => {
                self.settings.report_changes = n != 0;
                if n != 0 {
                    self.last_unasked = self.unasked();
                    self.answers.extend(self.last_unasked);
                }
            }
            Command::TellSensor(1 | b'1') => self.answers.push(self.unasked()[2]),
            Command::TellSensor(_) => self.answers.push(0),
            Command::TellProcess(id) => {
                self.answers.extend([0x37, 0x22]);
                self.answers.extend(id);
                self.answers.push(0);
            }
            Command::Ignored => {}
            Command::Unknown => self.unknown += 1,
        }
    }

    fn put(&mut self, byte: u8) {
        let (width, height) = self.settings.size;
        let cell = Cell {
            character: character(self.settings.code_page, byte),
            font: if self.settings.font_b { &FONT_B } else { &FONT_A },
            bold: self.settings.bold,
            width: width.into(),
            height: height.into(),
        };
        if !self.paper.fits(&self.line, &cell) {
            self.end_line();
        }
        self.line.push(cell);
    }

    fn end_line(&mut self) {
        let line = mem::take(&mut self.line);
        if self.is_lying() {
            self.swallowed |= !line.is_empty();
            return;
        }
        let settings = &self.settings;
        self.paper.print_line(&line, settings.justify, settings.spacing);
        if let Some(left) = &mut self.lines_to_paper_end {
            *left = left.saturating_sub(1);
        }
    }

    fn feed(&mut self, dots: usize) {
        if !self.is_lying() {
            self.paper.feed(dots);
        }
    }

    fn cut(&mut self, feed: Option<u8>) {
        if let Some(dots) = feed {
            self.feed(HEAD_TO_CUTTER_DOTS + usize::from(dots));
        }
        if self.faults.contains(&Fault::CutterJam) {
            self.is_cutter_stuck = true;
            return;
        }
        let piece = self.paper.cut();
        // A cut of blank paper is a sliver, no receipt; unless there should have been one.
        if mem::take(&mut self.swallowed) || !piece.is_blank() {
            self.pieces.push(piece);
        }
    }

    fn print_barcode(&mut self, system: u8, data: &[u8]) {
        // Other systems than Code 128 are skipped: none of our hosts prints them.
        let Some(symbol) = (system == 73).then(|| codes::code128(data)).flatten() else {
            return;
        };
        if self.is_lying() {
            return;
        }
        let settings = &self.settings;
        let size = (settings.barcode_module, settings.barcode_height);
        self.paper.print_symbol(&symbol, size, settings.justify, "CODE128");
        if settings.barcode_text & 2 != 0 {
            for character in symbol.content.chars() {
                self.put(u8::try_from(character).unwrap_or(b'?'));
            }
            self.end_line();
        }
    }

    /// `cn fn …`, cn 49 = QR: 67 module size, 69 level, 80 store, 81 print.
    fn obey_code_2d(&mut self, data: &[u8]) {
        match data {
            [49, 67, dots, ..] => self.code_2d.module = usize::from(*dots).clamp(1, 16),
            [49, 69, level, ..] => self.code_2d.level = *level,
            [49, 80, 48, data @ ..] => self.code_2d.data = data.to_vec(),
            [49, 81, 48, ..] => {
                let module = self.code_2d.module;
                if let Some(symbol) = codes::qr(&self.code_2d.data, self.code_2d.level)
                    && !self.is_lying()
                {
                    let justify = self.settings.justify;
                    self.paper.print_symbol(&symbol, (module, module), justify, "QR");
                }
            }
            _ => {}
        }
    }

    fn tell_real_time(&mut self, n: u8) {
        let bit = |is_on: bool, mask: u8| if is_on { mask } else { 0 };
        let has_error = self.is_cutter_stuck;
        let state = match n {
            1 => bit(self.is_offline(), 0x08),
            2 => {
                bit(self.faults.contains(&Fault::CoverOpen), 0x04)
                    | bit(self.is_paper_end(), 0x20)
                    | bit(has_error, 0x40)
            }
            3 => bit(self.is_cutter_stuck, 0x08),
            4 => bit(self.is_paper_low(), 0x0C) | bit(self.is_paper_end(), 0x60),
            _ => return,
        };
        self.answers.push(0x12 | state);
    }

    /// The four bytes of `GS a`.
    fn unasked(&self) -> [u8; 4] {
        let bit = |is_on: bool, mask: u8| if is_on { mask } else { 0 };
        [
            0x10 | bit(self.is_offline(), 0x08)
                | bit(self.faults.contains(&Fault::CoverOpen), 0x20),
            bit(self.is_cutter_stuck, 0x08),
            bit(self.is_paper_low(), 0x03) | bit(self.is_paper_end(), 0x0C),
            0,
        ]
    }

    fn tell_changes(&mut self) {
        let now = self.unasked();
        let is_mute = self.faults.contains(&Fault::Silent) || !self.settings.report_changes;
        if now != self.last_unasked && !is_mute {
            self.answers.extend(now);
        }
        self.last_unasked = now;
    }

    pub(super) fn is_offline(&self) -> bool {
        self.is_paper_end()
            || self.is_cutter_stuck
            || self.faults.contains(&Fault::CoverOpen)
            || self.faults.contains(&Fault::Offline)
    }

    pub(super) fn is_paper_end(&self) -> bool {
        self.faults.contains(&Fault::PaperEnd) || self.lines_to_paper_end == Some(0)
    }

    pub(super) fn is_paper_low(&self) -> bool {
        self.faults.contains(&Fault::PaperLow) || self.is_paper_end()
    }

    fn is_lying(&self) -> bool {
        self.faults.contains(&Fault::LiesOk)
    }
}

/// Epson's numbers of the pages that hosts here select. Characters of others print as a box.
fn character(page: u8, byte: u8) -> char {
    use encoding_rs::{ISO_8859_2, ISO_8859_7, ISO_8859_15, WINDOWS_1250, WINDOWS_1252};
    use oem_cp::code_table::{DECODING_TABLE_CP437, DECODING_TABLE_CP850, DECODING_TABLE_CP858};
    if byte.is_ascii() {
        return char::from(byte);
    }
    let high = usize::from(byte & 0x7F);
    let encoding = match page {
        0 => return DECODING_TABLE_CP437[high],
        2 => return DECODING_TABLE_CP850[high],
        19 => return DECODING_TABLE_CP858[high],
        15 => ISO_8859_7,
        16 => WINDOWS_1252,
        39 => ISO_8859_2,
        40 => ISO_8859_15,
        45 => WINDOWS_1250,
        _ => return char::REPLACEMENT_CHARACTER,
    };
    let bytes = [byte];
    let (text, _) = encoding.decode_without_bom_handling(&bytes);
    text.chars().next().unwrap_or(char::REPLACEMENT_CHARACTER)
}

const DLE: u8 = 0x10;
/// Behind `DLE DC4`: clear buffers.
const CLEAR: &[u8] = &[8, 1, 3, 20, 1, 6, 2, 8];
/// Font A and a gap.
const LINE_SPACING_DOTS: usize = 30;
/// Blank paper that every cut costs.
const HEAD_TO_CUTTER_DOTS: usize = 60;
/// Room for the largest picture our hosts send in one command.
const BUFFER_BYTES_MAX: usize = 1 << 20;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn printer() -> Firmware {
        Firmware::new(576)
    }

    #[test]
    fn real_time_questions_are_answered_even_inside_other_data() {
        let mut printer = printer();
        printer.receive(b"\x1D(k\x05\x001P0A\x10\x04");
        assert!(printer.answers.is_empty());
        printer.receive(b"\x01B");
        assert_eq!(printer.answers, [0x12]);
        assert_eq!(printer.buffered(), 0, "the question is no part of the symbol's data");
    }

    #[test]
    fn offline_it_keeps_what_comes_and_goes_on_later() {
        let mut printer = printer();
        printer.set_fault(Fault::CoverOpen, true);
        printer.receive(b"text\n\x1Dr\x01\x10\x04\x02");
        assert_eq!((printer.hanging_text(), printer.answers.as_slice()), ("", &[0x16][..]));
        printer.set_fault(Fault::CoverOpen, false);
        assert_eq!(printer.hanging_text(), "text\n");
        assert_eq!(printer.answers, [0x16, 0x00]);
    }

    #[test]
    fn a_long_line_goes_on_in_the_next() {
        let mut printer = printer();
        printer.receive(&[b'x'; 50]);
        printer.receive(b"\n");
        assert_eq!(printer.hanging_text(), format!("{}\nxx\n", "x".repeat(48)));
    }

    proptest! {
        #[test]
        fn no_bytes_and_no_fault_panic_it(
            chunks in prop::collection::vec(
                (prop::collection::vec(any::<u8>(), 0..60), 0..Fault::ALL.len(), any::<bool>()),
                0..30,
            ),
        ) {
            let mut printer = printer();
            for (bytes, fault, on) in chunks {
                printer.set_fault(Fault::ALL[fault], on);
                printer.receive(&bytes);
                printer.receive(b"\x1D");
            }
        }
    }
}
