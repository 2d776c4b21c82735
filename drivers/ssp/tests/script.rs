//! The driver against a script: exactly which commands go out, and when.

use domain::{Amount, Mono, NoteSet};
use driver_api::acceptor::{Command, Event, Note};
use driver_api::{FaultKind, Link, MoneyRisk, Protocol};
use driver_ssp::{Config, Ssp};
use proptest::prelude::*;

const TWENTY: Note = Note { value: Amount::euro(20) };

/// Worked reply of GA973 §8.3: EUR 5, 10, 20, 50 on level 6.
fn setup() -> Vec<u8> {
    let mut data =
        b"\xF0\x000335EUR\0\0\x01\x04\x05\x0A\x14\x32\x02\x02\x02\x02\0\0\x64\x06".to_vec();
    data.extend(b"EUREUREUREUR");
    for value in [5u32, 10, 20, 50] {
        data.extend(value.to_le_bytes());
    }
    data
}

/// CRC of GA138, once more and by hand: the driver's own is under test.
fn packet(head: u8, data: &[u8]) -> Vec<u8> {
    let mut body = vec![head, u8::try_from(data.len()).expect("short")];
    body.extend(data);
    let mut crc = 0xFFFF_u32;
    for byte in &body {
        crc ^= u32::from(*byte) << 8;
        for _ in 0..8 {
            crc <<= 1;
            crc ^= if crc & 0x1_0000 != 0 { 0x1_8005 } else { 0 };
        }
    }
    body.push(u8::try_from(crc & 0xFF).expect("masked"));
    body.push(u8::try_from(crc >> 8).expect("16 bits"));
    let mut line = vec![0x7F];
    for byte in body {
        line.push(byte);
        line.extend((byte == 0x7F).then_some(byte));
    }
    line
}

/// A driver in the clear, its clock, and the head byte of the command it waits for.
struct Script {
    driver: Ssp,
    now: Mono,
    head: u8,
}

impl Script {
    fn new() -> Self {
        let mut driver = Ssp::new(Config::plain());
        driver.handle_link(Mono(0), Link::Up);
        Self { driver, now: Mono(0), head: 0 }
    }

    /// The data of the next command, waiting for its time.
    fn sent(&mut self) -> Vec<u8> {
        for _ in 0..1000 {
            if let Some(frame) = self.driver.poll_write() {
                self.head = frame.bytes[1];
                let length = usize::from(frame.bytes[2]);
                assert_eq!(frame.bytes, packet(self.head, &frame.bytes[3..3 + length]));
                return frame.bytes[3..3 + length].to_vec();
            }
            let (at, _) = self.driver.poll_timeout().expect("it waits for something");
            self.now = at.max(self.now);
            self.driver.handle_timeout(self.now);
        }
        panic!("it sends nothing");
    }

    fn reply(&mut self, data: &[u8]) {
        let line = packet(self.head, data);
        // In two halves, as serial lines do it.
        let (first, second) = line.split_at(line.len() / 2);
        self.driver.handle_bytes(self.now, first);
        self.driver.handle_bytes(self.now, second);
    }

    fn expect(&mut self, command: &[u8], reply: &[u8]) {
        assert_eq!(self.sent(), command, "at {:?}", self.now);
        self.reply(reply);
    }

    /// It sends nothing, however often its time comes.
    fn expect_silence(&mut self) {
        for _ in 0..10 {
            let (at, _) = self.driver.poll_timeout().expect("it waits for something");
            self.now = at.max(self.now);
            self.driver.handle_timeout(self.now);
            assert_eq!(self.driver.poll_write(), None);
        }
    }

    fn order(&mut self, command: Command) {
        self.driver.handle_command(self.now, command).expect("never busy");
    }

    fn events(&mut self) -> Vec<Event> {
        std::iter::from_fn(|| self.driver.poll_event()).collect()
    }

    fn ready() -> Self {
        let mut script = Self::new();
        script.set_up(&[0xF5]);
        script.expect(&[0x56], &[0xF2]);
        script.expect(&[0x07], &[0xF0, 0xF1, 0xE8]);
        // The unit was reset before its first poll: all once more.
        assert_eq!(script.events(), [Event::LinkLost]);
        script.set_up(&[0xF5]);
        script.expect(&[0x56], &[0xF2]);
        script.expect(&[0x07], &[0xF0, 0xE8]);
        script.expect(&[0x58], &[0xF2]);
        assert!(matches!(script.events()[..], [Event::Ready(_)]));
        script.order(Command::Enable(NoteSet::of([TWENTY.value])));
        script.expect(&[0x02, 0b100, 0], &[0xF0]);
        script.expect(&[0x0A], &[0xF0]);
        script
    }

    fn set_up(&mut self, to_reject: &[u8]) {
        self.expect(&[0x11], &[0xF0]);
        self.expect(&[0x06, 8], &[0xF8]);
        self.expect(&[0x06, 7], &[0xF8]);
        self.expect(&[0x06, 6], &[0xF0]);
        self.expect(&[0x08], to_reject);
        self.expect(&[0x09], &[0xF0]);
        self.expect(&[0x02, 0, 0], &[0xF0]);
        self.expect(&[0x05], &setup());
        self.expect(&[0x0C], &[0xF0, 0, 0x1C, 0x96, 0x2C]);
    }

    fn escrowed() -> Self {
        let mut script = Self::ready();
        script.expect(&[0x07], &[0xF0, 0xEF, 0]);
        script.expect(&[0x07], &[0xF0, 0xEF, 3]);
        assert_eq!(script.events(), [Event::Reading, Event::Escrowed(TWENTY)]);
        script
    }
}

#[test]
fn no_poll_before_a_reject_and_no_poll_in_escrow_without_an_order() {
    let mut script = Script::escrowed();
    let began = script.now;
    for _ in 0..5 {
        script.expect(&[0x18], &[0xF0]);
    }
    assert_eq!((script.now - began).as_secs(), 10, "every 2 s");
    script.order(Command::Stack);
    assert_eq!(script.sent(), [0x07]);
}

#[test]
fn a_stack_order_goes_out_at_once() {
    let mut script = Script::escrowed();
    script.now = Mono(script.now.0 + 17);
    let ordered = script.now;
    script.order(Command::Stack);
    assert_eq!(script.sent(), [0x07]);
    assert_eq!(script.now, ordered);
}

#[test]
fn a_stack_order_waits_for_no_more_than_the_hold_under_way() {
    let mut script = Script::escrowed();
    assert_eq!(script.sent(), [0x18]);
    let ordered = script.now;
    script.order(Command::Stack);
    script.reply(&[0xF0]);
    assert_eq!(script.sent(), [0x07]);
    assert_eq!(script.now, ordered);
}

#[test]
fn an_order_that_comes_after_the_unit_gave_up_is_void() {
    let mut script = Script::escrowed();
    assert_eq!(script.sent(), [0x18]);
    script.order(Command::Stack);
    script.reply(&[0xF8]);
    script.expect(&[0x07], &[0xF0, 0xED]);
    script.expect(&[0x07], &[0xF0, 0xEC]);
    assert_eq!(script.events(), [Event::Returned(TWENTY)]);
    script.order(Command::Stack);
    script.expect(&[0x07], &[0xF0]);
    assert_eq!(script.events(), []);
}

#[test]
fn a_unit_that_does_not_repeat_a_credit_takes_no_other_note_before_that_is_on_disk() {
    let mut script = Script::escrowed();
    script.order(Command::Stack);
    script.expect(&[0x07], &[0xF0, 0xCC]);
    script.expect(&[0x07], &[0xF0, 0xEE, 3, 0xEB]);
    assert_eq!(script.events(), [Event::Stacked(TWENTY)]);
    let told = script.now;
    script.expect_silence();
    script.order(Command::Acknowledge);
    assert_eq!(script.sent(), [0x07]);
    assert!((script.now - told).as_secs() < 5, "the unit waits for polls no longer");
}

#[test]
fn a_validator_is_well_again_when_the_note_that_stood_still_has_come_to_its_end() {
    let mut script = Script::escrowed();
    script.order(Command::Stack);
    let mut stood_still = Vec::new();
    while stood_still.is_empty() {
        script.expect(&[0x07], &[0xF0, 0xCC]);
        stood_still = script.events();
    }
    assert!(
        matches!(&stood_still[..], [Event::Fault(fault)] if fault.kind == FaultKind::Defective),
        "{stood_still:?}"
    );
    script.expect(&[0x07], &[0xF0, 0xCC]);
    assert_eq!(script.events(), []);
    script.expect(&[0x07], &[0xF0, 0xEE, 3, 0xEB]);
    assert_eq!(script.events(), [Event::Stacked(TWENTY), Event::Cleared(FaultKind::Defective)]);
}

#[test]
fn a_note_that_stood_still_before_we_came_is_told_too() {
    let mut script = Script::new();
    script.set_up(&[0xF5]);
    script.expect(&[0x56], &[0xF2]);
    let mut told = Vec::new();
    while told.is_empty() {
        script.expect(&[0x07], &[0xF0, 0xCC, 0xE8]);
        told = script.events();
    }
    assert!(
        matches!(&told[..], [Event::Fault(fault)]
            if (fault.kind, fault.money) == (FaultKind::Defective, MoneyRisk::InDoubt)),
        "{told:?}"
    );
    // Somebody freed it.
    script.expect(&[0x07], &[0xF0, 0xEE, 3, 0xEB, 0xE8]);
    assert_eq!(script.events(), [Event::Stacked(TWENTY), Event::Cleared(FaultKind::Defective)]);
    script.order(Command::Acknowledge);
    script.expect(&[0x07], &[0xF0, 0xE8]);
    script.expect(&[0x58], &[0xF2]);
    assert!(matches!(script.events()[..], [Event::Ready(_)]));
}

#[test]
fn the_accepting_poll_goes_out_again_only_as_the_same_packet() {
    let mut script = Script::escrowed();
    script.order(Command::Stack);
    assert_eq!(script.sent(), [0x07]);
    let head = script.head;
    for _ in 0..4 {
        assert_eq!((script.sent(), script.head), (vec![0x07], head));
    }
    // Given up: what follows is a new start, in which no poll comes before a reject.
    script.set_up(&[0xF0]);
    assert_eq!(script.events(), [Event::LinkLost]);
    script.expect(&[0x56], &[0xF2]);
    script.expect(&[0x07], &[0xF0, 0xED, 0xE8]);
    script.expect(&[0x07], &[0xF0, 0xEC, 0xE8]);
    // Not ready before what was recovered is on disk.
    script.expect_silence();
    script.order(Command::Acknowledge);
    script.expect(&[0x07], &[0xF0, 0xE8]);
    script.expect(&[0x58], &[0xF0, 1, 7, 0, 0, 0]);
    let events = script.events();
    assert!(
        matches!(&events[..], [Event::Recovered { note: Some(note), .. }, Event::Ready(unit)]
            if *note == TWENTY && unit.stacked_total == Some(7) && unit.serial == 1_873_452),
        "{events:?}"
    );
}

#[test]
fn after_a_gap_the_serial_number_is_asked_and_another_unit_is_set_up_anew() {
    let mut script = Script::ready();
    assert_eq!(script.sent(), [0x07]);
    assert_eq!(script.sent(), [0x07], "again");
    script.reply(&[0xF0]);
    script.expect(&[0x0C], &[0xF0, 0, 0x1C, 0x96, 0x2D]);
    assert_eq!(script.events(), [Event::LinkLost]);
    assert_eq!(script.sent(), [0x11]);
}

#[test]
fn after_the_cash_box_came_back_the_unit_is_disabled_again() {
    let mut script = Script::ready();
    script.order(Command::Disable);
    script.expect(&[0x09], &[0xF0]);
    script.expect(&[0x07], &[0xF0, 0xE3, 0xE8]);
    script.expect(&[0x07], &[0xF0, 0xE4]);
    script.expect(&[0x09], &[0xF0]);
    assert_eq!(script.events(), [Event::UnitRemoved, Event::UnitInserted]);
}

proptest! {
    #[test]
    fn no_bytes_and_no_order_of_inputs_panic_it(
        inputs in prop::collection::vec(
            prop_oneof![
                prop::collection::vec(any::<u8>(), 0..40).prop_map(Input::Bytes),
                prop::collection::vec(any::<u8>(), 0..40).prop_map(Input::Reply),
                prop::collection::vec(0xE0u8..=0xF1, 0..12).prop_map(Input::Reply),
                (0u64..3000).prop_map(Input::Wait),
                (0u8..6).prop_map(Input::Order),
                any::<bool>().prop_map(Input::Link),
            ],
            0..120,
        ),
        starts_ready: bool,
    ) {
        let mut script = if starts_ready { Script::ready() } else { Script::new() };
        for input in inputs {
            match input {
                Input::Bytes(bytes) => script.driver.handle_bytes(script.now, &bytes),
                Input::Reply(mut data) => {
                    data.insert(0, 0xF0);
                    script.reply(&data);
                }
                Input::Wait(ms) => {
                    script.now = Mono(script.now.0 + ms);
                    script.driver.handle_timeout(script.now);
                }
                Input::Order(order) => script.order(match order {
                    0 => Command::Enable(NoteSet::of([TWENTY.value])),
                    1 => Command::Disable,
                    2 => Command::Stack,
                    3 => Command::Return,
                    4 => Command::Acknowledge,
                    _ => Command::Reset,
                }),
                Input::Link(is_up) => {
                    let link = if is_up { Link::Up } else { Link::Down };
                    script.driver.handle_link(script.now, link);
                }
            }
            if let Some(frame) = script.driver.poll_write() {
                script.head = frame.bytes[1];
            }
            prop_assert!(script.driver.poll_write().is_none(), "one command at a time");
            prop_assert!(script.events().len() < 64, "a bounded number of events per input");
        }
    }
}

#[derive(Clone, Debug)]
enum Input {
    Bytes(Vec<u8>),
    Reply(Vec<u8>),
    Wait(u64),
    Order(u8),
    Link(bool),
}
