use axum::Json;
use axum::extract::{DefaultBodyLimit, State};
use central_api::{JournalAck, JournalBatch, Problem, ProblemKind};
use kiosk_records::{KioskId, Seq};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::Central;
use crate::db::incidents::Incident;
use crate::db::journal::{IngestError, Source, ingest};
use crate::domain::audit::Finding;
use crate::http::Shared;
use crate::http::error::Fail;
use crate::http::extract::{ApiJson, FromKiosk};

pub(crate) fn router() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(take_journal_batch))
        .layer(DefaultBodyLimit::max(BATCH_BYTES_MAX))
}

/// [`JournalBatch::LEN_MAX`] lines of 4 KiB: a line is below 1 KiB.
const BATCH_BYTES_MAX: usize = 2 * 1024 * 1024;

crate::http::problem_set!(TakeProblems:
    Malformed, JournalGap, JournalDiverged, TooLarge, UnsupportedMediaType, Unprocessable,
    JournalInvalid);

/// Consecutive lines of the calling kiosk's journal
///
/// Audited line by line; nothing that central has is overwritten. All of a batch is taken or none.
#[utoipa::path(
    post, path = "/v1/journal-batches", tag = "kiosk", request_body = JournalBatch,
    responses((status = 200, description = "Checked and on disk up to here", body = JournalAck),
              TakeProblems)
)]
async fn take_journal_batch(
    State(central): State<Shared>,
    FromKiosk(kiosk): FromKiosk,
    ApiJson(batch): ApiJson<JournalBatch>,
) -> Result<Json<JournalAck>, Fail> {
    if batch.records.len() > JournalBatch::LEN_MAX {
        let long = format!("records: at most {}", JournalBatch::LEN_MAX);
        return Err(Problem::new(ProblemKind::Unprocessable).with_detail(long).into());
    }
    let now = central.clock.now();
    let (tenant, source) = (central.tenant.clone(), kiosk.clone());
    let taken = central.db.writer.write(move |db| {
        Box::pin(async move {
            let source = Source { tenant: &tenant, kiosk: &source, now };
            ingest(db, source, &batch.records).await
        })
    });
    match taken.await {
        Ok(taken) => {
            for incident in taken.incidents {
                central.metrics.incident(incident);
                tracing::error!(%kiosk, kind = incident.as_str(), "the journal needs a look");
            }
            Ok(Json(JournalAck { acked: taken.head }))
        }
        Err(IngestError::Audit(finding)) => Err(refuse(&central, &kiosk, &finding).await?),
        Err(IngestError::Sqlite(error)) => Err(error.into()),
    }
}

/// A gap is for the kiosk to close; anything else is for a person.
async fn refuse(central: &Central, kiosk: &KioskId, finding: &Finding) -> Result<Fail, Fail> {
    let (kind, incident, acked): (_, _, Option<Seq>) = match finding {
        Finding::Gap { has, .. } => (ProblemKind::JournalGap, None, Some(*has)),
        Finding::Diverged { .. } => {
            (ProblemKind::JournalDiverged, Some(Incident::JournalDiverged), None)
        }
        Finding::Invalid { .. } => {
            (ProblemKind::JournalInvalid, Some(Incident::JournalInvalid), None)
        }
    };
    if let Some(incident) = incident {
        let subject = kiosk.to_string();
        central.report(kiosk, incident, subject, finding.to_string()).await?;
    }
    let problem = Problem::new(kind).with_detail(finding.to_string());
    Ok(Problem { acked, ..problem }.into())
}
