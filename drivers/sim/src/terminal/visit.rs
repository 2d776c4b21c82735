//! What happens before a terminal, whatever it speaks.

use std::time::Duration;

use super::{Cardholder, Pace};

/// A part of a visit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Act {
    Pause(Duration),
    Show(Prompt),
    /// The bank is asked and says yes.
    Approve {
        is_contactless: bool,
        is_pin: bool,
    },
    /// The end: nothing was paid.
    Refuse(Refusal),
}

/// What the terminal shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Prompt {
    PresentCard,
    Pin,
    WrongPin,
    AskingBank,
    RemoveCard,
}

/// Why nothing was paid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// The bank said no.
    Bank,
    /// Three wrong PINs.
    WrongPin,
    /// The card was pulled out too early.
    Removed,
    /// No card for too long.
    NobodyCame,
    /// The till changed its mind.
    Stopped,
}

/// Without a PIN up to this, in cents [RTS 2018/389 art. 11].
const CONTACTLESS_MAX: u64 = 5000;

/// The way of a payment.
pub(super) fn visit(who: Cardholder, cents: u64, pace: Pace, host: Duration) -> Vec<Act> {
    let mut acts = vec![Act::Show(Prompt::PresentCard), Act::Pause(pace.customer)];
    let pin = [Act::Show(Prompt::Pin), Act::Pause(pace.customer)];
    let bank = [Act::Show(Prompt::AskingBank), Act::Pause(host)];
    match who {
        Cardholder::Contactless => {
            let is_pin = cents > CONTACTLESS_MAX;
            if is_pin {
                acts.extend(pin);
            }
            acts.extend(bank);
            acts.push(Act::Approve { is_contactless: true, is_pin });
        }
        Cardholder::ChipAndPin => {
            acts.extend(pin);
            acts.extend(bank);
            acts.push(Act::Approve { is_contactless: false, is_pin: true });
            acts.push(Act::Show(Prompt::RemoveCard));
        }
        Cardholder::Declined => {
            acts.extend(bank);
            acts.push(Act::Refuse(Refusal::Bank));
        }
        Cardholder::WrongPin => {
            for _ in 0..3 {
                acts.extend(pin);
                acts.push(Act::Show(Prompt::WrongPin));
            }
            acts.push(Act::Refuse(Refusal::WrongPin));
        }
        Cardholder::RemovesCard => {
            acts.extend(pin);
            acts.push(Act::Refuse(Refusal::Removed));
        }
        Cardholder::WalksOff => {
            acts.push(Act::Pause(pace.patience));
            acts.push(Act::Refuse(Refusal::NobodyCame));
        }
    }
    acts
}
