//! The kiosk as one deterministic state machine. An [`Event`] in, a [`Step`] out: records to
//! commit, then effects to run. No I/O, no clock, no randomness, no threads; the daemon and the
//! simulator are two shells around it.
//!
//! What survives a power cut is [`Books`]; it changes by [`Books::apply`] alone. What the customer
//! is doing is a flow; a crash loses it, and [`Kiosk::handle`] of [`Event::Booted`] picks up what
//! the books say was open.

#![warn(missing_docs)]

mod books;
pub mod canary;
mod config;
mod context;
mod devices;
mod event;
mod flow;
mod invariants;
mod queue;
mod receipt;
mod settle;
mod till;
mod timer;
mod view;

use domain::Mono;
use kiosk_records::{Record, Seq};

pub use crate::books::{
    Accuracy, Act, Books, BooksError, CashUnit, LastStacked, Ledger, OpenIntent, Paid, VisitSums,
};
pub use crate::config::Config;
pub use crate::event::{
    Account, CentralLink, CentralReply, CentralRequest, Denied, Effect, Entry, Event, Hotlist, Now,
    SessionReply, Settings, Step, TopUpReply,
};
pub use crate::timer::{Timer, Timing};

use crate::context::Context;
use crate::flow::Flow;

/// One kiosk.
pub struct Kiosk {
    flow: Flow,
    context: Context,
}

impl Kiosk {
    /// From what the journal folded to. Hand it [`Event::Booted`] before anything else, and open
    /// the devices only after that: their first words tell what happened before the power cut.
    pub fn new(config: Config, books: Books) -> Self {
        Self { flow: Flow::Starting, context: Context::new(config, books) }
    }

    /// Takes one input and decides. Commit the records, then run the effects, before the next call.
    ///
    /// # Panics
    /// When an invariant is broken: a bug, after which nothing is safe but a restart.
    pub fn handle(&mut self, now: Now, event: Event) -> Step {
        let before = invariants::Totals::of(&self.context.books);
        self.context.begin(now);
        self.context.watch_clock();
        let flow = std::mem::replace(&mut self.flow, Flow::Starting);
        self.flow = if matches!(event, Event::Timeout) {
            self.handle_due(flow)
        } else {
            flow::step(flow, flow::Input::Event(event), &mut self.context)
        };
        let view = view::view(&self.flow, &self.context);
        self.context.show(view);
        let step = self.context.finish();
        invariants::assert_step(&self.context.books, &before, &step);
        step
    }

    /// The earliest deadline and why it exists.
    pub fn poll_timeout(&self) -> Option<(Mono, Timer)> {
        self.context.timers.next()
    }

    /// The durable state.
    pub fn books(&self) -> &Books {
        &self.context.books
    }

    /// The state's name, for logs and tables.
    pub fn state(&self) -> &'static str {
        self.flow.name()
    }

    fn handle_due(&mut self, mut flow: Flow) -> Flow {
        while let Some(timer) = self.context.timers.pop_due(self.context.now.mono) {
            flow = flow::step(flow, flow::Input::Timer(timer), &mut self.context);
        }
        flow
    }
}

/// Folds records onto books, as start-up and audit do.
pub fn fold<'a>(
    mut books: Books,
    records: impl IntoIterator<Item = (Seq, &'a Record)>,
) -> Result<Books, BooksError> {
    for (seq, record) in records {
        books.apply(seq, record)?;
    }
    Ok(books)
}
