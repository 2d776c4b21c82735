//! Central, with books of its own: cards, PINs, wallets, answers by key, the kiosk's journal; and
//! the way there, which loses, delays, repeats and reorders.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use domain::{Amount, CardRef, Pii, RechargeRules, Tender};
use kiosk_core::{Account, Denied, Entry, Hotlist, SessionReply, Settings, TopUpReply};
use kiosk_records::{Record, Seq, TopUpRefusal};

use crate::oracle::Done;
use crate::peripherals::card;
use crate::rng::Rng;
use crate::stage::{Happening, Stage};

/// A question of one kioskd, on its way.
#[derive(Clone, Debug)]
pub struct Question {
    /// Which start of kioskd asks.
    pub boot: u32,
    /// Its number there.
    pub id: u64,
    /// What.
    pub ask: Ask,
}

/// What can be asked.
#[derive(Clone, Debug)]
pub enum Ask {
    /// Is the PIN of this holder's card this one?
    Session(CardRef, bool),
    /// Credit a wallet, under this key.
    TopUp(u64, CardRef, Amount, Tender),
    /// What is new, and here is the journal from there on.
    Sync(Vec<Rc<Entry>>),
}

/// What central says.
#[derive(Clone, Debug)]
pub enum Answer {
    /// To [`Ask::Session`].
    Session(SessionReply),
    /// To [`Ask::TopUp`].
    TopUp(TopUpReply),
    /// To [`Ask::Sync`].
    Sync(Box<News>),
}

/// What central decides, and how far it has the journal.
#[derive(Clone, Debug)]
pub struct News {
    /// The rules now.
    pub settings: Settings,
    /// The hotlist now.
    pub hotlist: Hotlist,
    /// It has the journal up to here.
    pub acked: Seq,
}

/// Central and the way to it.
pub struct Central {
    rng: Rng,
    net: Rng,
    is_cut_off: bool,
    rules: RechargeRules,
    hotlist: Hotlist,
    wallets: BTreeMap<CardRef, Wallet>,
    answers: BTreeMap<u64, (Body, TopUpReply)>,
    journal: Vec<Rc<Entry>>,
}

/// Of a top-up: the same key must come with the same.
type Body = (CardRef, Amount, Tender);

struct Wallet {
    holder: usize,
    balance: Amount,
    tries_left: u8,
    is_suspended: bool,
}

/// A kioskd stops waiting for an answer.
const ANSWER_MAX_MS: u64 = 8_000;

/// Without a way there, this is noticed at once.
const NO_WAY_MS: u64 = 200;

impl Central {
    /// With so many card holders.
    pub fn new(holders: usize, rules: RechargeRules, rng: Rng, net: Rng) -> Self {
        let wallets = (0..holders).map(|holder| {
            let wallet = Wallet {
                holder,
                balance: Amount::euro(10),
                tries_left: TRIES_MAX,
                is_suspended: false,
            };
            (card(holder).card_ref, wallet)
        });
        Self {
            rng,
            net,
            is_cut_off: false,
            rules,
            hotlist: Hotlist { version: 1, confirmed_ms: 0, cards: BTreeMap::new() },
            wallets: wallets.collect(),
            answers: BTreeMap::new(),
            journal: Vec::new(),
        }
    }

    // ---- the way there and back

    /// A kioskd asks.
    pub fn send(&mut self, question: Question, stage: &mut Stage) {
        let (boot, id) = (question.boot, question.id);
        if self.is_cut_off {
            return stage.after(NO_WAY_MS, Happening::NoAnswer(boot, id));
        }
        stage.after(ANSWER_MAX_MS, Happening::NoAnswer(boot, id));
        if self.net.chance(stage.faults.net_ask_lost) {
            return stage.note("network", format_args!("loses question {id}"));
        }
        if self.net.chance(stage.faults.net_twice) {
            let ms = self.way_ms(stage);
            stage.after(ms, Happening::Question(question.clone()));
        }
        let ms = self.way_ms(stage);
        stage.after(ms, Happening::Question(question));
    }

    fn way_ms(&mut self, stage: &Stage) -> u64 {
        match self.net.chance(stage.faults.net_slow) {
            true => self.net.between(100, 15_000),
            false => self.net.between(5, 100),
        }
    }

    /// No way to central from now on.
    pub fn cut_off(&mut self) {
        self.is_cut_off = true;
    }

    /// There is a way again.
    pub fn reconnect(&mut self) {
        self.is_cut_off = false;
    }

    /// A question has arrived.
    pub fn answer(&mut self, question: Question, stage: &mut Stage) {
        let Question { boot, id, ask } = question;
        let answer = match ask {
            Ask::Session(card, is_right) => Answer::Session(self.session(card, is_right)),
            Ask::TopUp(key, card, amount, tender) => {
                let reply = self.top_up(key, (card, amount, tender), stage);
                stage.note("central", format_args!("answers {key}: {reply:?}"));
                Answer::TopUp(reply)
            }
            Ask::Sync(batch) => Answer::Sync(Box::new(self.sync(&batch, stage))),
        };
        if self.is_cut_off || self.net.chance(stage.faults.net_reply_lost) {
            return stage.note("network", format_args!("loses the answer to {id}"));
        }
        let ms = self.way_ms(stage);
        stage.after(ms, Happening::Answer(boot, id, answer));
    }

    // ---- what it does

    fn session(&mut self, card: CardRef, is_right: bool) -> SessionReply {
        let Some(wallet) = self.wallets.get_mut(&card) else {
            return SessionReply::Wrong { tries_left: 1 };
        };
        if wallet.tries_left == 0 {
            // The office unlocks it by the next time.
            wallet.tries_left = TRIES_MAX;
            return SessionReply::Locked { retry_min: Some(15) };
        }
        if !is_right {
            wallet.tries_left -= 1;
            return SessionReply::Wrong { tries_left: wallet.tries_left };
        }
        wallet.tries_left = TRIES_MAX;
        if wallet.is_suspended {
            return SessionReply::Suspended;
        }
        SessionReply::Opened(Account {
            holder: Pii::new(holder_name(wallet.holder)),
            balance: wallet.balance,
            movements: Vec::new(),
        })
    }

    /// As before if it was answered before; else it decides, once.
    fn top_up(&mut self, key: u64, body: Body, stage: &mut Stage) -> TopUpReply {
        if let Some((before, reply)) = self.answers.get(&key) {
            assert!(*before == body, "M9: key {key} comes again with another body");
            return reply.clone();
        }
        let reply = self.decide(key, body);
        let (card, amount, _) = body;
        let is_credited = matches!(reply, TopUpReply::Accepted { .. });
        stage.oracle.central_does(key, Done { is_credited, cents: amount.cents(), card });
        self.answers.insert(key, (body, reply.clone()));
        reply
    }

    fn decide(&mut self, key: u64, (card, amount, tender): Body) -> TopUpReply {
        let Some(wallet) = self.wallets.get_mut(&card) else {
            return TopUpReply::Refused(TopUpRefusal::UnknownCard);
        };
        if wallet.is_suspended {
            return TopUpReply::Refused(TopUpRefusal::CardNotActive);
        }
        if amount < self.rules.min_by(tender) {
            return TopUpReply::Refused(TopUpRefusal::UnderMin);
        }
        match wallet.balance.checked_add(amount) {
            Some(balance) if balance <= self.rules.wallet_max => {
                wallet.balance = balance;
                TopUpReply::Accepted { ledger_ref: format!("TU-{key}"), balance }
            }
            Some(_) | None => TopUpReply::Refused(TopUpRefusal::OverWalletMax),
        }
    }

    /// Takes what it does not have yet; what it has must be the same.
    fn sync(&mut self, batch: &[Rc<Entry>], stage: &Stage) -> News {
        for entry in batch {
            let at = usize::try_from(entry.seq.0).expect("a journal in memory") - 1;
            match self.journal.get(at) {
                Some(held) => assert!(held == entry, "M8: record {} changed", entry.seq),
                None => {
                    assert!(at == self.journal.len(), "M8: a gap before record {}", entry.seq);
                    self.journal.push(entry.clone());
                }
            }
        }
        let hotlist = Hotlist { confirmed_ms: stage.wall().utc_ms, ..self.hotlist.clone() };
        let settings = Settings { rules: self.rules.clone(), municipality: BTreeMap::new() };
        News { settings, hotlist, acked: self.acked() }
    }

    /// It has the journal up to here.
    pub fn acked(&self) -> Seq {
        Seq(self.journal.len() as u64)
    }

    /// The books of the kiosk as central adds them up from its journal: what wallets were credited
    /// must be what its own answers say.
    pub fn audit(&self) {
        let mut told = BTreeSet::new();
        for entry in &self.journal {
            if let Record::TopUpAccepted { intent, .. } | Record::TopUpRefused { intent, .. } =
                &entry.record
            {
                assert!(told.insert(intent.0), "M9: the journal ends top-up {intent} twice");
                assert!(self.answers.contains_key(&intent.0), "M11: {intent} was never asked for");
            }
        }
        assert!(told.len() == self.answers.len(), "M11: the journal does not tell all outcomes");
    }

    // ---- what happens at the office and elsewhere

    /// A holder spends some of the wallet somewhere in town.
    pub fn spend(&mut self, card: CardRef) {
        if let Some(wallet) = self.wallets.get_mut(&card) {
            let keep = Amount::euro(u16::try_from(self.rng.below(60)).unwrap_or_default());
            wallet.balance = wallet.balance.min(keep);
        }
    }

    /// The office suspends a card, and tells the kiosks.
    pub fn suspend(&mut self, card: CardRef) {
        if let Some(wallet) = self.wallets.get_mut(&card) {
            wallet.is_suspended = true;
            self.hotlist.version += 1;
            self.hotlist.cards.insert(card, Denied::Suspended);
        }
    }

    /// And lets it be used again.
    pub fn reinstate_all(&mut self) {
        if self.hotlist.cards.is_empty() {
            return;
        }
        self.hotlist.version += 1;
        self.hotlist.cards.clear();
        self.wallets.values_mut().for_each(|wallet| wallet.is_suspended = false);
    }

    /// The municipality decides anew.
    pub fn change_rules(&mut self) {
        self.rules.wallet_max = Amount::euro(self.rng.pick(&[100, 150, 200]));
        self.rules.min = Amount::euro(self.rng.pick(&[5, 10]));
    }
}

const TRIES_MAX: u8 = 3;

/// As central masks it.
pub fn holder_name(holder: usize) -> String {
    format!("H{holder}")
}
