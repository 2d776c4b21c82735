use kiosk_records::{Sealed, Seq};
use serde::{Deserialize, Serialize};

/// `POST /v1/journal-batches`: consecutive lines of the calling kiosk's journal, oldest first.
/// Lines that central has already are welcome again, if they are the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct JournalBatch {
    /// At most [`JournalBatch::LEN_MAX`].
    #[cfg_attr(
        feature = "openapi",
        schema(value_type = Vec<crate::schema::Sealed>, max_items = 500)
    )]
    pub records: Vec<Sealed>,
}

impl JournalBatch {
    /// Most lines of one batch.
    pub const LEN_MAX: usize = 500;
}

/// Central has the journal up to here, checked and on disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct JournalAck {
    /// The last line central has; 0 = none.
    #[cfg_attr(feature = "openapi", schema(schema_with = crate::schema::seq))]
    pub acked: Seq,
}
