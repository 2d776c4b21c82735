//! Amounts as JSON numbers, without ever being floating-point numbers.

use domain::Amount;
use serde_json::value::RawValue;

/// Euro with two decimals.
pub(crate) fn to_json(amount: Amount) -> Box<RawValue> {
    let cents = amount.cents();
    let text = format!("{}.{:02}", cents / 100, cents % 100);
    RawValue::from_string(text).expect("digits, a point and two digits are a JSON number")
}

/// A number, or one in quotes, of at most two decimals that are not zero.
pub(crate) fn from_json(value: &RawValue) -> Option<Amount> {
    let text = value.get().trim_matches('"');
    let (euro, decimals) = text.split_once('.').unwrap_or((text, ""));
    let is_plain = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let (cents, rest) = decimals.split_at(decimals.len().min(2));
    if euro.is_empty() || !is_plain(euro) || !is_plain(cents) || rest.bytes().any(|it| it != b'0') {
        return None;
    }
    let cents: i64 = format!("{cents:0<2}").parse().ok()?;
    let euro: i64 = euro.parse().ok()?;
    Amount::from_cents(euro.checked_mul(100)?.checked_add(cents)?).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> Option<i64> {
        from_json(&RawValue::from_string(text.to_owned()).ok()?).map(Amount::cents)
    }

    #[test]
    fn amounts_are_read_to_the_cent_or_not_at_all() {
        for (text, cents) in [
            ("20", Some(2000)),
            ("20.0", Some(2000)),
            ("10.99", Some(1099)),
            ("0.5", Some(50)),
            ("\"10.99\"", Some(1099)),
            ("10.9900", Some(1099)),
            ("10.991", None),
            ("1e3", None),
            ("-20", None),
            ("\"\"", None),
            ("\"20,00\"", None),
            ("null", None),
            ("99999999999999999999", None),
        ] {
            assert_eq!(read(text), cents, "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_as_the_same(cents in 0..1_000_000_i64) {
            let amount = Amount::from_cents(cents).unwrap();
            prop_assert_eq!(from_json(&to_json(amount)), Some(amount));
        }
    }
}
