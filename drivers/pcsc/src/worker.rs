use std::convert::Infallible;
use std::ffi::{CStr, CString};
use std::sync::Arc;
use std::time::Duration;

use driver_api::card_reader::{Card as Presented, CardProblem, Event};
use driver_api::{Fault, FaultKind, MoneyRisk, Remedy, VendorCode};
use driver_mifare::{Attempts, Failure, Field, Next, RawCard, ReaderDialect, Reading, Seen};
use pcsc::{
    Card, Context, Disposition, Error, PNP_NOTIFICATION, Protocols, ReaderState, Scope, ShareMode,
    State,
};
use tokio::sync::mpsc;
use tracing::{debug, info, warn};

use crate::Config;
use crate::pulse::{Abandoned, Pulse};

/// The thread that does all PC/SC.
pub(crate) struct Worker {
    config: Config,
    events: mpsc::Sender<Event>,
    pulse: Arc<Pulse>,
    /// What the core was told last of the reader.
    link: Option<LinkState>,
    /// This reader has taken our keys before.
    keys_loaded: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum LinkState {
    Ready,
    Lost,
}

/// Why a stretch of work ended.
#[derive(Debug)]
enum End {
    Abandoned,
    /// PC/SC itself: a new context is needed.
    Service(Error),
    /// The reader does not understand us, or is gone.
    Reader,
}

impl From<Abandoned> for End {
    fn from(_: Abandoned) -> Self {
        Self::Abandoned
    }
}

impl Worker {
    pub(crate) fn new(config: Config, events: mpsc::Sender<Event>, pulse: Arc<Pulse>) -> Self {
        Self { config, events, pulse, link: None, keys_loaded: false }
    }

    /// Until abandoned.
    pub(crate) fn run(mut self) {
        let mut pause = PAUSE_MIN;
        loop {
            let end = self.with_context();
            self.pulse.wake_by(None);
            match end {
                End::Abandoned => return,
                End::Service(error) => debug!(%error, "no PC/SC service"),
                End::Reader => debug!("reader lost"),
            }
            if self.link == Some(LinkState::Ready) {
                pause = PAUSE_MIN;
            }
            if self.tell_link(LinkState::Lost).is_err() {
                return;
            }
            // Ends early when the watch wants it to end.
            std::thread::park_timeout(pause);
            if self.pulse.is_abandoned() {
                return;
            }
            pause = (pause * 2).min(PAUSE_MAX);
        }
    }

    /// One connection to pcscd; after an error that may be its own, there is no other cure.
    fn with_context(&mut self) -> End {
        let context = match self.pulse.call(|| Context::establish(Scope::System)) {
            Ok(Ok(context)) => context,
            Ok(Err(error)) => return End::Service(error),
            Err(Abandoned) => return End::Abandoned,
        };
        self.pulse.wake_by(Some(context.clone()));
        let Err(end) = self.attend(&context);
        self.pulse.wake_by(None);
        // Releasing speaks to pcscd too.
        match self.pulse.call(|| drop(context)) {
            Ok(()) => end,
            Err(Abandoned) => End::Abandoned,
        }
    }

    /// Serves one reader until it, the service or this thread is lost.
    fn attend(&mut self, context: &Context) -> Result<Infallible, End> {
        let name = self.find_reader(context)?;
        let dialect = ReaderDialect::of(&name.to_string_lossy());
        info!(reader = ?name, dialect = dialect.name, "card reader");
        self.keys_loaded = false;
        let mut field = Field::default();
        let mut states = [unaware(&name)];
        loop {
            self.wait(context, &mut states)?;
            let orders = self.pulse.heed();
            let Some(seen) = seen(&states[0]) else { continue };
            let duty = field.see(seen, orders);
            if duty.removed {
                self.tell(Event::Removed)?;
            }
            if seen == Seen::NoReader {
                return Err(End::Reader);
            }
            self.tell_link(LinkState::Ready)?;
            if duty.read {
                self.read(context, dialect, &states[0])?;
            }
        }
    }

    /// The first reader of the wanted name, as soon as there is one.
    fn find_reader(&mut self, context: &Context) -> Result<CString, End> {
        loop {
            let readers = match self.pulse.call(|| context.list_readers_owned())? {
                Ok(readers) => readers,
                Err(Error::NoReadersAvailable) => Vec::new(),
                Err(error) => return Err(End::Service(error)),
            };
            let wanted = self.config.reader.as_bytes();
            if let Some(name) = readers.into_iter().find(|name| name.as_bytes().starts_with(wanted))
            {
                return Ok(name);
            }
            self.tell_link(LinkState::Lost)?;
            let mut plugged = [ReaderState::new(PNP_NOTIFICATION(), State::UNAWARE)];
            self.wait(context, &mut plugged)?;
            self.pulse.heed();
        }
    }

    /// Until something changes, new orders come, or [`WAIT_MAX`] is over.
    fn wait(&mut self, context: &Context, states: &mut [ReaderState]) -> Result<(), End> {
        for state in states.iter_mut() {
            state.sync_current_state();
        }
        let result = self.pulse.call(|| context.get_status_change(WAIT_MAX, states))?;
        match result {
            Ok(()) | Err(Error::Timeout | Error::Cancelled) => Ok(()),
            Err(error) if READER_ERRORS.contains(&error) => Err(End::Reader),
            Err(error) => Err(End::Service(error)),
        }
    }

    /// Reads the card, again while it stays, until it is clear what to say of it.
    fn read(
        &mut self,
        context: &Context,
        dialect: &'static ReaderDialect,
        state: &ReaderState,
    ) -> Result<(), End> {
        let mut attempts = Attempts::default();
        loop {
            let ended = self.attempt(context, dialect, state.name())?;
            if let Some(verdict) = attempts.judge(ended, &self.config.verifier) {
                return self.report(verdict);
            }
            if !self.is_still_there(context, state)? {
                return self.report(Err(Failure::TORN));
            }
        }
    }

    fn report(&mut self, verdict: Result<Presented, Failure>) -> Result<(), End> {
        let failure = match verdict {
            Ok(card) => return self.tell(Event::Presented(card)),
            Err(failure) => failure,
        };
        match failure {
            Failure::Card(problem) => self.tell(Event::Unreadable(problem)),
            Failure::Reader(status) => {
                warn!(status, "the reader does not take our keys");
                self.tell(Event::Fault(Fault {
                    kind: FaultKind::Garbled,
                    remedy: Remedy::Technician,
                    money: MoneyRisk::None,
                    vendor: VendorCode(status.into()),
                }))?;
                // It is looked for anew, and `Ready` again when it is found.
                self.link = Some(LinkState::Lost);
                Err(End::Reader)
            }
        }
    }

    /// One connection, one transaction, one reading. The watch sees it as one call: a card takes
    /// 0.3 s, and one transmission is allowed to hang longer than that by every reader.
    fn attempt(
        &mut self,
        context: &Context,
        dialect: &'static ReaderDialect,
        name: &CStr,
    ) -> Result<Result<RawCard, Failure>, End> {
        let keys_loaded = self.keys_loaded;
        let result = self.pulse.call(|| {
            let mut card = context.connect(name, ShareMode::Shared, Protocols::ANY)?;
            let result = converse(&mut card, Reading::begin(dialect, keys_loaded));
            let disposition = match result {
                Ok(Ok(_)) => Disposition::LeaveCard,
                // A refused card is halted; the next attempt needs it selected anew.
                Ok(Err(_)) | Err(_) => Disposition::ResetCard,
            };
            // The handle is gone either way, and the next attempt has its own.
            let _ = card.disconnect(disposition);
            result
        })?;
        match result {
            Ok(result) => {
                self.keys_loaded |= result.is_ok();
                Ok(result)
            }
            Err(error) => outcome_of(error).map(Err),
        }
    }

    /// The same card, now?
    fn is_still_there(&mut self, context: &Context, state: &ReaderState) -> Result<bool, End> {
        let mut now = [unaware(state.name())];
        let result = self.pulse.call(|| context.get_status_change(Duration::ZERO, &mut now))?;
        match result {
            Ok(()) => Ok(seen(&now[0]) == seen(state)),
            Err(error) => outcome_of(error).map(|_| false),
        }
    }

    fn tell_link(&mut self, link: LinkState) -> Result<(), End> {
        if self.link == Some(link) {
            return Ok(());
        }
        self.link = Some(link);
        self.tell(match link {
            LinkState::Ready => Event::Ready,
            LinkState::Lost => Event::LinkLost,
        })
    }

    fn tell(&mut self, event: Event) -> Result<(), End> {
        debug!(?event, "card reader");
        self.events.blocking_send(event).map_err(|_| End::Abandoned)
    }
}

/// As often as we look for new orders at the latest, should every attempt to wake us be lost.
const WAIT_MAX: Duration = Duration::from_secs(1);

const PAUSE_MIN: Duration = Duration::from_millis(50);
const PAUSE_MAX: Duration = Duration::from_secs(5);

/// What PC/SC says of the reader's field; nothing if it did not say, which may be so after a
/// cancelled wait.
fn seen(state: &ReaderState) -> Option<Seen> {
    let flags = state.event_state();
    if flags.intersects(State::UNKNOWN | State::UNAVAILABLE) {
        Some(Seen::NoReader)
    } else if flags.contains(State::PRESENT) {
        Some(Seen::Card(state.event_count()))
    } else {
        flags.contains(State::EMPTY).then_some(Seen::Empty)
    }
}

/// The state of a reader of which nothing is known yet.
fn unaware(name: &CStr) -> ReaderState {
    ReaderState::new(name.to_owned(), State::UNAWARE)
}

/// The outer error is the transport's: nothing is known of the card then.
fn converse(card: &mut Card, reading: Reading) -> Result<Result<RawCard, Failure>, Error> {
    let transaction = card.transaction()?;
    let mut reading = reading;
    // More than any answer here has: a longer one is garbage, and an error.
    let mut buffer = [0; 64];
    let result = loop {
        match transaction.transmit(&reading.question(), &mut buffer) {
            Ok(answer) => match reading.answer(answer) {
                Next::Ask(next) => reading = next,
                Next::Done(result) => break Ok(result),
            },
            Err(error) => break Err(error),
        }
    };
    // After an error its end fails too, which says nothing new.
    let _ = transaction.end(Disposition::LeaveCard);
    result
}

/// What an error of PC/SC during a reading says of the card, or of PC/SC.
fn outcome_of(error: Error) -> Result<Failure, End> {
    if SERVICE_ERRORS.contains(&error) {
        return Err(End::Service(error));
    }
    if READER_ERRORS.contains(&error) {
        return Err(End::Reader);
    }
    if CARD_NOT_POWERED.contains(&error) {
        return Ok(Failure::Card(CardProblem::Several));
    }
    debug!(%error, "card transmission ended");
    Ok(Failure::TORN)
}

const SERVICE_ERRORS: [Error; 6] = [
    Error::NoService,
    Error::CommError,
    Error::ServiceStopped,
    Error::Shutdown,
    Error::InvalidHandle,
    Error::InternalError,
];

const READER_ERRORS: [Error; 3] =
    [Error::UnknownReader, Error::ReaderUnavailable, Error::NoReadersAvailable];

/// Something is in the field that the reader cannot select: two cards, which is what the customer
/// can do something about, or none that speaks ISO 14443.
const CARD_NOT_POWERED: [Error; 2] = [Error::UnresponsiveCard, Error::UnpoweredCard];
