//! The deterministic simulator: the real `kiosk-core` between device models, customers, an
//! attendant, a network and a central, all played from one seed, and an oracle that knows where
//! each note is. docs/testing.md says how to read a trace and repeat a seed.

pub mod acceptor;
pub mod canary;
pub mod central;
pub mod customer;
pub mod cuts;
pub mod kioskd;
pub mod oracle;
pub mod paper;
pub mod peripherals;
pub mod rig;
pub mod rng;
pub mod run;
pub mod stage;
pub mod swarm;
pub mod terminal;
pub mod trace;
pub mod wired;
pub mod world;

pub use trace::Keep;
