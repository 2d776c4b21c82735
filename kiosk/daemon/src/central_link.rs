//! Asks central what the core wants to know, and turns every way in which that can go wrong into
//! one of the core's answers.

use central_api::{
    CardSessionRequest, Client, ClientError, Problem, ProblemKind, TopUpAnswer, TopUpRequest,
};
use kiosk_core::{Account, CentralReply, CentralRequest, Event, SessionReply, TopUpReply};
use tokio::sync::mpsc;
use tracing::{error, info, warn};

use crate::clock;
use crate::core_loop::Input;

/// Until the core is gone. Requests do not wait for each other; the core asks few at a time.
pub(crate) async fn run(
    client: Client,
    mut requests: mpsc::Receiver<CentralRequest>,
    inputs: mpsc::Sender<Input>,
) {
    while let Some(request) = requests.recv().await {
        let (client, inputs) = (client.clone(), inputs.clone());
        tokio::spawn(async move {
            let reply = ask(&client, request).await;
            // The receiver is gone only when the process is ending.
            let _ = inputs.send(Input::Event(Event::Central(reply))).await;
        });
    }
}

async fn ask(client: &Client, request: CentralRequest) -> CentralReply {
    match request {
        CentralRequest::OpenSession { attempt, number, uid, pin } => {
            let request = CardSessionRequest {
                number: *number.reveal(),
                uid: *uid.reveal(),
                pin,
                at: clock::wall(),
            };
            let reply = match client.open_card_session(&request).await {
                Ok(session) => SessionReply::Opened(Account {
                    holder: session.holder,
                    balance: session.balance,
                    movements: session.movements,
                }),
                Err(error) => session_error(&error),
            };
            CentralReply::Session { attempt, reply }
        }
        CentralRequest::TopUp { intent, key, card_ref, amount, offline, at, tender } => {
            let request = TopUpRequest { card_ref, amount, offline, ordered_at: at, tender };
            let reply = match client.top_up(&key, &request).await {
                Ok(TopUpAnswer::Accepted { ledger_ref, balance }) => {
                    info!(%key, ledger_ref, "top-up accepted");
                    TopUpReply::Accepted { ledger_ref, balance }
                }
                Ok(TopUpAnswer::Refused { reason }) => {
                    warn!(%key, ?reason, "top-up refused: a claim");
                    TopUpReply::Refused(reason)
                }
                Err(error) => {
                    top_up_error(&key.to_string(), &error);
                    TopUpReply::Away
                }
            };
            CentralReply::TopUp { intent, reply }
        }
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "all others are ours to mend")]
fn session_error(error: &ClientError) -> SessionReply {
    let ClientError::Refused(problem) = error else {
        warn!("PIN not checked: {error}");
        return SessionReply::Away;
    };
    match problem.kind {
        ProblemKind::CardOrPinWrong => SessionReply::Wrong {
            tries_left: problem.tries_left.map_or(0, |left| u8::try_from(left).unwrap_or(u8::MAX)),
        },
        ProblemKind::PinLocked => SessionReply::Locked { retry_min: retry_min(problem) },
        ProblemKind::CardBlocked => SessionReply::Blocked,
        ProblemKind::CardSuspended => SessionReply::Suspended,
        ProblemKind::CardExpired => SessionReply::Expired,
        other => {
            error!(problem = other.slug(), "central does not want our question: {problem}");
            SessionReply::Away
        }
    }
}

fn retry_min(problem: &Problem) -> Option<u16> {
    problem.retry_after_min.map(|minutes| u16::try_from(minutes).unwrap_or(u16::MAX))
}

/// Whatever went wrong, the order stays open and is asked again under its key.
fn top_up_error(key: &str, error: &ClientError) {
    match error {
        ClientError::Refused(problem) if problem.kind != ProblemKind::InFlight => {
            error!(%key, problem = problem.kind.slug(), "central rejects our order: {problem}");
        }
        ClientError::Refused(_) | ClientError::Away { .. } | ClientError::Garbled { .. } => {
            warn!(%key, "no answer to a top-up: {error}");
        }
        other => warn!(%key, "no answer to a top-up: {other}"),
    }
}
