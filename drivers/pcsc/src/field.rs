use std::ffi::CString;

use pcsc::{ReaderState, State};

use crate::pulse::Orders;

/// What PC/SC says of the reader's field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Seen {
    /// No such reader, or it does not work.
    NoReader,
    Empty,
    /// A card. Insertions and removals are counted: another number is another card, even if the
    /// empty field between them was missed.
    Card(u32),
}

impl Seen {
    /// Nothing if PC/SC did not say, which may be so after a cancelled wait.
    pub(crate) fn of(state: &ReaderState) -> Option<Self> {
        let flags = state.event_state();
        if flags.intersects(State::UNKNOWN | State::UNAVAILABLE) {
            Some(Self::NoReader)
        } else if flags.contains(State::PRESENT) {
            Some(Self::Card(state.event_count()))
        } else {
            flags.contains(State::EMPTY).then_some(Self::Empty)
        }
    }
}

/// The state of a reader of which nothing is known yet.
pub(crate) fn unaware(name: &CString) -> ReaderState {
    ReaderState::new(name.clone(), State::UNAWARE)
}

/// What the core knows of the field. Decides what it is told; does no I/O.
#[derive(Debug, Default)]
pub(crate) struct Field {
    card: Option<u32>,
    /// Was something reported of the card that is (or was) there?
    told: bool,
    /// The `Arm` command for which it was read.
    read_for: Option<u64>,
}

/// What to do about the field.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Duty {
    /// Report that the card which was reported is gone.
    pub(crate) removed: bool,
    /// Read the card and report it.
    pub(crate) read: bool,
}

impl Field {
    /// Once per change of the field or of the orders.
    pub(crate) fn see(&mut self, seen: Seen, orders: Orders) -> Duty {
        let card = match seen {
            Seen::Card(number) => Some(number),
            Seen::Empty | Seen::NoReader => None,
        };
        let mut duty = Duty::default();
        if card != self.card {
            duty.removed = std::mem::take(&mut self.told);
            self.card = card;
            self.read_for = None;
        }
        duty.read = card.is_some() && orders.armed && self.read_for != Some(orders.arms);
        if duty.read {
            self.told = true;
            self.read_for = Some(orders.arms);
        }
        duty
    }
}

#[cfg(test)]
mod tests {
    use driver_api::card_reader::Command;

    use super::*;
    use crate::pulse::Pulse;

    const NOTHING: Duty = Duty { removed: false, read: false };
    const READ: Duty = Duty { removed: false, read: true };
    const REMOVED: Duty = Duty { removed: true, read: false };

    fn orders(commands: &[Command]) -> Orders {
        let pulse = Pulse::default();
        commands.iter().for_each(|command| pulse.order(command));
        pulse.heed()
    }

    #[test]
    fn a_card_is_read_once_and_its_going_is_told() {
        let armed = orders(&[Command::Arm]);
        let mut field = Field::default();
        assert_eq!(field.see(Seen::Empty, armed), NOTHING);
        assert_eq!(field.see(Seen::Card(1), armed), READ);
        assert_eq!(field.see(Seen::Card(1), armed), NOTHING);
        assert_eq!(field.see(Seen::Empty, armed), REMOVED);
        assert_eq!(field.see(Seen::Empty, armed), NOTHING);
    }

    #[test]
    fn a_swap_too_fast_to_see_is_seen_by_the_count() {
        let armed = orders(&[Command::Arm]);
        let mut field = Field::default();
        assert_eq!(field.see(Seen::Card(1), armed), READ);
        let swapped = Duty { removed: true, read: true };
        assert_eq!(field.see(Seen::Card(3), armed), swapped);
    }

    #[test]
    fn disarmed_it_tells_of_no_card_and_armed_of_the_one_that_lies_there() {
        let mut field = Field::default();
        assert_eq!(field.see(Seen::Card(1), orders(&[])), NOTHING);
        assert_eq!(field.see(Seen::Card(1), orders(&[Command::Arm])), READ);
        assert_eq!(
            field.see(Seen::Empty, orders(&[Command::Arm, Command::Disarm])),
            REMOVED,
            "what was reported is also reported gone"
        );
        assert_eq!(field.see(Seen::Card(3), orders(&[])), NOTHING);
        assert_eq!(field.see(Seen::Empty, orders(&[])), NOTHING);
    }

    #[test]
    fn armed_again_it_reads_again() {
        let mut field = Field::default();
        assert_eq!(field.see(Seen::Card(1), orders(&[Command::Arm])), READ);
        let again = orders(&[Command::Arm, Command::Arm]);
        assert_eq!(field.see(Seen::Card(1), again), READ);
        assert_eq!(field.see(Seen::Card(1), again), NOTHING);
    }
}
