//! Contactless readers through PC/SC: cards in, [`card_reader`] events out.
//!
//! PC/SC has no time limit and no way out of a call, so that all of it happens on one thread of its
//! own (`worker`), and a second one (`watch`) looks whether it still moves. A thread that hangs
//! is left behind and another one started; it is not believed any more, whatever it reports later.
//!
//! What is asked of a card, and what its answers mean, is in `driver-mifare`.

#![warn(missing_docs)]

mod pulse;
mod watch;
mod worker;

use std::sync::mpsc as std_mpsc;
use std::time::Duration;

use driver_api::card_reader;
use driver_mifare::Verifier;
use tokio::sync::mpsc;

/// Which reader, and whose cards.
#[derive(Clone, Debug)]
pub struct Config {
    /// How the reader's PC/SC name begins; empty for the first reader there is. A reader with a SAM
    /// slot is two readers to PC/SC, told apart by their names.
    pub reader: String,
    /// Whose cards are taken.
    pub verifier: Verifier,
    /// When a call into PC/SC counts as hung. Must be longer than the reader driver's own limit,
    /// which is 3 to 5 s.
    pub call_time_max: Duration,
}

impl Config {
    /// For a real reader.
    pub const CALL_TIME_MAX: Duration = Duration::from_secs(8);
}

/// The way to a running reader. Its threads end when the last clone is dropped.
#[derive(Clone, Debug)]
pub struct Reader {
    commands: std_mpsc::Sender<card_reader::Command>,
}

impl Reader {
    /// Takes effect within milliseconds, or once a card that is being read is done. Kept over any
    /// loss of the reader.
    pub fn command(&self, command: card_reader::Command) {
        // Without its thread there is no core to report to either: the process is ending.
        drop(self.commands.send(command));
    }
}

/// Starts looking for the reader, disarmed. First comes `Ready` or `LinkLost`. A slow receiver of
/// events slows down reading and loses none.
pub fn spawn(config: Config, events: mpsc::Sender<card_reader::Event>) -> Reader {
    let (commands, orders) = std_mpsc::channel();
    std::thread::Builder::new()
        .name("pcsc-watch".to_owned())
        .spawn(move || watch::run(&config, &events, &orders))
        .expect("threads can be started while the process starts");
    Reader { commands }
}
