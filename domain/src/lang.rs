use serde::{Deserialize, Serialize};

use crate::{Amount, Wall};

/// A language the kiosk speaks.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum Lang {
    /// Castilian.
    #[default]
    Es,
    /// Catalan.
    Ca,
    /// English.
    En,
    /// German.
    De,
    /// French.
    Fr,
}

impl Lang {
    /// In the order in which they are offered.
    pub const ALL: [Self; 5] = [Self::Es, Self::Ca, Self::En, Self::De, Self::Fr];

    /// ISO 639-1.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Es => "es",
            Self::Ca => "ca",
            Self::En => "en",
            Self::De => "de",
            Self::Fr => "fr",
        }
    }

    /// By its ISO 639-1 code.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|lang| lang.code() == code)
    }

    /// In its own words.
    pub const fn own_name(self) -> &'static str {
        match self {
            Self::Es => "Castellano",
            Self::Ca => "Català",
            Self::En => "English",
            Self::De => "Deutsch",
            Self::Fr => "Français",
        }
    }

    /// An amount as CLDR writes it: `1.234,50 €`, `€1,234.50`, `1 234,50 €`. The spaces do not
    /// break. Castilian groups only from five digits on (CLDR minimum grouping digits = 2).
    pub fn amount(self, amount: Amount) -> String {
        let (euro, cents) = (amount.cents() / 100, amount.cents() % 100);
        let (group, group_from, point) = match self {
            Self::Es => (".", 10_000, ","),
            Self::Ca | Self::De => (".", 1_000, ","),
            Self::En => (",", 1_000, "."),
            Self::Fr => ("\u{202f}", 1_000, ","),
        };
        let mut whole = euro.to_string();
        if euro >= group_from {
            let mut place = whole.len();
            while place > 3 {
                place -= 3;
                whole.insert_str(place, group);
            }
        }
        match self {
            Self::En => format!("€{whole}{point}{cents:02}"),
            Self::Es | Self::Ca | Self::De | Self::Fr => {
                format!("{whole}{point}{cents:02}\u{a0}€")
            }
        }
    }

    /// Whole euro without cents (`20 €`), for notes; falls back to [`Lang::amount`].
    pub fn note(self, amount: Amount) -> String {
        if amount.cents() % 100 != 0 || amount.cents() >= 100_000 {
            return self.amount(amount);
        }
        match self {
            Self::En => format!("€{}", amount.cents() / 100),
            Self::Es | Self::Ca | Self::De | Self::Fr => {
                format!("{}\u{a0}€", amount.cents() / 100)
            }
        }
    }

    /// A date in full: `21 de noviembre de 2026`, `21. November 2026`.
    pub fn date(self, wall: Wall) -> String {
        let (year, month, day) = wall.date();
        let month = usize::from(month - 1);
        match self {
            Self::Es => format!("{day} de {} de {year}", ES[month]),
            Self::Ca => {
                let of = if CA[month].starts_with(['a', 'o']) { "d’" } else { "de " };
                format!("{day} {of}{} del {year}", CA[month])
            }
            Self::En => format!("{day} {} {year}", EN[month]),
            Self::De => format!("{day}. {} {year}", DE[month]),
            Self::Fr => {
                let day = if day == 1 { "1er".to_owned() } else { day.to_string() };
                format!("{day} {} {year}", FR[month])
            }
        }
    }

    /// Day and month, short, for lists: `21/11`, `21.11.`.
    pub fn day(self, wall: Wall) -> String {
        let (_, month, day) = wall.date();
        match self {
            Self::De => format!("{day:02}.{month:02}."),
            Self::Es | Self::Ca | Self::En | Self::Fr => format!("{day:02}/{month:02}"),
        }
    }

    /// Hour and minute, 24 h: `09:05`.
    pub fn time(self, wall: Wall) -> String {
        let (hour, minute) = wall.hour_minute();
        format!("{hour:02}:{minute:02}")
    }
}

const ES: [&str; 12] = [
    "enero",
    "febrero",
    "marzo",
    "abril",
    "mayo",
    "junio",
    "julio",
    "agosto",
    "septiembre",
    "octubre",
    "noviembre",
    "diciembre",
];
const CA: [&str; 12] = [
    "gener", "febrer", "març", "abril", "maig", "juny", "juliol", "agost", "setembre", "octubre",
    "novembre", "desembre",
];
const EN: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const DE: [&str; 12] = [
    "Januar",
    "Februar",
    "März",
    "April",
    "Mai",
    "Juni",
    "Juli",
    "August",
    "September",
    "Oktober",
    "November",
    "Dezember",
];
const FR: [&str; 12] = [
    "janvier",
    "février",
    "mars",
    "avril",
    "mai",
    "juin",
    "juillet",
    "août",
    "septembre",
    "octobre",
    "novembre",
    "décembre",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_in_each_locale() {
        let small = Amount::from_cents(1_238).unwrap();
        let large = Amount::from_cents(12_345_670).unwrap();
        let all = Lang::ALL.map(|lang| (lang.amount(small), lang.amount(large)));
        assert_eq!(all[0], ("12,38\u{a0}€".into(), "123.456,70\u{a0}€".into()));
        assert_eq!(all[1], ("12,38\u{a0}€".into(), "123.456,70\u{a0}€".into()));
        assert_eq!(all[2], ("€12.38".into(), "€123,456.70".into()));
        assert_eq!(all[3], ("12,38\u{a0}€".into(), "123.456,70\u{a0}€".into()));
        assert_eq!(all[4], ("12,38\u{a0}€".into(), "123\u{202f}456,70\u{a0}€".into()));
    }

    #[test]
    fn dates_in_full() {
        let wall = Wall { utc_ms: 1_795_240_920_000, offset_min: 60 };
        let all = Lang::ALL.map(|lang| lang.date(wall));
        assert_eq!(all[0], "21 de noviembre de 2026");
        assert_eq!(all[1], "21 de novembre del 2026");
        assert_eq!(all[2], "21 November 2026");
        assert_eq!(all[3], "21. November 2026");
        assert_eq!(all[4], "21 novembre 2026");
    }
}
