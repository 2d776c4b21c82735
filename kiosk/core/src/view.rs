//! What the screen shows of a state: a pure look, no decision.

use domain::{Amount, Pin};
use driver_api::payment_terminal::{DeclineReason, Hint};
use ui_proto::{
    CardHint, ChooseAmount, Home, Inserting, NoteNews, PaymentRefusal, ReceiptState, Review,
    Screen, View,
};

use crate::context::Context;
use crate::flow::{
    Done, Flow, Pay, Receipt, Stage, TopUp, Visit, insert, is_starting, out_of_service, pay,
};

pub(crate) fn view(flow: &Flow, cx: &Context) -> View {
    View { lang: cx.lang, prefs: cx.prefs, ends_in_s: cx.ends_in_s, screen: screen(flow, cx) }
}

fn screen(flow: &Flow, cx: &Context) -> Screen {
    match flow {
        Flow::Starting | Flow::Recovering => Screen::Starting,
        Flow::Idle if is_starting(cx) => Screen::Starting,
        Flow::Idle => match out_of_service(cx) {
            Some(reason) => Screen::OutOfService { reason },
            None => Screen::Attract { limited: cx.central_away() },
        },
        Flow::PresentCard => Screen::PresentCard,
        Flow::Refused(reason) => Screen::CardRefused { reason: *reason },
        Flow::Pin(entry) => Screen::Pin {
            digits: entry.typed(),
            digits_min: PIN_MIN,
            digits_max: PIN_MAX,
            error: entry.error,
        },
        Flow::CheckingPin(_) => Screen::CheckingPin,
        Flow::Home(visit) => home(visit, cx),
        Flow::TopUp(top_up) => top_up_screen(top_up, cx),
        Flow::Pay(pay) => pay_screen(pay, cx),
        Flow::Done(done) => Screen::Done { done: done.kind.clone(), receipt: receipt(done, cx) },
        Flow::Goodbye { returned, timed_out } => {
            Screen::Goodbye { returned: *returned, timed_out: *timed_out }
        }
    }
}

#[expect(clippy::cast_possible_truncation, reason = "4 and 8")]
const PIN_MIN: u8 = Pin::LEN_MIN as u8;
#[expect(clippy::cast_possible_truncation, reason = "4 and 8")]
const PIN_MAX: u8 = Pin::LEN_MAX as u8;

fn home(visit: &Visit, cx: &Context) -> Screen {
    let card = visit.card.number.reveal().masked();
    match &visit.account {
        Some(account) => Screen::Home(Home {
            holder: account.holder.reveal().clone(),
            card,
            balance: account.balance,
            movements: account.movements.clone(),
            recharge_off: insert::recharge_off(visit, cx),
            by_card: pay::by_card(visit, cx),
        }),
        None => Screen::OfflineHome {
            card,
            max: cx.offline_room(),
            recharge_off: insert::recharge_off(visit, cx),
        },
    }
}

fn top_up_screen(top_up: &TopUp, cx: &Context) -> Screen {
    let TopUp { visit, stage } = top_up;
    let credit = cx.books.customer_credit();
    match stage {
        Stage::Inserting { news, wish } => inserting(visit, None, *news, wish.is_none(), cx),
        // The reason is shown once the note is back.
        Stage::Returning { .. } => inserting(visit, None, Some(NoteNews::Reading), false, cx),
        Stage::Stacking { value, wish, .. } => {
            inserting(visit, Some(*value), None, wish.is_none(), cx)
        }
        Stage::Emptying { returned, .. } => {
            let news = returned.map(|value| NoteNews::GivenBack { value });
            inserting(visit, None, news.or(Some(NoteNews::Reading)), false, cx)
        }
        Stage::ConfirmCancel => Screen::ConfirmCancel { inserted: credit },
        Stage::Review => Screen::Review(Review {
            amount: credit,
            balance: visit.balance(),
            balance_after: visit.balance().and_then(|balance| balance.checked_add(credit)),
            can_add: insert::can_add(visit, cx),
        }),
        Stage::Crediting { .. } => Screen::Crediting { amount: credit },
        Stage::CheckingNote { value, .. } => Screen::CheckingNote { value: *value },
    }
}

fn pay_screen(pay: &Pay, cx: &Context) -> Screen {
    let Pay { visit, stage } = pay;
    match *stage {
        pay::Stage::Choosing => Screen::ChooseAmount(ChooseAmount {
            amounts: pay::amounts(visit, cx),
            balance: visit.balance().unwrap_or_default(),
            wallet_max: cx.rules.wallet_max,
        }),
        pay::Stage::Paying { amount, hint, called_off, .. } => {
            Screen::PayAtTerminal { amount, hint: card_hint(hint), can_cancel: !called_off }
        }
        pay::Stage::Declined { amount, reason } => Screen::PaymentDeclined {
            amount,
            reason: refusal(reason),
            can_retry: pay::can_retry(visit, cx),
            can_pay_cash: insert::recharge_off(visit, cx).is_none(),
        },
        pay::Stage::Checking { amount, .. } => Screen::CheckingPayment { amount },
        pay::Stage::GivingBack { amount, .. } => Screen::GivingBack { amount },
    }
}

fn card_hint(hint: Hint) -> CardHint {
    match hint {
        Hint::PresentCard => CardHint::PresentCard,
        Hint::InsertCard => CardHint::InsertCard,
        Hint::TryAgain => CardHint::TryAgain,
        Hint::UsePinPad => CardHint::UsePinPad,
        Hint::WrongPin => CardHint::WrongPin,
        Hint::AskingBank => CardHint::AskingBank,
        Hint::RemoveCard => CardHint::RemoveCard,
        Hint::Wait | _ => CardHint::Wait,
    }
}

fn refusal(reason: DeclineReason) -> PaymentRefusal {
    match reason {
        DeclineReason::Bank => PaymentRefusal::Bank,
        DeclineReason::Funds => PaymentRefusal::Funds,
        DeclineReason::Pin => PaymentRefusal::Pin,
        DeclineReason::Card => PaymentRefusal::Card,
        DeclineReason::NotAccepted => PaymentRefusal::NotAccepted,
        DeclineReason::Unreadable => PaymentRefusal::Unreadable,
        DeclineReason::Cancelled => PaymentRefusal::Cancelled,
        DeclineReason::NoHost => PaymentRefusal::NoHost,
        // Of the terminal's own doing, whatever it was.
        DeclineReason::NotIssued
        | DeclineReason::Reversed
        | DeclineReason::NotSent
        | DeclineReason::NotCarriedOut
        | DeclineReason::Attested
        | DeclineReason::Terminal
        | _ => PaymentRefusal::Terminal,
    }
}

fn inserting(
    visit: &Visit,
    escrowed: Option<Amount>,
    news: Option<NoteNews>,
    may_finish: bool,
    cx: &Context,
) -> Screen {
    let inserted = cx.books.customer_credit();
    Screen::Inserting(Inserting {
        inserted,
        escrowed,
        balance: visit.balance(),
        notes: insert::fitting(visit, cx).0.into_iter().collect(),
        news,
        can_finish: may_finish && inserted >= cx.rules.min && !inserted.is_zero(),
        min: cx.rules.min,
        max: match visit.balance() {
            Some(balance) if cx.rules.max < cx.rules.wallet_max.saturating_sub(balance) => {
                cx.rules.max
            }
            Some(_) => cx.rules.wallet_max,
            None => cx.offline_room(),
        },
    })
}

fn receipt(done: &Done, cx: &Context) -> ReceiptState {
    match done.receipt {
        Receipt::Offered | Receipt::Awaiting => {
            ReceiptState::Offer { can_print: cx.devices.printer.works() }
        }
        Receipt::Printing(_) => ReceiptState::Printing,
        Receipt::InSlot => ReceiptState::Take,
        Receipt::NotPrinted => ReceiptState::NotPrinted { text: done.text.clone() },
        Receipt::OnScreen => ReceiptState::OnScreen { text: done.text.clone() },
    }
}
