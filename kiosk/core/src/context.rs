use std::collections::BTreeMap;
use std::time::Duration;

use domain::{Amount, Lang, RechargeRules, Tender};
use driver_api::{acceptor, card_reader, printer};
use kiosk_records::{
    Account, ClaimBasis, Disposition, DoubtReason, Evidence, HandBackReason, IntentId, Posting,
    Record, Seq,
};
use ui_proto::{Prefs, View};

use crate::canary::{Canary, planted};
use crate::devices::Devices;
use crate::queue::Queue;
use crate::timer::Timers;
use crate::{
    Act, Books, CentralLink, CentralRequest, Config, Effect, Entry, Hotlist, Now, Step, Timer,
};

/// Everything around the flow: what it may look at, and the only ways in which it may act.
pub(crate) struct Context {
    pub(crate) config: Config,
    pub(crate) books: Books,
    pub(crate) rules: RechargeRules,
    pub(crate) municipality: BTreeMap<Lang, String>,
    pub(crate) hotlist: Option<Hotlist>,
    /// `None` = not heard of since the start.
    pub(crate) central: Option<CentralLink>,
    pub(crate) devices: Devices,
    pub(crate) queue: Queue,
    pub(crate) timers: Timers,
    pub(crate) now: Now,
    pub(crate) lang: Lang,
    pub(crate) prefs: Prefs,
    /// Seconds left on the idle warning.
    pub(crate) ends_in_s: Option<u16>,
    pub(crate) stopping: bool,
    /// Counts questions about a PIN.
    pub(crate) attempt: u64,
    clock_offset_ms: Option<i64>,
    next_job: u64,
    shown: Option<View>,
    step: Step,
}

impl Context {
    pub(crate) fn new(config: Config, books: Books) -> Self {
        Self {
            rules: config.rules.clone(),
            municipality: BTreeMap::new(),
            lang: config.lang,
            config,
            books,
            hotlist: None,
            central: None,
            devices: Devices::default(),
            queue: Queue::default(),
            timers: Timers::default(),
            now: Now::default(),
            prefs: Prefs::default(),
            ends_in_s: None,
            stopping: false,
            attempt: 0,
            clock_offset_ms: None,
            next_job: 0,
            shown: None,
            step: Step::default(),
        }
    }

    /// Central cannot be asked now, as far as we know.
    pub(crate) fn central_away(&self) -> bool {
        self.central != Some(CentralLink::There)
    }

    pub(crate) fn begin(&mut self, now: Now) {
        assert!(self.step.records.is_empty(), "the step before was not taken");
        self.now = now;
    }

    /// Writes down when the wall clock jumped against the monotonic one.
    pub(crate) fn watch_clock(&mut self) {
        let offset_ms = self.now.wall.utc_ms - i64::try_from(self.now.mono.0).unwrap_or(i64::MAX);
        let by_ms = offset_ms - self.clock_offset_ms.replace(offset_ms).unwrap_or(offset_ms);
        if by_ms.abs() > CLOCK_STEP_MIN_MS {
            self.record(Record::ClockStepped { by_ms });
        }
    }

    /// The municipality's name in the visit's language.
    pub(crate) fn municipality(&self) -> &str {
        self.municipality.get(&self.lang).unwrap_or(&self.config.municipality)
    }

    pub(crate) fn finish(&mut self) -> Step {
        std::mem::take(&mut self.step)
    }

    /// Writes down and applies at once: what follows in this step sees it.
    pub(crate) fn record(&mut self, record: Record) -> Seq {
        let seq = self.books.seq().next();
        let visit_before = self.books.visit().map(|visit| visit.id);
        self.books.apply(seq, &record).expect("the flow writes only what the books allow");
        let visit = self.books.visit().map(|visit| visit.id).or(visit_before);
        self.step.records.push(Entry { seq, visit, record });
        seq
    }

    pub(crate) fn effect(&mut self, effect: Effect) {
        self.step.effects.push(effect);
    }

    pub(crate) fn acceptor(&mut self, command: acceptor::Command) {
        self.effect(Effect::Acceptor(command));
    }

    pub(crate) fn reader(&mut self, command: card_reader::Command) {
        self.effect(Effect::Reader(command));
    }

    pub(crate) fn print(&mut self, document: printer::Document) -> printer::JobId {
        self.next_job += 1;
        let job = printer::JobId(self.next_job);
        self.effect(Effect::Printer(printer::Command::Print { job, document }));
        self.arm(Timer::PrinterSilent);
        job
    }

    pub(crate) fn show(&mut self, view: View) {
        if self.shown.as_ref() == Some(&view) {
            return;
        }
        let before = self.shown.as_ref().map(|shown| shown.screen.name());
        let new = before != Some(view.screen.name());
        self.shown = Some(view.clone());
        self.effect(Effect::Show { view, new });
    }

    /// Arms a timer for as long as the configuration says.
    pub(crate) fn arm(&mut self, timer: Timer) {
        let at = self.now.mono + self.span(timer);
        self.timers.arm(timer, at);
    }

    fn span(&self, timer: Timer) -> Duration {
        let timing = &self.config.timing;
        match timer {
            Timer::CustomerIdle => timing.customer_idle,
            Timer::WarningTick => Duration::from_secs(1),
            Timer::CardSilent => timing.card_silent,
            Timer::PinUnanswered => timing.pin_unanswered,
            Timer::AcceptorSilent => timing.acceptor_silent,
            Timer::PathNotEmpty => timing.path_not_empty,
            Timer::TopUpUnanswered => timing.top_up_unanswered,
            Timer::TopUpAskAgain => timing.top_up_ask_again,
            Timer::AskQueued => timing.ask_queued,
            Timer::TerminalSilent => timing.terminal_silent,
            Timer::AskTerminal => timing.ask_terminal,
            Timer::PaymentUnresolved => timing.payment_unresolved,
            Timer::GiveBack => timing.give_back,
            Timer::CardDay => timing.card_day,
            Timer::PrinterSilent => timing.printer_silent,
            Timer::Linger => timing.linger,
            Timer::RecoveryUnanswered => timing.recovery_unanswered,
            Timer::Unheard => timing.unheard,
        }
    }

    /// Arms it unless it runs already.
    pub(crate) fn arm_once(&mut self, timer: Timer) {
        if !self.timers.is_armed(timer) {
            self.arm(timer);
        }
    }

    /// Shorter than the usual linger: the good-bye.
    pub(crate) fn arm_goodbye(&mut self) {
        self.timers.arm(Timer::Linger, self.now.mono + self.config.timing.goodbye);
    }

    /// The customer is here: the idle clock starts anew.
    pub(crate) fn touched(&mut self) {
        self.ends_in_s = None;
        self.timers.disarm(Timer::WarningTick);
        self.arm(Timer::CustomerIdle);
    }

    /// The name of an intent of this kiosk: idempotency key and operation number.
    pub(crate) fn intent_id(&self, seq: Seq) -> IntentId {
        IntentId { kiosk: self.config.kiosk.clone(), seq }
    }

    /// May this much more be taken unseen by central? The hotlist must be fresh and the queue
    /// have room.
    pub(crate) fn offline_room(&self) -> Amount {
        let policy = &self.rules.offline;
        let age_max_ms = i64::from(policy.hotlist_age_max_h) * 3_600_000;
        let fresh = self.hotlist.as_ref().is_some_and(|hotlist| {
            self.now.wall.utc_ms.saturating_sub(hotlist.confirmed_ms) <= age_max_ms
        });
        if !fresh {
            return Amount::ZERO;
        }
        let queue_room = policy.max_queued.saturating_sub(self.books.queued());
        policy.max_per_visit.min(queue_room)
    }

    // What moves value, each with its record. Nothing else in this crate builds a posting.

    /// Orders the escrowed note into the cash unit.
    pub(crate) fn order_stack(&mut self, note: Amount) -> Seq {
        let stacked_total = self.devices.acceptor.stacked_total();
        let intent = self.record(Record::StackOrdered { note, stacked_total });
        self.effect(Effect::Stack(intent));
        self.arm(Timer::AcceptorSilent);
        intent
    }

    /// The ordered note is in the cash unit: the customer's, or the office's debt when the visit
    /// is over or the customer holds a claim for it.
    pub(crate) fn note_stacked(&mut self, intent: Seq, note: Amount, evidence: Evidence) {
        let open = self.books.intent(intent).expect("the caller found it open");
        let here = self.books.visit().is_some_and(|visit| Some(visit.id) == open.visit);
        let owed = if here && !open.is_claimed() {
            Account::CustomerCredit
        } else {
            Account::ClaimsPayable
        };
        let posting = Posting::transfer(Account::Cashbox, owed, note);
        self.record(Record::Stacked { intent, evidence, posting });
    }

    pub(crate) fn note_returned(&mut self, intent: Seq, evidence: Evidence) {
        self.record(Record::NoteReturned { intent, evidence });
    }

    pub(crate) fn note_in_doubt(&mut self, intent: Seq, reason: DoubtReason) {
        if !planted(Canary::CounterOutlivesDoubt) {
            self.devices.acceptor.forget_count();
        }
        self.record(Record::StackInDoubt { intent, reason });
    }

    pub(crate) fn handed_back(&mut self, note: Amount, reason: HandBackReason) {
        self.record(Record::NoteHandedBack { note, reason });
    }

    /// Orders the customer's whole credit onto the wallet; asking central is the next step.
    pub(crate) fn order_top_up(&mut self) -> Seq {
        let visit = self.books.visit().expect("credit exists only in a visit (M4)");
        let (card_ref, offline) = (visit.card_ref, visit.offline);
        let amount = self.books.customer_credit();
        let payment = self.books.paid().find(|(_, paid)| paid.is_unordered() && !paid.is_late);
        let payment = payment.map(|(payment, _)| payment);
        let at = self.now.wall;
        self.record(Record::TopUpOrdered { card_ref, amount, offline, at, payment })
    }

    /// Orders what was paid by a customer who did not wait for it; asking central is the queue's.
    pub(crate) fn order_late_top_up(&mut self, payment: Seq) {
        let paid = self.books.paid().find(|(order, _)| *order == payment);
        let (_, paid) = paid.expect("it was approved in this step");
        let (card_ref, amount, at) = (paid.card_ref, paid.amount, self.now.wall);
        let payment = Some(payment);
        self.record(Record::TopUpOrdered { card_ref, amount, offline: false, at, payment });
        self.arm_once(Timer::AskQueued);
    }

    /// Asks central about a top-up that the books hold open. Harmless when repeated: same key.
    pub(crate) fn ask_top_up(&mut self, intent: Seq) {
        let Some(open) = self.books.intent(intent) else {
            return;
        };
        let Act::TopUp { card_ref, amount, offline, at, payment, .. } = open.act else {
            return;
        };
        let key = self.intent_id(intent);
        let tender = if payment.is_some() { Tender::Card } else { Tender::Cash };
        let request = CentralRequest::TopUp { intent, key, card_ref, amount, offline, at, tender };
        self.effect(Effect::Central(request));
    }

    /// Central gave its last word on a top-up of this visit or a queued one.
    pub(crate) fn top_up_answered(&mut self, intent: Seq, amount: Amount, reply: FinalReply) {
        let queued = self.books.top_up_in_flight().is_none_or(|(seq, _)| seq != intent);
        let from = if queued { Account::TopUpsQueued } else { Account::CustomerCredit };
        self.record(match reply {
            FinalReply::Accepted { ledger_ref } => {
                let posting = Posting::transfer(from, Account::WalletPayable, amount);
                Record::TopUpAccepted { intent, ledger_ref, posting }
            }
            FinalReply::Refused(reason) => {
                let posting = Posting::transfer(from, Account::ClaimsPayable, amount);
                Record::TopUpRefused { intent, reason, posting }
            }
        });
    }

    /// No answer while the customer is here: it is asked for from the queue.
    pub(crate) fn queue_top_up(&mut self, intent: Seq, amount: Amount) {
        let posting = Posting::transfer(Account::CustomerCredit, Account::TopUpsQueued, amount);
        self.record(Record::TopUpQueued { intent, posting });
        self.arm_once(Timer::AskQueued);
    }

    /// The customer holds a claim for a note or a payment in doubt; nothing is booked until it is
    /// settled.
    pub(crate) fn claim_in_doubt(&mut self, intent: Seq, amount: Amount) {
        if planted(Canary::ForgetDoubt) {
            return;
        }
        let basis = ClaimBasis::InDoubt(intent);
        self.record(Record::ClaimIssued { amount, basis, posting: None });
    }

    /// The visit is over. Its money is all accounted for, or the books refuse (M4, M5).
    pub(crate) fn end_visit(&mut self, disposition: Disposition) {
        let Some(visit) = self.books.visit() else {
            return;
        };
        let record = Record::SessionEnded {
            disposition,
            tendered: visit.tendered,
            credited: visit.credited,
            queued: visit.queued,
            claimed: visit.claimed,
            given_back: visit.given_back,
        };
        self.record(record);
    }
}

/// A smaller jump of the wall clock is ordinary discipline.
const CLOCK_STEP_MIN_MS: i64 = 60_000;

/// An answer of central that closes a top-up.
pub(crate) enum FinalReply {
    Accepted { ledger_ref: String },
    Refused(kiosk_records::TopUpRefusal),
}
