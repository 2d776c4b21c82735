//! Where the note is, as far as the unit told: a table of states and unit events.

use driver_api::acceptor::{Note, NotePlace};

use crate::dataset::Dataset;
use crate::event::{Channel, UnitEvent};

/// Where the note is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Path {
    /// No note, as far as we know.
    Clear,
    /// Being read.
    Reading,
    /// Held; **no poll may be sent**.
    Escrow(Note),
    /// Accepted by our poll; not credited yet.
    Stacking(Note),
    /// Credited; still moving.
    Credited,
    /// Moving into the cash unit, and neither accepted by us nor credited: after a gap or a fraud.
    Moving,
    /// On its way back to the customer from escrow; `None` = after a gap, or a note without value.
    Returning(Option<Note>),
    /// On its way back without having been in escrow.
    Rejecting,
}

/// What a unit event means beyond the place of the note.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum News {
    /// A note is being read.
    Reading,
    /// A note came into escrow.
    Escrowed(Note),
    /// A note came into escrow that has no value for us: to be given back.
    Worthless,
    /// A note was credited.
    Stacked(Note),
    /// The note from escrow went back.
    Returned(Note),
    /// A note went back; the unit knows why.
    Refused,
    /// It became of a note what nobody ordered.
    Recovered(NotePlace, Option<Note>),
}

impl Path {
    /// The note for which the core has an order, or could have one.
    pub(crate) fn note(self) -> Option<Note> {
        match self {
            Self::Escrow(note) | Self::Stacking(note) => Some(note),
            Self::Returning(note) => note,
            Self::Clear | Self::Reading | Self::Credited | Self::Moving | Self::Rejecting => None,
        }
    }

    /// The next place and the news, if any.
    pub(crate) fn step(self, event: UnitEvent, dataset: &Dataset) -> (Self, Option<News>) {
        use NotePlace::{CashUnit, Customer};
        let value_of = |channel: Option<Channel>| channel.and_then(|it| dataset.note(it));
        match event {
            UnitEvent::Reading => match self {
                Self::Clear | Self::Rejecting | Self::Credited | Self::Moving => {
                    (Self::Reading, Some(News::Reading))
                }
                // A new note is read, so the one from escrow is out.
                Self::Escrow(note) => (Self::Reading, Some(News::Returned(note))),
                Self::Reading | Self::Stacking(_) | Self::Returning(_) => (self, None),
            },
            UnitEvent::Escrowed(channel) => self.escrowed(dataset.note(channel)),
            UnitEvent::Credit(channel) => self.credited(dataset.note(channel)),
            UnitEvent::Stacking => match self {
                Self::Clear | Self::Reading | Self::Rejecting => (Self::Moving, None),
                Self::Escrow(note) => (Self::Stacking(note), None),
                Self::Stacking(_) | Self::Credited | Self::Moving | Self::Returning(_) => {
                    (self, None)
                }
            },
            UnitEvent::Stacked => match self {
                // In the box, but the unit never gave its credit.
                Self::Escrow(_) | Self::Stacking(_) | Self::Returning(_) => {
                    (Self::Clear, Some(News::Recovered(CashUnit, self.note())))
                }
                Self::Clear | Self::Reading | Self::Credited | Self::Moving | Self::Rejecting => {
                    (Self::Clear, None)
                }
            },
            UnitEvent::Rejecting => match self {
                Self::Escrow(note) | Self::Stacking(note) => (Self::Returning(Some(note)), None),
                Self::Returning(_) => (self, None),
                Self::Clear | Self::Reading | Self::Credited | Self::Moving | Self::Rejecting => {
                    (Self::Rejecting, None)
                }
            },
            UnitEvent::Rejected => match self.note() {
                Some(note) => (Self::Clear, Some(News::Returned(note))),
                None => (Self::Clear, Some(News::Refused)),
            },
            UnitEvent::ClearedFromFront(channel) => {
                (Self::Clear, Some(News::Recovered(Customer, value_of(channel))))
            }
            UnitEvent::ClearedIntoCashBox(channel) => {
                (Self::Clear, Some(News::Recovered(CashUnit, value_of(channel))))
            }
            UnitEvent::MovedAtReset(value) => {
                let note = value.map(|value| Note { value });
                (Self::Clear, Some(News::Recovered(CashUnit, note)))
            }
            // It comes into the box without a credit [GA973 §8.3 "Fraud attempt"].
            UnitEvent::Fraud => match self {
                Self::Stacking(_) => (Self::Moving, None),
                Self::Clear
                | Self::Reading
                | Self::Escrow(_)
                | Self::Credited
                | Self::Moving
                | Self::Returning(_)
                | Self::Rejecting => (self, None),
            },
            // A jam stops the note where it is; what becomes of it is told later, or never.
            UnitEvent::SafeJam
            | UnitEvent::UnsafeJam
            | UnitEvent::SlaveReset
            | UnitEvent::Disabled
            | UnitEvent::StackerFull
            | UnitEvent::CashBoxRemoved
            | UnitEvent::CashBoxReplaced
            | UnitEvent::NotePathOpen
            | UnitEvent::ChannelsDisabled
            | UnitEvent::Initialising
            | UnitEvent::Foreign(_) => (self, None),
        }
    }

    fn escrowed(self, note: Option<Note>) -> (Self, Option<News>) {
        match (self, note) {
            // The report repeats.
            (Self::Escrow(_) | Self::Stacking(_) | Self::Returning(_), _) => (self, None),
            (
                Self::Clear | Self::Reading | Self::Rejecting | Self::Credited | Self::Moving,
                Some(note),
            ) => (Self::Escrow(note), Some(News::Escrowed(note))),
            (
                Self::Clear | Self::Reading | Self::Rejecting | Self::Credited | Self::Moving,
                None,
            ) => (Self::Returning(None), Some(News::Worthless)),
        }
    }

    fn credited(self, note: Option<Note>) -> (Self, Option<News>) {
        match (self, note) {
            // The report repeats [GA138 0xEE]: one credit for one note.
            (Self::Credited, _) => (self, None),
            (_, Some(note)) => (Self::Credited, Some(News::Stacked(note))),
            // A channel without value is never let in; the note is in the box all the same.
            (_, None) => {
                let news = News::Recovered(NotePlace::CashUnit, self.note());
                (Self::Credited, Some(news))
            }
        }
    }

    /// The unit answered a poll with nothing about any note.
    pub(crate) fn step_quiet(self) -> Self {
        match self {
            Self::Clear | Self::Reading | Self::Rejecting | Self::Credited | Self::Moving => {
                Self::Clear
            }
            Self::Escrow(_) | Self::Stacking(_) | Self::Returning(_) => self,
        }
    }
}

impl UnitEvent {
    /// Does it say that a note is on its way?
    pub(crate) fn is_movement(self) -> bool {
        match self {
            Self::Reading
            | Self::Escrowed(_)
            | Self::Credit(_)
            | Self::Rejecting
            | Self::Rejected
            | Self::Stacking
            | Self::Stacked => true,
            Self::SlaveReset
            | Self::SafeJam
            | Self::UnsafeJam
            | Self::Disabled
            | Self::StackerFull
            | Self::Fraud
            | Self::ClearedFromFront(_)
            | Self::ClearedIntoCashBox(_)
            | Self::MovedAtReset(_)
            | Self::CashBoxRemoved
            | Self::CashBoxReplaced
            | Self::NotePathOpen
            | Self::ChannelsDisabled
            | Self::Initialising
            | Self::Foreign(_) => false,
        }
    }

    /// Does Poll-with-Ack repeat it until acknowledged? [GA138, column "Poll with Ack"]
    pub(crate) fn is_repeated(self) -> bool {
        match self {
            Self::Credit(_)
            | Self::Fraud
            | Self::ClearedFromFront(_)
            | Self::ClearedIntoCashBox(_)
            | Self::MovedAtReset(_) => true,
            Self::SlaveReset
            | Self::Reading
            | Self::Escrowed(_)
            | Self::Rejecting
            | Self::Rejected
            | Self::Stacking
            | Self::Stacked
            | Self::SafeJam
            | Self::UnsafeJam
            | Self::Disabled
            | Self::StackerFull
            | Self::CashBoxRemoved
            | Self::CashBoxReplaced
            | Self::NotePathOpen
            | Self::ChannelsDisabled
            | Self::Initialising
            | Self::Foreign(_) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;

    use domain::Amount;

    use super::*;

    const TWENTY: Note = Note { value: Amount::euro(20) };

    const PATHS: [Path; 9] = [
        Path::Clear,
        Path::Reading,
        Path::Escrow(TWENTY),
        Path::Stacking(TWENTY),
        Path::Credited,
        Path::Moving,
        Path::Returning(Some(TWENTY)),
        Path::Returning(None),
        Path::Rejecting,
    ];

    /// Channel 3 is 20 €, channel 4 has no value.
    const EVENTS: [UnitEvent; 26] = [
        UnitEvent::SlaveReset,
        UnitEvent::Reading,
        UnitEvent::Escrowed(Channel(3)),
        UnitEvent::Escrowed(Channel(4)),
        UnitEvent::Credit(Channel(3)),
        UnitEvent::Credit(Channel(4)),
        UnitEvent::Rejecting,
        UnitEvent::Rejected,
        UnitEvent::Stacking,
        UnitEvent::Stacked,
        UnitEvent::SafeJam,
        UnitEvent::UnsafeJam,
        UnitEvent::Disabled,
        UnitEvent::StackerFull,
        UnitEvent::Fraud,
        UnitEvent::ClearedFromFront(None),
        UnitEvent::ClearedFromFront(Some(Channel(3))),
        UnitEvent::ClearedIntoCashBox(None),
        UnitEvent::ClearedIntoCashBox(Some(Channel(3))),
        UnitEvent::MovedAtReset(Some(Amount::euro(20))),
        UnitEvent::CashBoxRemoved,
        UnitEvent::CashBoxReplaced,
        UnitEvent::NotePathOpen,
        UnitEvent::ChannelsDisabled,
        UnitEvent::Initialising,
        UnitEvent::Foreign(0xC9),
    ];

    fn dataset() -> Dataset {
        let mut setup = b"\x000414EUR\0\0\0\x04\0\0\0\0\0\0\0\0\0\0\x64\x08".to_vec();
        setup.extend(b"EUREUREURGBP");
        for value in [5u32, 10, 20, 50] {
            setup.extend(value.to_le_bytes());
        }
        Dataset::parse(&setup).unwrap()
    }

    /// `-` = nothing changes.
    #[test]
    fn every_place_meets_every_event() {
        let dataset = dataset();
        let mut table = String::new();
        for path in PATHS {
            writeln!(table, "{path:?}").unwrap();
            for event in EVENTS {
                let (next, news) = path.step(event, &dataset);
                let next = if next == path { "-".to_owned() } else { format!("{next:?}") };
                let news = news.map(|news| format!("  tells {news:?}")).unwrap_or_default();
                if next != "-" || !news.is_empty() {
                    writeln!(table, "  {event:?} -> {next}{news}").unwrap();
                }
            }
            writeln!(table, "  (quiet) -> {:?}", path.step_quiet()).unwrap();
        }
        insta::assert_snapshot!(table);
    }
}
