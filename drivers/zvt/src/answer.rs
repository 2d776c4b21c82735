//! What status informations and completions say.

use domain::Amount;
use driver_api::VendorCode;
use driver_api::payment_terminal::{
    Approval, DayEnd, Entry, MaskedPan, Reference, Totals, Verification,
};

use crate::bmp::{TLV, digits_length, fields, from_bcd, tlv_find};
use crate::code::OK;
use crate::log::{LogEntry, place};

/// `04 0F`, as far as it could be read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Status {
    pub(crate) result: Option<u8>,
    pub(crate) amount: Option<Amount>,
    trace: Option<u32>,
    /// Of the payment that this transaction reversed.
    pub(crate) original_trace: Option<u32>,
    receipt: Option<u16>,
    pan: Option<MaskedPan>,
    card_name: Option<String>,
    aid: Option<String>,
    authorisation_code: Option<String>,
    pub(crate) terminal: Option<String>,
    merchant: Option<String>,
    entry: Option<Entry>,
    verification: Option<Verification>,
    /// Of an end of day: number of transactions.
    pub(crate) count: Option<u32>,
}

impl Status {
    pub(crate) fn parse(data: &[u8]) -> Self {
        let mut status = Self::default();
        for (number, content) in fields(data).0 {
            status.take(number, content);
        }
        status
    }

    fn take(&mut self, number: u8, content: &[u8]) {
        match number {
            0x04 => self.amount = amount(content),
            0x0B => self.trace = self.trace.or(some_number(content)),
            0x22 => self.pan = MaskedPan::new(&pan(content)),
            0x27 => self.result = content.first().copied(),
            0x29 => self.terminal = from_bcd(content).map(|number| format!("{number:08}")),
            0x2A => self.merchant = text(content),
            0x37 => self.original_trace = some_number(content),
            // Some give other things in it than the bank's code.
            0x3B => self.authorisation_code = text(content).filter(|code| !code.contains('?')),
            0x60 => self.count = count(content),
            0x87 => self.receipt = some_number(content).and_then(|it| u16::try_from(it).ok()),
            0x8B => self.card_name = text(content),
            TLV => self.take_container(content),
            _ => {}
        }
    }

    fn take_container(&mut self, data: &[u8]) {
        // Some terminals leave BMP 0B zero and give the long number here.
        self.trace = self.trace.or(tlv_find(data, 0x1F2B).and_then(some_number));
        self.aid = tlv_find(data, 0x43)
            .map(|aid| aid.iter().take(AID_MAX).map(|byte| format!("{byte:02X}")).collect());
        self.entry = match tlv_find(data, 0x1F12) {
            Some([0]) => Some(Entry::Stripe),
            Some([1]) => Some(Entry::Chip),
            Some([2]) => Some(Entry::Contactless),
            Some(_) | None => None,
        };
        self.verification = match tlv_find(data, 0x1F10) {
            Some([0]) => Some(Verification::None),
            Some([1]) => Some(Verification::Signature),
            Some([2..=7]) => Some(Verification::Pin),
            Some(_) | None => None,
        };
    }

    /// Its place in the terminal's log, where it has one.
    pub(crate) fn log_entry(&self) -> Option<LogEntry> {
        Some(LogEntry { receipt: self.receipt?, trace: self.trace? })
    }

    /// What the receipt says, if this is a transaction of the log.
    pub(crate) fn approval(&self) -> Option<Approval> {
        Some(Approval {
            amount: self.amount?,
            reference: Reference(place(self.terminal.as_deref(), &self.log_entry()?.to_text())),
            pan: self.pan.clone(),
            card_name: self.card_name.clone(),
            aid: self.aid.clone(),
            authorisation_code: self.authorisation_code.clone(),
            terminal: self.terminal.clone(),
            merchant: self.merchant.clone(),
            entry: self.entry.unwrap_or(Entry::Unsaid),
            verification: self.verification.unwrap_or(Verification::Unsaid),
        })
    }
}

/// Longest application id, in bytes [ISO 7816-5].
const AID_MAX: usize = 16;

/// `06 0F` to a status enquiry: firmware and state. Other completions look different: `None`.
pub(crate) fn enquiry(data: &[u8]) -> Option<(String, u8)> {
    let (length, rest) = digits_length(data, 3)?;
    let (firmware, rest) = rest.split_at_checked(length)?;
    Some((text(firmware).unwrap_or_default(), *rest.first()?))
}

/// What an end of day came to that was completed with this status information.
pub(crate) fn day_end(status: Option<&Status>) -> DayEnd {
    match status {
        Some(Status { result: Some(OK), amount: Some(amount), count, .. }) => {
            DayEnd::Closed(Totals { amount: *amount, count: *count })
        }
        Some(Status { result: Some(code @ 1..), .. }) => {
            DayEnd::Refused(VendorCode(u32::from(*code)))
        }
        Some(_) | None => DayEnd::Unknown,
    }
}

/// The terminal's id in the completion of a registration, where it tells it.
pub(crate) fn terminal_id(data: &[u8]) -> Option<String> {
    Status::parse(data).terminal
}

fn amount(content: &[u8]) -> Option<Amount> {
    Amount::from_cents(i64::try_from(from_bcd(content)?).ok()?).ok()
}

/// Zero stands for "none".
fn some_number(content: &[u8]) -> Option<u32> {
    u32::try_from(from_bcd(content)?).ok().filter(|number| *number != 0)
}

/// `E` masks a digit, `F` fills.
fn pan(content: &[u8]) -> String {
    let halves = content.iter().flat_map(|byte| [byte >> 4, byte & 0x0F]);
    halves
        .filter(|half| *half != 0xF)
        .map(|half| char::from_digit(u32::from(half), 10).unwrap_or('*'))
        .collect()
}

/// Printable ASCII; the rest is the terminal's code page and not worth a table.
fn text(content: &[u8]) -> Option<String> {
    let signs = content.iter().take_while(|byte| **byte != 0).map(|byte| match byte {
        b' '..=b'~' => char::from(*byte),
        _ => '?',
    });
    let text: String = signs.collect();
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

/// Single totals: receipts from and to, then number and sum for each of seven kinds of card.
fn count(content: &[u8]) -> Option<u32> {
    let (_, kinds) = content.split_at_checked(4)?;
    let kinds = kinds.chunks_exact(7);
    kinds.remainder().is_empty().then(|| kinds.map(|kind| u32::from(kind[0])).sum())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn bytes(text: &str) -> Vec<u8> {
        hex::decode(text).unwrap()
    }

    /// As a terminal in the field sent it: the form of the messages in crate `zvt`'s captures, with
    /// a card number of our own.
    #[test]
    fn a_payment_by_an_unattended_terminal() {
        let status = Status::parse(&bytes(concat!(
            "2700040000000025004909780c2255580d040522f0f8411111eeeeee111187023",
            "13b37353030373100000b000975196029525235350e24058a068c018bf1f14d61737465724361726400",
            "2a383034303131393236202020202020",
        )));
        assert_eq!(status.result, Some(0));
        let approval = status.approval().unwrap();
        assert_eq!(approval.amount, Amount::euro(25));
        assert_eq!(approval.reference, Reference("52523535 0231/000975".to_owned()));
        assert_eq!(approval.pan.unwrap().reveal(), "411111******1111");
        assert_eq!(approval.authorisation_code.as_deref(), Some("750071"));
        assert_eq!(approval.terminal.as_deref(), Some("52523535"));
        assert_eq!(approval.merchant.as_deref(), Some("804011926"));
        assert_eq!(approval.card_name.as_deref(), Some("MasterCard"));
    }

    #[test]
    fn a_contactless_payment_whose_numbers_are_in_the_container() {
        let status = Status::parse(&bytes(concat!(
            "27000400000000204022f0f8eeeeeeeeeeee47712900000006870008",
            "0b000000062e2f081f1201021f100100601b4307a00000000410104410446562697420",
            "4d6173746572636172641f2b0410015008",
        )));
        let approval = status.approval().unwrap();
        assert_eq!(approval.reference, Reference("00000006 0008/10015008".to_owned()));
        assert_eq!(approval.aid.as_deref(), Some("A0000000041010"));
        assert_eq!(approval.entry, Entry::Contactless);
        assert_eq!(approval.verification, Verification::None);
    }

    #[test]
    fn totals_count_their_transactions() {
        let mut data = bytes("2700040000000009580b00098260f0f5f302330234");
        data.extend([0; 7].repeat(2));
        data.extend(bytes("02000000000958"));
        data.extend([0; 7].repeat(4));
        let status = Status::parse(&data);
        assert_eq!((status.amount.map(Amount::cents), status.count), (Some(958), Some(2)));
    }

    #[test]
    fn the_state_of_a_terminal() {
        let data = bytes("f0f0f4312e3233e10600");
        assert_eq!(enquiry(&data), Some(("1.23".to_owned(), 0xE1)));
        assert_eq!(enquiry(&bytes("19102952523535490978")), None, "another completion");
        assert_eq!(terminal_id(&bytes("19102952523535490978")).as_deref(), Some("52523535"));
    }

    proptest! {
        #[test]
        fn any_bytes_say_something_or_nothing(data in prop::collection::vec(any::<u8>(), 0..300)) {
            let status = Status::parse(&data);
            if let Some(approval) = status.approval() {
                prop_assert!(approval.reference.0.len() <= Reference::LEN_MAX);
            }
            enquiry(&data);
        }
    }
}
