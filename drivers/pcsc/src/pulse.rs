use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use driver_api::card_reader::Command;
use driver_mifare::Orders;
use pcsc::Context;

/// What the working thread and its watch share.
#[derive(Default)]
pub(crate) struct Pulse(Mutex<State>);

#[derive(Default)]
struct State {
    /// When the PC/SC call began that the worker is in.
    call_since: Option<Instant>,
    abandoned: bool,
    orders: Orders,
    /// Counts the orders, and those of them that the worker has seen.
    ordered: u64,
    heeded: u64,
    /// To wake the worker where it waits for cards.
    context: Option<Context>,
}

/// The watch has left this thread behind, or the kiosk ends: report nothing, end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Abandoned;

impl Pulse {
    /// With orders that were given to another.
    pub(crate) fn with_orders(orders: Orders) -> Self {
        Self(Mutex::new(State { orders, ordered: 1, ..State::default() }))
    }

    /// Runs a call into PC/SC under the eyes of the watch. Once it came back in time, the thread is
    /// safe from being abandoned until its next call.
    pub(crate) fn call<T>(&self, f: impl FnOnce() -> T) -> Result<T, Abandoned> {
        {
            let mut state = self.lock();
            if state.abandoned {
                return Err(Abandoned);
            }
            state.call_since = Some(Instant::now());
        }
        let result = f();
        let mut state = self.lock();
        state.call_since = None;
        if state.abandoned {
            return Err(Abandoned);
        }
        Ok(result)
    }

    /// The orders now; from here on they count as seen.
    pub(crate) fn heed(&self) -> Orders {
        let mut state = self.lock();
        state.heeded = state.ordered;
        state.orders
    }

    /// Leaves a context with the watch, which cancels its wait when there are new orders.
    pub(crate) fn wake_by(&self, context: Option<Context>) {
        self.lock().context = context;
    }

    pub(crate) fn is_abandoned(&self) -> bool {
        self.lock().abandoned
    }

    pub(crate) fn order(&self, command: &Command) {
        let mut state = self.lock();
        state.ordered += 1;
        state.orders.take(command);
    }

    pub(crate) fn orders(&self) -> Orders {
        self.lock().orders
    }

    /// Wakes the worker if it has not seen its orders yet. To be repeated: a cancel that comes just
    /// before the wait begins is lost.
    pub(crate) fn wake(&self) -> bool {
        let (is_pending, context) = {
            let state = self.lock();
            let is_pending = state.heeded != state.ordered || state.abandoned;
            (is_pending, state.context.clone())
        };
        if is_pending && let Some(context) = context {
            // It fails when nobody waits, which is what is wanted.
            let _ = context.cancel();
        }
        is_pending
    }

    /// Gives the worker up if its call takes longer than `limit`.
    pub(crate) fn abandon_if_hung(&self, limit: Duration) -> bool {
        let mut state = self.lock();
        let hung = state.call_since.is_some_and(|since| since.elapsed() > limit);
        state.abandoned |= hung;
        hung
    }

    pub(crate) fn abandon(&self) {
        self.lock().abandoned = true;
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_that_came_back_too_late_is_told_so() {
        let pulse = Pulse::default();
        let result = pulse.call(|| {
            // Any time at all is too long here.
            while !pulse.abandon_if_hung(Duration::ZERO) {}
        });
        assert_eq!(result, Err(Abandoned));
        assert_eq!(pulse.call(|| ()), Err(Abandoned));
    }

    #[test]
    fn who_is_in_no_call_does_not_hang() {
        let pulse = Pulse::default();
        pulse.call(|| ()).unwrap();
        assert!(!pulse.abandon_if_hung(Duration::ZERO));
    }

    #[test]
    fn an_order_is_pending_until_it_is_heeded() {
        let pulse = Pulse::default();
        assert!(!pulse.wake());
        pulse.order(&Command::Arm);
        assert!(pulse.wake());
        assert!(pulse.heed().are_armed());
        assert!(!pulse.wake());
    }
}
