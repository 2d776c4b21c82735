//! The printer's two fonts, read from the bundled BDF files (`fonts/README.md`).

use std::collections::BTreeMap;
use std::sync::LazyLock;

/// A font of equal cells.
pub(super) struct Font {
    /// Dots per cell, as Epson's: the glyphs of font B stand in a cell one dot larger.
    pub(super) width: usize,
    pub(super) height: usize,
    glyphs: BTreeMap<char, Vec<u16>>,
}

/// 12 × 24 dots.
pub(super) static FONT_A: LazyLock<Font> =
    LazyLock::new(|| Font::of_bdf(include_str!("../../fonts/receipt-12x24.bdf"), 12, 24));
/// 9 × 17 dots.
pub(super) static FONT_B: LazyLock<Font> =
    LazyLock::new(|| Font::of_bdf(include_str!("../../fonts/receipt-8x16.bdf"), 9, 17));

impl Font {
    /// Is there a dot? A character without a glyph is drawn as a box.
    pub(super) fn has_dot(&self, character: char, x: usize, y: usize) -> bool {
        match self.glyphs.get(&character) {
            Some(rows) => rows.get(y).is_some_and(|row| row << x & 0x8000 != 0),
            None => {
                let edge = |at: usize, end: usize| at == 1 || at == end - 2;
                edge(x, self.width) || edge(y, self.height)
            }
        }
    }

    #[cfg(test)]
    pub(super) fn knows(&self, character: char) -> bool {
        self.glyphs.contains_key(&character)
    }

    /// All our glyphs fill their cell (`BBX` is the same throughout), so rows are all there is.
    fn of_bdf(text: &str, width: usize, height: usize) -> Self {
        let mut glyphs = BTreeMap::new();
        let mut code = None;
        let mut rows = None;
        for line in text.lines() {
            if let Some(number) = line.strip_prefix("ENCODING ") {
                code = number.parse().ok().and_then(char::from_u32);
            } else if line == "BITMAP" {
                rows = Some(Vec::new());
            } else if line == "ENDCHAR" {
                glyphs.extend(code.take().zip(rows.take()));
            } else if let Some(rows) = &mut rows {
                // One byte per row in font B, two in font A: the leftmost dot to the highest bit.
                let row = u16::from_str_radix(line, 16).unwrap_or_default();
                rows.push(if line.len() == 2 { row << 8 } else { row });
            }
        }
        Self { width, height, glyphs }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_fonts_have_every_letter_of_our_languages() {
        for character in "aA09€áéíóúüñÁÑ¿¡ºªàèòçï·ÀÈÒÇäöüßÄÖÜâêîôûëùÿœŒæ«»–—’".chars()
        {
            assert!(FONT_A.knows(character), "{character} in A");
            assert!(FONT_B.knows(character), "{character} in B");
        }
        assert!(FONT_A.has_dot('|', 5, 10) || FONT_A.has_dot('|', 6, 10));
    }
}
