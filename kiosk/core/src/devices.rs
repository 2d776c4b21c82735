//! What the kiosk knows about its devices right now, apart from what any customer does.

use std::collections::BTreeSet;

use driver_api::payment_terminal::{self, Mark};
use driver_api::{Fault, FaultKind, acceptor, card_reader, printer};
use kiosk_records::Record;

use crate::Event;

/// The devices as they last spoke.
#[derive(Default)]
pub(crate) struct Devices {
    pub(crate) acceptor: Acceptor,
    pub(crate) reader: Reader,
    pub(crate) printer: Printer,
    pub(crate) terminal: Terminal,
}

#[derive(Default)]
pub(crate) struct Acceptor {
    ready: Option<acceptor::Capabilities>,
    faults: BTreeSet<FaultKind>,
    unit_out: bool,
}

#[derive(Default)]
pub(crate) struct Reader {
    ready: bool,
    faults: BTreeSet<FaultKind>,
    /// A card lies in the field.
    pub(crate) occupied: bool,
}

/// The bank-card terminal. A kiosk may have none: then it never speaks.
#[derive(Default)]
pub(crate) struct Terminal {
    ready: bool,
    idle: bool,
    mark: Option<Mark>,
    faults: BTreeSet<FaultKind>,
}

#[derive(Default)]
pub(crate) struct Printer {
    ready: bool,
    faults: BTreeSet<FaultKind>,
}

impl Acceptor {
    pub(crate) fn works(&self) -> bool {
        self.ready.is_some() && self.faults.is_empty() && !self.unit_out
    }

    /// It has not said anything since the start.
    pub(crate) fn is_unheard(&self) -> bool {
        self.ready.is_none() && self.faults.is_empty() && !self.unit_out
    }

    pub(crate) fn unit_out(&self) -> bool {
        self.unit_out
    }

    pub(crate) fn stacked_total(&self) -> Option<u32> {
        self.ready.as_ref().and_then(|unit| unit.stacked_total)
    }

    /// It has told all about the time before.
    pub(crate) fn is_ready(&self) -> bool {
        self.ready.is_some()
    }

    /// A note is stuck in it.
    pub(crate) fn is_jammed(&self) -> bool {
        self.faults.contains(&FaultKind::Jam)
    }

    /// It may have stacked a note, or not: until it tells its count anew, nobody knows it.
    pub(crate) fn forget_count(&mut self) {
        if let Some(unit) = &mut self.ready {
            unit.stacked_total = None;
        }
    }

    /// One more than the unit told at its start.
    pub(crate) fn count_stacked(&mut self) {
        let total = self.ready.as_mut().and_then(|unit| unit.stacked_total.as_mut());
        if let Some(total) = total {
            *total = total.wrapping_add(1);
        }
    }
}

impl Reader {
    pub(crate) fn works(&self) -> bool {
        self.ready && self.faults.is_empty()
    }

    /// It has not said anything since the start.
    pub(crate) fn is_unheard(&self) -> bool {
        !self.ready && self.faults.is_empty()
    }
}

impl Printer {
    pub(crate) fn works(&self) -> bool {
        self.ready && self.faults.is_empty()
    }

    /// It has not said anything since the start.
    pub(crate) fn is_unheard(&self) -> bool {
        !self.ready && self.faults.is_empty()
    }
}

impl Terminal {
    pub(crate) fn works(&self) -> bool {
        self.ready && self.faults.is_empty()
    }

    /// Will it take the next order?
    pub(crate) fn is_idle(&self) -> bool {
        self.works() && self.idle
    }

    /// It has not said anything since the start.
    pub(crate) fn is_unheard(&self) -> bool {
        !self.ready && self.faults.is_empty()
    }

    /// Can it be asked?
    pub(crate) fn is_linked(&self) -> bool {
        self.ready
    }

    /// It has something to do, and will say when it is idle again.
    pub(crate) fn occupy(&mut self) {
        self.idle = false;
    }

    /// It was given an order, which is committed with the mark it told last.
    pub(crate) fn take_mark(&mut self) -> Option<Mark> {
        self.idle = false;
        self.mark.take()
    }
}

impl Devices {
    /// Notes the health of a device; what of it belongs on record.
    pub(crate) fn observe(&mut self, event: &Event) -> Vec<Record> {
        match event {
            Event::Acceptor(event) => self.acceptor.observe(event).into_iter().collect(),
            Event::Reader(event) => self.reader.observe(event),
            Event::Printer(event) => self.printer.observe(event).into_iter().collect(),
            Event::Terminal(event) => self.terminal.observe(event).into_iter().collect(),
            Event::Booted { .. }
            | Event::Action(_)
            | Event::Central(_)
            | Event::CentralLink(_)
            | Event::Settings(_)
            | Event::Hotlist(_)
            | Event::Timeout
            | Event::Attested { .. }
            | Event::Stop => Vec::new(),
        }
    }
}

impl Acceptor {
    fn observe(&mut self, event: &acceptor::Event) -> Option<Record> {
        match event {
            acceptor::Event::Ready(unit) => {
                let was_lost = self.ready.replace(unit.clone()).is_none();
                let lost = was_lost && self.faults.remove(&FaultKind::LinkLost);
                lost.then(|| cleared(ACCEPTOR, FaultKind::LinkLost))
            }
            acceptor::Event::Fault(fault) => raise(ACCEPTOR, &mut self.faults, fault),
            acceptor::Event::Cleared(kind) => clear(ACCEPTOR, &mut self.faults, *kind),
            acceptor::Event::LinkLost => {
                self.ready = None;
                lost(ACCEPTOR, &mut self.faults)
            }
            acceptor::Event::UnitRemoved => {
                self.unit_out = true;
                None
            }
            acceptor::Event::UnitInserted => {
                self.unit_out = false;
                None
            }
            acceptor::Event::Reading
            | acceptor::Event::Escrowed(_)
            | acceptor::Event::Rejected(_)
            | acceptor::Event::Stacked(_)
            | acceptor::Event::Returned(_)
            | acceptor::Event::Recovered { .. } => None,
        }
    }
}

impl Reader {
    fn observe(&mut self, event: &card_reader::Event) -> Vec<Record> {
        match event {
            // The class has no `Cleared`: being ready is the end of every fault.
            card_reader::Event::Ready => {
                self.ready = true;
                let faults = std::mem::take(&mut self.faults);
                faults.into_iter().map(|kind| cleared(READER, kind)).collect()
            }
            card_reader::Event::Presented(_) | card_reader::Event::Unreadable(_) => {
                self.occupied = true;
                Vec::new()
            }
            card_reader::Event::Removed => {
                self.occupied = false;
                Vec::new()
            }
            card_reader::Event::Fault(fault) => {
                raise(READER, &mut self.faults, fault).into_iter().collect()
            }
            card_reader::Event::LinkLost => {
                self.ready = false;
                self.occupied = false;
                lost(READER, &mut self.faults).into_iter().collect()
            }
        }
    }
}

impl Printer {
    fn observe(&mut self, event: &printer::Event) -> Option<Record> {
        match event {
            printer::Event::Ready => {
                self.ready = true;
                clear(PRINTER, &mut self.faults, FaultKind::LinkLost)
            }
            printer::Event::Fault(fault) => raise(PRINTER, &mut self.faults, fault),
            printer::Event::Cleared(kind) => clear(PRINTER, &mut self.faults, *kind),
            printer::Event::LinkLost => {
                self.ready = false;
                lost(PRINTER, &mut self.faults)
            }
            printer::Event::Printed(_)
            | printer::Event::NotPrinted(..)
            | printer::Event::PaperLow(_) => None,
        }
    }
}

impl Terminal {
    fn observe(&mut self, event: &payment_terminal::Event) -> Option<Record> {
        use payment_terminal::Event;
        match event {
            Event::Ready(terminal) => {
                self.ready = true;
                self.idle = true;
                self.mark.clone_from(&terminal.mark);
                clear(TERMINAL, &mut self.faults, FaultKind::LinkLost)
            }
            Event::Idle { mark } => {
                self.idle = true;
                self.mark.clone_from(mark);
                None
            }
            Event::Fault(fault) => raise(TERMINAL, &mut self.faults, fault),
            Event::Cleared(kind) => clear(TERMINAL, &mut self.faults, *kind),
            Event::LinkLost => {
                self.ready = false;
                self.idle = false;
                lost(TERMINAL, &mut self.faults)
            }
            Event::Hint(_)
            | Event::Held { .. }
            | Event::Finished { .. }
            | Event::Status { .. }
            | Event::DayEnded(_) => None,
        }
    }
}

const ACCEPTOR: &str = "acceptor";
const READER: &str = "card_reader";
const PRINTER: &str = "printer";
const TERMINAL: &str = "payment_terminal";

fn raise(device: &str, faults: &mut BTreeSet<FaultKind>, fault: &Fault) -> Option<Record> {
    faults.insert(fault.kind).then(|| Record::FaultRaised {
        device: device.to_owned(),
        fault: fault.kind,
        vendor: fault.vendor.0,
    })
}

fn lost(device: &str, faults: &mut BTreeSet<FaultKind>) -> Option<Record> {
    let fault = Fault::new(FaultKind::LinkLost, driver_api::Remedy::Technician);
    raise(device, faults, &fault)
}

fn clear(device: &str, faults: &mut BTreeSet<FaultKind>, kind: FaultKind) -> Option<Record> {
    faults.remove(&kind).then(|| cleared(device, kind))
}

fn cleared(device: &str, fault: FaultKind) -> Record {
    Record::FaultCleared { device: device.to_owned(), fault }
}
