//! The world of one seed, from the first customer to the last cent. Read it from top to bottom:
//! who is in it, phase 1 (everything may break), phase 2 (nothing breaks any more, people mend what
//! only people can), and what must be true in the end.

use std::collections::BTreeMap;

use domain::{Amount, CardRules, Lang, NoteSet, OfflinePolicy, RechargeRules};
use kiosk_core::{Config, Timing};
use ui_proto::Screen;

use crate::acceptor::Acceptor;
use crate::canary::Canary;
use crate::central::Central;
use crate::customer::{Customer, Front, Plan};
use crate::cuts::{Cuts, Planned};
use crate::kioskd::{Death, Input, Kioskd, Order};
use crate::oracle::Cards;
use crate::peripherals::{self, card};
use crate::rig::{self, Depth, Printer, Reader, Rig, Speech, Validator};
use crate::rng::Rng;
use crate::stage::{Accident, Happening, Stage};
use crate::swarm::Faults;
use crate::terminal::{Terminal, Tick};
use crate::trace::{Keep, Trace};
use crate::wired::{self, Due};

/// Card holders in this town.
pub const HOLDERS: usize = 5;

/// What kind of world.
#[derive(Clone, Debug)]
pub struct Setting {
    /// Decides everything else.
    pub seed: u64,
    /// How deep its devices go.
    pub rig: Rig,
    /// What may break in phase 1, and how often.
    pub faults: Faults,
    /// So many customers come.
    pub customers: u32,
    /// These come, one after the other, instead of any.
    pub script: Vec<Scene>,
    /// Where the power goes, at counted records.
    pub cuts: Vec<Planned>,
    /// What happens behind the so many-th frame of the terminal.
    pub accident: Option<(usize, Accident)>,
    /// A planted bug.
    pub canary: Option<Canary>,
    /// How much of the trace to keep.
    pub keep: Keep,
}

impl Setting {
    /// The world of this seed as it was before anybody could pay by bank card.
    #[must_use]
    pub const fn without_cards(mut self) -> Self {
        self.faults.pays_by_card = 0;
        self.faults.nights = 0;
        self
    }
}

/// One customer of a script, and what happens around the visit.
#[derive(Clone, Debug)]
pub struct Scene {
    /// Who comes for what.
    pub plan: Plan,
    /// Faults while this visit lasts.
    pub faults: Faults,
    /// Something that is done before.
    pub before: Option<Deed>,
}

/// Something that somebody does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed {
    /// The attendant swaps the cash box.
    SwapBox,
    /// There is no way to central.
    CutOffCentral,
    /// There is one again.
    ReconnectCentral,
    /// The office suspends this holder's card as soon as the visit has begun.
    Suspend(usize),
    /// The municipality changes its rules.
    ChangeRules,
    /// The wall clock jumps by a day.
    StepClock,
    /// The power goes in so many ms.
    CutPowerIn(u64),
}

/// What a run came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ran {
    /// Visits begun.
    pub visits: u64,
    /// Records written.
    pub records: usize,
    /// How often each kind was written.
    pub kinds: BTreeMap<&'static str, usize>,
    /// Times kioskd was started.
    pub starts: u32,
    /// Frames that passed between terminal and kioskd; only over bytes they are counted.
    pub frames: usize,
    /// What became of bank cards.
    pub cards: Cards,
    /// Over the whole trace.
    pub hash: u64,
}

/// Everybody and everything.
pub struct World {
    stage: Stage,
    rng: Rng,
    /// For what only bank cards bring.
    card_rng: Rng,
    setting: Setting,
    kioskd: Kioskd,
    acceptor: Box<dyn Validator>,
    reader: Box<dyn Reader>,
    printer: Box<dyn Printer>,
    terminal: Box<dyn rig::Terminal>,
    central: Central,
    customer: Option<Customer>,
    arrived: u32,
    attendants_coming: u32,
    is_start_planned: bool,
    is_phase_2: bool,
}

/// Who tries in the end.
const LAST_CUSTOMERS: u32 = 6;

/// As much of a night as the terminal needs to close its day.
const NIGHT_MS: u64 = 20 * 60_000;

/// Phase 2 lasts no longer.
const MENDED_WITHIN_MS: u64 = 3_600_000;

impl World {
    /// Before the first start.
    pub fn new(setting: Setting) -> Self {
        let rng = Rng::new(setting.seed);
        let trace = Trace::new(setting.keep);
        let mut stage = Stage::new(setting.faults.clone(), trace, setting.canary);
        let config = Config {
            kiosk: "K0001".parse().expect("a kiosk's name"),
            municipality: "Vilanova".to_owned(),
            office: "Plaza Mayor 1".to_owned(),
            lang: Lang::Es,
            acquirer: None,
            has_terminal: true,
            timing: Timing::default(),
            rules: rules(),
        };
        let cuts = Cuts::new(rng.split("cuts"), setting.cuts.iter().copied());
        let acceptor: Box<dyn Validator> = match setting.rig.validator {
            Depth::Class => Box::new(Acceptor::new(rng.split("acceptor"), &stage)),
            Depth::Bytes => Box::new(wired::validator::wired(rng.split("acceptor"), &stage)),
        };
        let reader: Box<dyn Reader> = match setting.rig.reader {
            Depth::Class => Box::new(peripherals::Reader::new(rng.split("reader"))),
            Depth::Bytes => Box::new(wired::reader::wired(&rng.split("reader"))),
        };
        let printer: Box<dyn Printer> = match setting.rig.printer {
            Depth::Class => Box::new(peripherals::Printer::new(rng.split("printer"))),
            Depth::Bytes => Box::new(wired::printer::wired(rng.split("printer"))),
        };
        let terminal = new_terminal(setting.rig.terminal, &rng);
        stage.accident = setting.accident;
        stage.after(0, Happening::Start);
        stage.after(20_000, Happening::Arrival);
        Self {
            kioskd: Kioskd::new(config, cuts, rng.split("kioskd")),
            acceptor,
            reader,
            printer,
            terminal,
            central: Central::new(HOLDERS, rules(), rng.split("central"), rng.split("network")),
            customer: None,
            arrived: 0,
            attendants_coming: 0,
            is_start_planned: true,
            is_phase_2: false,
            stage,
            card_rng: rng.split("cards"),
            rng: rng.split("world"),
            setting,
        }
    }

    /// Plays it.
    ///
    /// # Panics
    /// When an invariant does not hold; the message begins with its name.
    pub fn run(&mut self) -> Ran {
        // Phase 1: safety. Whatever breaks, each invariant holds at every step.
        while !self.is_everybody_served() {
            self.step();
        }
        // Phase 2: liveness. Nothing breaks any more, and then all comes right.
        self.mend();
        self.comes_right();
        self.serves_one_more();
        self.stage.oracle.ends_well();
        self.acceptor.audit(&self.stage);
        self.central.audit();
        self.ran()
    }

    /// The trace's last lines.
    pub fn last_lines(&self) -> Vec<String> {
        self.stage.trace.last()
    }

    // ---- one thing after the other

    fn step(&mut self) {
        let deadline = self.kioskd.deadline_ms();
        let next = self.stage.next_at();
        // Inputs come before a deadline at the same time, as in core_loop.rs.
        if deadline.is_some_and(|at| next.is_none_or(|next| at < next)) {
            self.stage.now_ms = self.stage.now_ms.max(deadline.unwrap_or_default());
            let lives = self.kioskd.timeout(&mut self.stage);
            return self.outlives(lives);
        }
        let happening = self.stage.pop().expect("somebody always comes, or looks for news");
        self.happens(happening);
    }

    fn happens(&mut self, happening: Happening) {
        let stage = &mut self.stage;
        match happening {
            Happening::Input(boot, input) => {
                let lives = self.kioskd.input(boot, input, stage);
                self.outlives(lives);
            }
            Happening::Committed(boot) => {
                let lives = self.kioskd.committed(boot, stage);
                self.outlives(lives);
            }
            Happening::Order(boot, order) => match order {
                Order::Acceptor(command) => self.acceptor.command(boot, command, stage),
                Order::Reader(command) => self.reader.command(boot, command, stage),
                Order::Printer(command) => self.printer.command(boot, command, stage),
                Order::Terminal(command) => self.terminal.command(boot, command, stage),
            },
            Happening::Acceptor(tick) => {
                self.acceptor.tick(tick, stage);
                self.call_attendant();
            }
            Happening::Reader(tick) => self.reader.tick(tick, stage),
            Happening::Printer(tick) => {
                self.printer.tick(tick, stage);
                self.call_attendant();
            }
            Happening::Wired(due) => {
                match due {
                    Due::Validator(tick) => self.acceptor.wired(tick, stage),
                    Due::Reader(tick) => self.reader.wired(tick, stage),
                    Due::Printer(tick) => self.printer.wired(tick, stage),
                    Due::Terminal(tick) => self.terminal_over_bytes(tick),
                }
                self.call_attendant();
            }
            Happening::Terminal(tick) => self.terminal_does(tick),
            Happening::Asked(question) => self.central.send(question, stage),
            Happening::Question(question) => self.central.answer(question, stage),
            Happening::Answer(boot, id, answer) => {
                let lives = self.kioskd.answered(boot, id, Some(answer), stage);
                self.outlives(lives);
            }
            Happening::NoAnswer(boot, id) => {
                let lives = self.kioskd.answered(boot, id, None, stage);
                self.outlives(lives);
            }
            Happening::SyncDue(boot, due) => self.kioskd.sync_due(boot, due, stage),
            Happening::Customer(number) => self.customer_acts(number),
            Happening::Arrival => self.arrival(),
            Happening::Attendant => self.attendant(),
            Happening::NetworkBack => self.central.reconnect(),
            Happening::DiskFreed => self.kioskd.free_disk(),
            Happening::PowerCut if self.is_phase_2 => {}
            Happening::PowerCut => self.power_cut(),
            Happening::Accident(accident) => self.accident(accident),
            Happening::Terminate => {
                let boot = self.kioskd.boot();
                let lives = self.kioskd.input(boot, Input::Stop, stage);
                self.outlives(lives);
            }
            Happening::Start => self.start(),
        }
    }

    // ---- kioskd's life and death

    fn start(&mut self) {
        self.is_start_planned = false;
        self.acceptor.power_on(&mut self.stage);
        self.reader.power_on(&mut self.stage);
        self.printer.power_on(&mut self.stage);
        self.terminal.power_on(&mut self.stage);
        match self.kioskd.start(&mut self.stage) {
            Ok(boot) => {
                self.acceptor.host_there(boot, &mut self.stage);
                self.reader.host_there(boot, &mut self.stage);
                self.printer.host_there(boot, &mut self.stage);
                self.terminal.host_there(boot, &mut self.stage);
            }
            Err(death) => self.outlives(Err(death)),
        }
    }

    fn outlives(&mut self, lives: Result<(), Death>) {
        match lives {
            Ok(()) => {}
            Err(Death::Cut) => self.power_cut(),
            Err(death @ (Death::DiskFull | Death::Stopped)) => {
                self.stage.note("kioskd", format_args!("ends: {death:?}"));
                self.dies();
                self.plan_start(2_000);
            }
        }
    }

    fn power_cut(&mut self) {
        let only_kioskd = self.rng.chance(self.stage.faults.cut_is_crash);
        self.loses_power(only_kioskd);
    }

    fn loses_power(&mut self, only_kioskd: bool) {
        self.stage.note("power", format_args!("cut; only kioskd: {only_kioskd}"));
        self.dies();
        let ms = match only_kioskd {
            true => self.rng.between(500, 5_000),
            false => {
                self.acceptor.power_off(&mut self.stage);
                self.reader.power_off(&mut self.stage);
                self.printer.power_off(&mut self.stage);
                self.terminal.power_off(&mut self.stage);
                self.rng.between(5_000, 120_000)
            }
        };
        self.plan_start(ms);
    }

    fn dies(&mut self) {
        self.kioskd.die(&mut self.stage);
        self.acceptor.host_gone(&mut self.stage);
        self.reader.host_gone(&mut self.stage);
        self.printer.host_gone(&mut self.stage);
        self.terminal.host_gone(&mut self.stage);
    }

    fn accident(&mut self, accident: Accident) {
        self.stage.note("world", format_args!("{accident:?}"));
        match accident {
            Accident::Cut(ms) => self.terminal.cut(ms, &mut self.stage),
            Accident::Killed => self.loses_power(true),
            Accident::Dark => self.loses_power(false),
        }
    }

    fn plan_start(&mut self, ms: u64) {
        if !self.is_start_planned {
            self.is_start_planned = true;
            self.stage.after(ms, Happening::Start);
        }
    }

    // ---- people

    fn arrival(&mut self) {
        if self.customer.is_some() || self.arrived == self.to_come() {
            return;
        }
        let (plan, rng) = (self.next_plan(), self.rng.split("customer"));
        let mut rng = Rng::new(rng.split(&self.arrived.to_string()).below(u64::MAX));
        self.trouble(&plan, &mut rng);
        self.arrived += 1;
        self.customer = Some(Customer::arrive(self.arrived, plan, rng, &mut self.stage));
    }

    fn to_come(&self) -> u32 {
        match self.setting.script.len() {
            0 => self.setting.customers,
            scenes => u32::try_from(scenes).unwrap_or(u32::MAX),
        }
    }

    fn next_plan(&mut self) -> Plan {
        let at = usize::try_from(self.arrived).unwrap_or_default();
        if let Some(scene) = self.setting.script.get(at).cloned() {
            self.stage.faults = scene.faults;
            if let Some(deed) = scene.before {
                self.does(deed);
            }
            return scene.plan;
        }
        let holder = usize::try_from(self.rng.below(HOLDERS as u64)).unwrap_or_default();
        let count = self.rng.between(0, 4);
        let notes = (0..count).map(|_| self.rng.pick(&[5, 5, 10, 10, 20, 20, 50, 100]));
        let notes = notes.collect();
        self.central.spend(card(holder).card_ref);
        let wants_paper = self.rng.coin();
        Plan { holder, pays: self.next_payment(), notes, wants_paper }
    }

    /// From a stream of its own: worlds in which nobody pays by card stay as they were.
    fn next_payment(&self) -> Option<u16> {
        let mut rng = self.rng.split("payment").split(&self.arrived.to_string());
        let pays = rng.chance(self.stage.faults.pays_by_card);
        pays.then(|| rng.pick(&[10, 20, 50]))
    }

    /// What goes wrong around a visit, beside what its devices do.
    fn trouble(&mut self, plan: &Plan, rng: &mut Rng) {
        let faults = self.stage.faults.clone();
        let within = |rng: &mut Rng| rng.between(1_000, 60_000);
        if rng.chance(faults.cut_any_time) {
            let ms = within(rng);
            self.stage.after(ms, Happening::PowerCut);
        }
        if rng.chance(faults.terminate) {
            let ms = within(rng);
            self.stage.after(ms, Happening::Terminate);
        }
        if rng.chance(faults.net_partition) {
            self.does(Deed::CutOffCentral);
            let ms = rng.between(10_000, 1_200_000);
            self.stage.after(ms, Happening::NetworkBack);
        }
        if rng.chance(faults.clock_step) {
            let by = i64::try_from(rng.between(0, 180_000_000)).unwrap_or_default();
            self.stage.clock_off_ms = by - 90_000_000;
        }
        if rng.chance(faults.card_suspended) {
            self.does(Deed::Suspend(plan.holder));
        } else {
            self.central.reinstate_all();
        }
        if rng.chance(faults.rules_change) {
            self.does(Deed::ChangeRules);
        }
        if rng.chance(faults.box_pulled) {
            self.attendant_in(within(rng));
        }
    }

    fn does(&mut self, deed: Deed) {
        self.stage.note("people", format_args!("{deed:?}"));
        match deed {
            Deed::SwapBox => self.swap_box(),
            Deed::CutOffCentral => self.central.cut_off(),
            Deed::ReconnectCentral => self.central.reconnect(),
            Deed::Suspend(holder) => self.central.suspend(card(holder).card_ref),
            Deed::ChangeRules => self.central.change_rules(),
            Deed::StepClock => self.stage.clock_off_ms += 86_400_000,
            Deed::CutPowerIn(ms) => self.stage.after(ms, Happening::PowerCut),
        }
    }

    fn customer_acts(&mut self, number: u32) {
        let Some(customer) = self.customer.as_mut().filter(|it| it.number() == number) else {
            return;
        };
        let mut front = Front {
            kioskd: &mut self.kioskd,
            acceptor: &mut *self.acceptor,
            reader: &mut *self.reader,
        };
        if !customer.act(&mut front, &mut self.stage) {
            self.customer = None;
            let mut ms = self.rng.between(2_000, 120_000);
            if self.card_rng.chance(self.stage.faults.nights) {
                self.does(Deed::StepClock);
                ms += NIGHT_MS;
            }
            self.stage.after(ms, Happening::Arrival);
        }
    }

    fn terminal_does(&mut self, tick: Tick) {
        let is_bank = matches!(tick, Tick::Bank(_));
        self.terminal.tick(tick, &mut self.stage);
        if is_bank {
            self.suspends_amid();
        }
    }

    fn terminal_over_bytes(&mut self, tick: wired::Tick<wired::terminal::Tick>) {
        let before = self.stage.oracle.charges();
        self.terminal.wired(tick, &mut self.stage);
        if self.stage.oracle.charges() > before {
            self.suspends_amid();
        }
    }

    fn suspends_amid(&mut self) {
        if self.card_rng.chance(self.stage.faults.suspended_amid)
            && let Some(card) = self.stage.oracle.card_here()
        {
            self.stage.note("people", format_args!("the office suspends who pays"));
            self.central.suspend(card);
        }
    }

    /// Something broke that only people mend.
    fn call_attendant(&mut self) {
        let needed = self.acceptor.is_jammed()
            || self.acceptor.is_box_out()
            || self.acceptor.is_box_full()
            || self.printer.needs_attendant();
        if needed && self.attendants_coming == 0 {
            let ms = self.rng.between(60_000, 900_000);
            self.attendant_in(ms);
        }
    }

    fn attendant_in(&mut self, ms: u64) {
        self.attendants_coming += 1;
        self.stage.after(ms, Happening::Attendant);
    }

    fn attendant(&mut self) {
        self.attendants_coming -= 1;
        self.stage.note("attendant", format_args!("is there"));
        self.printer.mend(&mut self.stage);
        if self.acceptor.is_jammed() {
            // Only what kioskd knows of: who opens a dead machine tells nobody what was in it.
            if self.acceptor.has_told_jam() && self.kioskd.is_running() {
                self.acceptor.clear_jam(&mut self.stage);
            }
        } else {
            self.swap_box();
        }
        self.call_attendant();
    }

    /// Takes the box out, or puts an empty one in.
    fn swap_box(&mut self) {
        if self.acceptor.is_box_out() {
            self.acceptor.put_box(&mut self.stage);
        } else {
            self.acceptor.pull_box(&mut self.stage);
            self.attendant_in(30_000);
        }
    }

    // ---- the end

    fn is_everybody_served(&self) -> bool {
        self.arrived == self.to_come() && self.customer.is_none()
    }

    fn mend(&mut self) {
        self.stage.note("world", format_args!("phase 2"));
        self.is_phase_2 = true;
        self.stage.faults = Faults::NONE;
        self.stage.clock_off_ms = 0;
        self.central.reconnect();
        self.kioskd.free_disk();
        self.central.reinstate_all();
        self.call_attendant();
    }

    fn comes_right(&mut self) {
        let until = self.stage.now_ms + MENDED_WITHIN_MS;
        while !self.is_well() {
            assert!(self.stage.now_ms < until, "{}", self.ails());
            self.step();
        }
    }

    /// In service is a kiosk that serves: of a few more customers, one recharges. The first may
    /// come while the validator is still busy with itself.
    fn serves_one_more(&mut self) {
        let (mut is_stacked, printed) = (false, self.stage.oracle.paper.printed());
        for number in 1..=LAST_CUSTOMERS {
            self.reader.lift(&mut self.stage);
            self.central.spend(card(0).card_ref);
            let plan = Plan { holder: 0, pays: None, notes: vec![10], wants_paper: true };
            let rng = self.rng.split("one more");
            let number = self.arrived + number;
            let customer = Customer::arrive(number, plan, rng, &mut self.stage);
            let note = customer.first_note();
            self.customer = Some(customer);
            while self.customer.is_some() {
                self.step();
            }
            self.comes_right();
            is_stacked |= self.stage.oracle.is_stacked(note);
            if is_stacked && self.stage.oracle.paper.printed() > printed {
                return;
            }
        }
        assert!(is_stacked, "L1: the kiosk looks well, and takes no note");
        panic!("L1: the kiosk looks well, and prints no receipt");
    }

    /// In service, nothing open that anybody but the office could close, central up to date.
    fn is_well(&self) -> bool {
        self.ails().is_empty()
    }

    fn ails(&self) -> &'static str {
        let Some((view, _)) = self.kioskd.screen() else {
            return "L1: kioskd is not running";
        };
        if !matches!(view.screen, Screen::Attract { limited: false }) {
            return "L1: the kiosk is not back in service";
        }
        let books = self.kioskd.books();
        if books.visit().is_some() || books.intents().any(|(_, open)| !open.is_claimed()) {
            return "L2: something is open for ever";
        }
        if books.at_terminal().is_some() || books.to_give_back().is_some() {
            return "L2: the terminal is never asked";
        }
        if self.central.acked() != books.seq() {
            return "L3: central does not have the journal";
        }
        if self.attendants_coming > 0 || self.acceptor.is_jammed() || self.acceptor.is_box_out() {
            return "L1: nobody mends the validator";
        }
        ""
    }

    fn ran(&self) -> Ran {
        let mut kinds = BTreeMap::new();
        for entry in self.kioskd.journal() {
            *kinds.entry(entry.record.kind()).or_default() += 1;
        }
        Ran {
            visits: self.kioskd.visits,
            records: self.kioskd.journal().len(),
            kinds,
            starts: self.kioskd.boot(),
            frames: self.stage.frames,
            cards: self.stage.oracle.cards(),
            hash: self.stage.trace.hash(),
        }
    }
}

fn new_terminal(speech: Speech, rng: &Rng) -> Box<dyn rig::Terminal> {
    let own = rng.split("terminal");
    let is_nexo = match speech {
        Speech::Class => return Box::new(Terminal::new(own)),
        Speech::Zvt => false,
        Speech::Nexo => true,
        Speech::Either => own.split("speech").coin(),
    };
    match is_nexo {
        true => Box::new(wired::terminal::nexo::wired(own)),
        false => Box::new(wired::terminal::zvt::wired(own)),
    }
}

fn rules() -> RechargeRules {
    RechargeRules {
        min: Amount::euro(5),
        max: Amount::euro(150),
        wallet_max: Amount::euro(150),
        card: CardRules {
            min: Amount::euro(10),
            max: Amount::euro(100),
            amounts: [10, 20, 50, 100].map(Amount::euro).into(),
        },
        notes: NoteSet::of([5, 10, 20, 50].map(Amount::euro)),
        offline: OfflinePolicy {
            max_per_visit: Amount::euro(50),
            max_queued: Amount::euro(200),
            hotlist_age_max_h: 48,
        },
    }
}
