//! `kioskd settle`: an order to the card terminal whose outcome the terminal cannot tell any more
//! (it is broken for good, or was exchanged) is settled by what the acquirer says. The core decides
//! what follows, as it would at the terminal's word; it is carried out at the next start.

use anyhow::{Context as _, bail, ensure};
use driver_api::payment_terminal::{
    Approval, Decline, DeclineReason, Entry, Outcome, Reference, Verification,
};
use kiosk_core::{Event, Kiosk, Step};
use kiosk_journal::{Journal, OpenError, Opened};
use kiosk_records::Seq;

use crate::clock::Clock;
use crate::config::Config;
use crate::core_loop::bodies;
use crate::fold;

/// Writes down that `order` was carried out, with the bank's code, or that it was not (`None`).
///
/// # Errors
/// kioskd runs; the journal cannot be opened; the order is not in doubt.
pub async fn settle(config: &Config, order: Seq, code: Option<String>) -> anyhow::Result<()> {
    let opened = match Journal::open(&config.journal_path(), &config.kiosk.id).await {
        Err(OpenError::InUse) => bail!("kioskd runs: stop it first"),
        opened => opened?,
    };
    let Opened { mut journal, boot, checkpoint, since, .. } = opened;
    let books = fold::books(&journal.reader(), checkpoint.as_ref(), &since).await?;
    let open = books.intent(order).and_then(|open| open.question(order));
    let question = open.with_context(|| format!("{order} is no open order to the terminal"))?;
    let outcome = match code {
        Some(code) => Outcome::Approved(Box::new(Approval {
            amount: question.amount,
            // No terminal's: none will take it for one of its payments and give that back.
            reference: Reference(format!("attested:{code}")),
            pan: None,
            card_name: None,
            aid: None,
            authorisation_code: Some(code),
            terminal: None,
            merchant: None,
            entry: Entry::Unsaid,
            verification: Verification::Unsaid,
        })),
        None => Outcome::Declined(Decline::new(DeclineReason::Attested)),
    };
    let now = Clock::start().now();
    let event = Event::Attested { intent: order, outcome };
    // What is to be done follows from the records at the next start, as after a power cut.
    let Step { records, effects: _ } = Kiosk::new(config.core(), books).handle(now, event);
    let is_settled = records.iter().any(|entry| entry.record.closes_intent() == Some(order));
    ensure!(is_settled, "{order} is not in doubt yet: start kioskd, which asks the terminal");
    journal.append(bodies(records, now, boot)).await?;
    journal.close().await?;
    Ok(())
}
