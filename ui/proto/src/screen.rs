use std::fmt;

use domain::{Amount, Lang, RechargeRefusal, WalletMovement};
use serde::{Deserialize, Serialize};

/// Everything kiosk-ui needs to paint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct View {
    /// Language of this visit.
    pub lang: Lang,
    /// How this customer wants to see it; back to the default when the visit ends.
    pub prefs: Prefs,
    /// Over whatever screen: the visit ends in so many seconds unless the customer asks for more
    /// time ([`Action::MoreTime`]).
    pub ends_in_s: Option<u16>,
    /// The screen.
    pub screen: Screen,
}

/// How a customer wants to see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prefs {
    /// Black, white and one colour.
    pub high_contrast: bool,
    /// In percent, 100..=200.
    pub text_percent: u16,
    /// All controls within reach of a wheelchair.
    pub lowered: bool,
}

impl Default for Prefs {
    fn default() -> Self {
        Self { high_contrast: false, text_percent: 100, lowered: false }
    }
}

/// One screen, with all its data. The JSON carries its `name`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "name", rename_all = "snake_case")]
pub enum Screen {
    /// Starting, or recovering after a power cut.
    Starting,
    /// Nobody can be served.
    OutOfService {
        /// Why, in the customer's terms.
        reason: OutReason,
    },
    /// Nobody is here. Offers the languages; a tapped card starts in the default one.
    Attract {
        /// Central is away: only cash recharge, credited later.
        limited: bool,
    },
    /// Tap the citizen card.
    PresentCard,
    /// The card is being read.
    ReadingCard,
    /// This card cannot be served, and where to go.
    CardRefused {
        /// Why.
        reason: CardRefusal,
    },
    /// Type the PIN.
    Pin {
        /// How many digits are in.
        digits: u8,
        /// Confirm is possible from here on.
        digits_min: u8,
        /// And no more than these.
        digits_max: u8,
        /// What was wrong last time.
        error: Option<PinError>,
    },
    /// Central is asked.
    CheckingPin,
    /// Who is here and what they can do.
    Home(Home),
    /// Central is away: a genuine card may be recharged unseen, within a limit.
    OfflineHome {
        /// Masked card number.
        card: String,
        /// Most that may be recharged now.
        max: Amount,
        /// Why recharging in cash is not possible now.
        recharge_off: Option<RechargeOff>,
    },
    /// Put notes in.
    Inserting(Inserting),
    /// Stacked notes cannot come back: credit them, or go on?
    ConfirmCancel {
        /// What would be credited.
        inserted: Amount,
    },
    /// Last look before crediting.
    Review(Review),
    /// Central is crediting.
    Crediting {
        /// How much.
        amount: Amount,
    },
    /// A note is somewhere in the machine; the device is being asked.
    CheckingNote {
        /// Which.
        value: Amount,
    },
    /// How much is to be paid by bank card?
    ChooseAmount(ChooseAmount),
    /// The customer pays at the terminal.
    PayAtTerminal {
        /// How much.
        amount: Amount,
        /// What to do, or wait for.
        hint: CardHint,
        /// May it still be called off here? [`Action::Cancel`].
        can_cancel: bool,
    },
    /// Not paid: nothing was taken from the bank card.
    PaymentDeclined {
        /// How much it would have been.
        amount: Amount,
        /// Why not.
        reason: PaymentRefusal,
        /// Another try with a card may help: [`Action::Confirm`].
        can_retry: bool,
        /// Paying in cash instead is possible: [`Action::Recharge`].
        can_pay_cash: bool,
    },
    /// Whether it was paid is not known yet: the terminal is being asked. Do not pay again.
    CheckingPayment {
        /// How much.
        amount: Amount,
    },
    /// Paid, but it cannot be credited: the money goes back to the bank card.
    GivingBack {
        /// How much.
        amount: Amount,
    },
    /// The outcome, and the receipt.
    Done {
        /// What happened to the money.
        done: DoneKind,
        /// Where the receipt is.
        receipt: ReceiptState,
    },
    /// Thank you; take your card, and your note if there was one.
    Goodbye {
        /// A note is waiting in the slot.
        returned: Option<Amount>,
        /// The visit ended for want of a touch.
        timed_out: bool,
    },
}

impl Screen {
    /// The name in the JSON, for logs and tests.
    pub fn name(&self) -> ScreenName {
        ScreenName(match self {
            Self::Starting => "starting",
            Self::OutOfService { .. } => "out_of_service",
            Self::Attract { .. } => "attract",
            Self::PresentCard => "present_card",
            Self::ReadingCard => "reading_card",
            Self::CardRefused { .. } => "card_refused",
            Self::Pin { .. } => "pin",
            Self::CheckingPin => "checking_pin",
            Self::Home(_) => "home",
            Self::OfflineHome { .. } => "offline_home",
            Self::Inserting(_) => "inserting",
            Self::ConfirmCancel { .. } => "confirm_cancel",
            Self::Review(_) => "review",
            Self::Crediting { .. } => "crediting",
            Self::CheckingNote { .. } => "checking_note",
            Self::ChooseAmount(_) => "choose_amount",
            Self::PayAtTerminal { .. } => "pay_at_terminal",
            Self::PaymentDeclined { .. } => "payment_declined",
            Self::CheckingPayment { .. } => "checking_payment",
            Self::GivingBack { .. } => "giving_back",
            Self::Done { .. } => "done",
            Self::Goodbye { .. } => "goodbye",
        })
    }
}

/// The name of a screen.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct ScreenName(pub &'static str);

impl fmt::Debug for ScreenName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

/// Why nobody can be served.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OutReason {
    /// No card reader.
    CardReader,
    /// No note acceptor, or it is full, jammed or open: no service that works without cash is left.
    Acceptor,
    /// The kiosk cannot keep its books: disk full or damaged.
    Books,
    /// Someone is servicing it.
    Attendant,
    /// Central is away and nothing may be done without it.
    Central,
}

/// Why a card cannot be served. Each has its own words and its own way on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CardRefusal {
    /// Left too early: hold it still, try again.
    Torn,
    /// Not a citizen card of this town: a bank card, a transit card, another town's.
    Foreign,
    /// Pretends to be one.
    NotGenuine,
    /// Hold one card only.
    Several,
    /// Out of date: renew it.
    Expired,
    /// Blocked (lost, stolen, by its holder): the office unblocks.
    Blocked,
    /// Suspended by the municipality.
    Suspended,
    /// Too many wrong PINs.
    PinLocked {
        /// May be tried again after so many minutes; `None` = only the office unlocks.
        retry_min: Option<u16>,
    },
    /// Central is away, and without it this card cannot be served.
    CentralAway,
}

/// What was wrong with the PIN.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PinError {
    /// Card or PIN is wrong; central does not say which.
    Wrong {
        /// How many tries are left before it locks.
        tries_left: u8,
    },
    /// No answer: not checked, no try was lost as far as the kiosk knows.
    NoAnswer,
}

/// Who is here and what they can do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Home {
    /// Masked by central: `Ana G.`
    pub holder: String,
    /// Masked card number.
    pub card: String,
    /// In the wallet.
    pub balance: Amount,
    /// The last few, newest first.
    pub movements: Vec<WalletMovement>,
    /// Why recharging in cash is not possible now.
    pub recharge_off: Option<RechargeOff>,
    /// Recharging by bank card.
    pub by_card: ByCard,
}

/// Is paying by bank card on offer?
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ByCard {
    /// This kiosk has no terminal.
    NotHere,
    /// Not now.
    Off(ByCardOff),
    /// Yes: [`Action::PayByCard`].
    Open,
}

/// Why nobody can pay by bank card now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ByCardOff {
    /// The wallet is so full that no amount fits.
    WalletFull,
    /// The terminal does not work.
    Terminal,
    /// The terminal is busy for a moment.
    Busy,
    /// Central is away, and without it what is paid could not be credited.
    Central,
    /// The terminal is still being asked about an earlier payment.
    Checking,
}

/// How much is to be paid by bank card?
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChooseAmount {
    /// What can be chosen: [`Action::Amount`]. Not empty, ascending.
    pub amounts: Vec<Amount>,
    /// In the wallet now.
    pub balance: Amount,
    /// A wallet never holds more.
    pub wallet_max: Amount,
}

/// What the customer shall do at the terminal, or wait for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CardHint {
    /// Hold the card to the reader, or insert it.
    PresentCard,
    /// Insert the card: contactless does not do here.
    InsertCard,
    /// The card was not read; once more.
    TryAgain,
    /// Look at the terminal: PIN, language or application.
    UsePinPad,
    /// The PIN was wrong; once more on the terminal.
    WrongPin,
    /// The bank is being asked.
    AskingBank,
    /// Take the card out.
    RemoveCard,
    /// Nothing to do for the moment.
    Wait,
}

/// Why a bank card was not charged, in the customer's terms.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PaymentRefusal {
    /// The bank said no.
    Bank,
    /// Not enough money or limit.
    Funds,
    /// Wrong PIN, too often.
    Pin,
    /// The card expired, is not valid yet, or is blocked.
    Card,
    /// This kind of card is not taken here.
    NotAccepted,
    /// The card could not be read, or was pulled too early.
    Unreadable,
    /// Called off, or no card came.
    Cancelled,
    /// The bank cannot be reached.
    NoHost,
    /// The terminal did not do it.
    Terminal,
}

/// Why recharging in cash is not possible now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RechargeOff {
    /// The wallet is so full that no note fits.
    WalletFull,
    /// The acceptor does not work.
    Acceptor,
}

/// Notes going in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inserting {
    /// Counted so far: the kiosk has it.
    pub inserted: Amount,
    /// In escrow: read, not yet counted.
    pub escrowed: Option<Amount>,
    /// Wallet balance before; `None` = central is away.
    pub balance: Option<Amount>,
    /// Notes that still fit.
    pub notes: Vec<Amount>,
    /// What happened last.
    pub news: Option<NoteNews>,
    /// Is it enough to finish?
    pub can_finish: bool,
    /// Smallest recharge.
    pub min: Amount,
    /// The limit that notes run into: the wallet's maximum, or the most without central.
    pub max: Amount,
}

/// What happened to a note.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoteNews {
    /// Being read.
    Reading,
    /// Counted.
    Counted {
        /// Its value.
        value: Amount,
    },
    /// Given back by the kiosk.
    Returned {
        /// Its value.
        value: Amount,
        /// Why.
        why: RechargeRefusal,
    },
    /// Given back by the device: not recognised. Try another way round, or another note.
    NotRecognised,
    /// Given back by the device: recognised, but not taken now.
    NotTaken,
    /// Given back because the kiosk had to: it broke off.
    GivenBack {
        /// Its value.
        value: Amount,
    },
}

/// Last look before crediting.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Review {
    /// What will be credited.
    pub amount: Amount,
    /// Wallet before; `None` = central is away.
    pub balance: Option<Amount>,
    /// Wallet after.
    pub balance_after: Option<Amount>,
    /// May more notes be inserted?
    pub can_add: bool,
}

/// What happened to the money.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DoneKind {
    /// On the wallet.
    Credited {
        /// How much.
        amount: Amount,
        /// Wallet now.
        balance: Amount,
    },
    /// Taken, and certain to be credited once central answers.
    Pending {
        /// How much.
        amount: Amount,
        /// Operation number, for the office.
        number: String,
    },
    /// Not credited: the office owes it against this number.
    Claim {
        /// How much.
        amount: Amount,
        /// Operation number.
        number: String,
    },
    /// Paid by bank card and given back to it: nothing was credited.
    GivenBack {
        /// How much.
        amount: Amount,
        /// Operation number.
        number: String,
    },
    /// Whether the bank card was charged is not known yet. If it was, the wallet is credited
    /// without anybody's doing. Do not pay again.
    PaymentInDoubt {
        /// How much.
        amount: Amount,
        /// Operation number.
        number: String,
    },
    /// Where a note went is not known yet: the office settles it against this number.
    InDoubt {
        /// Which note.
        amount: Amount,
        /// What of the rest was credited.
        credited: Amount,
        /// Operation number.
        number: String,
    },
}

/// Where the receipt is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReceiptState {
    /// Printed, or on the screen?
    Offer {
        /// The printer works.
        can_print: bool,
    },
    /// Being printed.
    Printing,
    /// In the slot: take it.
    Take,
    /// It could not be printed; the data is on the screen instead.
    NotPrinted {
        /// As QR code and text.
        text: String,
    },
    /// On the screen, as asked.
    OnScreen {
        /// As QR code and text.
        text: String,
    },
}

/// What a customer did. `Debug` never shows a PIN's digit.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Begin, or go on, in this language.
    Language(Lang),
    /// Show it differently.
    Prefs(Prefs),
    /// One digit of the PIN, 0..=9.
    Digit(u8),
    /// The last digit was wrong.
    Erase,
    /// The primary action of the screen: confirm the PIN, credit, done.
    Confirm,
    /// On Home and PaymentDeclined: recharge in cash.
    Recharge,
    /// On Home: recharge by bank card.
    PayByCard,
    /// On ChooseAmount: this much.
    Amount(Amount),
    /// On Inserting: no more notes. On Review: back to inserting is [`Action::Back`].
    Finish,
    /// One step back.
    Back,
    /// End the visit; the money goes the safe way.
    Cancel,
    /// Print the receipt.
    Print,
    /// Show the receipt on the screen.
    ShowReceipt,
    /// The visit goes on.
    MoreTime,
}

impl fmt::Debug for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Language(lang) => write!(f, "Language({lang:?})"),
            Self::Prefs(_) => f.write_str("Prefs"),
            Self::Digit(_) => f.write_str("Digit(*)"),
            Self::Erase => f.write_str("Erase"),
            Self::Confirm => f.write_str("Confirm"),
            Self::Recharge => f.write_str("Recharge"),
            Self::PayByCard => f.write_str("PayByCard"),
            Self::Amount(amount) => write!(f, "Amount({amount:?})"),
            Self::Finish => f.write_str("Finish"),
            Self::Back => f.write_str("Back"),
            Self::Cancel => f.write_str("Cancel"),
            Self::Print => f.write_str("Print"),
            Self::ShowReceipt => f.write_str("ShowReceipt"),
            Self::MoreTime => f.write_str("MoreTime"),
        }
    }
}
