use std::collections::BTreeMap;
use std::time::Duration;

use domain::Mono;

/// Why the kiosk wants to be woken. Every deadline has its reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Timer {
    /// The customer has not touched anything: warn.
    CustomerIdle,
    /// One second less on the warning.
    WarningTick,
    /// A card shows no result.
    CardSilent,
    /// Central has not answered about the PIN.
    PinUnanswered,
    /// The acceptor has not said what became of a note.
    AcceptorSilent,
    /// The note path has not become empty.
    PathNotEmpty,
    /// Central has not answered about a top-up: queue it.
    TopUpUnanswered,
    /// Ask central again about the top-up of the customer who is here.
    TopUpAskAgain,
    /// Ask central again about the queued top-ups.
    AskQueued,
    /// The terminal has not said what became of an order: ask it.
    TerminalSilent,
    /// Ask the terminal again about an order in doubt.
    AskTerminal,
    /// Whether the customer who is here has paid could not be found out.
    PaymentUnresolved,
    /// The terminal refused to give a payment back: order it again.
    GiveBack,
    /// See whether the terminal's day is to be closed.
    CardDay,
    /// The printer has not said what became of a receipt.
    PrinterSilent,
    /// This screen has been read by now.
    Linger,
    /// The devices have not told what happened before the power cut.
    RecoveryUnanswered,
    /// Who has not spoken since the start, device or central, is not worth waiting for any longer.
    Unheard,
}

/// How long each of them is. Configuration; every value in ms of the monotonic clock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Timing {
    /// Until the warning.
    pub customer_idle: Duration,
    /// Length of the warning, at least 20 s [WCAG 2.2.1].
    pub warning: Duration,
    /// See [`Timer::CardSilent`].
    pub card_silent: Duration,
    /// See [`Timer::PinUnanswered`].
    pub pin_unanswered: Duration,
    /// See [`Timer::AcceptorSilent`]; a slow stacker needs a few seconds.
    pub acceptor_silent: Duration,
    /// See [`Timer::PathNotEmpty`].
    pub path_not_empty: Duration,
    /// See [`Timer::TopUpUnanswered`].
    pub top_up_unanswered: Duration,
    /// See [`Timer::TopUpAskAgain`].
    pub top_up_ask_again: Duration,
    /// See [`Timer::AskQueued`].
    pub ask_queued: Duration,
    /// See [`Timer::TerminalSilent`]; longer than any terminal waits for customer and bank.
    pub terminal_silent: Duration,
    /// See [`Timer::AskTerminal`].
    pub ask_terminal: Duration,
    /// See [`Timer::PaymentUnresolved`].
    pub payment_unresolved: Duration,
    /// See [`Timer::GiveBack`].
    pub give_back: Duration,
    /// See [`Timer::CardDay`].
    pub card_day: Duration,
    /// See [`Timer::PrinterSilent`].
    pub printer_silent: Duration,
    /// A refusal, a done screen without a choice.
    pub linger: Duration,
    /// The good-bye.
    pub goodbye: Duration,
    /// See [`Timer::RecoveryUnanswered`].
    pub recovery_unanswered: Duration,
    /// See [`Timer::Unheard`].
    pub unheard: Duration,
}

impl Timing {
    /// The shortest warning the law leaves us.
    pub const WARNING_MIN: Duration = Duration::from_secs(20);
}

impl Default for Timing {
    fn default() -> Self {
        let s = Duration::from_secs;
        Self {
            customer_idle: s(60),
            warning: s(30),
            card_silent: s(5),
            pin_unanswered: s(12),
            acceptor_silent: s(15),
            path_not_empty: s(8),
            top_up_unanswered: s(12),
            top_up_ask_again: s(2),
            ask_queued: s(10),
            terminal_silent: s(300),
            ask_terminal: s(5),
            payment_unresolved: s(60),
            give_back: s(60),
            card_day: s(900),
            printer_silent: s(40),
            linger: s(12),
            goodbye: s(5),
            recovery_unanswered: s(30),
            unheard: s(30),
        }
    }
}

/// Deadlines by reason; one of each at most.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Timers(BTreeMap<Timer, Mono>);

impl Timers {
    pub(crate) fn arm(&mut self, timer: Timer, at: Mono) {
        self.0.insert(timer, at);
    }

    pub(crate) fn disarm(&mut self, timer: Timer) {
        self.0.remove(&timer);
    }

    /// All but those that belong to no visit.
    pub(crate) fn disarm_visit(&mut self) {
        self.0.retain(|timer, _| {
            matches!(
                timer,
                Timer::AskQueued
                    | Timer::Unheard
                    | Timer::TerminalSilent
                    | Timer::AskTerminal
                    | Timer::GiveBack
                    | Timer::CardDay
            )
        });
    }

    pub(crate) fn is_armed(&self, timer: Timer) -> bool {
        self.0.contains_key(&timer)
    }

    pub(crate) fn next(&self) -> Option<(Mono, Timer)> {
        self.0.iter().map(|(timer, at)| (*at, *timer)).min()
    }

    /// Takes the earliest that has come.
    pub(crate) fn pop_due(&mut self, now: Mono) -> Option<Timer> {
        let (_, timer) = self.next().filter(|(at, _)| *at <= now)?;
        self.0.remove(&timer);
        Some(timer)
    }
}
