//! Result codes and intermediate states in words all makers share [PA00P015 §"Error messages",
//! §"Intermediate status"].

use driver_api::payment_terminal::{Decline, DeclineReason, Hint};
use driver_api::{Fault, FaultKind, Remedy, VendorCode};

/// No error.
pub(crate) const OK: u8 = 0x00;
/// "Goods could not be issued": the terminal reverses the payment it has just told of.
pub(crate) const NOT_ISSUED: u8 = 0x66;
/// "Please wait": busy; and from us, to a status information: repeat it.
pub(crate) const WAIT: u8 = 0x9C;
/// "Function not possible".
pub(crate) const NOT_POSSIBLE: u8 = 0x83;
/// "Diagnosis required".
pub(crate) const DIAGNOSIS: u8 = 0xC2;

/// Why a terminal did not do it.
pub(crate) fn decline(code: u8) -> Decline {
    let reason = match code {
        // Up to 99 decimal they are the bank's own: ISO 8583 response codes.
        33 | 36 | 41 | 43 | 54 | 62 => DeclineReason::Card,
        51 | 61 => DeclineReason::Funds,
        38 | 55 | 75 => DeclineReason::Pin,
        91 => DeclineReason::NoHost,
        0x01..=0x63 => DeclineReason::Bank,
        0x64 | 0x65 | 0x72 | 0x73 => DeclineReason::Unreadable,
        0x67 | 0x68 | 0x76 | 0x7A..=0x7C | 0x7E | 0xC5 | 0xD2 => DeclineReason::NotAccepted,
        0x6C => DeclineReason::Cancelled,
        0x71 => DeclineReason::Funds,
        0x6E | 0x78 | 0x79 => DeclineReason::Card,
        0x7D | 0x9B | 0xA0..=0xA3 => DeclineReason::NoHost,
        WAIT => DeclineReason::NotSent,
        0xB4 => DeclineReason::Reversed,
        _ => DeclineReason::Terminal,
    };
    Decline { reason, vendor: VendorCode(u32::from(code)) }
}

/// What is wrong with a terminal that gives this code for its own state; `None` = nothing.
pub(crate) fn fault(code: u8) -> Option<Fault> {
    let (kind, remedy) = match code {
        OK | WAIT => return None,
        0x6B | 0x85 | 0xE4 | 0xF5 | 0xF6 => (FaultKind::NotPaired, Remedy::Technician),
        0x7D | 0x9B | 0xA0..=0xA3 => (FaultKind::Defective, Remedy::Retry),
        // Full memory, an open end of day: who closes days sees to it.
        0x6A | 0xB1 | 0xB2 | 0xF0 => (FaultKind::Defective, Remedy::Attendant),
        0x9A => (FaultKind::Garbled, Remedy::Technician),
        _ => (FaultKind::Defective, Remedy::Technician),
    };
    Some(Fault { vendor: VendorCode(u32::from(code)), ..Fault::new(kind, remedy) })
}

/// What the customer shall do; `None` = nothing that concerns them.
pub(crate) fn hint(state: u8) -> Option<Hint> {
    // From 41 to 67 the same, and the card is to be taken out.
    Some(match state {
        0x0A | 0x2A => Hint::PresentCard,
        0xCC => Hint::InsertCard,
        0x0C | 0x4C => Hint::TryAgain,
        0x00..=0x02 | 0x28 | 0x29 | 0x2C | 0x69..=0x6D | 0xE0 | 0xE1 => Hint::UsePinPad,
        0x15 | 0x55 => Hint::WrongPin,
        0x04 | 0x44 | 0xD2 | 0xD3 => Hint::AskingBank,
        0x0B | 0x41..=0x4B | 0x4D..=0x54 | 0x56..=0x5D | 0x66 | 0x67 => Hint::RemoveCard,
        0x05 | 0x06 | 0x0E | 0x0F | 0x17 | 0xC9 | 0xCA => Hint::Wait,
        _ => return None,
    })
}
