//! The numbered fields ("bitmaps") and the TLV container that APDUs are made of [PA00P015 §"Data
//! elements"]. Total: any bytes give the fields up to the first that is not one.

/// A field's number, and its data without length.
pub(crate) type Field<'a> = (u8, &'a [u8]);

/// The container of TLV objects among the fields.
pub(crate) const TLV: u8 = 0x06;

/// The fields in `data`, and whether all of `data` could be read.
pub(crate) fn fields(mut data: &[u8]) -> (Vec<Field<'_>>, bool) {
    let mut found = Vec::new();
    while let [number, rest @ ..] = data {
        let Some((content, rest)) = content(*number, rest) else {
            return (found, false);
        };
        found.push((*number, content));
        data = rest;
    }
    (found, true)
}

/// The content of a field and what follows it.
fn content(number: u8, data: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, data) = match number {
        0x01..=0x03 | 0x05 | 0x19 | 0x27 | 0x72..=0x75 | 0x8A | 0x8C | 0xA0 | 0xD0 | 0xD2 => {
            (1, data)
        }
        0xD3 | 0xE0 | 0xE9 | 0xEA | 0xF0 | 0xF9..=0xFD => (1, data),
        0x0D | 0x0E | 0x17 | 0x3A | 0x49 | 0x87 => (2, data),
        0x0B | 0x0C | 0x37 | 0x3D | 0x88 | 0xAA => (3, data),
        0x29 | 0x70 | 0x71 => (4, data),
        0xBA => (5, data),
        0x04 => (6, data),
        0x3B | 0xEB => (8, data),
        0x2A => (15, data),
        0x22 | 0x23 | 0x2D | 0x2E | 0x8B | 0xA7 | 0xD1 | 0xE1..=0xE8 | 0xF1..=0xF8 => {
            digits_length(data, 2)?
        }
        0x24 | 0x3C | 0x60 | 0x9A | 0xAF => digits_length(data, 3)?,
        TLV => tlv_length(data)?,
        _ => return None,
    };
    data.split_at_checked(length)
}

/// LL-Var and LLL-Var: one decimal digit per byte, `F0`..`F9`.
pub(crate) fn digits_length(data: &[u8], digits: usize) -> Option<(usize, &[u8])> {
    let (head, rest) = data.split_at_checked(digits)?;
    let length = head.iter().try_fold(0, |length, byte| {
        // Some terminals leave the high half out.
        let digit = byte & 0x0F;
        (digit <= 9 && matches!(byte >> 4, 0xF | 0x0)).then_some(length * 10 + usize::from(digit))
    })?;
    Some((length, rest))
}

fn tlv_length(data: &[u8]) -> Option<(usize, &[u8])> {
    match data {
        [length @ 0..=0x7F, rest @ ..] => Some((usize::from(*length), rest)),
        [0x81, length, rest @ ..] => Some((usize::from(*length), rest)),
        [0x82, high, low, rest @ ..] => {
            Some((usize::from(u16::from_be_bytes([*high, *low])), rest))
        }
        _ => None,
    }
}

/// The first object with this tag in a TLV container, at any depth.
pub(crate) fn tlv_find(mut data: &[u8], tag: u16) -> Option<&[u8]> {
    while let Some((found, is_nested, content, rest)) = tlv_object(data) {
        if found == tag {
            return Some(content);
        }
        if is_nested && let Some(inner) = tlv_find(content, tag) {
            return Some(inner);
        }
        data = rest;
    }
    None
}

/// Tag (of one or two bytes), whether it holds others, content, and what follows.
fn tlv_object(data: &[u8]) -> Option<(u16, bool, &[u8], &[u8])> {
    let (tag, rest) = match data {
        [first, second @ 0..=0x7F, rest @ ..] if first & 0x1F == 0x1F => {
            (u16::from_be_bytes([*first, *second]), rest)
        }
        // Longer tags are not used in ZVT.
        [first, ..] if first & 0x1F == 0x1F => return None,
        [first, rest @ ..] => (u16::from(*first), rest),
        [] => return None,
    };
    let is_nested = data[0] & 0x20 != 0;
    let (length, rest) = tlv_length(rest)?;
    let (content, rest) = rest.split_at_checked(length)?;
    Some((tag, is_nested, content, rest))
}

/// Packed decimal digits; `None` if one is none, or there are more than eighteen.
pub(crate) fn from_bcd(bytes: &[u8]) -> Option<u64> {
    if bytes.len() > 9 {
        return None;
    }
    bytes.iter().try_fold(0, |number, byte| {
        let (high, low) = (byte >> 4, byte & 0x0F);
        (high <= 9 && low <= 9).then(|| number * 100 + u64::from(high) * 10 + u64::from(low))
    })
}

/// `number`'s last digits, packed.
pub(crate) fn to_bcd<const BYTES: usize>(mut number: u64) -> [u8; BYTES] {
    let mut packed = [0; BYTES];
    for byte in packed.iter_mut().rev() {
        let pair = u8::try_from(number % 100).expect("below a hundred");
        *byte = pair / 10 * 16 + pair % 10;
        number /= 100;
    }
    packed
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn numbers_of_variable_length_and_the_container() {
        let data = [0x8B, 0xF0, 0xF2, b'o', b'k', 0x06, 0x03, 0x1F, 0x12, 0x00, 0x27, 0x00];
        let (found, is_whole) = fields(&data);
        assert!(is_whole);
        assert_eq!(found, [(0x8B, &b"ok"[..]), (TLV, &[0x1F, 0x12, 0x00]), (0x27, &[0])]);
    }

    #[test]
    fn an_unknown_field_ends_the_reading_and_keeps_what_came_before() {
        assert_eq!(fields(&[0x27, 0x6C, 0xFF, 1]), (vec![(0x27, &[0x6C][..])], false));
        assert_eq!(fields(&[0x04, 0, 0]), (vec![], false));
    }

    #[test]
    fn nested_objects_are_found() {
        let data = [0x60, 0x04, 0x43, 0x02, 0xA0, 0x01, 0x1F, 0x12, 0x81, 0x01, 0x02];
        assert_eq!(tlv_find(&data, 0x43), Some(&[0xA0, 0x01][..]));
        assert_eq!(tlv_find(&data, 0x1F12), Some(&[2][..]));
        assert_eq!(tlv_find(&data, 0x44), None);
    }

    proptest! {
        #[test]
        fn any_bytes_can_be_read(data in prop::collection::vec(any::<u8>(), 0..400), tag: u16) {
            let (found, _) = fields(&data);
            let content: usize = found.iter().map(|(_, content)| content.len() + 1).sum();
            prop_assert!(content <= data.len());
            tlv_find(&data, tag);
            from_bcd(&data);
        }

        #[test]
        fn digits_come_back(number in 0..1_000_000_000_000u64) {
            prop_assert_eq!(from_bcd(&to_bcd::<6>(number)), Some(number));
        }
    }
}
