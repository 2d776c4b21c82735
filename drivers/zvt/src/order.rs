//! One order that moves value, from its command to its outcome.

use domain::{Amount, Mono};
use driver_api::payment_terminal::{Approval, Decline, DeclineReason, Operation, Outcome};

use crate::answer::Status;
use crate::apdu::Apdu;
use crate::code::{NOT_ISSUED, OK, WAIT, decline};
use crate::config::Timing;
use crate::log::transaction;

/// An order whose command was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Order {
    pub(crate) operation: Operation,
    pub(crate) amount: Amount,
    pub(crate) stage: Stage,
    /// The last status information.
    status: Option<Status>,
    hold: Hold,
    /// The bank said yes, whatever was said later.
    was_approved: bool,
    /// To be stopped as soon as the terminal has taken it.
    is_unwanted: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// Waits for `80 00`.
    Sent,
    /// The terminal works on it.
    Running,
    /// As before, and it was told to stop.
    Stopping,
}

/// What the terminal is told about the goods.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hold {
    /// They do not matter.
    Never,
    /// To be held at the approval.
    Wanted,
    /// Held, and the core has not said.
    Waiting {
        /// The status information to be answered then; `None` = answered with "wait".
        answer_at: Option<Mono>,
        /// Patience ends.
        until: Mono,
    },
    Issued,
    NotIssued,
}

/// What happens to an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Said {
    /// `80 00`.
    Taken,
    /// `84 xx`.
    Refused(u8),
    /// `04 0F`.
    Status(Status),
    /// `06 0F`.
    Completed,
    /// `06 1E`.
    Aborted(u8),
    /// The core: the goods are out, or cannot be.
    Goods { are_issued: bool },
    /// Nothing, for too long.
    Silence,
}

/// What is to be done now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    Nothing,
    Answer(Apdu),
    Hold(Box<Approval>),
    Finish(Outcome),
}

impl Order {
    pub(crate) fn new(operation: Operation, amount: Amount, hold: Hold) -> Self {
        Self {
            operation,
            amount,
            stage: Stage::Sent,
            status: None,
            hold,
            was_approved: false,
            is_unwanted: false,
        }
    }

    pub(crate) fn hear(&mut self, now: Mono, said: Said, timing: &Timing) -> Turn {
        match (self.stage, said) {
            (Stage::Sent, Said::Taken) => {
                self.stage = Stage::Running;
                if self.is_unwanted { self.stop() } else { Turn::Nothing }
            }
            (Stage::Sent, Said::Refused(code)) => Turn::Finish(Outcome::Declined(decline(code))),
            (Stage::Running | Stage::Stopping, Said::Status(status)) => {
                self.judge(now, status, timing)
            }
            // Of an earlier command, to which nobody listens any more: it is only answered.
            (Stage::Sent, Said::Status(_)) => Turn::Answer(Apdu::taken()),
            (Stage::Running | Stage::Stopping, Said::Completed) => Turn::Finish(self.completed()),
            (Stage::Running | Stage::Stopping, Said::Aborted(code)) => {
                Turn::Finish(self.aborted(code))
            }
            (Stage::Sent, Said::Completed | Said::Aborted(_)) => Turn::Nothing,
            // The answers to the command that stops it: its own end tells what came of that.
            (Stage::Running | Stage::Stopping, Said::Taken | Said::Refused(_)) => Turn::Nothing,
            (Stage::Sent | Stage::Running | Stage::Stopping, Said::Goods { are_issued }) => {
                self.decide(are_issued)
            }
            (Stage::Sent | Stage::Running | Stage::Stopping, Said::Silence) => {
                Turn::Finish(Outcome::Unknown)
            }
        }
    }

    /// The customer shall not be asked any longer. Before it is taken, nothing can be stopped.
    pub(crate) fn stop(&mut self) -> Turn {
        match self.stage {
            Stage::Sent => self.is_unwanted = true,
            Stage::Running => {
                self.stage = Stage::Stopping;
                return Turn::Answer(Apdu::new(0x06, 0xB0, Vec::new()));
            }
            Stage::Stopping => {}
        }
        Turn::Nothing
    }

    /// A status information: what is it answered with?
    fn judge(&mut self, now: Mono, status: Status, timing: &Timing) -> Turn {
        let outcome = transaction(&status, self.amount);
        self.was_approved |= status.result == Some(OK);
        self.status = Some(status);
        let Outcome::Approved(approval) = outcome else {
            return Turn::Answer(Apdu::taken());
        };
        let answer_at = Some(now + timing.hold_answer);
        match &mut self.hold {
            Hold::Never | Hold::Issued => Turn::Answer(Apdu::taken()),
            Hold::NotIssued => Turn::Answer(Apdu::refused(NOT_ISSUED)),
            Hold::Wanted => {
                self.hold = Hold::Waiting { answer_at, until: now + timing.hold };
                Turn::Hold(approval)
            }
            Hold::Waiting { answer_at: old, .. } => {
                *old = answer_at;
                Turn::Nothing
            }
        }
    }

    fn decide(&mut self, are_issued: bool) -> Turn {
        let Hold::Waiting { answer_at, .. } = self.hold else { return Turn::Nothing };
        self.hold = if are_issued { Hold::Issued } else { Hold::NotIssued };
        match (answer_at, are_issued) {
            (None, _) => Turn::Nothing,
            (Some(_), true) => Turn::Answer(Apdu::taken()),
            (Some(_), false) => Turn::Answer(Apdu::refused(NOT_ISSUED)),
        }
    }

    /// Time passes while the core decides: the terminal is told to wait, or, at the end of all
    /// patience, to let the money go.
    pub(crate) fn tick(&mut self, now: Mono) -> Turn {
        let Hold::Waiting { answer_at, until } = &mut self.hold else { return Turn::Nothing };
        if *until <= now {
            return self.decide(false);
        }
        if answer_at.is_some_and(|at| at <= now) {
            *answer_at = None;
            return Turn::Answer(Apdu::refused(WAIT));
        }
        Turn::Nothing
    }

    /// When [`Order::tick`] has something to do.
    pub(crate) fn deadline(&self) -> Option<Mono> {
        let Hold::Waiting { answer_at, until } = self.hold else { return None };
        Some(answer_at.map_or(until, |at| at.min(until)))
    }

    /// The last word that the terminal did it.
    fn completed(&self) -> Outcome {
        match (self.hold, &self.status) {
            (Hold::NotIssued, _) | (_, None) => Outcome::Unknown,
            (Hold::Never | Hold::Wanted | Hold::Waiting { .. } | Hold::Issued, Some(status)) => {
                self.unless_contradicted(transaction(status, self.amount))
            }
        }
    }

    /// The last word that it did not.
    fn aborted(&self, code: u8) -> Outcome {
        match self.hold {
            Hold::NotIssued => Outcome::Declined(Decline::new(DeclineReason::NotIssued)),
            Hold::Never | Hold::Wanted | Hold::Waiting { .. } | Hold::Issued => {
                self.unless_contradicted(Outcome::Declined(decline(code)))
            }
        }
    }

    /// Yes and then no: only its log can tell.
    fn unless_contradicted(&self, outcome: Outcome) -> Outcome {
        match outcome {
            Outcome::Declined(_) if self.was_approved => Outcome::Unknown,
            Outcome::Approved(_) | Outcome::Declined(_) | Outcome::Unknown => outcome,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;

    use super::*;

    const TIMING: fn() -> Timing = Timing::default;

    fn status(result: u8, euro: u8) -> Said {
        let data = [0x27, result, 0x04, 0, 0, 0, 0, euro, 0, 0x87, 0, 8, 0x0B, 0, 0, 0x71];
        Said::Status(Status::parse(&data))
    }

    fn order(hold: Hold, heard: &[Said]) -> Order {
        let mut order = Order::new(Operation(1), Amount::euro(20), hold);
        for said in heard {
            order.hear(Mono(0), said.clone(), &TIMING());
        }
        order
    }

    fn short(turn: Turn) -> String {
        match turn {
            Turn::Nothing => "-".to_owned(),
            Turn::Answer(apdu) => format!("answers {:02X} {:02X}", apdu.class, apdu.instr),
            Turn::Hold(_) => "reports Held".to_owned(),
            Turn::Finish(Outcome::Approved(_)) => "Approved".to_owned(),
            Turn::Finish(Outcome::Declined(decline)) => format!("Declined {:?}", decline.reason),
            Turn::Finish(Outcome::Unknown) => "Unknown".to_owned(),
        }
    }

    #[test]
    fn every_state_meets_every_event() {
        let goods = |are_issued| Said::Goods { are_issued };
        let states = [
            ("sent", order(Hold::Never, &[])),
            ("running", order(Hold::Never, &[Said::Taken])),
            ("told yes", order(Hold::Never, &[Said::Taken, status(0, 0x20)])),
            ("told yes of another amount", order(Hold::Never, &[Said::Taken, status(0, 0x30)])),
            (
                "told yes, then no",
                order(Hold::Never, &[Said::Taken, status(0, 0x20), status(0x78, 0x20)]),
            ),
            ("told no", order(Hold::Never, &[Said::Taken, status(0x78, 0x20)])),
            ("running, to be held", order(Hold::Wanted, &[Said::Taken])),
            ("held", order(Hold::Wanted, &[Said::Taken, status(0, 0x20)])),
            ("issued", order(Hold::Wanted, &[Said::Taken, status(0, 0x20), goods(true)])),
            ("not issued", order(Hold::Wanted, &[Said::Taken, status(0, 0x20), goods(false)])),
        ];
        let events = [
            ("80 00", Said::Taken),
            ("84 9C", Said::Refused(0x9C)),
            ("04 0F yes", status(0, 0x20)),
            ("04 0F yes, another amount", status(0, 0x30)),
            ("04 0F no", status(0x78, 0x20)),
            ("06 0F", Said::Completed),
            ("06 1E 6C", Said::Aborted(0x6C)),
            ("goods issued", goods(true)),
            ("goods not issued", goods(false)),
            ("silence", Said::Silence),
        ];
        let mut table = String::new();
        for (name, state) in &states {
            writeln!(table, "{name}").unwrap();
            for (event, said) in &events {
                let turn = state.clone().hear(Mono(0), said.clone(), &TIMING());
                writeln!(table, "  {event} -> {}", short(turn)).unwrap();
            }
        }
        insta::assert_snapshot!(table);
    }

    #[test]
    fn a_held_payment_is_kept_waiting_and_then_let_go() {
        let mut order = order(Hold::Wanted, &[Said::Taken, status(0, 0x20)]);
        assert_eq!(order.deadline(), Some(Mono(2000)));
        assert_eq!(short(order.tick(Mono(2000))), "answers 84 9C");
        assert_eq!(short(order.hear(Mono(3000), status(0, 0x20), &TIMING())), "-");
        assert_eq!(short(order.tick(Mono(30_000))), "answers 84 66");
        assert_eq!(
            short(order.hear(Mono(31_000), Said::Aborted(0x66), &TIMING())),
            "Declined NotIssued"
        );
    }
}
