//! What a terminal writes into its messages.

use serde_json::{Value, json};

use super::super::visit::Refusal;

/// Its id at the acquirer.
const TERMINAL: &str = "28004869";

/// A transaction of its log, as the till is told of it.
#[derive(Clone, Debug)]
pub(super) struct Transaction {
    /// Of the order.
    pub(super) service_id: String,
    /// `Payment` or `Reversal`.
    pub(super) category: String,
    pub(super) trace: u32,
    pub(super) cents: u64,
    pub(super) result: Result<Paid, Condition>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Paid {
    pub(super) is_contactless: bool,
    pub(super) is_pin: bool,
}

/// ErrorCondition and AdditionalResponse.
pub(super) type Condition = (&'static str, &'static str);

pub(super) const fn condition(refused: Refusal) -> Condition {
    match refused {
        Refusal::Bank => ("Refusal", "message=DECLINED&refusalReason=214%20Declined%20online"),
        Refusal::WrongPin => {
            ("WrongPIN", "message=INVALID_PIN&refusalReason=129%20Invalid%20online%20PIN")
        }
        Refusal::Removed => ("Cancel", "message=CARD_REMOVED"),
        Refusal::NobodyCame => {
            ("Cancel", "refusalReason=126%20Shopper%20did%20not%20present%20card")
        }
        Refusal::Stopped => ("Aborted", "refusalReason=104%20Merchant%20cancelled%20tx"),
    }
}

/// `{"Result":"Failure",…}`.
pub(super) fn failure((condition, additional): Condition) -> Value {
    json!({
        "Result": "Failure",
        "ErrorCondition": condition,
        "AdditionalResponse": additional,
    })
}

impl Transaction {
    /// PaymentResponse or ReversalResponse, under its name.
    pub(super) fn body(&self, poi_id: &str) -> Value {
        let mut body = json!({ "POIData": poi_data(self.trace) });
        match &self.result {
            Err(condition) => body["Response"] = failure(*condition),
            Ok(paid) => {
                body["Response"] = json!({
                    "Result": "Success",
                    "AdditionalResponse": paid.additional(),
                });
                body["PaymentReceipt"] = receipt();
                if self.category == "Payment" {
                    body["PaymentResult"] = paid.result(self.cents, poi_id);
                } else {
                    body["ReversedAmount"] = amount(self.cents);
                }
            }
        }
        let mut named = json!({});
        named[format!("{}Response", self.category)] = body;
        named
    }
}

impl Paid {
    fn additional(self) -> String {
        // The card's own words: no proof, or an enciphered PIN checked by the bank.
        let proof = if self.is_pin { "020300" } else { "1F0302" };
        let preferred = "applicationPreferredName=VISA%20DEBIT";
        format!("tid={TERMINAL}&{preferred}&cardHolderVerificationMethodResults={proof}")
    }

    fn result(self, cents: u64, poi_id: &str) -> Value {
        let methods: &[&str] = if self.is_pin { &["OnLinePIN"] } else { &[] };
        json!({
            "OnlineFlag": true,
            "AuthenticationMethod": methods,
            "AmountsResp": { "Currency": "EUR", "AuthorizedAmount": amount(cents) },
            "PaymentAcquirerData": {
                "AcquirerPOIID": poi_id,
                "MerchantID": "PausePlusTownHall",
                "ApprovalCode": "611804",
            },
            "PaymentInstrumentData": {
                "PaymentInstrumentType": "Card",
                "CardData": {
                    "MaskedPan": "476173 **** 4711",
                    "PaymentBrand": "visa",
                    "EntryMode": [if self.is_contactless { "Contactless" } else { "ICC" }],
                    "CardCountryCode": "724",
                },
            },
        })
    }
}

pub(super) fn poi_data(trace: u32) -> Value {
    json!({ "POITransactionID": {
        "TransactionID": transaction_id(trace),
        "TimeStamp": "2026-11-21T10:00:00.000Z",
    } })
}

fn transaction_id(trace: u32) -> String {
    format!("v4W5{trace:06}.SIM{trace:013}")
}

/// The trace number in a TransactionID of its own.
pub(super) fn trace(transaction_id: &str) -> Option<u32> {
    transaction_id.rsplit_once(".SIM")?.1.parse().ok()
}

fn receipt() -> Value {
    let line = |text: &str| json!({ "Text": text, "EndOfLineFlag": true });
    json!([{
        "DocumentQualifier": "CustomerReceipt",
        "OutputContent": { "OutputFormat": "Text", "OutputText": [
            line("key=filler"),
            line("name=AID&value=A0000000031010&key=aid"),
            line("name=Auth.%20code&value=611804&key=authCode"),
        ] },
    }])
}

/// As a JSON number with decimals.
pub(super) fn amount(cents: u64) -> Value {
    let text = format!("{}.{:02}", cents / 100, cents % 100);
    serde_json::from_str(&text).expect("digits are a number")
}

/// Of RequestedAmount, in cents.
pub(super) fn cents(amount: &Value) -> Option<u64> {
    let text = amount.as_number()?.to_string();
    let (euro, decimals) = text.split_once('.').unwrap_or((&text, ""));
    let euro: u64 = euro.parse().ok()?;
    let cents: u64 = format!("{decimals:0<2}").get(..2)?.parse().ok()?;
    Some(euro * 100 + cents)
}
