use domain::{Amount, Lang};
use slint::{ComponentHandle, SharedString};
use ui_proto::{CardHint, PaymentRefusal};

use super::list;
use crate::generated::{ChooseAmount, Declined, Hint, KioskWindow, NotPaid, Paying};

pub(super) fn choose(window: &KioskWindow, lang: Lang, data: &ui_proto::ChooseAmount) {
    let choose = window.global::<ChooseAmount>();
    let amounts = data.amounts.iter().map(|amount| SharedString::from(lang.note(*amount)));
    choose.set_amounts(list(amounts.collect()));
    choose.set_balance(lang.amount(data.balance).into());
    choose.set_limit(lang.amount(data.wallet_max).into());
}

pub(super) fn pay(
    window: &KioskWindow,
    lang: Lang,
    amount: Amount,
    hint: CardHint,
    can_cancel: bool,
) {
    let paying = window.global::<Paying>();
    paying.set_amount(lang.amount(amount).into());
    paying.set_can_cancel(can_cancel);
    paying.set_hint(match hint {
        CardHint::PresentCard => Hint::PresentCard,
        CardHint::InsertCard => Hint::InsertCard,
        CardHint::TryAgain => Hint::TryAgain,
        CardHint::UsePinPad => Hint::UsePinPad,
        CardHint::WrongPin => Hint::WrongPin,
        CardHint::AskingBank => Hint::AskingBank,
        CardHint::RemoveCard => Hint::RemoveCard,
        CardHint::Wait => Hint::Wait,
    });
}

pub(super) fn declined(
    window: &KioskWindow,
    amount: &str,
    reason: PaymentRefusal,
    can_retry: bool,
    can_pay_cash: bool,
) {
    let declined = window.global::<Declined>();
    declined.set_amount(amount.into());
    declined.set_can_retry(can_retry);
    declined.set_can_pay_cash(can_pay_cash);
    declined.set_reason(match reason {
        PaymentRefusal::Bank => NotPaid::Bank,
        PaymentRefusal::Funds => NotPaid::Funds,
        PaymentRefusal::Pin => NotPaid::Pin,
        PaymentRefusal::Card => NotPaid::Card,
        PaymentRefusal::NotAccepted => NotPaid::NotAccepted,
        PaymentRefusal::Unreadable => NotPaid::Unreadable,
        PaymentRefusal::Cancelled => NotPaid::Cancelled,
        PaymentRefusal::NoHost => NotPaid::NoHost,
        PaymentRefusal::Terminal => NotPaid::Terminal,
    });
}
