//! kioskd as a library: the binary is a thin command line around it, and tests and benches run
//! its parts.

pub mod config;
pub mod report;
pub mod settle;
pub mod table;
pub mod unkept;
pub mod wiring;

mod cache;
mod central_link;
mod clock;
mod core_loop;
mod devices;
mod executor;
mod fold;
mod sync;
mod ui_link;
