//! Every parser that faces bytes from outside, as a function over any bytes. What must hold beside
//! "no panic" is asserted in each. Two drive them: the replay of `corpus/` on every test run, and
//! libFuzzer (`libfuzzer/`, by `./dev fuzz`), which grows the corpus.

#![warn(missing_docs)]

pub mod acceptor;
pub mod card;
mod central;
mod config;
mod journal;
pub mod nexo;
mod pieces;
pub mod printer;
mod screen;
pub mod zvt;

/// A target's name, which is also its folder in `corpus/`, and what it does with an input: was it
/// understood to its end?
pub type Target = (&'static str, fn(&[u8]) -> bool);

/// All of them.
pub const TARGETS: [Target; 9] = [
    ("acceptor", acceptor::run),
    ("card", card::run),
    ("central", central::run),
    ("config", config::run),
    ("journal", journal::run),
    ("nexo", nexo::run),
    ("printer", printer::run),
    ("screen", screen::run),
    ("zvt", zvt::run),
];

/// Gives `input` to the target of this name.
///
/// # Panics
/// There is none, or it found something.
pub fn run(name: &str, input: &[u8]) {
    let target = TARGETS.iter().find(|(known, _)| *known == name);
    let (_, run) = target.unwrap_or_else(|| panic!("no target is called {name}"));
    run(input);
}
