//! The driver against a script: exactly which commands go out, and when.

use domain::{Amount, Mono};
use driver_api::payment_terminal::{
    Capture, Command, DayEnd, DeclineReason, Event, Hint, Mark, Operation, Outcome, Payment,
    Question, Reference, Totals,
};
use driver_api::{Busy, Link, Protocol};
use driver_zvt::{Config, Zvt};
use proptest::prelude::*;

const TWENTY: Amount = Amount::euro(20);
/// A log whose last transaction is 0007/000070, 5 €.
const BEFORE: &str = "040f102700040000000005008700070b000070";
/// The next one, of 20 €.
const AFTER: &str = "040f102700040000000020008700080b000071";
const COMPLETED: &str = "060f00";
const TAKEN: &str = "800000";

struct Script {
    driver: Zvt,
    now: Mono,
}

impl Script {
    fn new(config: Config) -> Self {
        let mut driver = Zvt::new(config);
        driver.handle_link(Mono(0), Link::Up);
        Self { driver, now: Mono(0) }
    }

    /// The next frame, waiting for its time; in hexadecimal.
    fn sent(&mut self) -> String {
        for _ in 0..100 {
            if let Some(frame) = self.driver.poll_write() {
                return hex::encode(frame.bytes);
            }
            self.wait();
        }
        panic!("it sends nothing");
    }

    fn wait(&mut self) {
        let (at, _) = self.driver.poll_timeout().expect("it waits for something");
        self.now = at.max(self.now);
        self.driver.handle_timeout(self.now);
    }

    fn says(&mut self, answer: &str) {
        let bytes = hex::decode(answer).expect("the script is hexadecimal");
        // In two halves, as lines do it.
        let (first, second) = bytes.split_at(bytes.len() / 2);
        self.driver.handle_bytes(self.now, first);
        self.driver.handle_bytes(self.now, second);
    }

    /// A message of the terminal, and what it is answered with.
    fn hears(&mut self, message: &str, answer: &str) {
        self.says(message);
        assert_eq!(self.sent(), answer, "to {message}");
    }

    fn expect(&mut self, command: &str) {
        assert_eq!(self.sent(), command, "at {:?}", self.now);
    }

    fn silent(&mut self) {
        assert_eq!(self.driver.poll_write().map(|frame| hex::encode(frame.bytes)), None);
    }

    fn order(&mut self, command: Command) {
        assert_eq!(self.driver.handle_command(self.now, command), Ok(()));
    }

    fn pay(&mut self, capture: Capture) {
        self.order(Command::Authorise {
            operation: Operation(17),
            amount: TWENTY,
            mark: Some(Mark("12345678 0007/000070".to_owned())),
            capture,
        });
    }

    fn ask(&mut self) {
        self.order(Command::AskStatus(Question {
            operation: Operation(17),
            amount: TWENTY,
            mark: Some(Mark("12345678 0007/000070".to_owned())),
            reversal_of: None,
        }));
    }

    fn events(&mut self) -> Vec<Event> {
        std::iter::from_fn(|| self.driver.poll_event()).collect()
    }

    /// Is it idle, and what is in its log?
    fn looked_at(&mut self, log: &str) {
        self.expect("050100");
        self.says(TAKEN);
        self.hears("060f04f0f0f000", TAKEN);
        self.expect("062003000000");
        self.says(TAKEN);
        self.hears(log, TAKEN);
        self.hears(COMPLETED, TAKEN);
    }

    fn ready() -> Self {
        let mut script = Self::new(Config::tcp());
        script.expect("060006000000be0978");
        script.says(TAKEN);
        script.hears("060f0a19102912345678490978", TAKEN);
        script.looked_at(BEFORE);
        let events = script.events();
        assert!(
            matches!(&events[..], [Event::Ready(unit)]
                if unit.mark == Some(Mark("12345678 0007/000070".to_owned()))
                && unit.terminal.as_deref() == Some("12345678")),
            "{events:?}"
        );
        script
    }

    fn paying(capture: Capture) -> Self {
        let mut script = Self::ready();
        script.pay(capture);
        let sent = script.sent();
        match capture {
            Capture::AtOnce => assert_eq!(sent, "06010a04000000002000490978"),
            Capture::WhenIssued => assert_eq!(sent, "06010c040000000020004909780211"),
        }
        script.says(TAKEN);
        script
    }

    fn outcome(&mut self) -> Outcome {
        let events = self.events();
        let [Event::Finished { operation: Operation(17), outcome }] = &events[..] else {
            panic!("{events:?}");
        };
        outcome.clone()
    }

    fn status(&mut self) -> Outcome {
        let events = self.events();
        let Some(Event::Status { operation: Operation(17), outcome }) = events.first() else {
            panic!("{events:?}");
        };
        outcome.clone()
    }
}

fn reason(outcome: &Outcome) -> Option<DeclineReason> {
    match outcome {
        Outcome::Declined(decline) => Some(decline.reason),
        Outcome::Approved(_) | Outcome::Unknown => None,
    }
}

#[test]
fn twenty_euro_are_approved_and_the_next_order_gets_a_new_mark() {
    let mut script = Script::paying(Capture::AtOnce);
    script.hears("04ff010a", TAKEN);
    script.hears("04ff0104", TAKEN);
    let hints = [Event::Hint(Hint::PresentCard), Event::Hint(Hint::AskingBank)];
    assert_eq!(script.events(), hints);
    script.hears(AFTER, TAKEN);
    assert_eq!(script.events(), [], "not before the terminal has completed it");
    script.hears(COMPLETED, TAKEN);
    assert!(matches!(script.outcome(), Outcome::Approved(it) if it.amount == TWENTY));
    script.looked_at(AFTER);
    assert_eq!(
        script.events(),
        [Event::Idle { mark: Some(Mark("12345678 0008/000071".to_owned())) }]
    );
}

#[test]
fn silence_after_the_order_is_unknown_and_the_order_never_goes_out_again() {
    let mut script = Script::ready();
    script.pay(Capture::AtOnce);
    script.expect("06010a04000000002000490978");
    script.wait();
    assert_eq!(script.outcome(), Outcome::Unknown);
    for _ in 0..50 {
        assert!(!script.sent().starts_with("0601"));
    }
}

#[test]
fn an_unknown_payment_is_found_in_the_log() {
    for (log, found) in [(AFTER, None), (BEFORE, Some(DeclineReason::NotCarriedOut))] {
        let mut script = Script::paying(Capture::AtOnce);
        script.driver.handle_link(script.now, Link::Down);
        assert_eq!(script.outcome_then_lost(), Outcome::Unknown);
        script.driver.handle_link(script.now, Link::Up);
        script.ask();
        script.expect("060006000000be0978");
        script.says(TAKEN);
        script.hears(COMPLETED, TAKEN);
        script.looked_at(log);
        let outcome = script.status();
        assert_eq!(reason(&outcome), found);
        assert_eq!(matches!(outcome, Outcome::Approved(_)), found.is_none());
    }
}

impl Script {
    fn outcome_then_lost(&mut self) -> Outcome {
        let events = self.events();
        let [Event::Finished { outcome, .. }, Event::LinkLost] = &events[..] else {
            panic!("{events:?}");
        };
        outcome.clone()
    }
}

#[test]
fn a_busy_terminal_is_asked_again_and_says_nothing_of_the_order_before() {
    let mut script = Script::ready();
    script.ask();
    script.expect("050100");
    script.says(TAKEN);
    script.hears("060f04f0f0f09c", TAKEN);
    assert_eq!(script.status(), Outcome::Unknown);
    script.ask();
    script.looked_at(BEFORE);
    assert_eq!(reason(&script.status()), Some(DeclineReason::NotCarriedOut));
}

#[test]
fn a_terminal_that_says_nothing_of_its_state_is_well_and_one_that_babbles_is_not() {
    for (completion, is_well) in [(COMPLETED, true), ("060f0427006c00", false)] {
        let mut script = Script::ready();
        script.expect("050100");
        script.says(TAKEN);
        script.hears(completion, TAKEN);
        assert_eq!(script.events().is_empty(), is_well, "{completion}");
    }
}

#[test]
fn a_terminal_still_busy_with_the_enquiry_is_asked_for_its_log_alone() {
    let mut script = Script::ready();
    script.ask();
    script.expect("050100");
    script.says(TAKEN);
    script.hears("060f04f0f0f000", TAKEN);
    script.expect("062003000000");
    script.says("849c00");
    assert_eq!(script.status(), Outcome::Unknown);
    script.expect("062003000000");
}

#[test]
fn goods_that_cannot_be_issued_are_not_paid() {
    let mut script = Script::paying(Capture::WhenIssued);
    script.says(AFTER);
    script.silent();
    let events = script.events();
    assert!(matches!(events[..], [Event::Held { operation: Operation(17), .. }]), "{events:?}");
    script.expect("849c00");
    script.says(AFTER);
    script.order(Command::NotIssued(Operation(17)));
    script.expect("846600");
    script.hears("061e0166", TAKEN);
    assert_eq!(reason(&script.outcome()), Some(DeclineReason::NotIssued));
}

#[test]
fn goods_that_are_issued_are_paid() {
    let mut script = Script::paying(Capture::WhenIssued);
    script.says(AFTER);
    script.events();
    script.order(Command::Issued(Operation(17)));
    script.expect(TAKEN);
    script.hears(COMPLETED, TAKEN);
    assert!(matches!(script.outcome(), Outcome::Approved(_)));
}

#[test]
fn a_core_that_never_decides_lets_the_money_go() {
    let mut script = Script::paying(Capture::WhenIssued);
    let began = script.now;
    loop {
        script.says(AFTER);
        match script.sent().as_str() {
            "849c00" => {}
            "846600" => break,
            other => panic!("{other}"),
        }
    }
    assert_eq!((script.now - began).as_secs(), 30);
}

#[test]
fn a_stale_mark_another_order_or_no_line_send_nothing() {
    let not_sent = |script: &mut Script| {
        script.silent();
        reason(&script.outcome()) == Some(DeclineReason::NotSent)
    };
    let mut script = Script::ready();
    script.order(Command::Authorise {
        operation: Operation(17),
        amount: TWENTY,
        mark: Some(Mark("12345678 0006/000069".to_owned())),
        capture: Capture::AtOnce,
    });
    script.silent();
    let events = script.events();
    let [Event::Finished { outcome, .. }, Event::Idle { mark: Some(mark) }] = &events[..] else {
        panic!("{events:?}");
    };
    assert_eq!(reason(outcome), Some(DeclineReason::NotSent), "somebody else paid since");
    assert_eq!(mark.0, "12345678 0007/000070", "with which the next order may come");

    let mut script = Script::paying(Capture::AtOnce);
    script.pay(Capture::AtOnce);
    assert!(not_sent(&mut script), "one at a time");

    let mut script = Script::new(Config::tcp());
    script.driver.handle_link(Mono(0), Link::Down);
    while script.driver.poll_write().is_some() {}
    script.events();
    script.pay(Capture::AtOnce);
    assert!(not_sent(&mut script), "no line");
}

#[test]
fn an_order_during_a_look_is_offered_again() {
    let mut script = Script::ready();
    script.expect("050100");
    let command = Command::Authorise {
        operation: Operation(17),
        amount: TWENTY,
        mark: Some(Mark("12345678 0007/000070".to_owned())),
        capture: Capture::AtOnce,
    };
    assert_eq!(script.driver.handle_command(script.now, command.clone()), Err(Busy));
    script.says(TAKEN);
    script.hears("060f04f0f0f000", TAKEN);
    script.order(command);
    script.expect("06010a04000000002000490978");
}

#[test]
fn a_stop_waits_until_the_order_is_taken() {
    let mut script = Script::ready();
    script.pay(Capture::AtOnce);
    script.expect("06010a04000000002000490978");
    script.order(Command::Abort);
    script.silent();
    script.hears(TAKEN, "06b000");
    script.says(TAKEN);
    script.hears("061e016c", TAKEN);
    assert_eq!(reason(&script.outcome()), Some(DeclineReason::Cancelled));
}

#[test]
fn a_reversal_names_the_receipt_and_is_found_by_its_trace() {
    let payment = Payment {
        operation: Operation(16),
        amount: Amount::euro(5),
        reference: Reference("0007/000070".to_owned()),
    };
    let reversed = "040f142700040000000005008700080b00007137000070";
    let mark = Some(Mark("12345678 0007/000070".to_owned()));
    let mut script = Script::ready();
    script.order(Command::Reverse {
        operation: Operation(17),
        payment: payment.clone(),
        mark: mark.clone(),
    });
    script.expect("063006000000870007");
    script.wait();
    assert_eq!(script.outcome(), Outcome::Unknown);
    script.order(Command::AskStatus(Question {
        operation: Operation(17),
        amount: payment.amount,
        mark,
        reversal_of: Some(payment),
    }));
    script.looked_at(reversed);
    let events = script.events();
    assert!(
        matches!(&events[0], Event::Status { outcome: Outcome::Approved(it), .. }
            if it.amount == Amount::euro(5)),
        "{events:?}"
    );
}

/// The terminal was exchanged: under the same number the new one has somebody else's payment.
#[test]
fn a_payment_of_another_terminal_is_not_reversed_at_this_one() {
    for not_ours in ["87654321 0007/000070", "attested:123456"] {
        let mut script = Script::ready();
        let reference = Reference(not_ours.to_owned());
        let payment = Payment { operation: Operation(16), amount: TWENTY, reference };
        let mark = Some(Mark("12345678 0007/000070".to_owned()));
        script.order(Command::Reverse { operation: Operation(17), payment, mark });
        let events = script.events();
        let Some(Event::Finished { outcome, .. }) = events.first() else { panic!("{events:?}") };
        assert_eq!(reason(outcome), Some(DeclineReason::NotSent));
    }
}

#[test]
fn the_day_is_closed_and_its_totals_told() {
    let mut script = Script::ready();
    script.order(Command::EndOfDay);
    script.expect("065003000000");
    script.says(TAKEN);
    script.hears("04ff010f", TAKEN);
    let kinds = format!("{}02000000000958{}", "00".repeat(14), "00".repeat(28));
    script.hears(&format!("040f4227000400000000095860f0f5f302330234{kinds}"), TAKEN);
    script.hears(COMPLETED, TAKEN);
    let totals = Totals { amount: Amount::from_cents(958).unwrap(), count: Some(2) };
    assert_eq!(script.events(), [Event::DayEnded(DayEnd::Closed(totals))]);
}

#[test]
fn a_terminal_that_wants_its_host_gets_a_diagnosis() {
    let mut script = Script::ready();
    script.expect("050100");
    script.says(TAKEN);
    script.hears("060f04f0f0f0c2", TAKEN);
    script.expect("067000");
    script.says(TAKEN);
    script.hears(COMPLETED, TAKEN);
    script.expect("050100");
    script.says(TAKEN);
    script.hears("060f04f0f0f000", TAKEN);
    assert_eq!(script.events(), []);
}

#[test]
fn a_serial_block_called_damaged_goes_out_three_times_at_most() {
    let mut script = Script::new(Config::serial());
    let block = script.sent();
    assert!(block.starts_with("1002060006000000be0978"), "{block}");
    script.says("15");
    assert_eq!(script.sent(), block, "once more");
    script.says("15");
    assert_eq!(script.sent(), block, "and once more");
    script.says("15");
    script.silent();
}

#[test]
fn what_moves_value_is_kept_out_of_recordings() {
    let mut script = Script::ready();
    script.pay(Capture::AtOnce);
    let frame = script.driver.poll_write().unwrap();
    assert!(frame.secret);
}

#[derive(Clone, Debug)]
enum Input {
    Bytes(Vec<u8>),
    Message(u8, Vec<u8>),
    Wait(u64),
    Order(u8),
    Link(bool),
}

fn command(number: u8) -> Command {
    let operation = Operation(u32::from(number));
    let mark = Some(Mark("12345678 0007/000070".to_owned()));
    match number {
        0 => Command::Abort,
        1 => Command::EndOfDay,
        2 => Command::AskStatus(Question { operation, amount: TWENTY, mark, reversal_of: None }),
        3 => Command::Issued(Operation(5)),
        4 => Command::NotIssued(Operation(5)),
        5 | 6 => {
            let capture = if number == 5 { Capture::WhenIssued } else { Capture::AtOnce };
            Command::Authorise { operation, amount: TWENTY, mark, capture }
        }
        _ => {
            let reference = Reference("0007/000070".to_owned());
            let payment = Payment { operation: Operation(1), amount: TWENTY, reference };
            Command::Reverse { operation, payment, mark }
        }
    }
}

proptest! {
    #[test]
    fn any_inputs_in_any_order_and_each_order_is_answered_once(
        inputs in prop::collection::vec(
            prop_oneof![
                prop::collection::vec(any::<u8>(), 0..40).prop_map(Input::Bytes),
                (0u8..8, prop::collection::vec(any::<u8>(), 0..40))
                    .prop_map(|(kind, data)| Input::Message(kind, data)),
                (0u64..200_000).prop_map(Input::Wait),
                (0u8..8).prop_map(Input::Order),
                any::<bool>().prop_map(Input::Link),
            ],
            0..120,
        ),
        is_serial: bool,
    ) {
        let mut script = if is_serial {
            Script::new(Config::serial())
        } else {
            Script::ready()
        };
        let (mut sent, mut orders, mut finished) = (0, 0, 0);
        for input in inputs {
            match input {
                Input::Bytes(bytes) => script.driver.handle_bytes(script.now, &bytes),
                Input::Message(kind, data) => {
                    let head = [[0x80, 0], [0x84, 0x9C], [4, 0x0F], [4, 0xFF], [6, 0x0F],
                        [6, 0x1E], [6, 0xD3], [4, 1]][usize::from(kind)];
                    let length = u8::try_from(data.len()).unwrap();
                    let message = [&head[..], &[length], &data].concat();
                    script.driver.handle_bytes(script.now, &message);
                }
                Input::Wait(ms) => {
                    script.now = Mono(script.now.0 + ms);
                    script.driver.handle_timeout(script.now);
                }
                Input::Order(number) => {
                    let taken = script.driver.handle_command(script.now, command(number));
                    orders += usize::from(number >= 5 && taken.is_ok());
                }
                Input::Link(is_up) => {
                    let link = if is_up { Link::Up } else { Link::Down };
                    script.driver.handle_link(script.now, link);
                }
            }
            while let Some(frame) = script.driver.poll_write() {
                sent += usize::from(frame.bytes.starts_with(&[6, 1]));
                sent += usize::from(frame.bytes.starts_with(&[6, 0x30]));
            }
            let events = script.events();
            prop_assert!(events.len() < 64, "a bounded number of events per input");
            finished += events.iter().filter(|it| matches!(it, Event::Finished { .. })).count();
        }
        script.driver.handle_link(script.now, Link::Down);
        finished += script.events().iter()
            .filter(|it| matches!(it, Event::Finished { .. })).count();
        prop_assert_eq!(finished, orders);
        prop_assert!(sent <= orders);
    }
}

/// The core takes no order while a fault lasts, so somebody must end it.
#[test]
fn a_fault_that_was_mended_behind_a_broken_link_is_over() {
    let mut script = Script::new(Config::tcp());
    script.expect("060006000000be0978");
    script.says(TAKEN);
    script.hears("060f0a19102912345678490978", TAKEN);
    script.expect("050100");
    // Not initialised: for a technician.
    script.says("84e400");
    let events = script.events();
    let [Event::Fault(fault)] = &events[..] else { panic!("{events:?}") };
    let over = Event::Cleared(fault.kind);
    script.driver.handle_link(script.now, Link::Down);
    script.driver.handle_link(script.now, Link::Up);
    script.expect("060006000000be0978");
    script.says(TAKEN);
    script.hears("060f0a19102912345678490978", TAKEN);
    script.looked_at(BEFORE);
    let events = script.events();
    assert!(
        matches!(&events[..], [Event::LinkLost, cleared, Event::Ready(_)]
        if *cleared == over),
        "{events:?}"
    );
}
