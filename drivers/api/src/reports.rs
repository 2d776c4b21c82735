//! What a driver of a card terminal tells the core, in the order that the core relies on: ready
//! once a line, idle once after each answer, a fault until it is cleared, a lost line once.

use std::collections::VecDeque;

use crate::payment_terminal::{Capabilities, Event};
use crate::{Fault, FaultKind};

/// The events of a terminal, and what was told before.
#[derive(Debug, Default)]
pub struct Reports {
    events: VecDeque<Event>,
    /// [`Event::Ready`] was reported and [`Event::LinkLost`] was not since.
    is_ready: bool,
    /// [`Event::LinkLost`] was reported and [`Event::Ready`] was not since.
    is_lost: bool,
    /// Something ended since the last [`Event::Ready`] or [`Event::Idle`].
    owes_idle: bool,
    /// Reported and not cleared.
    fault: Option<FaultKind>,
    /// Unanswered looks in a row.
    misses: u8,
}

impl Reports {
    /// Says it.
    pub fn say(&mut self, event: Event) {
        self.events.push_back(event);
    }

    /// Says what an order or a question came to: the core waits for [`Event::Idle`] then.
    pub fn answer(&mut self, event: Event) {
        self.say(event);
        self.owe_idle();
    }

    /// The core waits for [`Event::Idle`]; of a terminal that is not ready, for [`Event::Ready`].
    pub fn owe_idle(&mut self) {
        self.owes_idle |= self.is_ready;
    }

    /// It is registered, and nothing is under way.
    pub fn rest(&mut self, unit: Capabilities) {
        if !self.is_ready {
            self.is_ready = true;
            self.is_lost = false;
            self.say(Event::Ready(unit));
        } else if self.owes_idle {
            self.say(Event::Idle { mark: unit.mark });
        }
        self.owes_idle = false;
    }

    /// Was [`Event::Ready`] said, and the line not lost since?
    pub const fn is_ready(&self) -> bool {
        self.is_ready
    }

    /// It cannot go on. Said once; another kind takes the place of the one before.
    pub fn fault(&mut self, fault: Fault) {
        if self.fault != Some(fault.kind) {
            self.cleared();
            self.fault = Some(fault.kind);
            self.say(Event::Fault(fault));
        }
    }

    /// What broke works again.
    pub fn cleared(&mut self) {
        if let Some(kind) = self.fault.take() {
            self.say(Event::Cleared(kind));
        }
    }

    /// It answered a look.
    pub const fn heard(&mut self) {
        self.misses = 0;
    }

    /// It did not answer a look. Too often in a row: the line is as good as lost.
    pub const fn missed(&mut self) -> bool {
        self.misses = self.misses.saturating_add(1);
        self.misses >= MISSES_MAX
    }

    /// No line; what was under way was answered before.
    pub fn lost(&mut self) {
        self.is_ready = false;
        self.owes_idle = false;
        self.misses = 0;
        if !self.is_lost {
            self.is_lost = true;
            self.say(Event::LinkLost);
        }
    }

    /// The next to be told.
    pub fn poll(&mut self) -> Option<Event> {
        self.events.pop_front()
    }
}

const MISSES_MAX: u8 = 2;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Remedy;
    use crate::payment_terminal::DayEnd;

    fn said(reports: &mut Reports) -> Vec<Event> {
        std::iter::from_fn(|| reports.poll()).collect()
    }

    #[test]
    fn ready_once_a_line_and_idle_once_after_each_answer() {
        let mut reports = Reports::default();
        let unit = Capabilities::default;
        reports.answer(Event::DayEnded(DayEnd::Unknown));
        reports.rest(unit());
        assert_eq!(
            said(&mut reports),
            [Event::DayEnded(DayEnd::Unknown), Event::Ready(unit())],
            "ready is what the core waits for"
        );
        reports.rest(unit());
        assert_eq!(said(&mut reports), []);
        reports.owe_idle();
        reports.owe_idle();
        reports.rest(unit());
        reports.rest(unit());
        assert_eq!(said(&mut reports), [Event::Idle { mark: None }]);
        reports.owe_idle();
        reports.lost();
        reports.lost();
        reports.rest(unit());
        assert_eq!(said(&mut reports), [Event::LinkLost, Event::Ready(unit())]);
    }

    #[test]
    fn a_fault_outlives_the_line_until_it_is_cleared() {
        let mut reports = Reports::default();
        let [jam, paper] =
            [FaultKind::Jam, FaultKind::PaperEnd].map(|kind| Fault::new(kind, Remedy::Technician));
        reports.fault(jam.clone());
        reports.fault(jam.clone());
        reports.lost();
        reports.fault(paper.clone());
        reports.cleared();
        reports.cleared();
        let cleared = |kind| Event::Cleared(kind);
        assert_eq!(
            said(&mut reports),
            [
                Event::Fault(jam),
                Event::LinkLost,
                cleared(FaultKind::Jam),
                Event::Fault(paper),
                cleared(FaultKind::PaperEnd)
            ]
        );
    }
}
