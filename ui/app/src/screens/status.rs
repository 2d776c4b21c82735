use slint::ComponentHandle;
use ui_proto::OutReason;

use crate::generated::{self, KioskWindow, Status};

pub(super) fn out_of_service(window: &KioskWindow, reason: OutReason) {
    window.global::<Status>().set_out_reason(match reason {
        OutReason::CardReader => generated::OutReason::CardReader,
        OutReason::Acceptor => generated::OutReason::Acceptor,
        OutReason::Books => generated::OutReason::Books,
        OutReason::Attendant => generated::OutReason::Attendant,
        OutReason::Central => generated::OutReason::Central,
    });
}

pub(super) fn attract(window: &KioskWindow, limited: bool) {
    window.global::<Status>().set_limited(limited);
}
