//! Error conditions and refusals in words all makers share [Terminal API "ErrorCondition",
//! "Refusal reasons"].

use driver_api::payment_terminal::{Decline, DeclineReason};
use driver_api::{Fault, FaultKind, Remedy, VendorCode};

use crate::message::{PoiStatus, Verdict};
use crate::words::Words;

/// "It is at work on that very message".
const IN_PROGRESS: &str = "InProgress";

/// Why an order was not carried out; `None` = that is not what it says.
pub(crate) fn decline(verdict: &Verdict, words: &Words) -> Option<Decline> {
    let reason = match verdict.error_condition.as_deref()? {
        IN_PROGRESS => return None,
        "Aborted" | "Cancel" => DeclineReason::Cancelled,
        "Busy" => DeclineReason::NotSent,
        "InvalidCard" => DeclineReason::Card,
        "InsertedCard" => DeclineReason::Unreadable,
        "PaymentRestriction" => DeclineReason::NotAccepted,
        "Refusal" => refusal(words),
        "UnreachableHost" => DeclineReason::NoHost,
        "WrongPIN" => DeclineReason::Pin,
        _ => DeclineReason::Terminal,
    };
    Some(Decline { reason, vendor: VendorCode(refusal_code(words)) })
}

/// What the bank's refusal means, from the raw message where there is one.
fn refusal(words: &Words) -> DeclineReason {
    match words.get(&["message"]).unwrap_or_default() {
        "NOT_ENOUGH_BALANCE" | "WITHDRAWAL_AMOUNT_EXCEEDED" => return DeclineReason::Funds,
        "CARD_EXPIRED" | "EXPIRED_CARD" | "BLOCK_CARD" | "INVALID_CARD" => {
            return DeclineReason::Card;
        }
        "INVALID_PIN" | "PIN_TRIES_EXCEEDED" => return DeclineReason::Pin,
        _ => {}
    }
    match refusal_code(words) {
        129 | 130 => DeclineReason::Pin,
        199 | 228 => DeclineReason::Card,
        210 => DeclineReason::Funds,
        _ => DeclineReason::Bank,
    }
}

/// `refusalReason=210 Not enough balance`: the number of it; 0 = none.
fn refusal_code(words: &Words) -> u32 {
    let reason = words.get(&["refusalreason"]).unwrap_or_default();
    reason.split(' ').next().and_then(|number| number.parse().ok()).unwrap_or(0)
}

/// How a terminal is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Health {
    Idle,
    Busy,
    Ill(Fault),
}

/// [Terminal API "POIStatus"]. The codes are ours: `docs/devices/nexo.md`.
pub(crate) fn health(verdict: &Verdict, status: Option<&PoiStatus>) -> Health {
    let ill = |kind, remedy, code| {
        Health::Ill(Fault { vendor: VendorCode(code), ..Fault::new(kind, remedy) })
    };
    if verdict.error_condition.as_deref() == Some("Busy") {
        return Health::Busy;
    }
    let Some(status) = status.filter(|_| verdict.result == "Success") else {
        return ill(FaultKind::Garbled, Remedy::Technician, 1);
    };
    match status.global.as_str() {
        "Busy" => Health::Busy,
        "Maintenance" => ill(FaultKind::Defective, Remedy::Retry, 2),
        "Unreachable" => ill(FaultKind::Defective, Remedy::Retry, 3),
        "OK" if !status.communication => ill(FaultKind::Defective, Remedy::Retry, 3),
        "OK" if !status.security => ill(FaultKind::Fraud, Remedy::Technician, 4),
        "OK" if !status.pin_pad => ill(FaultKind::Defective, Remedy::Technician, 5),
        "OK" if !status.card_reader => ill(FaultKind::Defective, Remedy::Technician, 6),
        "OK" => Health::Idle,
        _ => ill(FaultKind::Garbled, Remedy::Technician, 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::Loose;

    fn verdict(condition: &str, additional: &str) -> Verdict {
        Verdict {
            result: "Failure".to_owned(),
            error_condition: Some(condition.to_owned()),
            additional_response: Loose(Some(additional.to_owned())),
        }
    }

    #[test]
    fn refusals_say_what_the_customer_may_be_told() {
        for (condition, additional, reason, code) in [
            (
                "Refusal",
                "message=NOT_ENOUGH_BALANCE&refusalReason=210%20Not%20enough%20balance",
                DeclineReason::Funds,
                210,
            ),
            ("Refusal", "refusalReason=228%20Card%20expired", DeclineReason::Card, 228),
            ("Refusal", "refusalReason=214%20Declined%20online", DeclineReason::Bank, 214),
            ("Refusal", "", DeclineReason::Bank, 0),
            ("WrongPIN", "refusalReason=129%20Invalid%20online%20PIN", DeclineReason::Pin, 129),
            ("Cancel", "message=108%20Shopper%20cancelled%20tx", DeclineReason::Cancelled, 0),
            ("Busy", "", DeclineReason::NotSent, 0),
            ("LoggedOut", "", DeclineReason::Terminal, 0),
        ] {
            let verdict = verdict(condition, additional);
            let decline = decline(&verdict, &Words::of(&verdict, None));
            let expected = Decline { reason, vendor: VendorCode(code) };
            assert_eq!(decline, Some(expected), "{condition} {additional}");
        }
        let verdict = verdict("InProgress", "");
        assert_eq!(decline(&verdict, &Words::default()), None);
    }
}
