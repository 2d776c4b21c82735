//! The nexo driver and the firmware model with a network between them, in virtual time. Whatever
//! happens, the outcome is what the customer's bank knows, or unknown; and the question then tells
//! it.

mod cuts;
mod faults;
mod rig;
mod story;
#[path = "../till/mod.rs"]
mod till;
