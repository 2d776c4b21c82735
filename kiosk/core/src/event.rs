use std::collections::BTreeMap;

use domain::{
    Amount, CardNumber, CardRef, Lang, Mono, Pii, Pin, RechargeRules, Tender, Uid, Wall,
    WalletMovement,
};
use driver_api::payment_terminal::{self, Operation};
use driver_api::{acceptor, card_reader, printer};
use kiosk_records::{IntentId, Record, Seq, TopUpRefusal};
use ui_proto::{Action, View};

/// The two clocks, read by the shell once per input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Now {
    /// For deadlines.
    pub mono: Mono,
    /// For records and receipts.
    pub wall: Wall,
}

/// Into the core.
#[derive(Clone, Debug)]
pub enum Event {
    /// The process started and the journal is folded; the devices come next.
    Booted {
        /// Of kioskd.
        version: String,
    },
    /// The customer did something.
    Action(Action),
    /// The note acceptor.
    Acceptor(acceptor::Event),
    /// The card reader.
    Reader(card_reader::Event),
    /// The receipt printer.
    Printer(printer::Event),
    /// The bank-card terminal.
    Terminal(payment_terminal::Event),
    /// A person asked the acquirer about an order to the terminal that is in doubt. What is not in
    /// doubt it leaves alone. May come without [`Event::Booted`].
    Attested {
        /// The order.
        intent: Seq,
        /// What the acquirer says.
        outcome: payment_terminal::Outcome,
    },
    /// An answer of central.
    Central(CentralReply),
    /// Central can, or cannot, be reached: noticed by anyone who talked to it.
    CentralLink(CentralLink),
    /// What the municipality decides, as central gave it last.
    Settings(Settings),
    /// Denied cards, as central gave them last.
    Hotlist(Hotlist),
    /// A deadline of [`crate::Kiosk::poll_timeout`] has come.
    Timeout,
    /// The process is to stop: bring everything to safety.
    Stop,
}

/// What the municipality decides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// What may be recharged.
    pub rules: RechargeRules,
    /// Its name on receipts, by language; [`crate::Config::municipality`] where there is none.
    pub municipality: BTreeMap<Lang, String>,
}

/// Can central be reached?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CentralLink {
    /// The last exchange went through.
    There,
    /// It did not.
    Away,
}

/// Denied cards.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hotlist {
    /// Grows with every change.
    pub version: u64,
    /// When central last confirmed it, ms since 1970 UTC.
    pub confirmed_ms: i64,
    /// By pseudonym.
    pub cards: BTreeMap<CardRef, Denied>,
}

/// Why a card is denied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Denied {
    /// Lost, stolen, or by its holder's wish.
    Blocked,
    /// By the municipality.
    Suspended,
}

/// To central. Both are asked at most once at a time.
#[derive(Clone, Debug)]
pub enum CentralRequest {
    /// Who is this, and is the PIN right?
    OpenSession {
        /// Comes back in the answer: one that is late is not taken for that of the next customer.
        attempt: u64,
        /// Printed number.
        number: Pii<CardNumber>,
        /// Chip.
        uid: Pii<Uid>,
        /// As typed.
        pin: Pin,
    },
    /// **Moves value**: credit a wallet. The key makes a repetition harmless.
    TopUp {
        /// The `TopUpOrdered` that allows it.
        intent: Seq,
        /// Idempotency key.
        key: IntentId,
        /// Whose wallet.
        card_ref: CardRef,
        /// How much.
        amount: Amount,
        /// PIN not checked.
        offline: bool,
        /// When it was ordered: the same in every repetition.
        at: Wall,
        /// How it was paid.
        tender: Tender,
    },
}

/// From central, or in its place.
#[derive(Clone, Debug)]
pub enum CentralReply {
    /// To [`CentralRequest::OpenSession`].
    Session {
        /// Of the request.
        attempt: u64,
        /// What central says.
        reply: SessionReply,
    },
    /// To [`CentralRequest::TopUp`].
    TopUp {
        /// Of the request.
        intent: Seq,
        /// What central says.
        reply: TopUpReply,
    },
}

/// About card and PIN.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SessionReply {
    /// Both right.
    Opened(Account),
    /// Card or PIN wrong.
    Wrong {
        /// Before it locks.
        tries_left: u8,
    },
    /// Too many tries.
    Locked {
        /// `None` = only the office unlocks.
        retry_min: Option<u16>,
    },
    /// PIN right, card blocked.
    Blocked,
    /// PIN right, card suspended.
    Suspended,
    /// PIN right, card out of date.
    Expired,
    /// No answer.
    Away,
}

/// What central tells about a wallet once the PIN was right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Masked name.
    pub holder: Pii<String>,
    /// In the wallet.
    pub balance: Amount,
    /// Newest first, a few.
    pub movements: Vec<WalletMovement>,
}

/// About a top-up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TopUpReply {
    /// Credited.
    Accepted {
        /// Central's transfer.
        ledger_ref: String,
        /// Wallet now.
        balance: Amount,
    },
    /// Not credited; central has booked the amount as owed by the office.
    Refused(TopUpRefusal),
    /// No answer: it may or may not have happened. Ask again under the same key.
    Away,
}

/// Out of the core. To be run in order, after the records of the same step are on disk.
#[derive(Clone, Debug)]
pub enum Effect {
    /// To the note acceptor.
    Acceptor(acceptor::Command),
    /// **Moves value**: stack the escrowed note, as this `StackOrdered` allows.
    Stack(Seq),
    /// To the card reader.
    Reader(card_reader::Command),
    /// To the receipt printer.
    Printer(printer::Command),
    /// To the bank-card terminal. Some **move value**.
    Terminal(payment_terminal::Command),
    /// To central.
    Central(CentralRequest),
    /// To the screen. `new` = another screen than before, not the same with other data.
    Show {
        /// All there is to show.
        view: View,
        /// Another screen than before?
        new: bool,
    },
    /// Everything is safe; the process may end.
    Stopped,
}

impl Effect {
    /// The record that must be on disk before it may run (M2).
    pub fn intent(&self) -> Option<Seq> {
        match self {
            Self::Stack(intent) | Self::Central(CentralRequest::TopUp { intent, .. }) => {
                Some(*intent)
            }
            Self::Terminal(command) => ordered_by(command),
            Self::Acceptor(_)
            | Self::Reader(_)
            | Self::Printer(_)
            | Self::Central(CentralRequest::OpenSession { .. })
            | Self::Show { .. }
            | Self::Stopped => None,
        }
    }
}

/// What a command to the terminal cites, if it moves value.
fn ordered_by(command: &payment_terminal::Command) -> Option<Seq> {
    use payment_terminal::Command;
    match command {
        Command::Authorise { operation: Operation(intent), .. }
        | Command::Reverse { operation: Operation(intent), .. } => Some(Seq((*intent).into())),
        // Towards the safe state, or moves nothing.
        Command::Issued(_)
        | Command::NotIssued(_)
        | Command::AskStatus(_)
        | Command::Abort
        | Command::EndOfDay => None,
    }
}

/// One decision: what to write down, then what to do.
#[derive(Clone, Debug, Default)]
#[must_use = "records must be committed and effects run"]
pub struct Step {
    /// In this order, all in one transaction. Their sequence numbers follow the journal's tail.
    pub records: Vec<Entry>,
    /// Only after that.
    pub effects: Vec<Effect>,
}

/// A record and the visit it belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its sequence number.
    pub seq: Seq,
    /// The visit that was open.
    pub visit: Option<Seq>,
    /// What happened.
    pub record: Record,
}
