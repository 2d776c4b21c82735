use std::fmt;
use std::str::FromStr;

use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

/// The number printed on a citizen card: nine digits and a Luhn check digit.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CardNumber(u32);

/// The text or number is no card number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a card number: ten digits, the last a Luhn check digit")]
pub struct CardNumberError;

impl CardNumber {
    /// The largest serial: nine digits.
    pub const SERIAL_MAX: u32 = 999_999_999;

    /// From the serial as the card's identity block holds it, without the check digit.
    pub const fn from_serial(serial: u32) -> Result<Self, CardNumberError> {
        if serial > Self::SERIAL_MAX { Err(CardNumberError) } else { Ok(Self(serial)) }
    }

    /// Without the check digit.
    pub const fn serial(self) -> u32 {
        self.0
    }

    /// The last four digits, the rest hidden: `•••• ••12 34`. Safe on a screen and a receipt.
    pub fn masked(self) -> String {
        let digits = self.to_string();
        format!("•••• ••{} {}", &digits[6..8], &digits[8..10])
    }

    fn check_digit(self) -> u32 {
        let sum: u32 = (0..9)
            .map(|place| {
                let digit = self.0 / 10u32.pow(place) % 10;
                let weighed = if place % 2 == 0 { digit * 2 } else { digit };
                weighed / 10 + weighed % 10
            })
            .sum();
        (10 - sum % 10) % 10
    }
}

impl fmt::Display for CardNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:09}{}", self.0, self.check_digit())
    }
}

impl fmt::Debug for CardNumber {
    /// Hidden even where someone forgot the `Pii` around it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CardNumber(***)")
    }
}

impl FromStr for CardNumber {
    type Err = CardNumberError;

    fn from_str(text: &str) -> Result<Self, CardNumberError> {
        if text.len() != 10 || !text.bytes().all(|b| b.is_ascii_digit()) {
            return Err(CardNumberError);
        }
        let number = Self(text[..9].parse().map_err(|_| CardNumberError)?);
        if number.to_string() == text { Ok(number) } else { Err(CardNumberError) }
    }
}

impl TryFrom<String> for CardNumber {
    type Error = CardNumberError;

    fn try_from(text: String) -> Result<Self, CardNumberError> {
        text.parse()
    }
}

impl From<CardNumber> for String {
    fn from(number: CardNumber) -> Self {
        number.to_string()
    }
}

/// The chip's own 4-byte identifier, as anticollision reports it [ISO 14443-3 §6.5].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Uid(pub [u8; 4]);

impl fmt::Debug for Uid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Uid(***)")
    }
}

impl TryFrom<String> for Uid {
    type Error = hex::FromHexError;

    fn try_from(text: String) -> Result<Self, hex::FromHexError> {
        let mut uid = [0; 4];
        hex::decode_to_slice(text, &mut uid)?;
        Ok(Self(uid))
    }
}

impl From<Uid> for String {
    fn from(uid: Uid) -> Self {
        hex::encode(uid.0)
    }
}

/// The network's pseudonym key: turns a card into its [`CardRef`]. It opens no card and no account.
#[derive(Clone)]
pub struct CardRefKey(pub [u8; 32]);

impl fmt::Debug for CardRefKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CardRefKey(***)")
    }
}

/// Keyed pseudonym of one physical card: what records, queues and logs say instead of number and
/// UID. HMAC-SHA-256 under the [`CardRefKey`] over UID and serial, the first 16 bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CardRef(pub [u8; 16]);

impl CardRef {
    /// The pseudonym of the card with this number on this chip.
    pub fn new(key: &CardRefKey, number: CardNumber, uid: Uid) -> Self {
        let mut mac = Hmac::<Sha256>::new_from_slice(&key.0).expect("HMAC takes any key length");
        mac.update(b"pauseplus card_ref v1");
        mac.update(&uid.0);
        mac.update(&number.serial().to_le_bytes());
        let tag = mac.finalize().into_bytes();
        let mut short = [0; 16];
        short.copy_from_slice(&tag[..16]);
        Self(short)
    }
}

impl fmt::Display for CardRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for CardRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CardRef({self})")
    }
}

impl TryFrom<String> for CardRef {
    type Error = hex::FromHexError;

    fn try_from(text: String) -> Result<Self, hex::FromHexError> {
        let mut bytes = [0; 16];
        hex::decode_to_slice(text, &mut bytes)?;
        Ok(Self(bytes))
    }
}

impl From<CardRef> for String {
    fn from(card_ref: CardRef) -> Self {
        card_ref.to_string()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_printed_number_reads_back(serial in 0..=CardNumber::SERIAL_MAX) {
            let number = CardNumber::from_serial(serial).unwrap();
            prop_assert_eq!(number.to_string().parse(), Ok(number));
        }

        #[test]
        fn one_wrong_digit_is_noticed(
            serial in 0..=CardNumber::SERIAL_MAX, place in 0usize..10, add in 1u8..10,
        ) {
            let mut text = CardNumber::from_serial(serial).unwrap().to_string().into_bytes();
            text[place] = (text[place] - b'0' + add) % 10 + b'0';
            let text = String::from_utf8(text).unwrap();
            prop_assert_eq!(text.parse::<CardNumber>(), Err(CardNumberError));
        }

        #[test]
        fn any_text_is_refused_or_read(text in ".{0,12}") {
            if let Ok(number) = text.parse::<CardNumber>() {
                prop_assert_eq!(number.to_string(), text);
            }
        }
    }

    #[test]
    fn the_mask_hides_all_but_four() {
        let number = CardNumber::from_serial(123_456_789).unwrap();
        assert_eq!(number.to_string(), "1234567897");
        assert_eq!(number.masked(), "•••• ••78 97");
    }

    #[test]
    fn another_chip_or_number_is_another_card() {
        let key = CardRefKey([7; 32]);
        let a = CardNumber::from_serial(1).unwrap();
        let b = CardNumber::from_serial(2).unwrap();
        let refs = [
            CardRef::new(&key, a, Uid([1; 4])),
            CardRef::new(&key, a, Uid([2; 4])),
            CardRef::new(&key, b, Uid([1; 4])),
        ];
        assert!(refs[0] != refs[1] && refs[0] != refs[2] && refs[1] != refs[2]);
    }
}
