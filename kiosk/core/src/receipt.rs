//! What a receipt says. Data and order here, words in [`words`].

mod words;

use domain::Tender;
use driver_api::payment_terminal::{Approval, Entry};
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
    pub(crate) tender: Tender,
    /// What the bank said; not known after a power cut.
    pub(crate) approval: Option<&'a Approval>,
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
    let paid_in = match slip.tender {
        Tender::Cash => w.cash,
        Tender::Card => w.bank_card,
    };
    lines.push(pair(w.paid_in, paid_in.to_owned()));
    if let Some(approval) = slip.approval {
        lines.extend(payment(approval, slip.kind, w, cx));
    }
    lines.push(Line::Rule);
    lines.extend(amounts(slip.kind, w, lang));
    lines.push(Line::Gap);
    if let Some(advice) = advice(slip, w) {
        lines.push(Line::Text(advice.to_owned()));
        lines.push(Line::Strong(cx.config.office.clone()));
        lines.push(Line::Gap);
    }
    lines.push(Line::Qr(summary(slip, cx)));
    lines.push(Line::Text(w.keep.to_owned()));
    Document { lines }
}

/// What a receipt of a card payment at a self-service machine says besides [Cuaderno 64 §5].
fn payment(approval: &Approval, kind: &DoneKind, w: &Words, cx: &Context) -> Vec<Line> {
    let entry = match approval.entry {
        Entry::Contactless => Some(w.contactless.to_owned()),
        Entry::Chip => Some(w.chip.to_owned()),
        Entry::Stripe => Some(w.stripe.to_owned()),
        Entry::Unsaid => None,
    };
    let pan = approval.pan.as_ref().map(|pan| pan.reveal().to_owned());
    let said = [
        (w.acquirer, cx.config.acquirer.clone()),
        (w.merchant, approval.merchant.clone()),
        (w.terminal, approval.terminal.clone()),
        (w.bank_card, pan),
        ("", approval.card_name.clone()),
        ("AID", approval.aid.clone()),
        (w.entry, entry),
        (w.authorisation, approval.authorisation_code.clone()),
    ];
    let pairs = said.into_iter().filter_map(|(label, value)| Some((label.to_owned(), value?)));
    let mut lines: Vec<Line> = pairs.map(|(label, value)| Line::Pair(label, value)).collect();
    if !matches!(kind, DoneKind::GivenBack { .. }) {
        lines.push(Line::Strong(w.paid.to_owned()));
    }
    lines
}

/// One line of text with all that the office needs: what the QR code carries.
pub(crate) fn summary(slip: &Slip<'_>, cx: &Context) -> String {
    let (what, amount) = match slip.kind {
        DoneKind::Credited { amount, .. } => ("OK", amount),
        DoneKind::Pending { amount, .. } => ("PENDING", amount),
        DoneKind::Claim { amount, .. } => ("CLAIM", amount),
        DoneKind::InDoubt { amount, .. } => ("DOUBT", amount),
        DoneKind::GivenBack { amount, .. } => ("BACK", amount),
        DoneKind::PaymentInDoubt { amount, .. } => ("CARD-DOUBT", amount),
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
        DoneKind::GivenBack { .. } => w.given_back,
        DoneKind::PaymentInDoubt { .. } => w.payment_in_doubt,
    }
}

fn amounts(kind: &DoneKind, w: &Words, lang: domain::Lang) -> Vec<Line> {
    let total = |label: &str, amount| Line::Total(label.to_owned(), lang.amount(amount));
    let pair = |label: &str, amount| Line::Pair(label.to_owned(), lang.amount(amount));
    match kind {
        DoneKind::Credited { amount, balance } => {
            vec![total(w.amount, *amount), pair(w.balance, *balance)]
        }
        DoneKind::Pending { amount, .. }
        | DoneKind::Claim { amount, .. }
        | DoneKind::GivenBack { amount, .. } => vec![total(w.amount, *amount)],
        DoneKind::PaymentInDoubt { amount, .. } => vec![total(w.payment_checked, *amount)],
        DoneKind::InDoubt { amount, credited, .. } => {
            let mut lines = vec![total(w.note_in_doubt, *amount)];
            if !credited.is_zero() {
                lines.push(pair(w.credited_besides, *credited));
            }
            lines
        }
    }
}

fn advice(slip: &Slip<'_>, w: &Words) -> Option<&'static str> {
    match slip.kind {
        DoneKind::Credited { .. } => None,
        DoneKind::Pending { .. } => Some(w.advice_pending),
        DoneKind::Claim { .. } => Some(match slip.tender {
            Tender::Cash => w.advice_claim,
            Tender::Card => w.advice_claim_by_card,
        }),
        DoneKind::InDoubt { .. } => Some(w.advice_in_doubt),
        DoneKind::GivenBack { .. } => Some(w.advice_given_back),
        DoneKind::PaymentInDoubt { .. } => Some(w.advice_payment_in_doubt),
    }
}
