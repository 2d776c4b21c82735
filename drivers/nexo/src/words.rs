//! What a response says beside its fields: AdditionalResponse, coded like a form or as JSON in
//! base64, and the lines of its receipts.

use base64::prelude::{BASE64_STANDARD, Engine as _};
use serde_json::Value;

use crate::message::{Receipt, Verdict};

/// Keys in lower case, and values.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Words(Vec<(String, String)>);

impl Words {
    pub(crate) fn of(verdict: &Verdict, receipts: Option<&Vec<Receipt>>) -> Self {
        let mut words = Self::default();
        if let Some(text) = &verdict.additional_response.0 {
            words.read_additional(text);
        }
        for receipt in receipts.into_iter().flatten() {
            let content = receipt.output_content.0.as_ref();
            let lines = content.and_then(|content| content.output_text.0.as_ref());
            lines.into_iter().flatten().for_each(|line| words.read_line(&line.text));
        }
        words
    }

    /// The first word under one of these keys, which are in lower case.
    pub(crate) fn get(&self, keys: &[&str]) -> Option<&str> {
        let find = |key: &&str| self.0.iter().find(|(name, _)| name == key);
        keys.iter().find_map(find).map(|(_, value)| value.as_str())
    }

    fn read_additional(&mut self, text: &str) {
        let decoded = BASE64_STANDARD.decode(text).ok();
        match decoded.and_then(|bytes| serde_json::from_slice(&bytes).ok()) {
            Some(Value::Object(object)) => object.iter().for_each(|(key, value)| match value {
                Value::Object(inner) => inner.iter().for_each(|(key, value)| self.put(key, value)),
                Value::String(_) | Value::Number(_) | Value::Bool(_) => self.put(key, value),
                Value::Null | Value::Array(_) => {}
            }),
            Some(_) | None => self.0.extend(form(text)),
        }
    }

    fn put(&mut self, key: &str, value: &Value) {
        if let Value::String(text) = value {
            self.0.push((key.to_lowercase(), text.clone()));
        }
    }

    /// `name=AID&value=A0000000041010&key=aid`.
    fn read_line(&mut self, line: &str) {
        let (mut name, mut value) = (None, None);
        for (key, text) in form(line) {
            match key.as_str() {
                "key" => name = Some(text.to_lowercase()),
                "value" => value = Some(text),
                _ => {}
            }
        }
        self.0.extend(name.zip(value));
    }
}

fn form(text: &str) -> impl Iterator<Item = (String, String)> + '_ {
    let pairs = text.split('&').filter_map(|pair| pair.split_once('='));
    pairs.map(|(key, value)| (decode(key).to_lowercase(), decode(value)))
}

/// `%20` and `+`; what is none of it stays as it is.
fn decode(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let [byte, after @ ..] = rest {
        rest = after;
        bytes.push(match (byte, hex(after)) {
            (b'%', Some(code)) => {
                rest = &after[2..];
                code
            }
            (b'+', _) => b' ',
            _ => *byte,
        });
    }
    String::from_utf8_lossy(&bytes).trim().to_owned()
}

fn hex(text: &[u8]) -> Option<u8> {
    let digits = text.get(..2).filter(|digits| digits.iter().all(u8::is_ascii_hexdigit))?;
    u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(additional: &str) -> Words {
        let mut words = Words::default();
        words.read_additional(additional);
        words
    }

    #[test]
    fn both_forms_of_additional_response_are_read() {
        let form = "tid=47069832&AID=A0000000041010&message=NOT_ENOUGH%20BALANCE&50%=%zz";
        let json = r#"{"additionalData":{"tid":"47069832","AID":"A0000000041010"},"store":"x"}"#;
        for text in [form.to_owned(), BASE64_STANDARD.encode(json)] {
            let words = read(&text);
            assert_eq!(words.get(&["tid"]), Some("47069832"), "{text}");
            assert_eq!(words.get(&["aid"]), Some("A0000000041010"), "{text}");
            assert_eq!(words.get(&["pan"]), None);
        }
        assert_eq!(read(form).get(&["message"]), Some("NOT_ENOUGH BALANCE"));
    }

    #[test]
    fn the_lines_of_a_receipt_are_read_by_their_keys() {
        let mut words = Words::default();
        words.read_line("name=Auth.%20code&value=123456&key=authCode");
        words.read_line("key=filler");
        assert_eq!(words.get(&["authcode"]), Some("123456"));
        assert_eq!(words.0.len(), 1);
    }
}
