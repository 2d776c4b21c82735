use domain::{Lang, RechargeRefusal};
use slint::{ComponentHandle, SharedString};
use ui_proto::NoteNews;

use super::{list, or_empty};
use crate::generated::{Inserting, KioskWindow, News, Review, Single};

pub(super) fn inserting(window: &KioskWindow, lang: Lang, data: &ui_proto::Inserting) {
    let inserting = window.global::<Inserting>();
    let after = data.balance.and_then(|balance| balance.checked_add(data.inserted));
    inserting.set_inserted(lang.amount(data.inserted).into());
    inserting.set_escrowed(or_empty(data.escrowed.map(|value| lang.note(value))));
    inserting.set_balance_after(or_empty(after.map(|after| lang.amount(after))));
    let notes = data.notes.iter().map(|note| SharedString::from(lang.note(*note)));
    inserting.set_notes(list(notes.collect()));
    let (news, value) = news(data.news);
    inserting.set_news(news);
    inserting.set_news_value(or_empty(value.map(|value| lang.note(value))));
    inserting.set_can_finish(data.can_finish);
    inserting.set_any_counted(!data.inserted.is_zero());
    inserting.set_smallest(lang.note(data.min).into());
    inserting.set_limit(lang.note(data.max).into());
}

pub(super) fn review(window: &KioskWindow, lang: Lang, data: &ui_proto::Review) {
    let review = window.global::<Review>();
    review.set_amount(lang.amount(data.amount).into());
    review.set_balance(or_empty(data.balance.map(|balance| lang.amount(balance))));
    review.set_balance_after(or_empty(data.balance_after.map(|after| lang.amount(after))));
    review.set_can_add(data.can_add);
}

pub(super) fn single(window: &KioskWindow, amount: &str) {
    window.global::<Single>().set_amount(amount.into());
}

fn news(news: Option<NoteNews>) -> (News, Option<domain::Amount>) {
    let Some(news) = news else {
        return (News::None, None);
    };
    match news {
        NoteNews::Reading => (News::Reading, None),
        NoteNews::Counted { value } => (News::Counted, Some(value)),
        NoteNews::Returned { value, why } => {
            let why = match why {
                RechargeRefusal::NoteNotTaken => News::NotATakenNote,
                RechargeRefusal::OverMax => News::OverMax,
                RechargeRefusal::OverWalletMax => News::OverWallet,
                RechargeRefusal::OverOfflineMax => News::OverOffline,
                RechargeRefusal::UnderMin => News::UnderMin,
            };
            (why, Some(value))
        }
        NoteNews::NotRecognised => (News::NotRecognised, None),
        NoteNews::NotTaken => (News::NotTaken, None),
        NoteNews::GivenBack { value } => (News::GivenBack, Some(value)),
    }
}
