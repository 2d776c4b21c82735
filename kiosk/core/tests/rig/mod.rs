//! A kiosk on a table: its journal is a list, its devices and central are the test's own words.

#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    reason = "each test uses its part"
)]

use std::collections::BTreeMap;
use std::time::Duration;

use domain::{
    Amount, CardNumber, CardRef, CardRefKey, CardRules, Lang, NoteSet, OfflinePolicy, Pii,
    RechargeRules, Uid, Wall,
};
use driver_api::acceptor::{self, Capabilities, Note};
use driver_api::payment_terminal::{
    self, Approval, Command, Decline, DeclineReason, Entry, Operation, Outcome, Reference,
    Verification,
};
use driver_api::{card_reader, printer};
use kiosk_core::{
    Account, Books, CentralLink, CentralReply, CentralRequest, Config, Effect, Event, Hotlist,
    Kiosk, Now, SessionReply, Timing, TopUpReply, fold,
};
use kiosk_records::{Record, Seq};
use ui_proto::{Action, Screen, View};

pub struct Rig {
    pub kiosk: Kiosk,
    pub now: Now,
    pub journal: Vec<(Seq, Record)>,
    /// Of the last step.
    pub effects: Vec<Effect>,
    pub view: Option<View>,
    /// The last question about a PIN.
    pub attempt: u64,
    /// What the validator says it has stacked in its life.
    pub stacked_total: Option<u32>,
}

pub const START_MS: i64 = 1_795_240_920_000;

pub fn rules() -> RechargeRules {
    RechargeRules {
        min: Amount::euro(5),
        max: Amount::euro(150),
        wallet_max: Amount::euro(150),
        notes: NoteSet::of([5, 10, 20, 50].map(Amount::euro)),
        card: CardRules {
            min: Amount::euro(10),
            max: Amount::euro(100),
            amounts: [10, 20, 50, 100].map(Amount::euro).into(),
        },
        offline: OfflinePolicy {
            max_per_visit: Amount::euro(50),
            max_queued: Amount::euro(200),
            hotlist_age_max_h: 48,
        },
    }
}

pub fn config() -> Config {
    Config {
        kiosk: "K0001".parse().unwrap(),
        municipality: "Vilanova".into(),
        office: "Plaza Mayor 1".into(),
        lang: Lang::Es,
        acquirer: Some("Banco de Vilanova".into()),
        has_terminal: true,
        timing: Timing::default(),
        rules: rules(),
    }
}

pub fn card() -> card_reader::Card {
    card_number(1)
}

pub fn card_number(serial: u32) -> card_reader::Card {
    let number = CardNumber::from_serial(serial).unwrap();
    let uid = Uid([4, 3, 2, 1]);
    card_reader::Card {
        number: Pii::new(number),
        uid: Pii::new(uid),
        card_ref: CardRef::new(&CardRefKey([7; 32]), number, uid),
        expires_day: 30_000,
    }
}

pub fn account(balance: Amount) -> Account {
    Account { holder: Pii::new("Ana G.".into()), balance, movements: vec![] }
}

pub fn note(euro: u16) -> Note {
    Note { value: Amount::euro(euro) }
}

pub fn approved(euro: u16) -> Outcome {
    Outcome::Approved(Box::new(Approval {
        amount: Amount::euro(euro),
        reference: Reference("R1".into()),
        pan: payment_terminal::MaskedPan::new("************4771"),
        card_name: Some("VISA".into()),
        aid: Some("A0000000031010".into()),
        authorisation_code: Some("123456".into()),
        terminal: Some("T0001".into()),
        merchant: Some("M0001".into()),
        entry: Entry::Contactless,
        verification: Verification::None,
    }))
}

pub const fn refused(reason: DeclineReason) -> Outcome {
    Outcome::Declined(Decline::new(reason))
}

pub fn hotlist() -> Hotlist {
    Hotlist { version: 1, confirmed_ms: START_MS, cards: BTreeMap::new() }
}

impl Rig {
    /// Booted, nothing connected.
    pub fn cold() -> Self {
        Self::on(vec![])
    }

    fn on(journal: Vec<(Seq, Record)>) -> Self {
        let books = fold(Books::default(), journal.iter().map(|(seq, r)| (*seq, r))).unwrap();
        let wall = Wall { utc_ms: START_MS, offset_min: 60 };
        let now = Now { wall, ..Now::default() };
        let mut rig = Self {
            kiosk: Kiosk::new(config(), books),
            now,
            journal,
            effects: vec![],
            view: None,
            attempt: 0,
            stacked_total: None,
        };
        rig.event(Event::Booted { version: "test".into() });
        rig
    }

    /// In service, with central.
    pub fn new() -> Self {
        let mut rig = Self::cold();
        rig.connect();
        rig
    }

    pub fn connect(&mut self) {
        self.event(Event::Hotlist(hotlist()));
        self.event(Event::CentralLink(CentralLink::There));
        self.acceptor_ready();
        self.event(Event::Reader(card_reader::Event::Ready));
        self.event(Event::Printer(printer::Event::Ready));
        self.terminal_ready();
    }

    pub fn terminal(&mut self, event: payment_terminal::Event) -> &mut Self {
        self.event(Event::Terminal(event))
    }

    pub fn terminal_ready(&mut self) -> &mut Self {
        self.terminal(payment_terminal::Event::Ready(payment_terminal::Capabilities::default()))
    }

    pub fn terminal_idle(&mut self) -> &mut Self {
        self.terminal(payment_terminal::Event::Idle { mark: None })
    }

    /// The order given in the last step.
    pub fn order(&self) -> Option<Operation> {
        self.effects.iter().find_map(|effect| match effect {
            Effect::Terminal(
                Command::Authorise { operation, .. } | Command::Reverse { operation, .. },
            ) => Some(*operation),
            _ => None,
        })
    }

    /// What was asked of the terminal in the last step.
    pub fn question(&self) -> Option<Operation> {
        self.effects.iter().find_map(|effect| match effect {
            Effect::Terminal(Command::AskStatus(question)) => Some(question.operation),
            _ => None,
        })
    }

    pub fn finished(&mut self, operation: Operation, outcome: Outcome) -> &mut Self {
        self.terminal(payment_terminal::Event::Finished { operation, outcome })
    }

    pub fn status(&mut self, operation: Operation, outcome: Outcome) -> &mut Self {
        self.terminal(payment_terminal::Event::Status { operation, outcome })
    }

    /// At the terminal, which has the order of so many euro.
    pub fn paying(balance: u16, euro: u16) -> (Self, Operation) {
        let mut rig = Self::at_home(balance);
        rig.act(Action::PayByCard).act(Action::Amount(Amount::euro(euro)));
        let operation = rig.order().expect("the terminal has the order");
        (rig, operation)
    }

    pub fn acceptor_ready(&mut self) {
        let unit = Capabilities {
            notes: rules().notes,
            serial: 1,
            firmware: "1".into(),
            stacked_total: self.stacked_total,
        };
        self.acceptor(acceptor::Event::Ready(unit));
    }

    pub fn event(&mut self, event: Event) -> &mut Self {
        let step = self.kiosk.handle(self.now, event);
        for entry in step.records {
            self.journal.push((entry.seq, entry.record));
        }
        self.effects = step.effects;
        for effect in &self.effects {
            match effect {
                Effect::Show { view, .. } => self.view = Some(view.clone()),
                Effect::Central(CentralRequest::OpenSession { attempt, .. }) => {
                    self.attempt = *attempt;
                }
                _ => {}
            }
        }
        self
    }

    pub fn act(&mut self, action: Action) -> &mut Self {
        self.event(Event::Action(action))
    }

    pub fn acceptor(&mut self, event: acceptor::Event) -> &mut Self {
        self.event(Event::Acceptor(event))
    }

    /// Lets time pass, waking the kiosk whenever it wants.
    pub fn wait(&mut self, span: Duration) -> &mut Self {
        let end = self.now.mono + span;
        while let Some((at, _)) = self.kiosk.poll_timeout().filter(|(at, _)| *at <= end) {
            self.set_mono(at.0.max(self.now.mono.0));
            self.event(Event::Timeout);
        }
        self.set_mono(end.0);
        self
    }

    fn set_mono(&mut self, ms: u64) {
        let passed = i64::try_from(ms - self.now.mono.0).unwrap();
        self.now.mono.0 = ms;
        self.now.wall.utc_ms += passed;
    }

    pub fn tap(&mut self) -> &mut Self {
        self.event(Event::Reader(card_reader::Event::Presented(card())))
    }

    pub fn type_pin(&mut self) -> &mut Self {
        for digit in [2, 7, 1, 8, 2, 8] {
            self.act(Action::Digit(digit));
        }
        self.act(Action::Confirm)
    }

    /// Central's answer to the last question about a PIN.
    pub fn session(&mut self, reply: SessionReply) -> &mut Self {
        let attempt = self.attempt;
        self.event(Event::Central(CentralReply::Session { attempt, reply }))
    }

    /// Identified, on Home, with this balance.
    pub fn at_home(balance: u16) -> Self {
        let mut rig = Self::new();
        rig.tap().type_pin().session(SessionReply::Opened(account(Amount::euro(balance))));
        rig
    }

    /// The slot is open.
    pub fn inserting(balance: u16) -> Self {
        let mut rig = Self::at_home(balance);
        rig.act(Action::Recharge);
        rig
    }

    /// A note is in escrow and the kiosk has decided.
    pub fn escrow(&mut self, euro: u16) -> &mut Self {
        self.acceptor(acceptor::Event::Reading);
        self.acceptor(acceptor::Event::Escrowed(note(euro)))
    }

    pub fn stacked(&mut self, euro: u16) -> &mut Self {
        self.acceptor(acceptor::Event::Stacked(note(euro)))
    }

    /// The note of this visit goes all the way in.
    pub fn insert(&mut self, euro: u16) -> &mut Self {
        self.escrow(euro);
        assert!(self.has_stack(), "ordered");
        self.stacked(euro)
    }

    pub fn top_up_reply(&mut self, reply: TopUpReply) -> &mut Self {
        let intent = self.asked_top_up();
        self.event(Event::Central(CentralReply::TopUp { intent, reply }))
    }

    pub fn accept(&mut self, balance: u16) -> &mut Self {
        let balance = Amount::euro(balance);
        self.top_up_reply(TopUpReply::Accepted { ledger_ref: "T1".into(), balance })
    }

    /// The newest order on record.
    pub fn asked_top_up(&self) -> Seq {
        let ordered = self.journal.iter().rev().find_map(|(seq, record)| {
            matches!(record, Record::TopUpOrdered { .. }).then_some(*seq)
        });
        ordered.expect("a top-up was ordered")
    }

    pub fn printed(&mut self) -> &mut Self {
        let job = self.effects.iter().find_map(|effect| match effect {
            Effect::Printer(printer::Command::Print { job, .. }) => Some(*job),
            _ => None,
        });
        let job = job.expect("something is being printed");
        self.event(Event::Printer(printer::Event::Printed(job)))
    }

    /// The power goes: flow and devices forget, the journal stays.
    pub fn power_cut(self) -> Self {
        let total = self.stacked_total;
        let mut rig = Self::on(self.journal);
        rig.stacked_total = total;
        rig
    }

    pub fn screen(&self) -> &Screen {
        &self.view.as_ref().expect("something is shown").screen
    }

    pub fn name(&self) -> &'static str {
        self.screen().name().0
    }

    pub fn has_stack(&self) -> bool {
        self.effects.iter().any(|effect| matches!(effect, Effect::Stack(_)))
    }

    pub fn has_command(&self, command: &acceptor::Command) -> bool {
        self.effects
            .iter()
            .any(|effect| matches!(effect, Effect::Acceptor(sent) if sent == command))
    }

    pub fn asks_top_up(&self) -> bool {
        self.effects
            .iter()
            .any(|effect| matches!(effect, Effect::Central(CentralRequest::TopUp { .. })))
    }

    pub fn kinds(&self) -> Vec<&'static str> {
        self.journal.iter().map(|(_, record)| record.kind()).collect()
    }

    pub fn balance(&self, account: kiosk_records::Account) -> i64 {
        self.kiosk.books().ledger().balance(account)
    }
}
