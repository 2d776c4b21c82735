//! The whole way of a card: virtual card and reader, our IFD handler, the real pcscd, the real
//! libpcsclite, our driver. In a mount namespace of its own, since there is one pcscd in each.

#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    reason = "a test, though clippy does not see a harness of our own"
)]

mod rig;
mod stories;

use driver_sim::namespace::{Isolation, enter_private};
use libtest_mimic::{Arguments, Trial};

fn main() {
    match enter_private().expect("/run/pcscd can be had") {
        Isolation::Private => {}
        Isolation::Shared => println!("No namespaces here: in the way of every other pcscd."),
    }
    let mut arguments = Arguments::from_args();
    // One pcscd at a time.
    arguments.test_threads = Some(1);
    let trials = stories::ALL
        .iter()
        .map(|(name, story)| {
            Trial::test(*name, move || {
                rig::run(*story);
                Ok(())
            })
        })
        .collect();
    libtest_mimic::run(&arguments, trials).exit();
}
