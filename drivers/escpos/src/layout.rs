//! Text onto a fixed number of columns. Works on encoded text: one byte, one column.

/// Breaks text into lines of at most `columns`, at spaces where it can, inside a word where it
/// must. At least one line, perhaps empty. Spaces at a break are the break.
pub(crate) fn wrap(text: &[u8], columns: usize) -> Vec<Vec<u8>> {
    let mut lines = Vec::new();
    let mut rest = trim_end(text);
    while rest.len() > columns {
        let (line, tail) = match rest[..=columns].iter().rposition(|byte| *byte == b' ') {
            Some(space) if !trim_end(&rest[..space]).is_empty() => {
                (trim_end(&rest[..space]), trim_start(&rest[space..]))
            }
            _ => rest.split_at(columns),
        };
        lines.push(line.to_vec());
        rest = tail;
    }
    lines.push(rest.to_vec());
    lines
}

/// Label left, value right. A long label is wrapped; the value stays whole on the last line, or
/// right-aligned on lines of its own. Digits are never cut.
pub(crate) fn pair(label: &[u8], value: &[u8], columns: usize) -> Vec<Vec<u8>> {
    let mut lines = wrap(label, columns);
    let values = wrap(value, columns);
    if let ([only], Some(last)) = (values.as_slice(), lines.last_mut())
        && last.len() + 1 + only.len() <= columns
    {
        last.resize(columns - only.len(), b' ');
        last.extend_from_slice(only);
        return lines;
    }
    lines.extend(values.into_iter().map(|value| {
        let mut line = vec![b' '; columns - value.len()];
        line.extend_from_slice(&value);
        line
    }));
    lines
}

fn trim_end(text: &[u8]) -> &[u8] {
    let end = text.iter().rposition(|byte| *byte != b' ');
    &text[..end.map_or(0, |last| last + 1)]
}

fn trim_start(text: &[u8]) -> &[u8] {
    let start = text.iter().position(|byte| *byte != b' ');
    &text[start.unwrap_or(text.len())..]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn shown(lines: Vec<Vec<u8>>) -> Vec<String> {
        let text = lines.into_iter().map(String::from_utf8);
        text.collect::<Result<_, _>>().expect("ASCII in these tests")
    }

    #[test]
    fn words_stay_whole_where_they_fit() {
        assert_eq!(shown(wrap(b"one two three", 8)), ["one two", "three"]);
        assert_eq!(shown(wrap(b"abcdefghij", 4)), ["abcd", "efgh", "ij"]);
        assert_eq!(shown(wrap(b"12345678 9", 8)), ["12345678", "9"]);
        assert_eq!(shown(wrap(b"", 8)), [""]);
    }

    #[test]
    fn values_stand_right_and_whole() {
        assert_eq!(shown(pair(b"Total", b"30,00", 12)), ["Total  30,00"]);
        assert_eq!(
            shown(pair(b"Recarga de la tarjeta", b"30,00", 12)),
            ["Recarga de", "la tarjeta", "       30,00"]
        );
        assert_eq!(shown(pair(b"A", b"123456789012345", 8)), ["A", "12345678", " 9012345"]);
    }

    proptest! {
        #[test]
        fn nothing_but_spaces_is_lost_and_no_line_is_too_long(
            label in "[a-z0-9 ]{0,90}", value in "[0-9,. ]{0,60}", columns in 1_usize..50,
        ) {
            let lines = pair(label.as_bytes(), value.as_bytes(), columns);
            prop_assert!(lines.iter().all(|line| line.len() <= columns));
            let solid = |bytes: &[u8]| -> Vec<u8> {
                bytes.iter().copied().filter(|byte| *byte != b' ').collect()
            };
            let mut wanted = solid(label.as_bytes());
            wanted.extend(solid(value.as_bytes()));
            prop_assert_eq!(solid(&lines.concat()), wanted);
        }
    }
}
