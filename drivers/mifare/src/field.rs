use driver_api::card_reader::Command;

/// What is seen of the reader's field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seen {
    /// No such reader, or it does not work.
    NoReader,
    /// No card.
    Empty,
    /// A card. Insertions and removals are counted: another number is another card, even if the
    /// empty field between them was missed.
    Card(u32),
}

/// What the core wants, as of now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Orders {
    /// Report cards?
    armed: bool,
    /// Counts the `Arm` commands: each asks for the card on the reader anew.
    arms: u64,
}

impl Orders {
    /// Takes a command.
    pub fn take(&mut self, command: &Command) {
        match command {
            Command::Arm => {
                self.armed = true;
                self.arms += 1;
            }
            Command::Disarm => self.armed = false,
        }
    }

    /// Are cards to be reported?
    pub const fn are_armed(self) -> bool {
        self.armed
    }
}

/// What the core knows of the field. Decides what it is told; does no I/O.
#[derive(Debug, Default)]
pub struct Field {
    card: Option<u32>,
    /// Was something reported of the card that is (or was) there?
    told: bool,
    /// The `Arm` command for which it was read.
    read_for: Option<u64>,
}

/// What to do about the field.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Duty {
    /// Report that the card which was reported is gone.
    pub removed: bool,
    /// Read the card and report it.
    pub read: bool,
}

impl Field {
    /// Once per change of the field or of the orders.
    pub fn see(&mut self, seen: Seen, orders: Orders) -> Duty {
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
    use super::*;

    const NOTHING: Duty = Duty { removed: false, read: false };
    const READ: Duty = Duty { removed: false, read: true };
    const REMOVED: Duty = Duty { removed: true, read: false };

    fn orders(commands: &[Command]) -> Orders {
        let mut orders = Orders::default();
        commands.iter().for_each(|command| orders.take(command));
        orders
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
