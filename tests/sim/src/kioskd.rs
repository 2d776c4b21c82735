//! What kioskd's shell is to the core, with a power cord that can be pulled between any two steps:
//! records go to the journal, then the effects run. As in kiosk/daemon (`core_loop.rs`,
//! `executor.rs`, `central_link.rs`, `sync.rs`), without threads.

use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;

use domain::{CardRef, CardRefKey, Mono, Tender};
use driver_api::payment_terminal::{self, Capture, Command, Operation};
use driver_api::{acceptor, card_reader, printer};
use kiosk_core::{
    Books, CentralLink, CentralReply, CentralRequest, Config, Effect, Entry, Event, Kiosk, Now,
    SessionReply, Step, TopUpReply,
};
use kiosk_records::{Record, Seq};
use ui_proto::{Action, Screen, View};

use crate::canary::Canary;
use crate::central::{Answer, Ask, News, Question, holder_name};
use crate::cuts::{Cut, Cuts};
use crate::oracle::NoteId;
use crate::peripherals::card;
use crate::rng::Rng;
use crate::stage::{Happening, Stage};

/// What reaches the loop.
#[derive(Clone, Debug)]
pub enum Input {
    /// The validator, and which note it speaks of, for the oracle.
    Acceptor(acceptor::Event, Option<NoteId>),
    /// The card reader.
    Reader(card_reader::Event),
    /// The printer.
    Printer(printer::Event),
    /// The bank-card terminal.
    Terminal(payment_terminal::Event),
    /// The customer, on the screen with this number.
    Action(u64, Action),
    /// What central told last, from the file beside the journal.
    Cached,
    /// Central's word, or that there was none.
    Answer(CentralReply),
    /// What is new at central; `None` = it did not say.
    News(Option<Box<News>>),
    /// What else is for the core.
    Event(Event),
    /// SIGTERM.
    Stop,
}

/// What goes to a device.
#[derive(Clone, Debug)]
pub enum Order {
    /// To the validator.
    Acceptor(acceptor::Command),
    /// To the reader.
    Reader(card_reader::Command),
    /// To the printer.
    Printer(printer::Command),
    /// To the bank-card terminal.
    Terminal(payment_terminal::Command),
}

/// Why kioskd is no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Death {
    /// It lost its power, or was killed.
    Cut,
    /// The journal could not be written: it stops by itself (ADR 0006).
    DiskFull,
    /// It was asked to, and everything is safe.
    Stopped,
}

/// kioskd and its disk.
pub struct Kioskd {
    rng: Rng,
    config: Config,
    /// When it dies.
    pub cuts: Cuts,
    journal: Vec<Rc<Entry>>,
    /// The journal folded so far, by a fold of its own (M10).
    fold: Books,
    is_disk_full: bool,
    cache: Option<News>,
    boot: u32,
    run: Option<Run>,
    /// Visits begun.
    pub visits: u64,
}

/// What a process holds in memory.
struct Run {
    kiosk: Kiosk,
    start_ms: u64,
    inbox: VecDeque<Input>,
    /// Waiting for the disk: these records, and then these effects.
    committing: Option<(Vec<Rc<Entry>>, Vec<Effect>)>,
    view: Option<View>,
    screen: u64,
    asked: BTreeMap<u64, Asked>,
    asks: u64,
    sync: Sync,
}

/// A question that has no answer yet.
#[derive(Clone, Copy, Debug)]
enum Asked {
    Session(u64),
    TopUp(Seq),
    Sync,
}

#[derive(Default)]
struct Sync {
    synced: Seq,
    /// Counts plans: a new one replaces the one before.
    due: u64,
    in_flight: bool,
    is_there: bool,
    told: Option<News>,
}

const ORDER_MS: u64 = 2;
const SYNC_EVERY_MS: u64 = 5_000;
const SYNC_AWAY_MS: u64 = 1_000;
const HOTLIST_EVERY_MS: i64 = 60_000;
const BATCH_MAX: usize = 500;

impl Kioskd {
    /// Never started.
    pub fn new(config: Config, cuts: Cuts, rng: Rng) -> Self {
        Self {
            rng,
            config,
            cuts,
            journal: Vec::new(),
            fold: Books::default(),
            is_disk_full: false,
            cache: None,
            boot: 0,
            run: None,
            visits: 0,
        }
    }

    // ---- its life

    /// Starts: folds the journal and lets the core decide what was left open. The devices come
    /// after that.
    pub fn start(&mut self, stage: &mut Stage) -> Result<u32, Death> {
        self.boot += 1;
        stage.note("kioskd", format_args!("starts, {} records", self.journal.len()));
        if stage.planted(Canary::DoubleApply) {
            self.apply_last_again(stage);
        }
        let entries = self.journal.iter().map(|entry| (entry.seq, &entry.record));
        let books = kiosk_core::fold(Books::default(), entries).expect("M10: the journal folds");
        assert!(books == self.fold, "M10: the journal folds to other books than it did");
        self.cuts.started(stage.now_ms);
        self.run = Some(Run {
            kiosk: Kiosk::new(self.config.clone(), books),
            start_ms: stage.now_ms,
            inbox: VecDeque::new(),
            committing: None,
            view: None,
            screen: 0,
            asked: BTreeMap::new(),
            asks: 0,
            sync: Sync::default(),
        });
        self.handle(Event::Booted { version: "sim".to_owned() }, stage)?;
        let boot = self.boot;
        stage.after(1, Happening::Input(boot, Input::Cached));
        self.plan_sync(50, stage);
        if stage.planted(Canary::NewKeyAfterRestart) {
            self.ask_under_new_keys(stage);
        }
        if stage.planted(Canary::PayAgainAfterRestart) {
            self.pay_again(stage);
        }
        Ok(boot)
    }

    /// It is no more. What was on its way to the disk may have arrived.
    pub fn die(&mut self, stage: &mut Stage) {
        let Some(run) = self.run.take() else { return };
        if let Some((entries, _)) = run.committing
            && self.rng.coin()
        {
            stage.note("journal", format_args!("the last transaction had arrived"));
            self.append(entries, stage);
        }
        stage.oracle.kiosk_died();
    }

    /// Is it running?
    pub const fn is_running(&self) -> bool {
        self.run.is_some()
    }

    /// There is room on the disk again.
    pub fn free_disk(&mut self) {
        self.is_disk_full = false;
    }

    /// When the core wants to be woken, in the world's time.
    pub fn deadline_ms(&self) -> Option<u64> {
        let run = self.run.as_ref().filter(|run| run.committing.is_none())?;
        run.kiosk.poll_timeout().map(|(at, _)| run.start_ms + at.0)
    }

    /// What the customer sees, and the number of the screen; `None` = it is dark.
    pub fn screen(&self) -> Option<(&View, u64)> {
        let run = self.run.as_ref()?;
        run.view.as_ref().map(|view| (view, run.screen))
    }

    /// The core's books.
    pub fn books(&self) -> &Books {
        &self.fold
    }

    /// Everything on disk.
    pub fn journal(&self) -> &[Rc<Entry>] {
        &self.journal
    }

    /// Which start this is.
    pub const fn boot(&self) -> u32 {
        self.boot
    }

    // ---- its loop

    /// Something for the loop; it waits while the disk is busy.
    pub fn input(&mut self, boot: u32, input: Input, stage: &mut Stage) -> Result<(), Death> {
        let Some(run) = self.run.as_mut().filter(|_| boot == self.boot) else {
            return Ok(());
        };
        run.inbox.push_back(input);
        self.drain(stage)
    }

    /// The deadline of [`Kioskd::deadline_ms`] has come.
    pub fn timeout(&mut self, stage: &mut Stage) -> Result<(), Death> {
        self.handle(Event::Timeout, stage)?;
        self.drain(stage)
    }

    /// The disk is done.
    pub fn committed(&mut self, boot: u32, stage: &mut Stage) -> Result<(), Death> {
        let run = self.run.as_mut().filter(|_| boot == self.boot);
        let Some((entries, effects)) = run.and_then(|run| run.committing.take()) else {
            return Ok(());
        };
        self.append(entries, stage);
        self.run_effects(effects, stage)?;
        self.drain(stage)
    }

    fn drain(&mut self, stage: &mut Stage) -> Result<(), Death> {
        let boot = self.boot;
        while let Some(run) = self.run.as_mut().filter(|run| run.committing.is_none()) {
            let Some(input) = run.inbox.pop_front() else { break };
            match input {
                Input::Acceptor(event, note) => {
                    if let (acceptor::Event::Escrowed(_), Some(note)) = (&event, note) {
                        stage.oracle.hears_of_escrow(note);
                    }
                    self.handle(Event::Acceptor(event), stage)?;
                }
                Input::Reader(event) => self.handle(Event::Reader(event), stage)?,
                Input::Printer(event) => {
                    if let printer::Event::Printed(job) = event {
                        stage.oracle.paper.is_told_printed(boot, job);
                    }
                    self.handle(Event::Printer(event), stage)?;
                }
                Input::Terminal(event) => self.handle(Event::Terminal(event), stage)?,
                // Made on a screen that is gone, as ui_link.rs has it.
                Input::Action(screen, _) if screen != run.screen => {}
                Input::Action(_, action) => self.handle(Event::Action(action), stage)?,
                Input::Cached => {
                    if let Some(news) = self.cache.clone() {
                        self.tell_news(news, stage)?;
                    }
                }
                Input::Answer(reply) => self.handle(Event::Central(reply), stage)?,
                Input::News(news) => self.synced(news, stage)?,
                Input::Event(event) => self.handle(event, stage)?,
                Input::Stop => self.handle(Event::Stop, stage)?,
            }
        }
        Ok(())
    }

    /// One decision: its records on disk, then its effects.
    fn handle(&mut self, event: Event, stage: &mut Stage) -> Result<(), Death> {
        let Some(run) = self.run.as_mut() else { return Ok(()) };
        let now = Now { mono: Mono(stage.now_ms - run.start_ms), wall: stage.kiosk_wall() };
        if !matches!(event, Event::CentralLink(_)) {
            stage.note("event", format_args!("{:<13} {event:?}", run.kiosk.state()));
        }
        let Step { records, effects } = run.kiosk.handle(now, event);
        if records.is_empty() {
            return self.run_effects(effects, stage);
        }
        let entries: Vec<Rc<Entry>> = records.into_iter().map(Rc::new).collect();
        if stage.planted(Canary::EffectsBeforeCommit) {
            self.run_effects(effects, stage)?;
            self.append(entries, stage);
            return Ok(());
        }
        let moves_value = effects.iter().any(|effect| effect.intent().is_some());
        if stage.planted(Canary::ForgetToJournal) && !moves_value && self.rng.chance(500) {
            return self.run_effects(effects, stage);
        }
        self.is_disk_full |= self.rng.chance(stage.faults.disk_full);
        if self.is_disk_full {
            let ms = self.rng.between(10_000, 300_000);
            stage.after(ms, Happening::DiskFreed);
            return Err(Death::DiskFull);
        }
        let cut = self.cuts.at_commit(entries.len(), stage);
        if cut == Some(Cut::BeforeCommit) {
            return Err(Death::Cut);
        }
        if cut.is_none() && self.rng.chance(stage.faults.disk_slow) {
            let ms = self.rng.between(10, 4_000);
            stage.after(ms, Happening::Committed(self.boot));
            if let Some(run) = &mut self.run {
                run.committing = Some((entries, effects));
            }
            return Ok(());
        }
        self.append(entries, stage);
        self.run_some(effects, cut, stage)
    }

    /// As many of the effects as the power lasts for.
    fn run_some(
        &mut self,
        mut effects: Vec<Effect>,
        cut: Option<Cut>,
        stage: &mut Stage,
    ) -> Result<(), Death> {
        let keep = match cut {
            None => return self.run_effects(effects, stage),
            Some(Cut::BeforeCommit | Cut::BeforeEffects) => 0,
            Some(Cut::AmidEffects) => effects.len() / 2,
            Some(Cut::AfterEffects) => effects.len(),
        };
        effects.truncate(keep);
        self.run_effects(effects, stage)?;
        Err(Death::Cut)
    }

    fn append(&mut self, entries: Vec<Rc<Entry>>, stage: &mut Stage) {
        for entry in entries {
            let Entry { seq, record, .. } = &*entry;
            stage.note("record", format_args!("{seq} {record:?}"));
            stage.oracle.reads(seq.0, record);
            self.visits += u64::from(matches!(record, Record::SessionStarted { .. }));
            self.fold.apply(*seq, record).expect("M10: what the core wrote does not fold");
            self.journal.push(entry);
        }
        if let Some(run) = &self.run
            && run.committing.is_none()
        {
            assert!(*run.kiosk.books() == self.fold, "M10: live books are not the journal's");
        }
        if self.run.as_ref().is_some_and(|run| run.sync.is_there && !run.sync.in_flight) {
            self.plan_sync(20, stage);
        }
    }

    // ---- its effects

    fn run_effects(&mut self, effects: Vec<Effect>, stage: &mut Stage) -> Result<(), Death> {
        for effect in effects {
            let order = effect.intent();
            match effect {
                Effect::Acceptor(acceptor::Command::Acknowledge)
                    if stage.planted(Canary::DropAck) => {}
                Effect::Acceptor(command) => self.order(Order::Acceptor(command), stage),
                Effect::Stack(intent) => {
                    stage.oracle.sends_stack(intent.0);
                    self.order(Order::Acceptor(acceptor::Command::Stack), stage);
                }
                Effect::Reader(command) => self.order(Order::Reader(command), stage),
                Effect::Printer(command) => self.order(Order::Printer(command), stage),
                Effect::Terminal(command) => {
                    if let Some(order) = order {
                        stage.oracle.sends_to_terminal(order.0);
                    }
                    self.order(Order::Terminal(command), stage);
                }
                Effect::Central(request) => self.ask_central(request, stage),
                Effect::Show { view, new } => self.show(view, new, stage),
                Effect::Stopped => return Err(Death::Stopped),
            }
        }
        Ok(())
    }

    fn order(&self, order: Order, stage: &mut Stage) {
        stage.note("effect", format_args!("{order:?}"));
        if let Order::Printer(printer::Command::Print { job, document }) = &order {
            stage.oracle.paper.is_ordered(self.boot, *job, document);
        }
        stage.after(ORDER_MS, Happening::Order(self.boot, order));
    }

    fn show(&mut self, view: View, new: bool, stage: &mut Stage) {
        let Some(run) = &mut self.run else { return };
        run.screen += u64::from(new);
        if new {
            stage.note("screen", format_args!("{:?}", view.screen.name()));
        }
        tells_the_truth(&view, stage);
        run.view = Some(view);
    }

    // ---- central

    fn ask_central(&mut self, request: CentralRequest, stage: &mut Stage) {
        let (asked, ask) = match request {
            CentralRequest::OpenSession { attempt, number, uid, pin } => {
                let card = CardRef::new(&CardRefKey([7; 32]), *number.reveal(), *uid.reveal());
                (Asked::Session(attempt), Ask::Session(card, pin.reveal() == RIGHT_PIN))
            }
            CentralRequest::TopUp { intent, key, card_ref, amount, tender, .. } => {
                stage.oracle.sends_top_up(intent.0, card_ref, amount.cents());
                let key = match stage.planted(Canary::ReuseKey) {
                    true => self.first_key(),
                    false => key.seq.0,
                };
                (Asked::TopUp(intent), Ask::TopUp(key, card_ref, amount, tender))
            }
        };
        self.ask(asked, ask, stage);
    }

    fn ask(&mut self, asked: Asked, ask: Ask, stage: &mut Stage) {
        let Some(run) = &mut self.run else { return };
        run.asks += 1;
        run.asked.insert(run.asks, asked);
        let question = Question { boot: self.boot, id: run.asks, ask };
        stage.after(0, Happening::Asked(question));
    }

    /// Central has answered, unless nobody waits for it any more.
    pub fn answered(
        &mut self,
        boot: u32,
        id: u64,
        answer: Option<Answer>,
        stage: &mut Stage,
    ) -> Result<(), Death> {
        let run = self.run.as_mut().filter(|_| boot == self.boot);
        let Some(asked) = run.and_then(|run| run.asked.remove(&id)) else {
            return Ok(());
        };
        let reply = match (asked, answer) {
            (Asked::Session(attempt), Some(Answer::Session(reply))) => {
                CentralReply::Session { attempt, reply }
            }
            (Asked::Session(attempt), _) => {
                CentralReply::Session { attempt, reply: SessionReply::Away }
            }
            (Asked::TopUp(intent), Some(Answer::TopUp(reply))) => {
                CentralReply::TopUp { intent, reply }
            }
            (Asked::TopUp(intent), _) if stage.planted(Canary::SilenceIsYes) => {
                let balance = domain::Amount::ZERO;
                let reply = TopUpReply::Accepted { ledger_ref: String::new(), balance };
                CentralReply::TopUp { intent, reply }
            }
            (Asked::TopUp(intent), _) => CentralReply::TopUp { intent, reply: TopUpReply::Away },
            (Asked::Sync, Some(Answer::Sync(news))) => {
                return self.input(boot, Input::News(Some(news)), stage);
            }
            (Asked::Sync, _) => return self.input(boot, Input::News(None), stage),
        };
        self.input(boot, Input::Answer(reply), stage)
    }

    /// The time has come to look for news at central, and to ship the journal.
    pub fn sync_due(&mut self, boot: u32, due: u64, stage: &mut Stage) {
        let run = self.run.as_mut().filter(|run| boot == self.boot && run.sync.due == due);
        let Some(run) = run.filter(|run| !run.sync.in_flight) else { return };
        run.sync.in_flight = true;
        let first = usize::try_from(run.sync.synced.0).expect("a journal in memory");
        let batch = self.journal.iter().skip(first).take(BATCH_MAX).cloned().collect();
        if stage.planted(Canary::SyncedTooEarly) {
            run.sync.synced = Seq(self.journal.len() as u64);
        }
        self.ask(Asked::Sync, Ask::Sync(batch), stage);
    }

    fn plan_sync(&mut self, ms: u64, stage: &mut Stage) {
        let Some(run) = &mut self.run else { return };
        run.sync.due += 1;
        stage.after(ms, Happening::SyncDue(self.boot, run.sync.due));
    }

    fn synced(&mut self, news: Option<Box<News>>, stage: &mut Stage) -> Result<(), Death> {
        let Some(run) = &mut self.run else { return Ok(()) };
        run.sync.in_flight = false;
        run.sync.is_there = news.is_some();
        let Some(news) = news else {
            self.plan_sync(SYNC_AWAY_MS, stage);
            return self.handle_or_wait(Event::CentralLink(CentralLink::Away), stage);
        };
        let tail = Seq(self.journal.len() as u64);
        assert!(news.acked <= tail, "M8: central has more of the journal than there is");
        run.sync.synced = run.sync.synced.max(news.acked);
        let more = run.sync.synced < tail;
        self.plan_sync(if more { 20 } else { SYNC_EVERY_MS }, stage);
        self.cache = Some(*news.clone());
        self.tell_news(*news, stage)?;
        self.handle_or_wait(Event::CentralLink(CentralLink::There), stage)
    }

    /// Settings and hotlist, where they are news to the core.
    fn tell_news(&mut self, news: News, stage: &mut Stage) -> Result<(), Death> {
        let Some(run) = &mut self.run else { return Ok(()) };
        let told = run.sync.told.replace(news.clone());
        if told.as_ref().is_none_or(|told| told.settings != news.settings) {
            self.handle_or_wait(Event::Settings(news.settings.clone()), stage)?;
        }
        let confirmed = |told: &News| {
            told.hotlist.version == news.hotlist.version
                && news.hotlist.confirmed_ms - told.hotlist.confirmed_ms < HOTLIST_EVERY_MS
        };
        if told.as_ref().is_some_and(confirmed) {
            // Told again when it is a minute old.
            if let (Some(run), Some(told)) = (&mut self.run, told) {
                run.sync.told = Some(News { hotlist: told.hotlist, ..news });
            }
            return Ok(());
        }
        self.handle_or_wait(Event::Hotlist(news.hotlist), stage)
    }

    /// At once, or after what waits for the disk.
    fn handle_or_wait(&mut self, event: Event, stage: &mut Stage) -> Result<(), Death> {
        match self.run.as_mut().filter(|run| run.committing.is_some()) {
            Some(run) => {
                run.inbox.push_front(Input::Event(event));
                Ok(())
            }
            None => self.handle(event, stage),
        }
    }

    // ---- planted bugs

    fn apply_last_again(&mut self, stage: &mut Stage) {
        let Some(last) = self.journal.last().cloned() else { return };
        let again = Entry { seq: last.seq.next(), ..Entry::clone(&last) };
        self.append(vec![Rc::new(again)], stage);
    }

    fn ask_under_new_keys(&mut self, stage: &mut Stage) {
        let open = self.fold.intents().filter_map(|(seq, open)| match &open.act {
            kiosk_core::Act::TopUp { card_ref, amount, .. } => {
                Some(Ask::TopUp(seq.0 + 1_000_000, *card_ref, *amount, Tender::Cash))
            }
            kiosk_core::Act::Stack { .. }
            | kiosk_core::Act::Payment { .. }
            | kiosk_core::Act::Reversal { .. } => None,
        });
        for ask in open.collect::<Vec<_>>() {
            self.ask(Asked::Session(0), ask, stage);
        }
    }

    fn pay_again(&mut self, stage: &mut Stage) {
        let Some((intent, open)) = self.fold.at_terminal() else { return };
        let kiosk_core::Act::Payment { amount, .. } = open.act else { return };
        stage.oracle.sends_to_terminal(intent.0);
        let operation = Operation(u32::try_from(intent.0).expect("a journal in memory"));
        let capture = Capture::AtOnce;
        let command = Command::Authorise { operation, amount, mark: None, capture };
        self.order(Order::Terminal(command), stage);
    }

    fn first_key(&self) -> u64 {
        let mut orders = self.journal.iter();
        let first = orders.find(|entry| matches!(entry.record, Record::TopUpOrdered { .. }));
        first.map_or(0, |entry| entry.seq.0)
    }
}

/// The PIN of everybody in this town.
pub const RIGHT_PIN: &str = "271828";

/// The screen says what the books say, and to whom they say it.
fn tells_the_truth(view: &View, stage: &Stage) {
    let Some(here) = stage.oracle.card_here() else { return };
    if let Screen::Home(home) = &view.screen {
        let holder = (0..crate::world::HOLDERS).find(|holder| card(*holder).card_ref == here);
        let name = holder.map(holder_name);
        assert!(
            name.as_ref() == Some(&home.holder),
            "S1: {} sees {}",
            name.unwrap_or_default(),
            home.holder
        );
    }
    if let Screen::Inserting(inserting) = &view.screen {
        let (shown, booked) = (inserting.inserted.cents(), stage.oracle.credit());
        assert!(shown == booked, "S1: {shown} cents are shown as inserted, {booked} are booked");
    }
}
