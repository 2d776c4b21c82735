use slint::ComponentHandle;
use ui_proto::CardRefusal;

use crate::generated::{CardTrouble, KioskWindow, Refused};

pub(super) fn refused(window: &KioskWindow, reason: CardRefusal) {
    let refused = window.global::<Refused>();
    refused.set_retry_min(match reason {
        CardRefusal::PinLocked { retry_min } => retry_min.map_or(0, i32::from),
        CardRefusal::Torn
        | CardRefusal::Foreign
        | CardRefusal::NotGenuine
        | CardRefusal::Several
        | CardRefusal::Expired
        | CardRefusal::Blocked
        | CardRefusal::Suspended
        | CardRefusal::CentralAway => 0,
    });
    refused.set_trouble(match reason {
        CardRefusal::Torn => CardTrouble::Torn,
        CardRefusal::Foreign => CardTrouble::Foreign,
        CardRefusal::NotGenuine => CardTrouble::NotGenuine,
        CardRefusal::Several => CardTrouble::Several,
        CardRefusal::Expired => CardTrouble::Expired,
        CardRefusal::Blocked => CardTrouble::Blocked,
        CardRefusal::Suspended => CardTrouble::Suspended,
        CardRefusal::PinLocked { .. } => CardTrouble::PinLocked,
        CardRefusal::CentralAway => CardTrouble::CentralAway,
    });
}
