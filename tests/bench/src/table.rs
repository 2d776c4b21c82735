//! kioskd's own core loop, journal and screen socket, on a table: we play devices, central and
//! customer.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use domain::{
    Amount, CardNumber, CardRef, CardRefKey, CardRules, Lang, NoteSet, OfflinePolicy, Pii,
    RechargeRules, Uid,
};
use driver_api::acceptor::{self, Capabilities, Note};
use driver_api::payment_terminal::{
    self, Approval, Command, Entry, Operation, Outcome, Reference, Verification,
};
use driver_api::{card_reader, printer};
use kiosk_core::{
    Account, CentralLink, CentralReply, CentralRequest, Config, Event, Hotlist, SessionReply,
    Timing, TopUpReply,
};
use kiosk_daemon::config;
use kiosk_daemon::table::{Ends, start};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::time::timeout;
use ui_proto::{Action, ByCard, FromUi, Screen, ToUi, decode, encode};

/// Nothing here takes longer unless it is broken.
const PATIENCE: Duration = Duration::from_secs(10);
/// A wallet for thousands of notes: one visit is measured, not its limits.
const WALLET_MAX: Amount = Amount::MAX;

const TEN: Amount = Amount::euro(10);

pub(crate) struct Table {
    ends: Ends,
    screen: Screens,
}

impl Table {
    /// In service, in `directory`.
    pub(crate) async fn new(directory: &Path) -> Result<Self> {
        let socket = directory.join("ui.sock");
        let ends = start(config()?, &directory.join("journal.db"), &socket).await?;
        let screen = Screens::connect(&socket).await?;
        let mut table = Self { ends, screen };
        let now = std::time::SystemTime::UNIX_EPOCH.elapsed()?.as_millis();
        let hotlist =
            Hotlist { version: 1, confirmed_ms: i64::try_from(now)?, cards: BTreeMap::new() };
        table.event(Event::Hotlist(hotlist)).await?;
        table.event(Event::CentralLink(CentralLink::There)).await?;
        let unit = Capabilities {
            notes: notes(),
            serial: 1,
            firmware: "1".into(),
            stacked_total: Some(0),
        };
        table.event(Event::Acceptor(acceptor::Event::Ready(unit))).await?;
        table.event(Event::Reader(card_reader::Event::Ready)).await?;
        table.event(Event::Printer(printer::Event::Ready)).await?;
        let terminal = payment_terminal::Event::Ready(payment_terminal::Capabilities::default());
        table.event(Event::Terminal(terminal)).await?;
        table.screen.until(|screen| matches!(screen, Screen::Attract { .. })).await?;
        Ok(table)
    }

    /// From the driver's "a card was read" to the PIN screen on the socket.
    pub(crate) async fn tap(&mut self) -> Result<Duration> {
        let card = card()?;
        while self.ends.acceptor.try_recv().is_ok() {}
        let start = Instant::now();
        self.event(Event::Reader(card_reader::Event::Presented(card))).await?;
        self.screen.until(|screen| matches!(screen, Screen::Pin { .. })).await?;
        Ok(start.elapsed())
    }

    /// From the last key to the home screen on the socket; central answers at once.
    pub(crate) async fn type_pin(&mut self) -> Result<Duration> {
        for digit in [2, 7, 1, 8] {
            self.screen.act(Action::Digit(digit)).await?;
        }
        self.screen.until(|screen| matches!(screen, Screen::Pin { digits: 4, .. })).await?;
        let start = Instant::now();
        self.screen.act(Action::Confirm).await?;
        let asked = timeout(PATIENCE, self.ends.central.recv()).await?;
        let asked = asked.context("kioskd is gone")?;
        let CentralRequest::OpenSession { attempt, .. } = asked else { anyhow::bail!("{asked:?}") };
        let account =
            Account { holder: Pii::new("Ana G.".into()), balance: Amount::ZERO, movements: vec![] };
        let reply = CentralReply::Session { attempt, reply: SessionReply::Opened(account) };
        self.event(Event::Central(reply)).await?;
        self.screen.until(|screen| matches!(screen, Screen::Home(_))).await?;
        Ok(start.elapsed())
    }

    /// To the attract screen again, from home.
    pub(crate) async fn leave(&mut self) -> Result<()> {
        self.screen.act(Action::Cancel).await?;
        self.event(Event::Reader(card_reader::Event::Removed)).await?;
        self.screen.until(|screen| matches!(screen, Screen::Goodbye { .. })).await?;
        self.screen.act(Action::Confirm).await?;
        self.screen.until(|screen| matches!(screen, Screen::Attract { .. })).await
    }

    /// Puts a driver in our place at the card terminal; done when it has found its terminal.
    pub(crate) async fn drive_terminal(&mut self, config: config::Terminal) -> Result<()> {
        self.event(Event::Terminal(payment_terminal::Event::LinkLost)).await?;
        self.ends.drive_terminal(config);
        self.tap().await?;
        self.type_pin().await?;
        self.screen.sees(is_open_for_cards).await?;
        self.leave().await
    }

    /// Pays by card, from home. From "the terminal has said yes" to the screen that says so; then
    /// central credits it, and the customer leaves.
    pub(crate) async fn pay(&mut self) -> Result<Duration> {
        self.order_payment().await?;
        let operation = self.authorised().await?;
        let outcome = Outcome::Approved(Box::new(approval()));
        let start = Instant::now();
        let finished = payment_terminal::Event::Finished { operation, outcome };
        self.event(Event::Terminal(finished)).await?;
        self.screen.until(|screen| matches!(screen, Screen::Crediting { .. })).await?;
        let took = start.elapsed();
        self.event(Event::Terminal(payment_terminal::Event::Idle { mark: None })).await?;
        self.credited().await?;
        Ok(took)
    }

    /// The same at a terminal with a driver of its own: when the screen said so, and when `said`
    /// tells at that moment that the terminal had.
    pub(crate) async fn pay_at_terminal<T>(
        &mut self,
        said: impl Fn() -> T,
    ) -> Result<(Instant, T)> {
        self.order_payment().await?;
        self.screen.until(|screen| matches!(screen, Screen::Crediting { .. })).await?;
        let seen = (Instant::now(), said());
        self.credited().await?;
        Ok(seen)
    }

    async fn order_payment(&mut self) -> Result<()> {
        self.screen.sees(is_open_for_cards).await?;
        self.screen.act(Action::PayByCard).await?;
        self.screen.until(|screen| matches!(screen, Screen::ChooseAmount(_))).await?;
        self.screen.act(Action::Amount(TEN)).await
    }

    async fn credited(&mut self) -> Result<()> {
        let asked = timeout(PATIENCE, self.ends.central.recv()).await?;
        let asked = asked.context("kioskd is gone")?;
        let CentralRequest::TopUp { intent, .. } = asked else { anyhow::bail!("{asked:?}") };
        let reply = TopUpReply::Accepted { ledger_ref: "T".into(), balance: TEN };
        self.event(Event::Central(CentralReply::TopUp { intent, reply })).await?;
        self.screen.until(|screen| matches!(screen, Screen::Done { .. })).await?;
        self.leave().await
    }

    async fn authorised(&mut self) -> Result<Operation> {
        loop {
            let command = timeout(PATIENCE, self.ends.terminal.recv()).await?;
            if let Command::Authorise { operation, .. } = command.context("kioskd is gone")? {
                return Ok(operation);
            }
        }
    }

    pub(crate) async fn recharge(&mut self) -> Result<()> {
        self.screen.act(Action::Recharge).await?;
        self.commanded(|command| matches!(command, acceptor::Command::Enable(_))).await?;
        self.screen.until(|screen| matches!(screen, Screen::Inserting(_))).await
    }

    /// From "a note is in escrow" to the command to stack it; then the note is booked.
    pub(crate) async fn note(&mut self) -> Result<Duration> {
        let note = Note { value: Amount::euro(5) };
        let start = Instant::now();
        self.event(Event::Acceptor(acceptor::Event::Escrowed(note))).await?;
        self.commanded(|command| matches!(command, acceptor::Command::Stack)).await?;
        let took = start.elapsed();
        self.event(Event::Acceptor(acceptor::Event::Stacked(note))).await?;
        self.commanded(|command| matches!(command, acceptor::Command::Acknowledge)).await?;
        Ok(took)
    }

    async fn event(&mut self, event: Event) -> Result<()> {
        // Nobody waits for these; their channels are bounded.
        while self.ends.reader.try_recv().is_ok() {}
        while self.ends.printer.try_recv().is_ok() {}
        self.ends.event(event).await
    }

    async fn commanded(&mut self, is: impl Fn(&acceptor::Command) -> bool) -> Result<()> {
        loop {
            let command = timeout(PATIENCE, self.ends.acceptor.recv()).await?;
            if is(&command.context("kioskd is gone")?) {
                return Ok(());
            }
        }
    }
}

/// A screen's end of the socket.
pub(crate) struct Screens {
    lines: Lines<BufReader<OwnedReadHalf>>,
    write: OwnedWriteHalf,
    seq: u64,
    shown: Option<Screen>,
}

impl Screens {
    pub(crate) async fn connect(socket: &Path) -> Result<Self> {
        let (read, write) = UnixStream::connect(socket).await?.into_split();
        Ok(Self { lines: BufReader::new(read).lines(), write, seq: 0, shown: None })
    }

    /// It is shown, or will be.
    pub(crate) async fn sees(&mut self, is: impl Fn(&Screen) -> bool) -> Result<()> {
        if self.shown.as_ref().is_some_and(&is) { Ok(()) } else { self.until(is).await }
    }

    /// It is shown from now on.
    pub(crate) async fn until(&mut self, is: impl Fn(&Screen) -> bool) -> Result<()> {
        let wanted = async {
            while let Some(line) = self.lines.next_line().await? {
                let ToUi { seq, view } = decode(line.as_bytes())?;
                self.seq = seq;
                let shown = self.shown.insert(view.screen);
                if is(shown) {
                    return Ok(());
                }
            }
            anyhow::bail!("kioskd is gone")
        };
        let waited = timeout(PATIENCE, wanted).await;
        waited.with_context(|| {
            let shown = self.shown.as_ref().map(Screen::name);
            format!("the screen stays {shown:?}")
        })?
    }

    pub(crate) async fn act(&mut self, action: Action) -> Result<()> {
        let message = FromUi { seq: self.seq, action };
        Ok(self.write.write_all(&encode(&message)).await?)
    }
}

fn is_open_for_cards(screen: &Screen) -> bool {
    matches!(screen, Screen::Home(home) if home.by_card == ByCard::Open)
}

fn config() -> Result<Config> {
    Ok(Config {
        kiosk: "K0001".parse()?,
        municipality: "Villaclara".into(),
        office: "Plaza Mayor 1".into(),
        lang: Lang::Es,
        acquirer: None,
        has_terminal: true,
        timing: Timing::default(),
        rules: RechargeRules {
            min: Amount::euro(5),
            max: WALLET_MAX,
            wallet_max: WALLET_MAX,
            notes: notes(),
            card: CardRules { min: TEN, max: TEN, amounts: [TEN].into() },
            offline: OfflinePolicy {
                max_per_visit: Amount::euro(50),
                max_queued: Amount::euro(200),
                hotlist_age_max_h: 48,
            },
        },
    })
}

fn approval() -> Approval {
    Approval {
        amount: TEN,
        reference: Reference("1".into()),
        pan: None,
        card_name: None,
        aid: None,
        authorisation_code: Some("123456".into()),
        terminal: Some("T1".into()),
        merchant: None,
        entry: Entry::Contactless,
        verification: Verification::None,
    }
}

fn notes() -> NoteSet {
    NoteSet::of([5, 10, 20, 50].map(Amount::euro))
}

fn card() -> Result<card_reader::Card> {
    let number = CardNumber::from_serial(1)?;
    let uid = Uid([4, 3, 2, 1]);
    Ok(card_reader::Card {
        number: Pii::new(number),
        uid: Pii::new(uid),
        card_ref: CardRef::new(&CardRefKey([7; 32]), number, uid),
        expires_day: 30_000,
    })
}
