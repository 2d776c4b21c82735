use domain::{Amount, Lang, WalletMovement};
use slint::ComponentHandle;
use ui_proto::{ByCard, ByCardOff, RechargeOff};

use super::list;
use crate::generated::{self, Home, KioskWindow, Movement, MovementKind, Offline};

pub(super) fn fill(window: &KioskWindow, lang: Lang, data: &ui_proto::Home) {
    let home = window.global::<Home>();
    home.set_holder(data.holder.as_str().into());
    home.set_card(data.card.as_str().into());
    home.set_balance(lang.amount(data.balance).into());
    let movements = data.movements.iter().map(|line| movement(lang, line));
    home.set_movements(list(movements.collect()));
    home.set_recharge_off(off(data.recharge_off));
    home.set_by_card(match data.by_card {
        ByCard::NotHere => generated::ByCard::NotHere,
        ByCard::Off(ByCardOff::WalletFull) => generated::ByCard::WalletFull,
        ByCard::Off(ByCardOff::Terminal | ByCardOff::Busy | ByCardOff::Central) => {
            generated::ByCard::Terminal
        }
        ByCard::Off(ByCardOff::Checking) => generated::ByCard::Checking,
        ByCard::Open => generated::ByCard::Open,
    });
}

pub(super) fn offline(
    window: &KioskWindow,
    lang: Lang,
    card: &str,
    max: Amount,
    recharge_off: Option<RechargeOff>,
) {
    let offline = window.global::<Offline>();
    offline.set_card(card.into());
    offline.set_limit(lang.amount(max).into());
    offline.set_recharge_off(off(recharge_off));
}

fn off(why: Option<RechargeOff>) -> generated::RechargeOff {
    match why {
        None => generated::RechargeOff::None,
        Some(RechargeOff::WalletFull) => generated::RechargeOff::WalletFull,
        Some(RechargeOff::Acceptor) => generated::RechargeOff::Acceptor,
    }
}

fn movement(lang: Lang, line: &WalletMovement) -> Movement {
    let out_of = line.cents < 0;
    let sign = if out_of { "–" } else { "+" };
    // A movement beyond any amount is central's mistake; the sign alone tells no lie.
    let size = i64::try_from(line.cents.unsigned_abs())
        .ok()
        .and_then(|cents| Amount::from_cents(cents).ok())
        .map(|amount| lang.amount(amount))
        .unwrap_or_default();
    Movement {
        day: lang.day(line.at).into(),
        kind: match line.kind {
            domain::MovementKind::CashTopUp => MovementKind::CashTopUp,
            domain::MovementKind::CardTopUp => MovementKind::CardTopUp,
            domain::MovementKind::OtherTopUp => MovementKind::OtherTopUp,
            domain::MovementKind::Purchase => MovementKind::Purchase,
            domain::MovementKind::Refund => MovementKind::Refund,
        },
        amount: format!("{sign}{size}").into(),
        out_of,
    }
}
