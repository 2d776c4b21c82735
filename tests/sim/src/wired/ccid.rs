//! What goes over the cable between a reader and pcscd: the few messages of USB CCID (rev 1.1 §6)
//! that a contactless reader needs, with a header of their type, number and length.

/// One message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// An answer has that of its question.
    pub seq: u8,
    /// What.
    pub what: What,
}

/// What it says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// To the reader: select the card.
    PowerOn,
    /// To the reader: is a card there?
    GetSlotStatus,
    /// To the reader: an APDU for the card.
    Transmit(Vec<u8>),
    /// The card's answer.
    Data(Vec<u8>),
    /// There is none; and whether a card is there.
    SlotStatus(bool),
    /// Unasked: a card has come, or all are gone.
    SlotChange(bool),
}

const POWER_ON: u8 = 0x62;
const GET_SLOT_STATUS: u8 = 0x65;
const TRANSMIT: u8 = 0x6F;
const DATA: u8 = 0x80;
const SLOT_STATUS: u8 = 0x81;
const SLOT_CHANGE: u8 = 0x50;

impl Message {
    /// Its bytes.
    pub fn encode(&self) -> Vec<u8> {
        let (kind, data) = match &self.what {
            What::PowerOn => (POWER_ON, Vec::new()),
            What::GetSlotStatus => (GET_SLOT_STATUS, Vec::new()),
            What::Transmit(apdu) => (TRANSMIT, apdu.clone()),
            What::Data(answer) => (DATA, answer.clone()),
            What::SlotStatus(is_occupied) => (SLOT_STATUS, vec![u8::from(*is_occupied)]),
            What::SlotChange(is_occupied) => (SLOT_CHANGE, vec![u8::from(*is_occupied)]),
        };
        let length = u8::try_from(data.len()).expect("a short APDU");
        [&[kind, self.seq, length], data.as_slice()].concat()
    }

    /// The messages in what arrived: whole ones, for packets are not torn.
    pub fn decode(mut bytes: &[u8]) -> Vec<Self> {
        let mut messages = Vec::new();
        while let [kind, seq, length, rest @ ..] = bytes
            && let Some((data, after)) = rest.split_at_checked(usize::from(*length))
        {
            let is_occupied = data == [1];
            let what = match *kind {
                POWER_ON => What::PowerOn,
                GET_SLOT_STATUS => What::GetSlotStatus,
                TRANSMIT => What::Transmit(data.to_vec()),
                DATA => What::Data(data.to_vec()),
                SLOT_STATUS => What::SlotStatus(is_occupied),
                SLOT_CHANGE => What::SlotChange(is_occupied),
                _ => unreachable!("USB brings what was sent"),
            };
            messages.push(Self { seq: *seq, what });
            bytes = after;
        }
        messages
    }
}
