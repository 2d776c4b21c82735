use std::ops::RangeInclusive;

use slint::ComponentHandle;
use ui_proto::PinError;

use crate::generated::{KioskWindow, Pin, PinTrouble};

pub(super) fn fill(
    window: &KioskWindow,
    digits: u8,
    allowed: RangeInclusive<u8>,
    error: Option<PinError>,
) {
    let pin = window.global::<Pin>();
    pin.set_digits(digits.into());
    pin.set_digits_min((*allowed.start()).into());
    pin.set_digits_max((*allowed.end()).into());
    let (trouble, tries_left) = match error {
        None => (PinTrouble::None, 0),
        Some(PinError::Wrong { tries_left }) => (PinTrouble::Wrong, tries_left),
        Some(PinError::NoAnswer) => (PinTrouble::NoAnswer, 0),
    };
    pin.set_tries_left(tries_left.into());
    pin.set_trouble(trouble);
}
