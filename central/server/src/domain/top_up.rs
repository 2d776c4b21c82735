use central_api::{CardStatus, TopUpRequest};
use domain::{Amount, RechargeRules, Tender};
use kiosk_records::TopUpRefusal;

use crate::domain::card::{Day, usable};

/// What central knows of the card to be recharged.
#[derive(Clone, Copy, Debug)]
pub(crate) struct WalletFacts {
    pub(crate) status: CardStatus,
    pub(crate) expires: Day,
    pub(crate) balance: Amount,
}

/// Is the wallet to be credited? An order that waited while central was away is judged like any
/// other, on the day it arrives.
pub(crate) fn decide(
    rules: &RechargeRules,
    request: &TopUpRequest,
    card: WalletFacts,
    today: Day,
) -> Result<(), TopUpRefusal> {
    usable(card.status, card.expires, today).map_err(|_| TopUpRefusal::CardNotActive)?;
    if request.amount < rules.min_by(request.tender) {
        return Err(TopUpRefusal::UnderMin);
    }
    match card.balance.checked_add(request.amount) {
        Some(after) if after <= rules.wallet_max => Ok(()),
        Some(_) | None => Err(TopUpRefusal::OverWalletMax),
    }
}

/// The word in JSON and in the database.
pub(crate) const fn tender_word(tender: Tender) -> &'static str {
    match tender {
        Tender::Cash => "cash",
        Tender::Card => "card",
    }
}

/// The word in JSON and in the database.
pub(crate) const fn refusal_word(reason: TopUpRefusal) -> &'static str {
    match reason {
        TopUpRefusal::UnknownCard => "unknown_card",
        TopUpRefusal::CardNotActive => "card_not_active",
        TopUpRefusal::OverWalletMax => "over_wallet_max",
        TopUpRefusal::UnderMin => "under_min",
    }
}
