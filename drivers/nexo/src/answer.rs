//! What responses say of an order and of a day.

use domain::Amount;
use driver_api::VendorCode;
use driver_api::payment_terminal::{
    Approval, DayEnd, Decline, DeclineReason, Entry, MaskedPan, Outcome, Question, Reference,
    Totals, Verification,
};

use crate::code::decline;
use crate::decimal::from_json;
use crate::message::{
    PAYMENT, PaymentResponse, PoiTransaction, REVERSAL, ReconciliationResponse, ReversalResponse,
    StatusResponse, TransactionId, Verdict,
};
use crate::words::Words;

/// MessageResult.
const SUCCESS: &str = "Success";
const FAILURE: &str = "Failure";

pub(crate) const EURO: &str = "EUR";

/// What a response says of the payment of `amount` that it answers.
pub(crate) fn payment(response: &PaymentResponse, amount: Amount) -> Outcome {
    let words = Words::of(&response.response, response.payment_receipt.0.as_ref());
    outcome(&response.response, &words, approved_payment(response, amount, &words))
}

/// What a response says of the reversal of a payment of `amount` that it answers.
pub(crate) fn reversal(response: &ReversalResponse, amount: Amount) -> Outcome {
    let words = Words::of(&response.response, response.payment_receipt.0.as_ref());
    let reversed = response.reversed_amount.as_deref().map_or(Some(amount), from_json);
    let approval = reference(response.poi.0.as_ref())
        .filter(|_| reversed == Some(amount))
        .map(|reference| from_words(amount, reference, &words));
    outcome(&response.response, &words, approval)
}

/// A success that does not fit the order is none, and neither is a part of it.
fn outcome(verdict: &Verdict, words: &Words, approval: Option<Approval>) -> Outcome {
    match (verdict.result.as_str(), approval) {
        (SUCCESS, Some(approval)) => Outcome::Approved(Box::new(approval)),
        (FAILURE, _) => match (&verdict.error_condition, decline(verdict, words)) {
            (_, Some(decline)) => Outcome::Declined(decline),
            (None, None) => Outcome::Declined(Decline::new(DeclineReason::Terminal)),
            (Some(_), None) => Outcome::Unknown,
        },
        _ => Outcome::Unknown,
    }
}

fn approved_payment(response: &PaymentResponse, amount: Amount, words: &Words) -> Option<Approval> {
    let reference = reference(response.poi.0.as_ref())?;
    let result = response.payment_result.0.as_ref()?;
    let paid = result.amounts_resp.as_ref()?;
    if paid.currency.as_deref().unwrap_or(EURO) != EURO
        || from_json(&paid.authorized_amount) != Some(amount)
    {
        return None;
    }
    let mut approval = from_words(amount, reference, words);
    let instrument = result.payment_instrument_data.0.as_ref();
    if let Some(card) = instrument.and_then(|instrument| instrument.card_data.0.as_ref()) {
        approval.pan = card.masked_pan.as_deref().and_then(MaskedPan::new).or(approval.pan);
        approval.card_name = approval.card_name.or_else(|| card.payment_brand.clone());
        approval.entry = entry(card.entry_mode.0.as_deref().unwrap_or_default());
    }
    if let Some(acquirer) = &result.payment_acquirer_data.0 {
        let code = &acquirer.approval_code;
        approval.authorisation_code = approval.authorisation_code.or_else(|| code.clone());
        approval.terminal = approval.terminal.or_else(|| acquirer.terminal.clone());
        approval.merchant = approval.merchant.or_else(|| acquirer.merchant.clone());
    }
    let methods = result.authentication_method.0.as_deref().unwrap_or_default();
    approval.verification = verification(methods, words);
    Some(approval)
}

/// As far as AdditionalResponse and the receipt say it.
fn from_words(amount: Amount, reference: Reference, words: &Words) -> Approval {
    let owned = |keys: &[&str]| words.get(keys).map(str::to_owned);
    Approval {
        amount,
        reference,
        pan: words.get(&["pan"]).and_then(MaskedPan::new),
        card_name: owned(&["applicationpreferredname", "preferredname", "applicationlabel"]),
        aid: words.get(&["aid"]).and_then(aid),
        authorisation_code: owned(&["authcode"]),
        terminal: owned(&["tid"]),
        merchant: owned(&["mid"]),
        entry: Entry::Unsaid,
        verification: Verification::Unsaid,
    }
}

fn aid(text: &str) -> Option<String> {
    let is_hex = text.bytes().all(|byte| byte.is_ascii_hexdigit());
    (is_hex && (10..=32).contains(&text.len())).then(|| text.to_uppercase())
}

fn entry(modes: &[String]) -> Entry {
    let first = modes.iter().find_map(|mode| match mode.as_str() {
        "Contactless" | "Tapped" => Some(Entry::Contactless),
        "ICC" | "SynchronousICC" => Some(Entry::Chip),
        "MagStripe" => Some(Entry::Stripe),
        _ => None,
    });
    first.unwrap_or(Entry::Unsaid)
}

fn verification(methods: &[String], words: &Words) -> Verification {
    let first = methods.iter().find_map(|method| match method.as_str() {
        "OnlinePIN" | "OnLinePIN" | "OfflinePIN" => Some(Verification::Pin),
        "SignatureCapture" | "PaperSignature" => Some(Verification::Signature),
        "Bypass" => Some(Verification::None),
        _ => None,
    });
    first.or_else(|| cvm(words.get(&["cardholderverificationmethodresults"])?)).unwrap_or(
        // It would name a PIN or a signature, but not the customer's own device.
        Verification::Unsaid,
    )
}

/// CVM results of the card [EMV book 4, A4]: the method that was used last, in six bits.
fn cvm(results: &str) -> Option<Verification> {
    let method = u8::from_str_radix(results.get(..2)?, 16).ok()?;
    match method & 0x3F {
        0x01..=0x05 => Some(Verification::Pin),
        0x1E => Some(Verification::Signature),
        0x1F => Some(Verification::None),
        _ => None,
    }
}

/// The terminal's name for a transaction, as it stands in [`Reference`]s.
fn reference(poi: Option<&PoiTransaction>) -> Option<Reference> {
    let TransactionId { id, at } = &poi?.transaction;
    let text = format!("{at} {id}");
    (!id.is_empty() && !at.contains(' ') && text.len() <= Reference::LEN_MAX)
        .then_some(Reference(text))
}

/// Of a payment that is to be reversed.
pub(crate) fn transaction(reference: &Reference) -> Option<TransactionId> {
    let (at, id) = reference.0.split_once(' ')?;
    (!id.is_empty()).then(|| TransactionId { id: id.to_owned(), at: at.to_owned() })
}

/// What a TransactionStatusResponse says of an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    Known(Outcome),
    /// The terminal never heard of it.
    NotFound,
}

pub(crate) fn fate(response: &StatusResponse, question: &Question) -> Fate {
    let unknown = Fate::Known(Outcome::Unknown);
    let verdict = &response.response;
    match (verdict.result.as_str(), verdict.error_condition.as_deref()) {
        (SUCCESS, _) => {}
        (FAILURE, Some("NotFound")) => return Fate::NotFound,
        _ => return unknown,
    }
    let Some(repeated) = &response.repeated_message_response else { return unknown };
    let body = &repeated.repeated_response_message_body;
    if repeated.message_header.service_id != question.operation.0.to_string() {
        return unknown;
    }
    Fate::Known(
        match question.reversal_of {
            None => body.payment_response.as_ref().map(|it| payment(it, question.amount)),
            Some(_) => body.reversal_response.as_ref().map(|it| reversal(it, question.amount)),
        }
        .unwrap_or(Outcome::Unknown),
    )
}

/// MessageCategory of the order that a question is about.
pub(crate) const fn category(question: &Question) -> &'static str {
    match question.reversal_of {
        None => PAYMENT,
        Some(_) => REVERSAL,
    }
}

/// What a reconciliation came to.
pub(crate) fn day_end(response: &ReconciliationResponse) -> DayEnd {
    match response.response.result.as_str() {
        SUCCESS => totals(response).map_or(DayEnd::Unknown, DayEnd::Closed),
        _ => DayEnd::Refused(VendorCode(0)),
    }
}

/// Payments less what went back, and how many of both; `None` = not to be understood.
fn totals(response: &ReconciliationResponse) -> Option<Totals> {
    let mut cents = 0_i64;
    let mut count = 0_u32;
    for totals in &response.transaction_totals {
        for part in &totals.payment_totals {
            let sign = match part.transaction_type.as_str() {
                "Debit" | "ReverseCredit" => 1,
                "Credit" | "ReverseDebit" => -1,
                _ => continue,
            };
            if totals.payment_currency.as_deref().unwrap_or(EURO) != EURO {
                return None;
            }
            cents = cents.checked_add(sign * from_json(&part.transaction_amount)?.cents())?;
            count = count.checked_add(part.transaction_count)?;
        }
    }
    Some(Totals { amount: Amount::from_cents(cents).ok()?, count: Some(count) })
}
