//! The real kioskd, its real journal and the simulated devices under `kill -9`: a customer comes
//! again and again with notes or a bank card, kioskd or the whole cabinet dies at some moment, and
//! after each death every note that went in is in the cash box and on the wallet, or back in the
//! customer's hand, and what the bank charged is on the wallet.
//!
//! One seed decides what the customer does and when the kills come; how the processes interleave
//! it cannot decide, so that a seed brings the same kills and not always the same end.

mod customer;
mod dice;
mod kill;
mod soak;

pub use dice::Dice;
pub use soak::soak;
