//! Note acceptors with escrow: SSP, CCNET, EBDS, ID-003 and the like.
//!
//! The life of a note: [`Event::Escrowed`] → the core orders → [`Command::Stack`] →
//! [`Event::Stacked`] → the core commits → [`Command::Acknowledge`]. While the core decides, the
//! driver keeps the note in escrow by whatever its protocol needs (SSP: HOLD). If the core dies,
//! the device's own clock returns the note.

use domain::{Amount, NoteSet};
use serde::{Deserialize, Serialize};

use crate::Fault;

/// What the core may ask of an acceptor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Take these notes, and only these. Replaces an earlier set.
    Enable(NoteSet),
    /// Take none. The safe state.
    Disable,
    /// Move the escrowed note into the cash unit. **Moves value**: sent once per committed
    /// `StackOrdered`, never repeated by the driver.
    Stack,
    /// Give the escrowed note back. Towards the safe state: may always be sent.
    Return,
    /// The last [`Event::Stacked`] or [`Event::Recovered`] is on disk; the device may forget it.
    Acknowledge,
    /// Start the device anew, for instance after a jam was cleared.
    Reset,
}

/// What an acceptor reports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The line is up, the unit is set up and inhibited, and everything it had to tell about the
    /// time before (power-up) has been reported *before* this event.
    Ready(Capabilities),
    /// A note is being read.
    Reading,
    /// A valid note is in escrow. The driver holds it until [`Command::Stack`] or
    /// [`Command::Return`].
    Escrowed(Note),
    /// The device itself did not take what was put in, and gave it back.
    Rejected(RejectReason),
    /// The note passed the point where the customer could pull it back: it is the kiosk's now.
    /// Repeated by the device until [`Command::Acknowledge`] where the protocol can do that. A
    /// device that can neither do that nor count ([`Capabilities::stacked_total`]) takes no other
    /// note before it is acknowledged: whose note came out after a power cut could not be told.
    Stacked(Note),
    /// The escrowed note is being given back, after [`Command::Return`] or by the device's clock.
    Returned(Note),
    /// At its power-up or reset the device found a note in its path and this became of it.
    Recovered {
        /// Where it went.
        place: NotePlace,
        /// Which note, where the device can say.
        note: Option<Note>,
    },
    /// The cash unit was taken out.
    UnitRemoved,
    /// A cash unit was put in. The driver has inhibited the device again.
    UnitInserted,
    /// It cannot go on. A note in escrow or on its way is in doubt if `money` says so.
    Fault(Fault),
    /// What broke works again.
    Cleared(crate::FaultKind),
    /// No line to the device. What was in flight is in doubt.
    LinkLost,
}

/// One note as the validator recognised it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// Face value.
    pub value: Amount,
}

/// Where a note went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NotePlace {
    /// Into the cash unit.
    CashUnit,
    /// Out to the customer.
    Customer,
}

/// Why the device itself gave a note back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RejectReason {
    /// Not recognised: damaged, dirty, crooked, or no note.
    NotRecognised,
    /// Recognised, but not enabled.
    Inhibited,
    /// Pulled or pushed while it was read, or two at once.
    Mishandled,
    /// Any other reason of the device.
    Other,
}

/// What a unit says about itself once it is ready.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Capabilities {
    /// Notes it knows.
    pub notes: NoteSet,
    /// Its serial number, to notice that another unit was put in.
    pub serial: u32,
    /// Firmware version, for the log.
    pub firmware: String,
    /// How many notes it ever moved into a cash unit, where it counts them: what settles a stack
    /// whose answer was lost.
    pub stacked_total: Option<u32>,
}
