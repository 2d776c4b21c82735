use anyhow::{Context, Result};
use central_api::CardStatus;
use domain::{Amount, CardNumber, CardRef, MovementKind, Pin, Uid, Wall};
use driver_mifare::{CardImage, CardMasterKey, Identity, NetworkCode, SectorKeys, personalise};
use ed25519_dalek::SigningKey;
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp, Zoned};
use serde::Serialize;
use sqlx::sqlite::SqliteConnection;

use super::people::{CardKind, PEOPLE, Past, Person, is_credit};
use super::seeded::Seeded;
use super::settings::{KEY_VERSION, NETWORK};
use crate::clock::wall;
use crate::config::Config;
use crate::db;
use crate::db::cards::NewCard;
use crate::db::ledger::{LedgerAccount, Transfer, TransferKind, open_account, transfer};
use crate::domain::card::Day;
use crate::keys::{IssuingKeys, ServingKeys};
use crate::pins::Pins;

/// A card in `town.json`.
#[derive(Serialize)]
pub(crate) struct TownCard {
    id: &'static str,
    holder: &'static str,
    story: &'static str,
    number: String,
    pin: String,
    status: &'static str,
    uid: String,
    /// All 64 blocks, hex.
    image: String,
}

/// Everything a card is made from.
struct Office<'a> {
    tenant: &'a str,
    wallet_max: Amount,
    serving: ServingKeys,
    issuing: IssuingKeys,
    pins: Pins,
    seeded: Seeded,
    now: Zoned,
}

/// Puts the people into the register, with their wallets' past, and makes their cards.
pub(crate) async fn make(config: &Config, seed: u64) -> Result<Vec<TownCard>> {
    let serving = config.keys.serving()?;
    let office = Office {
        tenant: &config.municipality.id,
        wallet_max: config.recharge.wallet_max,
        pins: Pins::new(serving.pepper.clone(), config.pin.hash)?,
        serving,
        issuing: config.keys.issuing()?,
        seeded: Seeded(seed),
        now: Timestamp::now().to_zoned(TimeZone::get(&config.time_zone)?),
    };
    let mut db = db::connect(&config.server.database).await?;
    db::execute(&mut db, "BEGIN IMMEDIATE").await?;
    let mut cards = Vec::new();
    for (place, person) in (0u32..).zip(&PEOPLE) {
        cards.push(office.issue(&mut db, place, person).await.context(person.id)?);
    }
    db::execute(&mut db, "COMMIT").await?;
    db::close(db).await?;
    Ok(cards)
}

impl Office<'_> {
    async fn issue(
        &self,
        db: &mut SqliteConnection,
        place: u32,
        person: &Person,
    ) -> Result<TownCard> {
        let (uid, identity) = self.identity(place, person)?;
        let pin = self.pin(person)?;
        match person.card {
            CardKind::Registered(status) => {
                self.register(db, person, uid, &identity, &pin, status).await?;
            }
            CardKind::Expired => {
                let active = CardStatus::Active;
                self.register(db, person, uid, &identity, &pin, active).await?;
            }
            CardKind::Foreign | CardKind::Forged | CardKind::Unregistered => {}
        }
        Ok(TownCard {
            id: person.id,
            holder: person.name,
            story: person.story,
            number: identity.number.to_string(),
            pin: pin.reveal().to_owned(),
            status: person.card.status(),
            uid: String::from(uid),
            image: hex::encode(self.image(person, uid, &identity).0),
        })
    }

    fn identity(&self, place: u32, person: &Person) -> Result<(Uid, Identity)> {
        let [a, b, c, d, ..] = self.seeded.bytes(&format!("uid {}", person.id));
        // 88 is a cascade tag and 08 a random one [ISO 14443-3 §6.5.4]: no card of ours has them.
        let uid = Uid([(a | 0x10) & 0x7F, b, c, d]);
        let offset = self.seeded.number("first number", 100_000_000);
        let step = 1 + self.seeded.number(person.id, 9_000);
        let serial = 100_000_000 + offset + place * 10_000 + step;
        let expires = match person.card {
            CardKind::Expired => self.now.checked_sub(Span::new().days(30))?,
            CardKind::Registered(_)
            | CardKind::Foreign
            | CardKind::Forged
            | CardKind::Unregistered => self.now.checked_add(Span::new().years(4))?,
        };
        let identity = Identity {
            network: match person.card {
                CardKind::Foreign => NetworkCode(NETWORK.0 + 1),
                CardKind::Registered(_)
                | CardKind::Expired
                | CardKind::Forged
                | CardKind::Unregistered => NETWORK,
            },
            key_version: KEY_VERSION,
            number: CardNumber::from_serial(serial)?,
            issue: 1,
            issued_day: day(&expires.checked_sub(Span::new().years(5))?)?,
            expires_day: day(&expires)?,
        };
        Ok((uid, identity))
    }

    /// Six digits, none of those everybody tries first.
    fn pin(&self, person: &Person) -> Result<Pin> {
        let digits = (0..).map(|attempt| {
            let purpose = format!("pin {} {attempt}", person.id);
            format!("{:06}", self.seeded.number(&purpose, 1_000_000))
        });
        let mut good = digits.filter(|digits| !is_trivial(digits));
        let digits = good.next().context("an endless supply of PINs ended")?;
        Ok(Pin::try_from(digits)?)
    }

    fn image(&self, person: &Person, uid: Uid, identity: &Identity) -> CardImage {
        let stranger = || {
            let purpose = format!("key {}", person.id);
            SigningKey::from_bytes(&self.seeded.bytes(&purpose))
        };
        let own = &self.issuing;
        let (signing, master) = match person.card {
            CardKind::Foreign | CardKind::Forged => (stranger(), CardMasterKey([0x46; 16])),
            CardKind::Registered(_) | CardKind::Expired | CardKind::Unregistered => {
                (own.signing.clone(), own.master.clone())
            }
        };
        let keys = SectorKeys::of_card(&master, identity.network, uid);
        personalise(uid, identity, &signing, &keys)
    }

    async fn register(
        &self,
        db: &mut SqliteConnection,
        person: &Person,
        uid: Uid,
        identity: &Identity,
        pin: &Pin,
        status: CardStatus,
    ) -> Result<()> {
        let tenant = self.tenant;
        let wallet = LedgerAccount::Wallet(person.id);
        open_account(db, tenant, &wallet, Some(self.wallet_max)).await?;
        open_account(db, tenant, &LedgerAccount::OtherTopUps, None).await?;
        open_account(db, tenant, &LedgerAccount::Services, None).await?;
        let card_ref = CardRef::new(&self.serving.card_ref, identity.number, uid);
        let card = NewCard {
            card_ref,
            number: identity.number,
            issue: identity.issue,
            uid,
            holder: person.name,
            status: CardStatus::Active,
            expires: Day(i64::from(identity.expires_day)),
            pin_hash: &self.pins.hash(pin)?,
            wallet: &wallet.name(),
        };
        db::cards::insert(db, tenant, &card).await?;
        for (place, past) in (1u32..).zip(person.past) {
            self.relive(db, person, place, past).await?;
        }
        if status != CardStatus::Active {
            let now_ms = self.now.timestamp().as_millisecond();
            db::cards::set_status(db, tenant, card_ref, status, "demo", now_ms).await?;
        }
        Ok(())
    }

    async fn relive(
        &self,
        db: &mut SqliteConnection,
        person: &Person,
        place: u32,
        past: &Past,
    ) -> Result<()> {
        let wallet = LedgerAccount::Wallet(person.id);
        let other = match past.kind {
            MovementKind::CashTopUp | MovementKind::CardTopUp | MovementKind::OtherTopUp => {
                LedgerAccount::OtherTopUps
            }
            MovementKind::Purchase | MovementKind::Refund => LedgerAccount::Services,
        };
        let (debit, credit) = match is_credit(past.kind) {
            true => (other, wallet),
            false => (wallet, other),
        };
        let movement = Transfer {
            id: &format!("DEMO-{}-{place}", person.id),
            debit,
            credit,
            amount: Amount::from_cents(i64::from(past.cents))?,
            kind: TransferKind::Movement(past.kind),
            at: self.at(past)?,
        };
        transfer(db, self.tenant, &movement).await?;
        Ok(())
    }

    /// The local time of a movement, so many days ago.
    fn at(&self, past: &Past) -> Result<Wall> {
        let day = self.now.start_of_day()?;
        let day = day.checked_sub(Span::new().days(past.days_ago))?;
        let at = day.checked_add(Span::new().minutes(past.minute))?;
        Ok(wall(at.timestamp(), at.time_zone()))
    }
}

/// Days since 1970-01-01.
fn day(at: &Zoned) -> Result<u16> {
    let days = at.date().duration_since(jiff::civil::date(1970, 1, 1)).as_hours() / 24;
    u16::try_from(days).context("a day a card can hold")
}

/// All digits the same, or one up or down from each to the next.
fn is_trivial(digits: &str) -> bool {
    let steps: Vec<i16> =
        digits.as_bytes().windows(2).map(|pair| i16::from(pair[1]) - i16::from(pair[0])).collect();
    [-1, 0, 1].iter().any(|step| steps.iter().all(|other| other == step))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trivial_pins_are_not_given_out() {
        for trivial in ["000000", "123456", "987654", "777777"] {
            assert!(is_trivial(trivial), "{trivial}");
        }
        assert!(!is_trivial("123465"));
    }
}
