//! Which notes a unit knows [GA138 "Banknote Validator", setup request].

use domain::{Amount, NoteSet};
use driver_api::acceptor::Note;

use crate::event::Channel;

/// What the setup request answers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Dataset {
    /// `4.14`.
    pub(crate) firmware: String,
    /// By channel, from channel 1 on; `None` = unused, or not in euro.
    values: Vec<Option<Amount>>,
}

impl Dataset {
    /// From the answer without the generic response. `None`: not that of a note validator, or cut
    /// short.
    pub(crate) fn parse(data: &[u8]) -> Option<Self> {
        let unit_type = *data.first()?;
        if !UNIT_TYPES.contains(&unit_type) {
            return None;
        }
        let firmware = firmware(data.get(1..5)?);
        let country = data.get(5..8)?;
        let multiplier = big_endian(data.get(8..11)?);
        let count = usize::from(*data.get(11)?);
        let short_values = data.get(12..12 + count)?;
        let rest = data.get(12 + 2 * count..)?;
        let real_multiplier = big_endian(rest.get(..3)?);
        let level = *rest.get(3)?;
        let expanded = rest.get(4..).unwrap_or_default();
        let is_expanded = level >= 6 && expanded.len() >= 7 * count;
        let values = (0..count).map(|index| {
            let (value, country) = if is_expanded {
                let value = expanded.get(3 * count + 4 * index..)?.first_chunk::<4>()?;
                let country = expanded.get(3 * index..3 * index + 3)?;
                (u64::from(u32::from_le_bytes(*value)), country)
            } else {
                (u64::from(short_values[index]) * multiplier, country)
            };
            euro(value.checked_mul(real_multiplier)?, country)
        });
        Some(Self { firmware, values: values.collect() })
    }

    /// The note of a channel.
    pub(crate) fn note(&self, channel: Channel) -> Option<Note> {
        let index = usize::from(channel.0).checked_sub(1)?;
        let value = (*self.values.get(index)?)?;
        Some(Note { value })
    }

    /// All notes it knows.
    pub(crate) fn notes(&self) -> NoteSet {
        NoteSet::of(self.values.iter().copied().flatten())
    }

    /// The inhibit register: a set bit lets a channel in [GA973 §6.3.3].
    pub(crate) fn inhibits(&self, accept: &NoteSet) -> u16 {
        self.values
            .iter()
            .take(16)
            .enumerate()
            .filter(|(_, value)| value.is_some_and(|value| accept.contains(value)))
            .fold(0, |mask, (index, _)| mask | 1 << index)
    }
}

/// Plain validator; with SMART Payout; with NV11's note float: all take notes the same way.
const UNIT_TYPES: [u8; 3] = [0x00, 0x06, 0x07];

fn euro(cents: u64, country: &[u8]) -> Option<Amount> {
    if country != b"EUR" || cents == 0 {
        return None;
    }
    Amount::from_cents(i64::try_from(cents).ok()?).ok()
}

/// `0414` is 4.14.
fn firmware(digits: &[u8]) -> String {
    let text: String =
        digits.iter().map(|byte| char::from(*byte)).filter(char::is_ascii_alphanumeric).collect();
    match text.split_at_checked(2) {
        Some((major, minor)) => format!("{}.{minor}", major.trim_start_matches('0')),
        None => text,
    }
}

fn big_endian(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0, |number, byte| number << 8 | u64::from(*byte))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// GA973 §8.3: EUR 5, 10, 20, 50 on protocol level 6.
    fn guide() -> Vec<u8> {
        let mut data =
            b"\x000335EUR\0\0\x01\x04\x05\x0A\x14\x32\x02\x02\x02\x02\0\0\x64\x06".to_vec();
        data.extend(b"EUREUREUREUR");
        for value in [5u32, 10, 20, 50] {
            data.extend(value.to_le_bytes());
        }
        data
    }

    #[test]
    fn dataset_of_the_guide() {
        let dataset = Dataset::parse(&guide()).unwrap();
        assert_eq!(dataset.firmware, "3.35");
        assert_eq!(dataset.notes(), NoteSet::of([5, 10, 20, 50].map(Amount::euro)));
        let twenty = Note { value: Amount::euro(20) };
        assert_eq!(dataset.note(Channel(3)), Some(twenty));
        assert_eq!(dataset.note(Channel(5)), None);
        let some = NoteSet::of([5, 20, 500].map(Amount::euro));
        assert_eq!(dataset.inhibits(&some), 0b0101);
    }

    #[test]
    fn before_level_6_the_short_values_count() {
        let data = b"\x000335EUR\0\0\x01\x02\x05\x0A\x02\x02\0\0\x64\x04";
        let dataset = Dataset::parse(data).unwrap();
        assert_eq!(dataset.notes(), NoteSet::of([5, 10].map(Amount::euro)));
    }

    #[test]
    fn pounds_are_never_let_in() {
        let mut data = guide();
        let at = data.len() - 28 + 6;
        data[at..at + 3].copy_from_slice(b"GBP");
        let dataset = Dataset::parse(&data).unwrap();
        assert_eq!(dataset.note(Channel(3)), None);
        let all = NoteSet::of([5, 10, 20, 50].map(Amount::euro));
        assert_eq!(dataset.inhibits(&all), 0b1011);
    }

    #[test]
    fn a_hopper_is_no_validator() {
        let mut data = guide();
        data[0] = 0x03;
        assert_eq!(Dataset::parse(&data), None);
    }

    proptest! {
        #[test]
        fn any_answer_is_read_or_refused(data in prop::collection::vec(any::<u8>(), 0..255)) {
            if let Some(dataset) = Dataset::parse(&data) {
                prop_assert!(dataset.notes().0.iter().all(|note| !note.is_zero()));
            }
        }
    }
}
