use central_api::{CardStatus, ProblemKind};
use domain::Wall;

/// Days since 1970-01-01, as cards count them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Day(pub(crate) i64);

impl Day {
    /// The local day of a wall clock reading.
    pub(crate) fn of(wall: Wall) -> Self {
        let local_ms = wall.utc_ms.saturating_add(i64::from(wall.offset_min) * 60_000);
        Self(local_ms.div_euclid(86_400_000))
    }
}

/// Why a card may not be used today.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unusable {
    Blocked,
    Suspended,
    Expired,
}

impl Unusable {
    pub(crate) const fn problem(self) -> ProblemKind {
        match self {
            Self::Blocked => ProblemKind::CardBlocked,
            Self::Suspended => ProblemKind::CardSuspended,
            Self::Expired => ProblemKind::CardExpired,
        }
    }
}

/// May a card be used today? Its last day counts.
pub(crate) fn usable(status: CardStatus, expires: Day, today: Day) -> Result<(), Unusable> {
    match status {
        CardStatus::Blocked => Err(Unusable::Blocked),
        CardStatus::Suspended => Err(Unusable::Suspended),
        CardStatus::Active if today > expires => Err(Unusable::Expired),
        CardStatus::Active => Ok(()),
    }
}

/// A name for a screen in public: first name, then initials. `Ana García Pons` → `Ana G. P.`
pub(crate) fn masked_name(name: &str) -> String {
    let mut words = name.split_whitespace();
    let first = words.next().unwrap_or_default().to_owned();
    words
        .filter_map(|word| word.chars().next())
        .fold(first, |name, initial| format!("{name} {initial}."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_day_counts() {
        let check = |today| usable(CardStatus::Active, Day(100), Day(today));
        assert_eq!(check(100), Ok(()));
        assert_eq!(check(101), Err(Unusable::Expired));
    }

    #[test]
    fn blocked_is_said_before_expired() {
        let blocked = usable(CardStatus::Blocked, Day(100), Day(200));
        assert_eq!(blocked, Err(Unusable::Blocked));
    }

    #[test]
    fn names_are_shortened() {
        assert_eq!(masked_name("Ana Garcia Pons"), "Ana G. P.");
        assert_eq!(masked_name("Àngels"), "Àngels");
        assert_eq!(masked_name(""), "");
    }
}
