//! After the money: the receipt, and good-bye.

use domain::{Amount, Tender};
use driver_api::printer::{self, Document, JobId};
use driver_api::{FaultKind, acceptor};
use kiosk_records::{Disposition, HandBackReason, Record, Seq};
use ui_proto::{Action, DoneKind};

use super::{Flow, Input, Visit, idle, stray_note};
use crate::context::Context;
use crate::{Act, Timer, receipt};

/// The outcome on the screen, and its receipt.
pub(crate) struct Done {
    pub(crate) kind: DoneKind,
    pub(crate) receipt: Receipt,
    /// For the screen, where paper fails or is not wanted.
    pub(crate) text: String,
    document: Document,
    disposition: Disposition,
}

/// Where the receipt is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Receipt {
    Offered,
    /// Wanted, but the printer has not spoken since the start.
    Awaiting,
    Printing(JobId),
    InSlot,
    NotPrinted,
    OnScreen,
}

impl Done {
    /// `intent` numbers the operation; `visit` is `None` after a power cut.
    pub(super) fn enter(
        visit: Option<&Visit>,
        kind: DoneKind,
        intent: Seq,
        disposition: Disposition,
        cx: &mut Context,
    ) -> Flow {
        if cx.stopping {
            return leave(disposition, None, cx);
        }
        cx.touched();
        let card = visit.map(|visit| visit.card.number.reveal().masked());
        let approval = visit.and_then(|visit| visit.approval.as_deref());
        let slip = receipt::Slip {
            kind: &kind,
            number: cx.intent_id(intent).to_string(),
            card,
            tender: tender(approval.is_some(), intent, cx),
            approval,
        };
        let document = receipt::document(&slip, cx);
        let text = receipt::summary(&slip, cx);
        let mut done = Self { kind, receipt: Receipt::Offered, text, document, disposition };
        // Who is owed something, or was charged elsewhere, leaves with paper, asked for or not.
        if !matches!(done.kind, DoneKind::Credited { .. }) {
            done.print(cx);
        }
        Flow::Done(done)
    }

    fn print(&mut self, cx: &mut Context) {
        if cx.devices.printer.works() {
            self.receipt = Receipt::Printing(cx.print(self.document.clone()));
        } else if cx.devices.printer.is_unheard() {
            self.receipt = Receipt::Awaiting;
        } else {
            self.not_printed(FaultKind::LinkLost, cx);
        }
    }

    fn not_printed(&mut self, fault: FaultKind, cx: &mut Context) {
        cx.timers.disarm(Timer::PrinterSilent);
        cx.record(Record::ReceiptNotPrinted { fault });
        cx.touched();
        self.receipt = Receipt::NotPrinted;
    }

    pub(super) fn waits_for_customer(&self) -> bool {
        match self.receipt {
            Receipt::Offered | Receipt::Awaiting | Receipt::NotPrinted | Receipt::OnScreen => true,
            Receipt::Printing(_) | Receipt::InSlot => false,
        }
    }

    pub(super) fn step(mut self, input: Input, cx: &mut Context) -> Flow {
        match input {
            Input::Action(Action::Print) if self.may_print() => self.print(cx),
            Input::Action(Action::ShowReceipt) if self.waits_for_customer() => {
                self.receipt = Receipt::OnScreen;
            }
            Input::Action(Action::Confirm | Action::Cancel | Action::Back)
                if !matches!(self.receipt, Receipt::Printing(_)) =>
            {
                return leave(self.disposition, None, cx);
            }
            Input::Printer(event) => self.printer(event, cx),
            Input::Timer(Timer::PrinterSilent) if matches!(self.receipt, Receipt::Printing(_)) => {
                self.not_printed(FaultKind::LinkLost, cx);
            }
            Input::Timer(Timer::Linger) | Input::Expired | Input::Stop => {
                return leave(self.disposition, None, cx);
            }
            Input::Acceptor(event) => stray_note(&event, HandBackReason::Cancelled, cx),
            Input::Event(_)
            | Input::Action(_)
            | Input::Settled(_)
            | Input::Reader(_)
            | Input::Terminal(_)
            | Input::Till(..)
            | Input::Session(_)
            | Input::TopUp(..)
            | Input::Timer(_) => {}
        }
        Flow::Done(self)
    }

    fn may_print(&self) -> bool {
        !matches!(self.receipt, Receipt::Printing(_) | Receipt::InSlot)
    }

    fn printer(&mut self, event: printer::Event, cx: &mut Context) {
        if self.receipt == Receipt::Awaiting {
            self.print(cx);
        }
        let Receipt::Printing(printing) = self.receipt else {
            return;
        };
        match event {
            printer::Event::Printed(job) if job == printing => {
                cx.timers.disarm(Timer::PrinterSilent);
                cx.record(Record::ReceiptPrinted);
                cx.arm(Timer::Linger);
                self.receipt = Receipt::InSlot;
            }
            printer::Event::NotPrinted(job, fault) if job == printing => {
                self.not_printed(fault.kind, cx);
            }
            printer::Event::LinkLost => self.not_printed(FaultKind::LinkLost, cx),
            printer::Event::Ready
            | printer::Event::Printed(_)
            | printer::Event::NotPrinted(..)
            | printer::Event::PaperLow(_)
            | printer::Event::Fault(_)
            | printer::Event::Cleared(_) => {}
        }
    }
}

fn tender(is_approved: bool, intent: Seq, cx: &Context) -> Tender {
    let is_for_card = cx.books.intent(intent).is_some_and(|open| {
        open.is_at_terminal() || matches!(open.act, Act::TopUp { payment: Some(_), .. })
    });
    if is_approved || is_for_card { Tender::Card } else { Tender::Cash }
}

/// Ends the visit and says good-bye; `returned` = a note that waits in the slot.
pub(super) fn leave(disposition: Disposition, returned: Option<Amount>, cx: &mut Context) -> Flow {
    cx.end_visit(disposition);
    if cx.stopping {
        return idle::enter(cx);
    }
    cx.timers.disarm_visit();
    cx.ends_in_s = None;
    cx.acceptor(acceptor::Command::Disable);
    cx.arm_goodbye();
    Flow::Goodbye { returned, timed_out: disposition == Disposition::TimedOut }
}

pub(super) fn goodbye(
    returned: Option<Amount>,
    timed_out: bool,
    input: Input,
    cx: &mut Context,
) -> Flow {
    match input {
        Input::Action(_) | Input::Timer(Timer::Linger) | Input::Expired | Input::Stop => {
            idle::enter(cx)
        }
        Input::Acceptor(event) => {
            stray_note(&event, HandBackReason::NoVisit, cx);
            Flow::Goodbye { returned, timed_out }
        }
        Input::Event(_)
        | Input::Settled(_)
        | Input::Reader(_)
        | Input::Printer(_)
        | Input::Terminal(_)
        | Input::Till(..)
        | Input::Session(_)
        | Input::TopUp(..)
        | Input::Timer(_) => Flow::Goodbye { returned, timed_out },
    }
}
