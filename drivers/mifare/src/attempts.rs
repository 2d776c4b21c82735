use driver_api::card_reader::{Card, CardProblem};

use crate::dialogue::{Failure, RawCard, Verifier};

/// One card on the reader, read as often as it takes to believe what comes out. A good card is
/// believed at once; anything else when two attempts on fresh connections say the same, because a
/// refusal may also be a card that left. Torn is tried again as long as the card stays.
#[derive(Debug)]
pub struct Attempts {
    before: Option<Failure>,
    left: u8,
}

/// A card that is moved about is tried this often.
const ATTEMPTS_MAX: u8 = 4;

impl Default for Attempts {
    fn default() -> Self {
        Self { before: None, left: ATTEMPTS_MAX }
    }
}

impl Attempts {
    /// Takes how an attempt ended. `None` = try once more, on a fresh connection, if the card is
    /// still there; if it is not, the verdict is [`Failure::TORN`].
    pub fn judge(
        &mut self,
        ended: Result<RawCard, Failure>,
        verifier: &Verifier,
    ) -> Option<Result<Card, Failure>> {
        let verdict = ended.and_then(|raw| verifier.judge(&raw).map_err(Failure::Card));
        let Err(failure) = verdict else { return Some(verdict) };
        self.left = self.left.saturating_sub(1);
        let is_sure = self.before.replace(failure) == Some(failure) && failure != Failure::TORN;
        match (is_sure, self.left) {
            (true, _) => Some(Err(failure)),
            (false, 0) => Some(Err(Failure::TORN)),
            (false, _) => None,
        }
    }
}

impl Failure {
    /// The card left, or nobody knows.
    pub const TORN: Self = Self::Card(CardProblem::Torn);
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use domain::CardRefKey;

    use super::*;
    use crate::{CardKeys, NetworkCode};

    const FOREIGN: Failure = Failure::Card(CardProblem::Foreign);

    fn verdicts(ended: &[Failure]) -> Vec<Option<Failure>> {
        let keys = CardKeys::new(NetworkCode(7), BTreeMap::new());
        let verifier = Verifier { keys, card_ref_key: CardRefKey([3; 32]) };
        let mut attempts = Attempts::default();
        let judged = ended.iter().map(|failure| attempts.judge(Err(*failure), &verifier));
        judged.map(|verdict| verdict.map(|it| it.unwrap_err())).collect()
    }

    #[test]
    fn a_refusal_is_believed_the_second_time() {
        assert_eq!(verdicts(&[FOREIGN, FOREIGN]), [None, Some(FOREIGN)]);
        assert_eq!(
            verdicts(&[FOREIGN, Failure::TORN, FOREIGN]),
            [None, None, None],
            "not the second in a row: it may have been moved all the time"
        );
    }

    #[test]
    fn a_card_that_is_moved_about_is_given_up_in_the_end() {
        let torn = Failure::TORN;
        assert_eq!(verdicts(&[torn; 4]), [None, None, None, Some(torn)]);
    }
}
