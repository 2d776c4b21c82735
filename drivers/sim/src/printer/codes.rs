//! Symbols as the printer draws them: rows of modules.

use barcoders::sym::code128::Code128;
use qrcode::{Color, EcLevel, QrCode};

/// A grid of modules; `true` is ink.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Symbol {
    pub(super) columns: usize,
    pub(super) modules: Vec<bool>,
    /// What it says, for the text of the receipt and below a barcode.
    pub(super) content: String,
}

/// A QR code, or `None` if the data are too long for one.
pub(super) fn qr(data: &[u8], level: u8) -> Option<Symbol> {
    let level = match level {
        49 => EcLevel::M,
        50 => EcLevel::Q,
        51 => EcLevel::H,
        _ => EcLevel::L,
    };
    let code = QrCode::with_error_correction_level(data, level).ok()?;
    let colors = code.to_colors();
    Some(Symbol {
        columns: code.width(),
        modules: colors.into_iter().map(|color| color == Color::Dark).collect(),
        content: String::from_utf8_lossy(data).into_owned(),
    })
}

/// One row of a Code 128 from the data of `GS k 73`: `{A`, `{B`, `{C` choose the set, `{{` is `{`,
/// a byte in set C is a number of two digits. `None` is what the printer does not draw.
pub(super) fn code128(data: &[u8]) -> Option<Symbol> {
    let mut spelled = String::new();
    let mut content = String::new();
    let mut set = None;
    let mut bytes = data.iter().copied();
    while let Some(byte) = bytes.next() {
        if byte == b'{' {
            match bytes.next()? {
                letter @ b'A'..=b'C' => {
                    set = Some(letter);
                    // How the crate spells the choice of a set.
                    spelled.push(match letter {
                        b'A' => '\u{C0}',
                        b'B' => '\u{181}',
                        _ => '\u{106}',
                    });
                }
                b'{' => {
                    spelled.push('{');
                    content.push('{');
                }
                b'1' => spelled.push('\u{179}'),
                _ => return None,
            }
            continue;
        }
        let text = match set? {
            b'C' if byte < 100 => format!("{byte:02}"),
            b'C' => return None,
            _ if byte.is_ascii() => char::from(byte).to_string(),
            _ => return None,
        };
        spelled.push_str(&text);
        content.push_str(&text);
    }
    let row = Code128::new(spelled).ok()?.encode();
    Some(Symbol {
        columns: row.len(),
        modules: row.into_iter().map(|module| module == 1).collect(),
        content,
    })
}
