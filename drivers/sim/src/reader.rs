//! A contactless reader: the field, the cards in it, and the faults of both. One [`Reader`] can be
//! reached over our IFD handler ([`Reader::serve_ifd`]), over Debian's vpcd ([`crate::vpcd`]) and
//! as a bare PN532 ([`crate::pn532`]).

mod firmware;
mod ifd;

use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{mpsc, watch};

use crate::card::Card;
use firmware::Firmware;
pub use firmware::Model;
pub use ifd::IfdServer;

/// Handle to a reader: lays cards on it, takes them away, breaks it. Cheap to clone.
#[derive(Clone)]
pub struct Reader {
    inner: Arc<Mutex<Inner>>,
    faults: watch::Sender<BTreeSet<Fault>>,
}

/// What can go wrong with a reader; each stays until it is taken off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fault {
    /// The cable is out.
    Unplugged,
    /// It hangs: no answer, for ever.
    Silent,
    /// It answers nonsense.
    Garbage,
    /// It sees the card, but the card says nothing.
    CardNotAnswering,
    /// Every card leaves in the middle of being read.
    Torn,
}

impl Fault {
    /// Every fault.
    pub const ALL: [Self; 5] =
        [Self::Unplugged, Self::Silent, Self::Garbage, Self::CardNotAnswering, Self::Torn];

    /// For pages and scripts.
    pub fn name(self) -> &'static str {
        match self {
            Self::Unplugged => "unplugged",
            Self::Silent => "silent",
            Self::Garbage => "garbage",
            Self::CardNotAnswering => "card_not_answering",
            Self::Torn => "torn",
        }
    }
}

struct Inner {
    firmware: Firmware,
    /// One card, or several that shout each other down.
    field: Vec<Card>,
    powered: bool,
    /// Commands for the card until it leaves by itself, and what comes in its place.
    departure: Option<(u32, Option<Card>)>,
    /// Who wants to hear of each change in the field.
    listeners: Vec<mpsc::Sender<bool>>,
}

/// What a host asks of a reader, whatever the transport.
#[derive(Clone, Copy, Debug)]
pub enum Request<'a> {
    /// Select the card; it answers with its ATR.
    PowerUp,
    /// Let go of it.
    PowerDown,
    /// An APDU.
    Transmit(&'a [u8]),
    /// A command for the reader itself.
    Escape(&'a [u8]),
}

/// What the reader says to that.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// This.
    Answer(Vec<u8>),
    /// None in the field, or it left, or it is not powered since it came.
    NoCard,
    /// It knows no such command.
    NotSupported,
}

impl Reader {
    /// A reader with an empty field.
    pub fn new(model: Model) -> Self {
        Self {
            inner: Arc::new(Mutex::new(Inner {
                firmware: Firmware::new(model),
                field: Vec::new(),
                powered: false,
                departure: None,
                listeners: Vec::new(),
            })),
            faults: watch::Sender::default(),
        }
    }

    /// Lays a card on the reader. With one there already, neither can be read.
    pub fn tap(&self, card: Card) {
        self.tap_together([card]);
    }

    /// Lays several cards on the reader at once, as a purse does.
    pub fn tap_together(&self, cards: impl IntoIterator<Item = Card>) {
        self.lock().tap(cards.into_iter().collect());
    }

    /// Takes all cards off, as they are now.
    pub fn remove(&self) -> Vec<Card> {
        self.lock().remove()
    }

    /// One card for another, too fast to see.
    pub fn swap(&self, card: Card) -> Vec<Card> {
        let mut inner = self.lock();
        let taken = inner.remove();
        inner.tap(vec![card]);
        taken
    }

    /// Is a card on it?
    pub fn is_occupied(&self) -> bool {
        !self.lock().field.is_empty()
    }

    /// The next card, or the one that is here, answers this many commands and is gone. A write that
    /// comes then is done by half.
    pub fn leave_after(&self, commands: u32) {
        self.lock().departure = Some((commands, None));
    }

    /// As [`Reader::leave_after`], with another card in its place at once.
    pub fn swap_after(&self, commands: u32, card: Card) {
        self.lock().departure = Some((commands, Some(card)));
    }

    /// Puts a fault on or takes it off.
    pub fn set_fault(&self, fault: Fault, on: bool) {
        self.faults.send_if_modified(|faults| match on {
            true => faults.insert(fault),
            false => faults.remove(&fault),
        });
    }

    /// The faults that are on.
    pub fn faults(&self) -> BTreeSet<Fault> {
        self.faults.borrow().clone()
    }

    pub(crate) fn watch_faults(&self) -> watch::Receiver<BTreeSet<Fault>> {
        self.faults.subscribe()
    }

    /// Hears of every change in the field, beginning with what is now. Ends for a listener that
    /// falls [`CHANGES_MAX`] behind.
    pub(crate) fn listen(&self) -> mpsc::Receiver<bool> {
        let (sender, receiver) = mpsc::channel(CHANGES_MAX);
        let mut inner = self.lock();
        let occupied = !inner.field.is_empty();
        sender.try_send(occupied).expect("a new channel has room and a receiver");
        inner.listeners.push(sender);
        receiver
    }

    /// Asks the firmware now; `None` = it hangs ([`Fault::Silent`]). For simulators, which bring
    /// their own time.
    pub fn ask_now(&self, request: Request<'_>) -> Option<Reply> {
        let faults = self.faults();
        (!faults.contains(&Fault::Silent)).then(|| self.lock().ask(request, &faults))
    }

    /// Asks the firmware. A [`Fault::Silent`] reader is waited for, for ever if need be.
    pub(crate) async fn ask(&self, request: Request<'_>) -> Reply {
        let mut faults = self.watch_faults();
        let faults = faults
            .wait_for(|faults| !faults.contains(&Fault::Silent))
            .await
            .expect("the sender is in self")
            .clone();
        self.lock().ask(request, &faults)
    }

    /// Lends the one card in the field, for a reader with a firmware of its own.
    pub(crate) fn with_card<T>(&self, f: impl FnOnce(&mut Card) -> T) -> Option<T> {
        match self.lock().field.as_mut_slice() {
            [card] => Some(f(card)),
            [] | [_, _, ..] => None,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A person at the workbench is slower than this many changes behind.
const CHANGES_MAX: usize = 256;

/// When every card leaves under [`Fault::Torn`]: with the directory read, the identity not.
const TORN_AFTER: u32 = 6;

impl Inner {
    fn tap(&mut self, mut cards: Vec<Card>) {
        let was_empty = self.field.is_empty();
        self.field.append(&mut cards);
        if was_empty && !self.field.is_empty() {
            self.tell(true);
        }
    }

    fn remove(&mut self) -> Vec<Card> {
        let cards = std::mem::take(&mut self.field);
        self.powered = false;
        if !cards.is_empty() {
            self.tell(false);
        }
        cards
    }

    fn tell(&mut self, occupied: bool) {
        self.listeners.retain(|listener| listener.try_send(occupied).is_ok());
    }

    fn ask(&mut self, request: Request<'_>, faults: &BTreeSet<Fault>) -> Reply {
        match request {
            Request::PowerUp => self.power_up(faults),
            Request::PowerDown => {
                self.powered = false;
                Reply::Answer(Vec::new())
            }
            Request::Transmit(apdu) => self.transmit(apdu, faults),
            Request::Escape(command) => match self.firmware.escape(command) {
                Some(answer) => Reply::Answer(answer),
                None => Reply::NotSupported,
            },
        }
    }

    fn power_up(&mut self, faults: &BTreeSet<Fault>) -> Reply {
        // Two cards at once: their answers collide, and these readers give up.
        let [card] = self.field.as_mut_slice() else {
            return Reply::NoCard;
        };
        self.powered = true;
        let atr = Firmware::power_up(card);
        if faults.contains(&Fault::Torn) && self.departure.is_none() {
            self.departure = Some((TORN_AFTER, None));
        }
        Reply::Answer(atr)
    }

    fn transmit(&mut self, apdu: &[u8], faults: &BTreeSet<Fault>) -> Reply {
        match &mut self.departure {
            Some((0, _)) => self.depart(apdu),
            Some((left, _)) => *left -= 1,
            None => {}
        }
        let [card] = self.field.as_mut_slice() else {
            return Reply::NoCard;
        };
        if !self.powered {
            return Reply::NoCard;
        }
        if faults.contains(&Fault::Garbage) {
            return Reply::Answer(garbage(apdu));
        }
        if faults.contains(&Fault::CardNotAnswering) {
            return Reply::Answer(self.firmware.card_silent());
        }
        Reply::Answer(self.firmware.apdu(card, apdu))
    }

    /// The card goes while `apdu` is being done.
    fn depart(&mut self, apdu: &[u8]) {
        if let ([Card::Classic(card)], [0xFF, 0xD6, 0x00, block, 0x10, data @ ..]) =
            (self.field.as_mut_slice(), apdu)
            && let Ok(data) = data.try_into()
        {
            // A refused write leaves no trace, torn or not.
            let _ = card.write_torn(*block, data, 8);
        }
        self.remove();
        if let Some((_, Some(next))) = self.departure.take() {
            self.tap(vec![next]);
        }
    }
}

/// Neither an answer nor always the same: the question, turned over.
fn garbage(apdu: &[u8]) -> Vec<u8> {
    apdu.iter().rev().map(|byte| byte ^ 0x5A).collect()
}

impl fmt::Debug for Reader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = self.lock();
        f.debug_struct("Reader")
            .field("field", &inner.field)
            .field("faults", &*self.faults.borrow())
            .finish_non_exhaustive()
    }
}
