//! Our driver against the firmware model, in virtual time: each story from the line up.

mod faults;
mod power_cut;
mod rig;
mod story;
