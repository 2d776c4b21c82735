//! What kioskd and kiosk-ui say to each other over a Unix socket: newline-delimited JSON,
//! [`ToUi`] one way and [`FromUi`] the other. Every message to the screen is complete in itself, so
//! a kiosk-ui that restarts needs nothing but the last one. Knows nothing of Slint.

#![warn(missing_docs)]

mod remote;
mod screen;
mod wire;

pub use remote::{Element, RemoteReply, RemoteRequest, Role};
pub use screen::{
    Action, ByCard, ByCardOff, CardHint, CardRefusal, ChooseAmount, DoneKind, Home, Inserting,
    NoteNews, OutReason, PaymentRefusal, PinError, Prefs, ReceiptState, RechargeOff, Review,
    Screen, ScreenName, View,
};
pub use wire::{FromUi, LINE_MAX, ToUi, WireError, decode, encode};
