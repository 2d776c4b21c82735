use driver_api::{acceptor, card_reader};
use kiosk_records::HandBackReason;
use ui_proto::{Action, OutReason};

use super::{Flow, Input, identify, stray_note};
use crate::context::Context;
use crate::{Effect, Timer};

/// Nobody is here: forget the last customer, be ready for the next.
pub(super) fn enter(cx: &mut Context) -> Flow {
    cx.timers.disarm_visit();
    cx.ends_in_s = None;
    cx.lang = cx.config.lang;
    cx.prefs = ui_proto::Prefs::default();
    cx.acceptor(acceptor::Command::Disable);
    if cx.stopping {
        cx.reader(card_reader::Command::Disarm);
        cx.effect(Effect::Stopped);
    } else if !cx.devices.reader.occupied {
        // A card left lying must not begin visit after visit: wait until it was taken.
        cx.reader(card_reader::Command::Arm);
    }
    Flow::Idle
}

pub(super) fn step(input: Input, cx: &mut Context) -> Flow {
    match input {
        Input::Reader(card_reader::Event::Presented(card)) if may_serve(cx) => {
            identify::presented(card, cx)
        }
        Input::Reader(card_reader::Event::Unreadable(problem)) if may_serve(cx) => {
            identify::unreadable(problem, cx)
        }
        Input::Reader(
            card_reader::Event::Ready
            | card_reader::Event::Removed
            | card_reader::Event::Presented(_)
            | card_reader::Event::Unreadable(_),
        ) if !cx.stopping => {
            if !cx.devices.reader.occupied {
                cx.reader(card_reader::Command::Arm);
            }
            Flow::Idle
        }
        Input::Action(Action::Language(_) | Action::Confirm) if may_serve(cx) => {
            identify::ask_card(cx)
        }
        Input::Acceptor(event) => {
            stray_note(&event, HandBackReason::NoVisit, cx);
            if matches!(event, acceptor::Event::Ready(_) | acceptor::Event::UnitInserted) {
                cx.acceptor(acceptor::Command::Disable);
            }
            Flow::Idle
        }
        Input::Stop => enter(cx),
        Input::Event(_)
        | Input::Action(_)
        | Input::Settled(_)
        | Input::Reader(_)
        | Input::Printer(_)
        | Input::Terminal(_)
        | Input::Till(..)
        | Input::Session(_)
        | Input::TopUp(..)
        | Input::Timer(_)
        | Input::Expired => {
            cx.lang = cx.config.lang;
            Flow::Idle
        }
    }
}

fn may_serve(cx: &Context) -> bool {
    !is_starting(cx) && out_of_service(cx).is_none()
}

/// Are devices or central still expected to say their first word?
pub(crate) fn is_starting(cx: &Context) -> bool {
    let devices = &cx.devices;
    let unheard = devices.acceptor.is_unheard()
        || devices.reader.is_unheard()
        || (cx.config.has_terminal && devices.terminal.is_unheard())
        || cx.central.is_none();
    unheard && cx.timers.is_armed(Timer::Unheard) && !cx.stopping
}

/// Why nobody can be served, if so.
pub(crate) fn out_of_service(cx: &Context) -> Option<OutReason> {
    if cx.stopping || cx.devices.acceptor.unit_out() {
        return Some(OutReason::Attendant);
    }
    if !cx.devices.reader.works() {
        return Some(OutReason::CardReader);
    }
    if cx.central_away() {
        let offline_recharge = cx.devices.acceptor.works() && !cx.offline_room().is_zero();
        if !offline_recharge {
            return Some(OutReason::Central);
        }
    }
    None
}
