//! What central and kiosks say to each other.

use central_api::{
    CardSession, CardSessionRequest, CardStatusChange, Hotlist, JournalAck, JournalBatch,
    KioskBooks, KioskConfig, Problem, TopUpAnswer, TopUpRequest,
};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// The first byte says which message it is. Was it one?
pub(crate) fn run(input: &[u8]) -> bool {
    let Some((which, text)) = input.split_first() else { return false };
    MESSAGES[usize::from(*which) % MESSAGES.len()](text)
}

const MESSAGES: [fn(&[u8]) -> bool; 11] = [
    same::<CardSession>,
    same::<TopUpAnswer>,
    same::<Problem>,
    same::<KioskConfig>,
    same::<Hotlist>,
    same::<JournalAck>,
    same::<KioskBooks>,
    same::<TopUpRequest>,
    same::<JournalBatch>,
    same::<CardStatusChange>,
    same::<CardSessionRequest>,
];

/// What could be read is written so that it is read again as the same.
fn same<T: DeserializeOwned + Serialize>(text: &[u8]) -> bool {
    let Ok(message) = serde_json::from_slice::<T>(text) else { return false };
    let once = serde_json::to_vec(&message).expect("what was read can be written");
    let again: T = serde_json::from_slice(&once).expect("what was written can be read");
    assert_eq!(once, serde_json::to_vec(&again).expect("and again"));
    true
}
