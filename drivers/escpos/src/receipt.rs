use std::cell::RefCell;
use std::rc::Rc;

use driver_api::printer::{Document, Line};
use escpos_bytes::driver::Driver;
use escpos_bytes::errors::Result;
use escpos_bytes::printer::Printer;
use escpos_bytes::utils::QRCodeCorrectionLevel::M;
use escpos_bytes::utils::{JustifyMode, Protocol, QRCodeModel, QRCodeOption};

use crate::layout::{pair, wrap};
use crate::{Config, Cut};

/// The bytes of a whole receipt, cut included, in pieces. A real-time command may be sent between
/// two pieces but never inside one, where the printer could take it for data.
pub(crate) fn compose(document: &Document, config: &Config) -> Vec<Vec<u8>> {
    let spool = Spool::default();
    let mut receipt =
        Receipt { out: Printer::new(spool.clone(), Protocol::default(), None), config };
    receipt
        .print(document)
        .expect("the spool takes all; sizes are 1 or 2; QR texts are at most QR_BYTES_MAX");
    spool.pieces.take()
}

/// Line, error and paper changes are reported unasked (`GS a`). `ESC @` switches that off.
pub(crate) const REPORT_CHANGES: [u8; 3] = [0x1D, b'a', 0x0E];

/// Longest QR text that still fits narrow paper; a longer one is printed as text.
const QR_BYTES_MAX: usize = 500;

struct Receipt<'a> {
    out: Printer<Spool>,
    config: &'a Config,
}

impl Receipt<'_> {
    fn print(&mut self, document: &Document) -> Result<()> {
        let page = self.config.code_page;
        let select = self.config.code_page_select.unwrap_or(page.epson());
        self.out.init()?.custom(&REPORT_CHANGES)?.custom(&[0x1B, b't', select])?;
        for line in &document.lines {
            self.line(line)?;
        }
        // GS V 65/66 n, "feed paper to the cutting position": escpos 0.20.1 has 65 (full) for both.
        let cut = match self.config.cut {
            Cut::Partial => 66,
            Cut::Full => 65,
        };
        self.out.custom(&[0x1D, b'V', cut, CUT_MARGIN_DOTS])?.print()?;
        Ok(())
    }

    fn line(&mut self, line: &Line) -> Result<()> {
        match line {
            Line::Title(text) => self.title(text),
            Line::Text(text) => self.text(text),
            Line::Strong(text) => {
                self.out.bold(true)?;
                self.text(text)?;
                self.out.bold(false)?;
                Ok(())
            }
            Line::Pair(label, value) => self.pair(label, value),
            Line::Total(label, value) => {
                self.out.bold(true)?.size(1, 2)?;
                self.pair(label, value)?;
                self.out.size(1, 1)?.bold(false)?;
                Ok(())
            }
            Line::Rule => self.cells(vec![b'-'; self.columns()]),
            Line::Gap => self.cells(Vec::new()),
            Line::Qr(text) => self.qr(text),
            Line::Barcode(text) => self.barcode(text),
        }
    }

    fn title(&mut self, text: &str) -> Result<()> {
        self.out.justify(JustifyMode::CENTER)?.size(2, 2)?;
        self.wrapped(text, self.columns() / 2)?;
        self.out.size(1, 1)?.justify(JustifyMode::LEFT)?;
        Ok(())
    }

    fn text(&mut self, text: &str) -> Result<()> {
        self.wrapped(text, self.columns())
    }

    fn wrapped(&mut self, text: &str, columns: usize) -> Result<()> {
        for paragraph in text.split('\n') {
            let cells = self.config.code_page.encode(paragraph);
            wrap(&cells, columns).into_iter().try_for_each(|line| self.cells(line))?;
        }
        Ok(())
    }

    fn pair(&mut self, label: &str, value: &str) -> Result<()> {
        let page = self.config.code_page;
        pair(&page.encode(label), &page.encode(value), self.columns())
            .into_iter()
            .try_for_each(|line| self.cells(line))
    }

    fn cells(&mut self, mut cells: Vec<u8>) -> Result<()> {
        cells.push(b'\n');
        self.out.custom(&cells)?;
        Ok(())
    }

    fn qr(&mut self, text: &str) -> Result<()> {
        let is_plain = |c: char| !c.is_control() || matches!(c, '\n' | '\r' | '\t');
        if text.is_empty() || text.len() > QR_BYTES_MAX || !text.chars().all(is_plain) {
            return self.text(text);
        }
        // 152 bytes make version 8 at level M (49 modules), 500 bytes version 17 (85 modules).
        let module_dots = if text.len() <= 152 { 6 } else { 4 };
        // Four modules stay white around it (ISO/IEC 18004); the sides have that anyway.
        let quiet_zone = [0x1B, b'J', 4 * module_dots];
        self.out
            .justify(JustifyMode::CENTER)?
            .custom(&quiet_zone)?
            .qrcode_option(text, QRCodeOption::new(QRCodeModel::Model2, module_dots, M))?
            .custom(&quiet_zone)?
            .justify(JustifyMode::LEFT)?;
        Ok(())
    }

    fn barcode(&mut self, text: &str) -> Result<()> {
        let Some(symbols) = code128(text).filter(|data| self.fits(data)) else {
            return self.text(text);
        };
        let length = u8::try_from(symbols.len()).expect("as wide as the paper is under 256 bytes");
        let mut print = vec![0x1D, b'k', 73, length];
        print.extend_from_slice(&symbols);
        self.out
            .justify(JustifyMode::CENTER)?
            .custom(&[0x1D, b'h', 80])?
            .custom(&[0x1D, b'w', BARCODE_MODULE_DOTS])?
            .custom(&[0x1D, b'H', 2])?
            .custom(&print)?
            .justify(JustifyMode::LEFT)?;
        Ok(())
    }

    /// Eleven modules per symbol; start, check and stop add 35; ten on each side stay quiet.
    fn fits(&self, data: &[u8]) -> bool {
        let modules = data.len() * 11 + 35 + 20;
        modules * usize::from(BARCODE_MODULE_DOTS) <= self.columns() * FONT_A_DOTS
    }

    fn columns(&self) -> usize {
        self.config.columns.clamp(Config::COLUMNS_MIN, Config::COLUMNS_MAX)
    }
}

/// Font A is 12 dots wide on every ESC/POS printer.
const FONT_A_DOTS: usize = 12;
const BARCODE_MODULE_DOTS: u8 = 2;
const CUT_MARGIN_DOTS: u8 = 24;

/// Data of `GS k 73`: set C for an even number of digits, else set B; `None` if Code 128 cannot.
fn code128(text: &str) -> Option<Vec<u8>> {
    if text.is_empty() || !text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        return None;
    }
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    if digits && text.len().is_multiple_of(2) {
        let pairs = text.as_bytes().chunks_exact(2);
        let set_c: Vec<u8> = pairs.map(|two| (two[0] - b'0') * 10 + two[1] - b'0').collect();
        // Raw pairs may spell DLE EOT, DLE ENQ or DLE DC4, which the printer obeys even here.
        if !set_c.windows(2).any(|two| matches!(two, [0x10, 0x04 | 0x05 | 0x14])) {
            return Some([b"{C".as_slice(), &set_c].concat());
        }
    }
    Some(format!("{{B{}", text.replace('{', "{{")).into_bytes())
}

/// Keeps what would go to a printer, one piece per instruction.
#[derive(Clone, Default)]
struct Spool {
    pieces: Rc<RefCell<Vec<Vec<u8>>>>,
}

impl Driver for Spool {
    fn name(&self) -> String {
        String::from("spool")
    }

    fn write(&self, data: &[u8]) -> Result<()> {
        self.pieces.borrow_mut().push(data.to_vec());
        Ok(())
    }

    fn read(&self, _buf: &mut [u8]) -> Result<usize> {
        Ok(0)
    }

    fn flush(&self) -> Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::CodePage;

    fn sample() -> Document {
        Document {
            lines: vec![
                Line::Title("Vila d'Exemple".into()),
                Line::Strong("Recàrrega · col·legi".into()),
                Line::Gap,
                Line::Pair("Bitllet".into(), "20,00\u{202F}€".into()),
                Line::Total("TOTAL".into(), "20,00\u{202F}€".into()),
                Line::Rule,
                Line::Text("Straße, cœur, ¡mañana!\nzweite Zeile".into()),
                Line::Qr("https://example.org/r/42".into()),
                Line::Barcode("00420042".into()),
            ],
        }
    }

    #[test]
    fn the_bytes_of_a_receipt() {
        let pieces = compose(&sample(), &Config::default());
        let shown: Vec<String> =
            pieces.iter().map(|piece| piece.escape_ascii().to_string()).collect();
        insta::assert_snapshot!(shown.join("\n"));
    }

    #[test]
    fn narrow_paper_and_another_code_page() {
        let config = Config {
            columns: 32,
            code_page: CodePage::Pc858,
            code_page_select: Some(13),
            cut: Cut::Full,
            ..Config::default()
        };
        let pieces = compose(&sample(), &config);
        assert_eq!(pieces[2], [0x1B, b't', 13]);
        assert!(pieces.contains(&b"TOTAL                    20,00\xFF\xD5\n".to_vec()));
        assert!(pieces.contains(&b"Stra\xE1e, coeur, \xADma\xA4ana!\n".to_vec()));
        assert_eq!(pieces.last().map(|cut| cut[..3].to_vec()), Some(vec![0x1D, b'V', 65]));
    }

    #[test]
    fn digits_take_half_the_room() {
        assert_eq!(code128("123456").as_deref(), Some(&b"{C\x0C\x22\x38"[..]));
        assert_eq!(code128("12345").as_deref(), Some(&b"{B12345"[..]));
        assert_eq!(code128("a{b").as_deref(), Some(&b"{Ba{{b"[..]));
        assert_eq!(code128("ñ"), None);
        assert_eq!(code128(""), None);
    }

    #[test]
    fn digits_that_spell_a_real_time_command_are_written_as_text() {
        assert_eq!(code128("160401").as_deref(), Some(&b"{B160401"[..]));
    }

    #[test]
    fn a_code_that_does_not_fit_is_printed_as_text() {
        let document = |line| Document { lines: vec![line] };
        let printed = |line| compose(&document(line), &Config::default()).concat();
        let contains = |bytes: &[u8], part: &[u8]| bytes.windows(part.len()).any(|w| w == part);
        let long = "A".repeat(60);
        let barcode = printed(Line::Barcode(long.clone()));
        assert!(!contains(&barcode, &[0x1D, b'k', 73]));
        assert!(contains(&barcode, &long.as_bytes()[..48]));
        let qr = printed(Line::Qr("x".repeat(QR_BYTES_MAX + 1)));
        assert!(!contains(&qr, b"\x1D(k"));
        assert!(contains(&printed(Line::Qr("https://a.example".into())), b"\x1D(k"));
    }
}
