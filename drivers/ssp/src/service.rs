//! Polling: what is asked next, and what the answers mean.

use domain::Mono;
use driver_api::acceptor::{Event, NotePlace, RejectReason};
use driver_api::{FaultKind, MoneyRisk, Remedy};
use std::time::Duration;

use crate::driver::{Applied, NoteOrder, Phase, Ssp};
use crate::event::{self, UnitEvent};
use crate::path::{News, Path};
use crate::request::{OK, Request};
use crate::set_up::Step;

/// Between two attempts to make a unit obey that does not.
const APPLY_PAUSE: Duration = Duration::from_secs(2);

impl Ssp {
    /// The most urgent thing that is due, if any.
    pub(crate) fn service_request(&mut self, now: Mono) -> Option<Request> {
        if self.orders.reset {
            return Some(Request::Reset);
        }
        if self.orders.reject {
            return Some(Request::Reject);
        }
        // No poll, so that it is safe with a note in escrow.
        if self.reports.unacknowledged == 0 && !self.reports.told.is_empty() {
            return Some(Request::EventAck);
        }
        if let Path::Escrow(note) = self.path {
            return self.escrow_request(now, note);
        }
        if self.orders.reject_code {
            return Some(Request::LastRejectCode);
        }
        if self.orders.serial {
            return Some(Request::SerialNumber);
        }
        if self.orders.counters {
            return Some(Request::Counters);
        }
        if let Some(request) = self.apply_request(now) {
            return Some(request);
        }
        if now < self.due.poll {
            return None;
        }
        if !self.polls_with_ack && self.reports.unacknowledged > 0 {
            // This unit tells a credit once and may not count: unpolled it takes no other note, so
            // that after a power cut there is only one whose owner is to be found.
            self.due.poll = now + self.config.timing.poll;
            return None;
        }
        Some(self.poll_request(now))
    }

    fn escrow_request(&mut self, now: Mono, note: driver_api::acceptor::Note) -> Option<Request> {
        if self.orders.note.is_none() && self.path_since + self.config.timing.escrow_max <= now {
            self.orders.note = Some(NoteOrder::Return);
        }
        match self.orders.note {
            Some(NoteOrder::Return) => Some(Request::Reject),
            // The one poll that moves value [GA138 0xEF]. From here on this note is not accepted
            // again: the path is no longer `Escrow`.
            Some(NoteOrder::Stack) => {
                self.set_path(now, Path::Stacking(note));
                Some(self.poll_request(now))
            }
            None if self.due.hold <= now => {
                self.due.hold = now + self.config.timing.hold;
                Some(Request::Hold)
            }
            None => None,
        }
    }

    fn poll_request(&mut self, now: Mono) -> Request {
        self.due.poll = now + self.config.timing.poll;
        if self.polls_with_ack { Request::PollWithAck } else { Request::Poll }
    }

    /// Brings the unit to what the core wants, but not while a note waits for its fate: what these
    /// commands do to a note in escrow, the manual does not say.
    fn apply_request(&self, now: Mono) -> Option<Request> {
        if self.path.note().is_some() || now < self.due.apply {
            return None;
        }
        let mask = match (&self.wanted, self.phase) {
            (Some(notes), Phase::InService) => self.dataset.inhibits(notes),
            (Some(_) | None, _) => 0,
        };
        let applied = self.applied;
        if mask == 0 {
            return (applied.is_enabled != Some(false)).then_some(Request::Disable);
        }
        if applied.inhibits != Some(mask) {
            return Some(Request::Inhibits(mask));
        }
        (applied.is_enabled != Some(true)).then_some(Request::Enable)
    }

    pub(crate) fn service_deadline(&self) -> (Mono, &'static str) {
        if matches!(self.path, Path::Escrow(_)) {
            let end = self.path_since + self.config.timing.escrow_max;
            return (self.due.hold.min(end), "hold the note in escrow");
        }
        (self.due.poll, "poll the validator")
    }

    pub(crate) fn service_reply(&mut self, now: Mono, asked: Request, data: &[u8]) {
        let (response, body) = data.split_first().unwrap_or((&0, &[]));
        let is_ok = *response == OK;
        match asked {
            Request::Poll if is_ok => self.polled(now, body),
            Request::PollWithAck if is_ok => self.polled(now, body),
            Request::PollWithAck => self.polls_with_ack &= MAY_PASS.contains(response),
            Request::Poll => {}
            Request::Hold => self.held(now, *response),
            Request::Reject => {
                self.orders.reject = false;
                // Whatever the answer: the polls that follow tell what became of the note.
                if let Path::Escrow(note) = self.path {
                    self.set_path(now, Path::Returning(Some(note)));
                }
            }
            // Anything but OK: there was nothing more to acknowledge.
            Request::EventAck => {
                self.reports.told.clear();
                self.tell_escrow();
            }
            Request::LastRejectCode => {
                self.orders.reject_code = false;
                let code = body.first().copied().filter(|_| is_ok);
                self.emit(Event::Rejected(reject_reason(code)));
            }
            Request::SerialNumber => {
                self.orders.serial = false;
                let serial = body.first_chunk::<4>().map(|it| u32::from_be_bytes(*it));
                if is_ok && serial != self.serial {
                    // Another unit answers now [GA138 "Packet Sequencing"].
                    self.lose(now, Phase::SettingUp(Step::FIRST));
                }
            }
            Request::Counters => {
                self.orders.counters = false;
                // Number of counters, then stacked as the first of them [GA138 0x58].
                let stacked = body.get(1..).and_then(|it| it.first_chunk::<4>());
                let total = stacked.filter(|_| is_ok);
                self.ready(now, total.map(|it| u32::from_le_bytes(*it)));
            }
            Request::Inhibits(mask) if is_ok => self.applied.inhibits = Some(mask),
            Request::Enable if is_ok => self.applied.is_enabled = Some(true),
            Request::Disable if is_ok => self.applied.is_enabled = Some(false),
            Request::Inhibits(_) | Request::Enable | Request::Disable => {
                self.due.apply = now + APPLY_PAUSE;
            }
            Request::Reset => {
                let until = now + self.config.timing.reply;
                self.lose(now, Phase::Pausing { until });
            }
            Request::Sync
            | Request::SetGenerator
            | Request::SetModulus
            | Request::KeyExchange(_)
            | Request::HostProtocol(_)
            | Request::Setup => {}
        }
    }

    fn held(&mut self, now: Mono, response: u8) {
        let Path::Escrow(note) = self.path else {
            return;
        };
        match response {
            OK => {}
            // It cannot hold, and a poll would accept.
            UNKNOWN => self.orders.note = self.orders.note.or(Some(NoteOrder::Return)),
            // No note in escrow any more: GA138 says fail, GA973 cannot be processed. A poll is
            // safe, and an order that came too late is void.
            _ => self.set_path(now, Path::Returning(Some(note))),
        }
    }

    /// Reads the answer to a poll.
    fn polled(&mut self, now: Mono, body: &[u8]) {
        let (events, unreadable) = event::parse(body);
        if events.contains(&UnitEvent::SlaveReset) {
            // What else it says is already about its power-up.
            self.lose(now, Phase::SettingUp(Step::FIRST));
        }
        self.seen.clear();
        for event in &events {
            self.take(now, *event);
        }
        if let Some(unreadable) = unreadable {
            self.unreadable = self.unreadable.saturating_add(1);
            let money = self.money_at_stake();
            self.see(FaultKind::Garbled, Remedy::Technician, money, unreadable.code);
        }
        for kind in PASSING {
            if !self.seen.contains(&kind) {
                self.clear(kind);
            }
        }
        if matches!(self.phase, Phase::SettingUp(_)) {
            return;
        }
        let is_quiet = !events
            .iter()
            .any(|event| event.is_movement() || matches!(event, UnitEvent::Initialising));
        if is_quiet {
            self.set_path(now, self.path.step_quiet());
        }
        self.give_up_stuck_note(now);
        if is_quiet && self.phase == Phase::Settling && self.is_settled() {
            self.orders.counters = true;
        }
    }

    /// One event of the answer.
    fn take(&mut self, now: Mono, event: UnitEvent) {
        let money = self.money_at_stake();
        if self.polls_with_ack && event.is_repeated() {
            if self.reports.told.contains(&event) {
                if event == UnitEvent::Fraud {
                    self.seen.insert(FaultKind::Fraud);
                }
                return;
            }
            self.reports.told.push(event);
        }
        let (path, news) = self.path.step(event, &self.dataset);
        self.set_path(now, path);
        if let Some(news) = news {
            self.tell(now, news);
        }
        match event {
            UnitEvent::SafeJam => {
                self.see(FaultKind::Jam, Remedy::Attendant, MoneyRisk::InDoubt, 0xEA);
            }
            UnitEvent::UnsafeJam => {
                self.see(FaultKind::Jam, Remedy::Attendant, MoneyRisk::InDoubt, 0xE9);
            }
            UnitEvent::Fraud => self.see(FaultKind::Fraud, Remedy::Attendant, money, 0xE6),
            UnitEvent::StackerFull => {
                self.see(FaultKind::UnitFull, Remedy::Attendant, MoneyRisk::None, 0xE7);
            }
            UnitEvent::NotePathOpen => {
                self.see(FaultKind::CoverOpen, Remedy::Attendant, money, 0xE0);
            }
            UnitEvent::CashBoxRemoved => {
                self.seen.insert(FaultKind::UnitRemoved);
                self.unit_removed();
            }
            UnitEvent::CashBoxReplaced => self.unit_replaced(),
            // A note that stood still for too long has come to its end after all: the motors work.
            UnitEvent::Stacked | UnitEvent::Rejected => self.clear(FaultKind::Defective),
            // Disabled, but not by us: its own clock, or a fault that passed.
            UnitEvent::Disabled if self.applied.is_enabled == Some(true) => {
                self.applied.is_enabled = None;
                self.due.apply = now + APPLY_PAUSE;
            }
            UnitEvent::SlaveReset
            | UnitEvent::Reading
            | UnitEvent::Escrowed(_)
            | UnitEvent::Credit(_)
            | UnitEvent::Rejecting
            | UnitEvent::Stacking
            | UnitEvent::Disabled
            | UnitEvent::ClearedFromFront(_)
            | UnitEvent::ClearedIntoCashBox(_)
            | UnitEvent::MovedAtReset(_)
            | UnitEvent::ChannelsDisabled
            | UnitEvent::Initialising
            | UnitEvent::Foreign(_) => {}
        }
    }

    /// Passes news of a note on to the core. Before [`Phase::InService`] the core has no customer:
    /// what it hears then is about the time before.
    fn tell(&mut self, now: Mono, news: News) {
        let is_in_service = self.phase == Phase::InService;
        match news {
            News::Reading if is_in_service => self.emit(Event::Reading),
            News::Reading => {}
            News::Escrowed(_) if is_in_service => {
                self.due.hold = now + self.config.timing.hold;
                self.orders.tell_escrow = true;
                self.tell_escrow();
            }
            News::Escrowed(note) => {
                self.set_path(now, Path::Returning(Some(note)));
                self.orders.reject = true;
            }
            News::Worthless => self.orders.reject = true,
            News::Stacked(note) => self.tell_money(Event::Stacked(note)),
            News::Returned(note) if is_in_service => self.emit(Event::Returned(note)),
            News::Returned(note) => {
                self.tell_money(Event::Recovered { place: NotePlace::Customer, note: Some(note) })
            }
            News::Refused if is_in_service => self.orders.reject_code = true,
            News::Refused => self
                .tell_money(Event::Recovered { place: NotePlace::Customer, note: self.in_doubt }),
            News::Recovered(place, note) => self.tell_money(Event::Recovered { place, note }),
        }
    }

    /// Reports the note in escrow once the unit has forgotten the one before. Else, should the
    /// power go now, the unit would repeat that one's credit when the next one is ordered already,
    /// and nobody could tell which of two equal notes it means.
    fn tell_escrow(&mut self) {
        if let Path::Escrow(note) = self.path
            && self.orders.tell_escrow
            && self.reports.told.is_empty()
        {
            self.orders.tell_escrow = false;
            self.emit(Event::Escrowed(note));
        }
    }

    fn tell_money(&mut self, event: Event) {
        self.reports.unacknowledged = self.reports.unacknowledged.saturating_add(1);
        self.emit(event);
    }

    fn see(&mut self, kind: FaultKind, remedy: Remedy, money: MoneyRisk, code: u8) {
        self.seen.insert(kind);
        self.raise(kind, remedy, money, code);
    }

    fn money_at_stake(&self) -> MoneyRisk {
        match self.path {
            Path::Clear | Path::Reading | Path::Credited | Path::Rejecting => MoneyRisk::None,
            Path::Escrow(_) | Path::Stacking(_) | Path::Moving | Path::Returning(_) => {
                MoneyRisk::InDoubt
            }
        }
    }

    fn unit_removed(&mut self) {
        if !self.is_unit_out {
            self.is_unit_out = true;
            self.emit(Event::UnitRemoved);
        }
    }

    fn unit_replaced(&mut self) {
        // It was out, even if it came back between two polls.
        self.unit_removed();
        self.is_unit_out = false;
        self.emit(Event::UnitInserted);
        self.clear(FaultKind::UnitFull);
        // The unit enables itself again [GA138 0xE4]: it is told anew what it may do.
        self.applied = Applied::default();
    }

    /// A note that was on its way for too long without a word: ours, or one of the time before,
    /// which keeps the unit from being settled. Without a cash box it has a reason to wait.
    fn give_up_stuck_note(&mut self, now: Mono) {
        let is_moving = match self.path {
            Path::Clear | Path::Escrow(_) => false,
            Path::Credited | Path::Moving => !self.is_unit_out,
            Path::Reading | Path::Stacking(_) | Path::Returning(_) | Path::Rejecting => true,
        };
        if is_moving && self.path_since + self.config.timing.path_max <= now {
            let money = self.money_at_stake();
            self.set_path(now, Path::Clear);
            self.raise(FaultKind::Defective, Remedy::Technician, money, 0);
        }
    }

    /// Has the unit told all about the time before? A jam keeps its note where it is.
    fn is_settled(&self) -> bool {
        let is_told = self.reports.told.is_empty() && self.reports.unacknowledged == 0;
        let is_still = self.path == Path::Clear || self.faults.contains(&FaultKind::Jam);
        is_told && is_still && self.applied.is_enabled == Some(false)
    }

    /// Everything about the time before is told: in service.
    fn ready(&mut self, now: Mono, stacked_total: Option<u32>) {
        // Cleared while it was away, since it does not say them any more.
        for kind in [FaultKind::NotPaired, FaultKind::Defective, FaultKind::UnitFull] {
            if !self.seen.contains(&kind) {
                self.clear(kind);
            }
        }
        if self.is_unit_out && !self.seen.contains(&FaultKind::UnitRemoved) {
            self.is_unit_out = false;
            self.emit(Event::UnitInserted);
        }
        self.in_doubt = None;
        self.set_path(now, Path::Clear);
        self.phase = Phase::InService;
        let capabilities = driver_api::acceptor::Capabilities {
            notes: self.dataset.notes(),
            serial: self.serial.unwrap_or_default(),
            firmware: self.dataset.firmware.clone(),
            stacked_total,
        };
        self.emit(Event::Ready(capabilities));
    }
}

/// Faults that the unit says again with each poll while they last.
const PASSING: [FaultKind; 4] =
    [FaultKind::Jam, FaultKind::CoverOpen, FaultKind::Fraud, FaultKind::Garbled];

/// Generic response to a command that the unit does not know.
const UNKNOWN: u8 = 0xF2;

/// Generic responses that are about now, not about what the unit can: cannot be processed,
/// software error.
const MAY_PASS: [u8; 2] = [0xF5, 0xF6];

/// GA138 "Reject Codes".
fn reject_reason(code: Option<u8>) -> RejectReason {
    match code {
        Some(0x06 | 0x0C) => RejectReason::Inhibited,
        Some(0x07 | 0x0E | 0x10 | 0x12 | 0x15 | 0x18 | 0x1C) => RejectReason::Mishandled,
        Some(0x01..=0x05 | 0x09 | 0x0A | 0x0B | 0x11 | 0x14 | 0x16 | 0x17 | 0x19 | 0x1A) => {
            RejectReason::NotRecognised
        }
        Some(_) | None => RejectReason::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_of_the_manual() {
        let reasons: String = (0..=0x1C)
            .map(|code| match reject_reason(Some(code)) {
                RejectReason::NotRecognised => 'n',
                RejectReason::Inhibited => 'i',
                RejectReason::Mishandled => 'm',
                RejectReason::Other => '.',
            })
            .collect();
        assert_eq!(reasons, ".nnnnnim.nnni.m.mnm.nmnnmnn.m");
    }
}
