//! What a key does that no focused button took: the digits of the PIN, and one way out.

use ui_proto::{Action, ReceiptState, Screen, View};

pub(crate) const ESCAPE: &str = "\u{1b}";
const BACKSPACE: &str = "\u{8}";
const RETURN: &str = "\n";

/// The action of `key` (as Slint names it) on this view, if it has one.
pub(crate) fn action(view: &View, key: &str) -> Option<Action> {
    // The warning asks one question; a stray digit is no answer to it.
    if view.ends_in_s.is_some() {
        return None;
    }
    if let Screen::Pin { digits, digits_min, .. } = view.screen {
        if let Some(digit) = digit(key) {
            return Some(Action::Digit(digit));
        }
        if key == BACKSPACE && digits > 0 {
            return Some(Action::Erase);
        }
        if key == RETURN && digits >= digits_min {
            return Some(Action::Confirm);
        }
    }
    (key == ESCAPE).then(|| way_out(&view.screen)).flatten()
}

fn digit(key: &str) -> Option<u8> {
    let mut chars = key.chars();
    let digit = chars.next()?.to_digit(10)?;
    if chars.next().is_some() {
        return None;
    }
    u8::try_from(digit).ok()
}

/// The quiet button of each screen.
fn way_out(screen: &Screen) -> Option<Action> {
    match screen {
        Screen::PresentCard
        | Screen::CardRefused { .. }
        | Screen::Pin { .. }
        | Screen::Home(_)
        | Screen::OfflineHome { .. }
        | Screen::Inserting(_)
        | Screen::PaymentDeclined { .. } => Some(Action::Cancel),
        Screen::ConfirmCancel { .. } | Screen::ChooseAmount(_) => Some(Action::Back),
        Screen::PayAtTerminal { can_cancel, .. } => can_cancel.then_some(Action::Cancel),
        Screen::Review(review) => review.can_add.then_some(Action::Back),
        Screen::Done { receipt, .. } => match receipt {
            ReceiptState::Printing => None,
            ReceiptState::Offer { .. }
            | ReceiptState::Take
            | ReceiptState::NotPrinted { .. }
            | ReceiptState::OnScreen { .. } => Some(Action::Confirm),
        },
        Screen::Goodbye { .. } => Some(Action::Confirm),
        Screen::Starting
        | Screen::OutOfService { .. }
        | Screen::Attract { .. }
        | Screen::ReadingCard
        | Screen::CheckingPin
        | Screen::Crediting { .. }
        | Screen::CheckingNote { .. }
        | Screen::CheckingPayment { .. }
        | Screen::GivingBack { .. } => None,
    }
}
