//! What a poll reports [GA138 "Events"; lengths at protocol levels 4 to 8].

use domain::Amount;

/// One event of a poll's answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum UnitEvent {
    SlaveReset,
    /// A note is being read.
    Reading,
    /// A valid note is in escrow: this channel. The next poll accepts it.
    Escrowed(Channel),
    /// Past the point where the customer could pull it back.
    Credit(Channel),
    Rejecting,
    Rejected,
    Stacking,
    Stacked,
    SafeJam,
    UnsafeJam,
    Disabled,
    StackerFull,
    Fraud,
    ClearedFromFront(Option<Channel>),
    ClearedIntoCashBox(Option<Channel>),
    /// Into the stacker or the payout store at power-up; the value where it is in euro.
    MovedAtReset(Option<Amount>),
    CashBoxRemoved,
    CashBoxReplaced,
    NotePathOpen,
    ChannelsDisabled,
    Initialising,
    /// Of devices that a note acceptor is not: payout, hopper, ticket.
    Foreign(u8),
}

/// A note's number in the unit's dataset, `1..=16`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Channel(pub(crate) u8);

impl Channel {
    fn parse(byte: u8) -> Option<Self> {
        (byte != 0).then_some(Self(byte))
    }
}

/// The answer holds a code that no level up to 8 defines, or ends within an event: what follows it
/// cannot be told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Unreadable {
    /// The code.
    pub(crate) code: u8,
}

/// All events of a poll's answer (without the generic response), in their order; those before an
/// unreadable one, and that.
pub(crate) fn parse(mut data: &[u8]) -> (Vec<UnitEvent>, Option<Unreadable>) {
    let mut events = Vec::new();
    while let Some((&code, rest)) = data.split_first() {
        let Some(length) = data_length(code, rest) else {
            return (events, Some(Unreadable { code }));
        };
        let Some((body, rest)) = rest.split_at_checked(length) else {
            return (events, Some(Unreadable { code }));
        };
        events.push(event(code, body));
        data = rest;
    }
    (events, None)
}

fn event(code: u8, body: &[u8]) -> UnitEvent {
    let channel = body.first().copied().and_then(Channel::parse);
    match (code, channel) {
        (0xF1, _) => UnitEvent::SlaveReset,
        (0xEF, None) => UnitEvent::Reading,
        (0xEF, Some(channel)) => UnitEvent::Escrowed(channel),
        (0xEE, Some(channel)) => UnitEvent::Credit(channel),
        (0xED, _) => UnitEvent::Rejecting,
        (0xEC, _) => UnitEvent::Rejected,
        (0xCC, _) => UnitEvent::Stacking,
        (0xEB, _) => UnitEvent::Stacked,
        (0xEA, _) => UnitEvent::SafeJam,
        (0xE9, _) => UnitEvent::UnsafeJam,
        (0xE8, _) => UnitEvent::Disabled,
        (0xE7, _) => UnitEvent::StackerFull,
        (0xE6, _) => UnitEvent::Fraud,
        (0xE1, channel) => UnitEvent::ClearedFromFront(channel),
        (0xE2, channel) => UnitEvent::ClearedIntoCashBox(channel),
        (0xCA | 0xCB, _) => UnitEvent::MovedAtReset(euro(body)),
        (0xE3, _) => UnitEvent::CashBoxRemoved,
        (0xE4, _) => UnitEvent::CashBoxReplaced,
        (0xE0, _) => UnitEvent::NotePathOpen,
        (0xB5, _) => UnitEvent::ChannelsDisabled,
        (0xB6, _) => UnitEvent::Initialising,
        (other, _) => UnitEvent::Foreign(other),
    }
}

/// Bytes after the code. `None`: not a code we know.
fn data_length(code: u8, rest: &[u8]) -> Option<usize> {
    let per_currency = |each: usize| Some(1 + usize::from(*rest.first()?) * each);
    match code {
        0xF1 | 0xED | 0xEC | 0xCC | 0xEB | 0xEA | 0xE9 | 0xE8 | 0xE7 | 0xE4 | 0xE3 | 0xE0
        | 0xB5 | 0xB6 => Some(0),
        0xEF | 0xEE | 0xE6 | 0xE1 | 0xE2 => Some(1),
        0xC9..=0xCB => Some(7),
        // Barcode tickets, which are never enabled.
        0xE5 | 0xD1 => Some(0),
        // Payout, should the unit carry one: dispensing .. smart emptied, note held in bezel.
        0xDA | 0xD2 | 0xD5 | 0xD6 | 0xD7 | 0xD8 | 0xD9 | 0xB3 | 0xB4 => per_currency(7),
        0xDC | 0xDD => per_currency(11),
        0xB1 => per_currency(8),
        0xDB | 0xC2 | 0xC3 | 0xC6 => Some(0),
        0xCE | 0xCD => Some(7),
        // Ticket printer on an NV200, never enabled.
        0xA5 | 0xA6 | 0xAD..=0xAF => Some(0),
        0xA8 => Some(1),
        _ => None,
    }
}

/// Value in cents, little-endian, and the currency [GA138 0xCA].
fn euro(body: &[u8]) -> Option<Amount> {
    let (value, currency) = body.split_first_chunk::<4>()?;
    (currency == b"EUR")
        .then(|| Amount::from_cents(i64::from(u32::from_le_bytes(*value))).ok())
        .flatten()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn answers_of_the_manual() {
        use UnitEvent as E;
        let three = Channel(3);
        let answers: [(&[u8], &[E]); 6] = [
            (&[0xF1, 0xE8], &[E::SlaveReset, E::Disabled]),
            (&[0xEF, 0x00], &[E::Reading]),
            (&[0xEF, 0x03], &[E::Escrowed(three)]),
            (
                &[0xEE, 0x03, 0xCC, 0xEB, 0xE7],
                &[E::Credit(three), E::Stacking, E::Stacked, E::StackerFull],
            ),
            (
                &[0xE2, 0x00, 0xE1, 0x03],
                &[E::ClearedIntoCashBox(None), E::ClearedFromFront(Some(three))],
            ),
            (
                &[0xCA, 0xF4, 0x01, 0, 0, b'E', b'U', b'R', 0xE8],
                &[E::MovedAtReset(Some(Amount::euro(5))), E::Disabled],
            ),
        ];
        for (answer, events) in answers {
            assert_eq!(parse(answer), (events.to_vec(), None));
        }
    }

    #[test]
    fn a_note_in_pounds_has_no_value_in_euro() {
        let answer = [0xCB, 0xD0, 0x07, 0, 0, b'G', b'B', b'P'];
        assert_eq!(parse(&answer).0, [UnitEvent::MovedAtReset(None)]);
    }

    #[test]
    fn what_stands_before_an_unknown_code_counts() {
        let (events, rest) = parse(&[0xEE, 0x01, 0x42, 0xEB]);
        assert_eq!(events, [UnitEvent::Credit(Channel(1))]);
        assert_eq!(rest, Some(Unreadable { code: 0x42 }));
        // A credit without its channel is no credit.
        assert_eq!(parse(&[0xEE]), (vec![], Some(Unreadable { code: 0xEE })));
    }

    proptest! {
        #[test]
        fn any_answer_parses(data in prop::collection::vec(any::<u8>(), 0..255)) {
            let (events, _) = parse(&data);
            prop_assert!(events.len() <= data.len());
        }
    }
}
