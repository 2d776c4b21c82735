//! The messages, as far as this till says and understands them.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;

use crate::seal::Trailer;

/// MessageHeader. What of it is not ours is ignored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Header {
    #[serde(rename = "ProtocolVersion", default)]
    pub(crate) protocol_version: String,
    #[serde(rename = "MessageClass", default)]
    pub(crate) class: String,
    #[serde(rename = "MessageCategory", default)]
    pub(crate) category: String,
    #[serde(rename = "MessageType", default)]
    pub(crate) kind: String,
    #[serde(rename = "ServiceID", default)]
    pub(crate) service_id: String,
    #[serde(rename = "SaleID", default)]
    pub(crate) sale_id: String,
    #[serde(rename = "POIID", default)]
    pub(crate) poi_id: String,
}

/// What lies around a request; inside the encryption again, with the body.
#[derive(Serialize)]
pub(crate) struct ToPoi<T> {
    #[serde(rename = "SaleToPOIRequest")]
    pub(crate) request: T,
}

/// A request in the clear.
#[derive(Serialize)]
pub(crate) struct Plain<'a> {
    #[serde(rename = "MessageHeader")]
    pub(crate) header: &'a Header,
    #[serde(flatten)]
    pub(crate) body: &'a Body,
}

/// A message as it crosses the network, either way.
#[derive(Serialize, Deserialize)]
pub(crate) struct Secured {
    #[serde(rename = "MessageHeader")]
    pub(crate) header: Header,
    #[serde(rename = "NexoBlob")]
    pub(crate) blob: String,
    #[serde(rename = "SecurityTrailer")]
    pub(crate) trailer: Trailer,
}

/// What a request asks.
#[derive(Serialize)]
pub(crate) enum Body {
    #[serde(rename = "LoginRequest")]
    Login(Login),
    #[serde(rename = "DiagnosisRequest")]
    Diagnosis(Diagnosis),
    #[serde(rename = "PaymentRequest")]
    Payment(PaymentRequest),
    #[serde(rename = "ReversalRequest")]
    Reversal(ReversalRequest),
    #[serde(rename = "TransactionStatusRequest")]
    TransactionStatus(StatusRequest),
    #[serde(rename = "AbortRequest")]
    Abort(AbortRequest),
    #[serde(rename = "ReconciliationRequest")]
    Reconciliation(ReconciliationRequest),
}

impl Body {
    /// MessageCategory.
    pub(crate) const fn category(&self) -> &'static str {
        match self {
            Self::Login(_) => "Login",
            Self::Diagnosis(_) => "Diagnosis",
            Self::Payment(_) => PAYMENT,
            Self::Reversal(_) => REVERSAL,
            Self::TransactionStatus(_) => "TransactionStatus",
            Self::Abort(_) => "Abort",
            Self::Reconciliation(_) => "Reconciliation",
        }
    }
}

pub(crate) const PAYMENT: &str = "Payment";
pub(crate) const REVERSAL: &str = "Reversal";

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Login {
    pub(crate) date_time: String,
    pub(crate) sale_software: SaleSoftware,
    pub(crate) operator_language: &'static str,
}

#[derive(Serialize)]
pub(crate) struct SaleSoftware {
    #[serde(rename = "ManufacturerID")]
    pub(crate) manufacturer: &'static str,
    #[serde(rename = "ApplicationName")]
    pub(crate) name: &'static str,
    #[serde(rename = "SoftwareVersion")]
    pub(crate) version: &'static str,
    #[serde(rename = "CertificationCode")]
    pub(crate) certification: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Diagnosis {
    pub(crate) host_diagnosis_flag: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct PaymentRequest {
    pub(crate) sale_data: SaleData,
    pub(crate) payment_transaction: PaymentTransaction,
}

#[derive(Serialize)]
pub(crate) struct SaleData {
    #[serde(rename = "SaleTransactionID")]
    pub(crate) transaction: TransactionId,
    /// So that the terminal gives receipts to us instead of printing them.
    #[serde(rename = "SaleToAcquirerData")]
    pub(crate) options: &'static str,
}

/// SaleTransactionID and POITransactionID.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct TransactionId {
    #[serde(rename = "TransactionID")]
    pub(crate) id: String,
    #[serde(rename = "TimeStamp")]
    pub(crate) at: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct PaymentTransaction {
    pub(crate) amounts_req: AmountsReq,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct AmountsReq {
    pub(crate) currency: &'static str,
    pub(crate) requested_amount: Box<RawValue>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ReversalRequest {
    #[serde(rename = "OriginalPOITransaction")]
    pub(crate) original: PoiTransaction,
    pub(crate) reversal_reason: &'static str,
    pub(crate) sale_data: SaleData,
}

/// OriginalPOITransaction; and POIData, which has more that nobody needs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PoiTransaction {
    #[serde(rename = "POITransactionID")]
    pub(crate) transaction: TransactionId,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct StatusRequest {
    pub(crate) message_reference: Reference,
    /// With what the receipt says.
    pub(crate) receipt_reprint_flag: bool,
    pub(crate) document_qualifier: [&'static str; 1],
}

/// MessageReference: an earlier message of ours.
#[derive(Serialize)]
pub(crate) struct Reference {
    #[serde(rename = "MessageCategory")]
    pub(crate) category: &'static str,
    #[serde(rename = "ServiceID")]
    pub(crate) service_id: String,
    #[serde(rename = "SaleID")]
    pub(crate) sale_id: String,
    #[serde(rename = "POIID")]
    pub(crate) poi_id: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct AbortRequest {
    pub(crate) message_reference: Reference,
    pub(crate) abort_reason: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ReconciliationRequest {
    pub(crate) reconciliation_type: &'static str,
}

/// What comes back, before it is decrypted.
#[derive(Deserialize)]
pub(crate) struct FromPoi {
    #[serde(rename = "SaleToPOIResponse")]
    pub(crate) response: Option<Secured>,
}

/// A response in the clear: the one that the category wants is there, or it is nonsense.
#[derive(Deserialize)]
pub(crate) struct Opened {
    #[serde(rename = "SaleToPOIResponse")]
    pub(crate) response: Response,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Response {
    pub(crate) message_header: Header,
    pub(crate) login_response: Option<LoginResponse>,
    pub(crate) diagnosis_response: Option<DiagnosisResponse>,
    pub(crate) payment_response: Option<PaymentResponse>,
    pub(crate) reversal_response: Option<ReversalResponse>,
    pub(crate) transaction_status_response: Option<StatusResponse>,
    pub(crate) reconciliation_response: Option<ReconciliationResponse>,
}

/// Response: how it went.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Verdict {
    pub(crate) result: String,
    pub(crate) error_condition: Option<String>,
    #[serde(default)]
    pub(crate) additional_response: Loose<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct LoginResponse {
    pub(crate) response: Verdict,
    #[serde(rename = "POISystemData", default)]
    pub(crate) system: Loose<SystemData>,
}

#[derive(Default, Deserialize)]
pub(crate) struct SystemData {
    #[serde(rename = "POISoftware")]
    pub(crate) software: PoiSoftware,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct PoiSoftware {
    pub(crate) software_version: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct DiagnosisResponse {
    pub(crate) response: Verdict,
    #[serde(rename = "POIStatus", default)]
    pub(crate) status: Loose<PoiStatus>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub(crate) struct PoiStatus {
    #[serde(rename = "GlobalStatus")]
    pub(crate) global: String,
    #[serde(rename = "SecurityOKFlag", default = "yes")]
    pub(crate) security: bool,
    #[serde(rename = "PEDOKFlag", default = "yes")]
    pub(crate) pin_pad: bool,
    #[serde(rename = "CardReaderOKFlag", default = "yes")]
    pub(crate) card_reader: bool,
    #[serde(rename = "CommunicationOKFlag", default = "yes")]
    pub(crate) communication: bool,
}

const fn yes() -> bool {
    true
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct PaymentResponse {
    pub(crate) response: Verdict,
    #[serde(rename = "POIData", default)]
    pub(crate) poi: Loose<PoiTransaction>,
    #[serde(default)]
    pub(crate) payment_result: Loose<PaymentResult>,
    #[serde(default)]
    pub(crate) payment_receipt: Loose<Vec<Receipt>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct PaymentResult {
    pub(crate) amounts_resp: Option<AmountsResp>,
    #[serde(default)]
    pub(crate) authentication_method: Loose<Vec<String>>,
    #[serde(default)]
    pub(crate) payment_acquirer_data: Loose<AcquirerData>,
    #[serde(default)]
    pub(crate) payment_instrument_data: Loose<InstrumentData>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct AmountsResp {
    pub(crate) currency: Option<String>,
    pub(crate) authorized_amount: Box<RawValue>,
}

#[derive(Default, Deserialize)]
pub(crate) struct AcquirerData {
    #[serde(rename = "AcquirerPOIID")]
    pub(crate) terminal: Option<String>,
    #[serde(rename = "MerchantID")]
    pub(crate) merchant: Option<String>,
    #[serde(rename = "ApprovalCode")]
    pub(crate) approval_code: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct InstrumentData {
    #[serde(default)]
    pub(crate) card_data: Loose<CardData>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct CardData {
    pub(crate) masked_pan: Option<String>,
    pub(crate) payment_brand: Option<String>,
    #[serde(default)]
    pub(crate) entry_mode: Loose<Vec<String>>,
}

/// PaymentReceipt: lines in which name, value and key are coded like a form.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Receipt {
    #[serde(default)]
    pub(crate) output_content: Loose<OutputContent>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct OutputContent {
    #[serde(default)]
    pub(crate) output_text: Loose<Vec<OutputText>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct OutputText {
    pub(crate) text: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ReversalResponse {
    pub(crate) response: Verdict,
    #[serde(rename = "POIData", default)]
    pub(crate) poi: Loose<PoiTransaction>,
    pub(crate) reversed_amount: Option<Box<RawValue>>,
    #[serde(default)]
    pub(crate) payment_receipt: Loose<Vec<Receipt>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct StatusResponse {
    pub(crate) response: Verdict,
    pub(crate) repeated_message_response: Option<Repeated>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Repeated {
    pub(crate) message_header: Header,
    pub(crate) repeated_response_message_body: RepeatedBody,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct RepeatedBody {
    pub(crate) payment_response: Option<PaymentResponse>,
    pub(crate) reversal_response: Option<ReversalResponse>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ReconciliationResponse {
    pub(crate) response: Verdict,
    #[serde(default)]
    pub(crate) transaction_totals: Vec<TransactionTotals>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct TransactionTotals {
    pub(crate) payment_currency: Option<String>,
    #[serde(default)]
    pub(crate) payment_totals: Vec<PaymentTotals>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct PaymentTotals {
    pub(crate) transaction_type: String,
    pub(crate) transaction_count: u32,
    pub(crate) transaction_amount: Box<RawValue>,
}

/// A part that is good to have: one of another form is as none, and spoils nothing around it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Loose<T>(pub(crate) Option<T>);

impl<T> Default for Loose<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for Loose<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Box::<RawValue>::deserialize(deserializer)?;
        Ok(Self(serde_json::from_str(value.get()).ok()))
    }
}
