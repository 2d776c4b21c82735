use central_api::CardStatus;
use domain::MovementKind::{self, CardTopUp, CashTopUp, OtherTopUp, Purchase, Refund};

/// Someone of the town, invented, with a card and its past.
pub(crate) struct Person {
    pub(crate) id: &'static str,
    pub(crate) name: &'static str,
    /// What the card is there to show.
    pub(crate) story: &'static str,
    pub(crate) card: CardKind,
    /// Oldest first; they add up to the balance.
    pub(crate) past: &'static [Past],
}

/// What is special about a card.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CardKind {
    /// In the register and good until its date.
    Registered(CardStatus),
    /// In the register, out of date.
    Expired,
    /// Of another town, signed by that town.
    Foreign,
    /// Our town's words under somebody else's signature.
    Forged,
    /// Signed by us, unknown to the register.
    Unregistered,
}

impl CardKind {
    /// The word in `town.json`.
    pub(crate) const fn status(self) -> &'static str {
        match self {
            Self::Registered(status) => status.as_str(),
            Self::Expired => "expired",
            Self::Foreign => "foreign",
            Self::Forged => "not_genuine",
            Self::Unregistered => "unregistered",
        }
    }
}

/// A movement of long ago.
pub(crate) struct Past {
    pub(crate) days_ago: u16,
    /// Local time of day, minutes after midnight.
    pub(crate) minute: u16,
    pub(crate) kind: MovementKind,
    /// Cents, positive; the kind says which way.
    pub(crate) cents: u16,
}

const fn past(days_ago: u16, hour: u16, minute: u16, kind: MovementKind, cents: u16) -> Past {
    Past { days_ago, minute: hour * 60 + minute, kind, cents }
}

const ACTIVE: CardKind = CardKind::Registered(CardStatus::Active);

/// The town's people. Bus 0.75, library copies 0.10, pool 3.20, sports hall 5.50.
pub(crate) const PEOPLE: [Person; 10] = [
    Person {
        id: "ana",
        name: "Ana García Pons",
        story: "The ordinary card: 12.40 € and some movements.",
        card: ACTIVE,
        past: &[
            past(41, 9, 12, OtherTopUp, 2_000),
            past(33, 17, 40, Purchase, 320),
            past(20, 8, 2, Purchase, 75),
            past(20, 14, 31, Purchase, 75),
            past(9, 18, 5, Purchase, 550),
            past(8, 10, 20, Refund, 320),
            past(2, 11, 47, Purchase, 60),
        ],
    },
    Person {
        id: "joan",
        name: "Joan Ferrer Vidal",
        story: "Another ordinary card: 47.85 €.",
        card: ACTIVE,
        past: &[
            past(60, 12, 0, OtherTopUp, 5_000),
            past(12, 7, 48, Purchase, 75),
            past(12, 15, 3, Purchase, 75),
            past(5, 16, 30, Purchase, 65),
        ],
    },
    Person {
        id: "merce",
        name: "Mercè Soler Roig",
        story: "Near the maximum: 140.00 €; only a 5 or a 10 € note still fits.",
        card: ACTIVE,
        past: &[
            past(90, 10, 10, OtherTopUp, 10_000),
            past(30, 10, 10, OtherTopUp, 4_550),
            past(6, 19, 0, Purchase, 550),
        ],
    },
    Person {
        id: "omar",
        name: "Omar Benali",
        story: "A new card: nothing on it, no movements.",
        card: ACTIVE,
        past: &[],
    },
    Person {
        id: "lucia",
        name: "Lucía Navarro Gil",
        story: "Reported lost: blocked, and on the hotlist.",
        card: CardKind::Registered(CardStatus::Blocked),
        past: &[past(45, 13, 25, OtherTopUp, 3_000)],
    },
    Person {
        id: "pere",
        name: "Pere Mas Riera",
        story: "Suspended by the town hall, and on the hotlist.",
        card: CardKind::Registered(CardStatus::Suspended),
        past: &[past(25, 11, 11, OtherTopUp, 1_500), past(24, 8, 8, Purchase, 75)],
    },
    Person {
        id: "ingrid",
        name: "Ingrid Weber",
        story: "Out of date since last month.",
        card: CardKind::Expired,
        past: &[past(300, 9, 30, OtherTopUp, 1_000), past(280, 18, 45, Purchase, 320)],
    },
    Person {
        id: "foreign",
        name: "Someone of the next town",
        story: "A genuine card of another town.",
        card: CardKind::Foreign,
        past: &[],
    },
    Person {
        id: "forged",
        name: "A forger",
        story: "Says it is ours; the signature is not.",
        card: CardKind::Forged,
        past: &[],
    },
    Person {
        id: "unregistered",
        name: "Nobody central knows",
        story: "Signed by our town, unknown to central: the answer is that of a wrong PIN.",
        card: CardKind::Unregistered,
        past: &[],
    },
];

/// Does it bring money to the wallet?
pub(crate) const fn is_credit(kind: MovementKind) -> bool {
    match kind {
        CashTopUp | CardTopUp | OtherTopUp | Refund => true,
        Purchase => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn balance(id: &str) -> i32 {
        let person = PEOPLE.iter().find(|person| person.id == id).unwrap();
        let signed = |past: &Past| match is_credit(past.kind) {
            true => i32::from(past.cents),
            false => -i32::from(past.cents),
        };
        person.past.iter().map(signed).sum()
    }

    #[test]
    fn the_past_adds_up_to_what_the_stories_say() {
        assert_eq!(balance("ana"), 1_240);
        assert_eq!(balance("joan"), 4_785);
        assert_eq!(balance("merce"), 14_000);
        assert_eq!(balance("omar"), 0);
    }
}
