//! What a receipt says. Data and order here, words in [`words`].

mod words;

use driver_api::printer::{Document, Line};
use ui_proto::DoneKind;

use self::words::{Words, words};
use crate::context::Context;

/// One outcome to put on paper.
pub(crate) struct Slip<'a> {
    pub(crate) kind: &'a DoneKind,
    /// Operation number.
    pub(crate) number: String,
    /// Masked card number; not known after a power cut.
    pub(crate) card: Option<String>,
}

pub(crate) fn document(slip: &Slip<'_>, cx: &Context) -> Document {
    let lang = cx.lang;
    let w = words(lang);
    let pair = |label: &str, value: String| Line::Pair(label.to_owned(), value);
    let when = format!("{} {}", lang.date(cx.now.wall), lang.time(cx.now.wall));
    let mut lines = vec![
        Line::Title(cx.municipality().to_owned()),
        Line::Gap,
        Line::Strong(headline(slip.kind, w).to_owned()),
        Line::Rule,
        pair(w.date, when),
        pair(w.kiosk, cx.config.kiosk.to_string()),
        pair(w.operation, slip.number.clone()),
    ];
    if let Some(card) = &slip.card {
        lines.push(pair(w.card, card.clone()));
    }
    lines.push(pair(w.paid_in, w.cash.to_owned()));
    lines.push(Line::Rule);
    lines.extend(amounts(slip.kind, w, lang));
    lines.push(Line::Gap);
    if let Some(advice) = advice(slip.kind, w) {
        lines.push(Line::Text(advice.to_owned()));
        lines.push(Line::Strong(cx.config.office.clone()));
        lines.push(Line::Gap);
    }
    lines.push(Line::Qr(summary(slip, cx)));
    lines.push(Line::Text(w.keep.to_owned()));
    Document { lines }
}

/// One line of text with all that the office needs: what the QR code carries.
pub(crate) fn summary(slip: &Slip<'_>, cx: &Context) -> String {
    let (what, amount) = match slip.kind {
        DoneKind::Credited { amount, .. } => ("OK", amount),
        DoneKind::Pending { amount, .. } => ("PENDING", amount),
        DoneKind::Claim { amount, .. } => ("CLAIM", amount),
        DoneKind::InDoubt { amount, .. } => ("DOUBT", amount),
    };
    let (euro, cents) = (amount.cents() / 100, amount.cents() % 100);
    let date = cx.now.wall.business_date();
    let time = cx.lang.time(cx.now.wall);
    format!("PAUSE+ {} {what} {euro}.{cents:02} EUR {date} {time}", slip.number)
}

fn headline(kind: &DoneKind, w: &Words) -> &'static str {
    match kind {
        DoneKind::Credited { .. } => w.credited,
        DoneKind::Pending { .. } => w.pending,
        DoneKind::Claim { .. } => w.claim,
        DoneKind::InDoubt { .. } => w.in_doubt,
    }
}

fn amounts(kind: &DoneKind, w: &Words, lang: domain::Lang) -> Vec<Line> {
    let total = |label: &str, amount| Line::Total(label.to_owned(), lang.amount(amount));
    let pair = |label: &str, amount| Line::Pair(label.to_owned(), lang.amount(amount));
    match kind {
        DoneKind::Credited { amount, balance } => {
            vec![total(w.amount, *amount), pair(w.balance, *balance)]
        }
        DoneKind::Pending { amount, .. } | DoneKind::Claim { amount, .. } => {
            vec![total(w.amount, *amount)]
        }
        DoneKind::InDoubt { amount, credited, .. } => {
            let mut lines = vec![total(w.note_in_doubt, *amount)];
            if !credited.is_zero() {
                lines.push(pair(w.credited_besides, *credited));
            }
            lines
        }
    }
}

fn advice(kind: &DoneKind, w: &Words) -> Option<&'static str> {
    match kind {
        DoneKind::Credited { .. } => None,
        DoneKind::Pending { .. } => Some(w.advice_pending),
        DoneKind::Claim { .. } => Some(w.advice_claim),
        DoneKind::InDoubt { .. } => Some(w.advice_in_doubt),
    }
}
