//! The lines between kioskd and its screen, and between the screen and the workbench.

use serde::Serialize;
use serde::de::DeserializeOwned;
use ui_proto::{FromUi, RemoteReply, RemoteRequest, ToUi, decode, encode};

/// Was it a message of any kind?
pub(crate) fn run(input: &[u8]) -> bool {
    let kinds = [
        same::<ToUi>(input),
        same::<FromUi>(input),
        same::<RemoteRequest>(input),
        same::<RemoteReply>(input),
    ];
    kinds.contains(&true)
}

fn same<T: DeserializeOwned + Serialize>(line: &[u8]) -> bool {
    let Ok(message) = decode::<T>(line) else { return false };
    let once = encode(&message);
    let again: T = decode(&once).expect("what was written can be read");
    assert_eq!(once, encode(&again));
    true
}
