//! The loop against a made-up protocol, on pipes and in virtual time.

use std::collections::VecDeque;
use std::io;
use std::time::Duration;

use domain::Mono;
use driver_api::{Busy, Frame, Link, Protocol};
use driver_host::{Line, drive};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout};

/// Sends each command as one byte and is busy until the device has echoed it.
#[derive(Default)]
struct Echo {
    waiting: bool,
    frames: VecDeque<Frame>,
    events: VecDeque<Said>,
    tick_at: Option<Mono>,
}

#[derive(Clone, Debug, PartialEq)]
enum Said {
    Link(Link),
    Heard(Vec<u8>),
    Tick(Mono),
}

impl Protocol for Echo {
    type Command = u8;
    type Event = Said;

    fn handle_command(&mut self, _: Mono, command: u8) -> Result<(), Busy> {
        if self.waiting {
            return Err(Busy);
        }
        self.waiting = true;
        self.frames.push_back(Frame::open(vec![command]));
        Ok(())
    }

    fn handle_bytes(&mut self, _: Mono, bytes: &[u8]) {
        self.waiting = false;
        self.events.push_back(Said::Heard(bytes.to_vec()));
    }

    fn handle_link(&mut self, _: Mono, link: Link) {
        self.waiting = false;
        self.events.push_back(Said::Link(link));
    }

    fn handle_timeout(&mut self, now: Mono) {
        if let Some(at) = self.tick_at.take_if(|at| *at <= now) {
            self.events.push_back(Said::Tick(at));
        }
    }

    fn poll_write(&mut self) -> Option<Frame> {
        self.frames.pop_front()
    }

    fn poll_event(&mut self) -> Option<Said> {
        self.events.pop_front()
    }

    fn poll_timeout(&self) -> Option<(Mono, &'static str)> {
        self.tick_at.map(|at| (at, "tick"))
    }
}

/// Hands out the pipes that a test put into it, and notes when it was asked.
struct Pipes {
    pipes: mpsc::UnboundedReceiver<DuplexStream>,
    asked: mpsc::UnboundedSender<Instant>,
}

impl Line for Pipes {
    type Stream = DuplexStream;

    async fn open(&mut self) -> io::Result<DuplexStream> {
        self.asked.send(Instant::now()).ok();
        self.pipes.try_recv().map_err(|_| io::ErrorKind::NotFound.into())
    }

    fn name(&self) -> String {
        "pipe".to_owned()
    }
}

struct Bench {
    pipes: mpsc::UnboundedSender<DuplexStream>,
    asked: mpsc::UnboundedReceiver<Instant>,
    commands: mpsc::Sender<u8>,
    events: mpsc::Receiver<Said>,
    task: tokio::task::JoinHandle<()>,
}

impl Bench {
    fn run(protocol: Echo) -> Self {
        let (pipes, pipes_rx) = mpsc::unbounded_channel();
        let (asked_tx, asked) = mpsc::unbounded_channel();
        let (commands, commands_rx) = mpsc::channel(4);
        let (events_tx, events) = mpsc::channel(1);
        let line = Pipes { pipes: pipes_rx, asked: asked_tx };
        Self {
            pipes,
            asked,
            commands,
            events,
            task: tokio::spawn(drive(protocol, line, commands_rx, events_tx)),
        }
    }

    /// The device's end of a line that can be opened now.
    fn plug(&self) -> DuplexStream {
        let (host, device) = duplex(64);
        self.pipes.send(host).expect("the loop runs");
        device
    }

    async fn event(&mut self) -> Said {
        self.events.recv().await.expect("the loop runs")
    }
}

#[tokio::test(start_paused = true)]
async fn a_missing_line_is_tried_with_growing_pauses_and_a_cap() {
    let mut bench = Bench::run(Echo::default());
    let mut last = bench.asked.recv().await.unwrap();
    let mut pauses = Vec::new();
    for _ in 0..8 {
        let next = bench.asked.recv().await.unwrap();
        pauses.push((next - last).as_millis());
        last = next;
    }
    assert_eq!(pauses, [100, 200, 400, 800, 1600, 3000, 3000, 3000]);

    let _device = bench.plug();
    assert_eq!(bench.event().await, Said::Link(Link::Up));
}

#[tokio::test(start_paused = true)]
async fn a_line_that_opens_and_ends_at_once_is_not_tried_in_a_spin() {
    let mut bench = Bench::run(Echo::default());
    let began = Instant::now();
    for _ in 0..6 {
        drop(bench.plug());
        assert_eq!(bench.event().await, Said::Link(Link::Up));
        assert_eq!(bench.event().await, Said::Link(Link::Down));
    }
    assert!(began.elapsed() >= Duration::from_millis(100 + 200 + 400 + 800 + 1600));
}

#[tokio::test(start_paused = true)]
async fn a_refused_command_waits_for_the_next_input_and_keeps_its_place() {
    let mut bench = Bench::run(Echo::default());
    let mut device = bench.plug();
    assert_eq!(bench.event().await, Said::Link(Link::Up));
    for command in 1..=3 {
        bench.commands.send(command).await.unwrap();
    }
    for command in 1..=3 {
        assert_eq!(device.read_u8().await.unwrap(), command);
        let more = timeout(Duration::from_secs(60), device.read_u8()).await;
        assert!(more.is_err(), "busy until the echo");
        device.write_u8(command).await.unwrap();
        assert_eq!(bench.event().await, Said::Heard(vec![command]));
    }
}

#[tokio::test(start_paused = true)]
async fn a_lost_line_is_reported_and_what_was_unsent_is_not_sent_on_the_next() {
    let mut bench = Bench::run(Echo::default());
    let device = bench.plug();
    assert_eq!(bench.event().await, Said::Link(Link::Up));
    drop(device);
    assert_eq!(bench.event().await, Said::Link(Link::Down));

    bench.commands.send(9).await.unwrap();
    // Taken when the channel is empty again.
    drop(bench.commands.reserve_many(4).await.unwrap());
    let mut device = bench.plug();
    assert_eq!(bench.event().await, Said::Link(Link::Up));
    let stale = timeout(Duration::from_secs(60), device.read_u8()).await;
    assert!(stale.is_err(), "{stale:?}");
}

#[tokio::test(start_paused = true)]
async fn deadlines_of_the_protocol_come_to_the_millisecond() {
    let mut bench = Bench::run(Echo { tick_at: Some(Mono(1234)), ..Echo::default() });
    let began = Instant::now();
    assert_eq!(bench.event().await, Said::Tick(Mono(1234)));
    assert_eq!(began.elapsed().as_millis(), 1234);
}

#[tokio::test(start_paused = true)]
async fn a_slow_core_loses_no_event() {
    let mut bench = Bench::run(Echo::default());
    let mut device = bench.plug();
    let sent: Vec<u8> = (0..200).collect();
    let bytes = sent.clone();
    // More than may wait for the core: the device has to wait too.
    let writer = tokio::spawn(async move {
        for byte in bytes {
            device.write_u8(byte).await.unwrap();
            tokio::task::yield_now().await;
        }
        device
    });
    let mut heard = Vec::new();
    while heard.len() < sent.len() {
        match bench.event().await {
            Said::Heard(bytes) => heard.extend(bytes),
            Said::Link(Link::Up) => {}
            other @ (Said::Link(Link::Down) | Said::Tick(_)) => panic!("{other:?}"),
        }
    }
    assert_eq!(heard, sent);
    writer.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn it_ends_when_the_core_is_gone_and_writes_the_last_command_first() {
    let mut bench = Bench::run(Echo::default());
    let mut device = bench.plug();
    assert_eq!(bench.event().await, Said::Link(Link::Up));
    bench.commands.send(7).await.unwrap();
    drop(bench.commands);
    bench.task.await.unwrap();
    assert_eq!(device.read_u8().await.unwrap(), 7);

    let bench = Bench::run(Echo::default());
    drop(bench.events);
    bench.task.await.unwrap();
}
