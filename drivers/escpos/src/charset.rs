use unicode_normalization::UnicodeNormalization;

/// A set of 256 characters the printer can select, one byte each. ASCII is common to all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CodePage {
    /// Windows 1252: everything Spanish, Catalan, German and French need, € at 0x80.
    Wpc1252,
    /// DOS 858: no œ (printed oe), € at 0xD5. For printers without 1252.
    Pc858,
}

impl CodePage {
    /// Epson's number of it for `ESC t n`.
    pub const fn epson(self) -> u8 {
        match self {
            Self::Wpc1252 => 16,
            Self::Pc858 => 19,
        }
    }

    /// Text as printable bytes, one per column. What the page lacks becomes its nearest ASCII
    /// spelling (`ș` → `s`, `٣` → `3`, `…` → `...`), at worst `?`; controls become spaces, so no
    /// text can command the printer. Nothing visible disappears.
    pub fn encode(self, text: &str) -> Vec<u8> {
        let mut cells = Vec::with_capacity(text.len());
        for character in text.nfc().filter(|c| !is_invisible(*c)) {
            match self.byte_of(character) {
                Some(byte) => cells.push(byte),
                None => self.push_spelled(character, &mut cells),
            }
        }
        cells
    }

    /// The byte of this page that may stand where the line must not be broken.
    pub const fn hard_space(self) -> u8 {
        match self {
            Self::Wpc1252 => 0xA0,
            Self::Pc858 => 0xFF,
        }
    }

    fn byte_of(self, character: char) -> Option<u8> {
        match character {
            ' '..='~' => u8::try_from(character).ok(),
            // Locales write "30,00 €" with one of these.
            '\u{A0}' | '\u{202F}' | '\u{2007}' => Some(self.hard_space()),
            _ => self
                .upper_half()
                .chars()
                .position(|known| known == character && known != UNUSED)
                .and_then(|index| u8::try_from(index + 0x80).ok()),
        }
    }

    fn push_spelled(self, character: char, cells: &mut Vec<u8>) {
        if character.is_control() {
            cells.push(b' ');
            return;
        }
        // U+0140 is one character of its own for what every text writes as l·l.
        let spelled = match character {
            'ŀ' => Some("l·"),
            'Ŀ' => Some("L·"),
            'œ' => Some("oe"),
            'Œ' => Some("OE"),
            other => deunicode::deunicode_char(other),
        };
        let start = cells.len();
        let bytes = spelled.unwrap_or_default().chars();
        cells.extend(bytes.filter_map(|c| self.byte_of(c)));
        if cells.len() == start {
            cells.push(b'?');
        }
    }

    /// Bytes 0x80 to 0xFF; [`UNUSED`] where the page has none or an invisible one.
    const fn upper_half(self) -> &'static str {
        match self {
            Self::Wpc1252 => concat!(
                "€\u{0}‚ƒ„…†‡ˆ‰Š‹Œ\u{0}Ž\u{0}\u{0}‘’“”•–—˜™š›œ\u{0}žŸ",
                "\u{0}¡¢£¤¥¦§¨©ª«¬\u{0}®¯°±²³´µ¶·¸¹º»¼½¾¿",
                "ÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÐÑÒÓÔÕÖ×ØÙÚÛÜÝÞß",
                "àáâãäåæçèéêëìíîïðñòóôõö÷øùúûüýþÿ",
            ),
            Self::Pc858 => concat!(
                "ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜø£Ø×ƒ",
                "áíóúñÑªº¿®¬½¼¡«»░▒▓│┤ÁÂÀ©╣║╗╝¢¥┐",
                "└┴┬├─┼ãÃ╚╔╩╦╠═╬¤ðÐÊËÈ€ÍÎÏ┘┌█▄¦Ì▀",
                "ÓßÔÒõÕµþÞÚÛÙýÝ¯´\u{0}±‗¾¶§÷¸°¨·¹³²■\u{0}",
            ),
        }
    }
}

/// Marks a byte no character of ours maps to.
const UNUSED: char = '\u{0}';

/// Format characters that print nothing anywhere.
const fn is_invisible(character: char) -> bool {
    matches!(
        character,
        '\u{AD}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}'
            | '\u{2060}'..='\u{2064}' | '\u{2066}'..='\u{2069}' | '\u{FE00}'..='\u{FE0F}'
            | '\u{FEFF}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGES: [CodePage; 2] = [CodePage::Wpc1252, CodePage::Pc858];

    #[test]
    fn every_letter_of_our_languages_is_one_byte() {
        let letters = "áéíóúüñÁÉÍÓÚÜÑ¿¡ºª àèòçïÀÈÒÇÏ· äöüÄÖÜß âêîôûëùÿæÂÊÎÔÛËÙÆ «»€";
        for page in PAGES {
            let cells = page.encode(letters);
            assert_eq!(cells.len(), letters.chars().count(), "{page:?}");
            assert!(!cells.contains(&b'?'), "{page:?}");
        }
        assert_eq!(CodePage::Wpc1252.encode("œŒŸ"), [0x9C, 0x8C, 0x9F]);
        assert_eq!(CodePage::Pc858.encode("œuf"), b"oeuf");
    }

    #[test]
    fn the_euro_and_the_catalan_dot_have_their_known_bytes() {
        assert_eq!(CodePage::Wpc1252.encode("€·"), [0x80, 0xB7]);
        assert_eq!(CodePage::Pc858.encode("€·"), [0xD5, 0xFA]);
        assert_eq!(CodePage::Wpc1252.encode("coŀlegi"), b"col\xB7legi");
        assert_eq!(CodePage::Pc858.encode("coŀlegi"), b"col\xFAlegi");
    }

    #[test]
    fn both_halves_have_128_places() {
        for page in PAGES {
            assert_eq!(page.upper_half().chars().count(), 128, "{page:?}");
        }
    }

    #[test]
    fn decomposed_accents_are_composed_first() {
        assert_eq!(CodePage::Wpc1252.encode("cafe\u{301}"), b"caf\xE9");
    }

    #[test]
    fn what_the_page_lacks_is_spelled_and_no_digit_is_lost() {
        let page = CodePage::Pc858;
        assert_eq!(page.encode("Ștefan Łódź"), b"Stefan L\xA2dz");
        assert_eq!(page.encode("٣٠ ５"), b"30 5");
        assert_eq!(page.encode("“30…”"), b"\"30...\"");
        assert_eq!(page.encode("a\u{E000}b"), b"a?b");
    }

    #[test]
    fn no_text_commands_the_printer() {
        assert_eq!(CodePage::Wpc1252.encode("a\u{1b}@b\u{10}\u{4}\u{1}"), b"a @b   ");
        assert_eq!(CodePage::Wpc1252.encode("30,00\u{202F}€"), b"30,00\xA0\x80");
        assert_eq!(CodePage::Wpc1252.encode("a\u{200B}b\u{AD}c\u{81}"), b"abc ");
    }
}
