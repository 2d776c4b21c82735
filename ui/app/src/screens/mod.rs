//! One module per group of screens: each turns the plain data of a screen into the properties of
//! its Slint global, amounts and dates as the language writes them.

mod card;
mod cash;
mod home;
mod outcome;
mod payment;
mod pin;
mod status;

use domain::Lang;
use slint::{ModelRc, SharedString, VecModel};
use ui_proto::Screen;

use crate::generated::{KioskWindow, ScreenId};

/// Sets everything `screen` shows.
pub(crate) fn fill(window: &KioskWindow, lang: Lang, screen: &Screen) {
    match screen {
        Screen::OutOfService { reason } => status::out_of_service(window, *reason),
        Screen::Attract { limited } => status::attract(window, *limited),
        Screen::CardRefused { reason } => card::refused(window, *reason),
        Screen::Pin { digits, digits_min, digits_max, error } => {
            pin::fill(window, *digits, *digits_min..=*digits_max, *error)
        }
        Screen::Home(home) => home::fill(window, lang, home),
        Screen::OfflineHome { card, max, recharge_off } => {
            home::offline(window, lang, card, *max, *recharge_off);
        }
        Screen::Inserting(inserting) => cash::inserting(window, lang, inserting),
        Screen::Review(review) => cash::review(window, lang, review),
        Screen::ConfirmCancel { inserted } => cash::single(window, &lang.amount(*inserted)),
        Screen::Crediting { amount } => cash::single(window, &lang.amount(*amount)),
        Screen::CheckingNote { value } => cash::single(window, &lang.note(*value)),
        Screen::ChooseAmount(choose) => payment::choose(window, lang, choose),
        Screen::PayAtTerminal { amount, hint, can_cancel } => {
            payment::pay(window, lang, *amount, *hint, *can_cancel);
        }
        Screen::PaymentDeclined { amount, reason, can_retry, can_pay_cash } => {
            payment::declined(window, &lang.amount(*amount), *reason, *can_retry, *can_pay_cash);
        }
        Screen::CheckingPayment { amount } | Screen::GivingBack { amount } => {
            cash::single(window, &lang.amount(*amount));
        }
        Screen::Done { done, receipt } => outcome::done(window, lang, done, receipt),
        Screen::Goodbye { returned, timed_out } => {
            outcome::goodbye(window, lang, *returned, *timed_out)
        }
        Screen::Starting | Screen::PresentCard | Screen::ReadingCard | Screen::CheckingPin => {}
    }
}

/// The screen's name on the Slint side.
pub(crate) fn id(screen: &Screen) -> ScreenId {
    match screen {
        Screen::Starting => ScreenId::Starting,
        Screen::OutOfService { .. } => ScreenId::OutOfService,
        Screen::Attract { .. } => ScreenId::Attract,
        Screen::PresentCard => ScreenId::PresentCard,
        Screen::ReadingCard => ScreenId::ReadingCard,
        Screen::CardRefused { .. } => ScreenId::CardRefused,
        Screen::Pin { .. } => ScreenId::Pin,
        Screen::CheckingPin => ScreenId::CheckingPin,
        Screen::Home(_) => ScreenId::Home,
        Screen::OfflineHome { .. } => ScreenId::OfflineHome,
        Screen::Inserting(_) => ScreenId::Inserting,
        Screen::ConfirmCancel { .. } => ScreenId::ConfirmCancel,
        Screen::Review(_) => ScreenId::Review,
        Screen::Crediting { .. } => ScreenId::Crediting,
        Screen::CheckingNote { .. } => ScreenId::CheckingNote,
        Screen::ChooseAmount(_) => ScreenId::ChooseAmount,
        Screen::PayAtTerminal { .. } => ScreenId::PayAtTerminal,
        Screen::PaymentDeclined { .. } => ScreenId::PaymentDeclined,
        Screen::CheckingPayment { .. } => ScreenId::CheckingPayment,
        Screen::GivingBack { .. } => ScreenId::GivingBack,
        Screen::Done { .. } => ScreenId::Done,
        Screen::Goodbye { .. } => ScreenId::Goodbye,
    }
}

fn list<T: Clone + 'static>(rows: Vec<T>) -> ModelRc<T> {
    ModelRc::new(VecModel::from(rows))
}

/// Empty for nothing: what a Slint string has for an `Option`.
fn or_empty(text: Option<String>) -> SharedString {
    text.unwrap_or_default().into()
}
