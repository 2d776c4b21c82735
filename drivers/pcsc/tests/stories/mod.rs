//! One story each.

use std::time::Duration;

use driver_api::FaultKind;
use driver_api::card_reader::{CardProblem, Event};
use driver_sim::card::Card;
use driver_sim::reader::{Fault, Model};
use pcsc::{Context, Protocols, Scope, ShareMode};

use crate::rig::{Rig, Story, VPCD_NAME, citizen, forged, neighbour};

macro_rules! stories {
    ($($story:ident),* $(,)?) => {
        pub(crate) const ALL: &[(&str, Story)] =
            &[$((stringify!($story), |rig| Box::pin($story(rig)))),*];
    };
}

stories![
    a_card_is_tapped_and_taken_away,
    a_card_that_lies_there_is_read_when_armed,
    disarmed_no_card_is_reported,
    one_card_swapped_for_another_is_two_cards,
    a_swap_in_the_middle_of_reading_mixes_nothing,
    a_card_that_leaves_too_early_is_torn,
    cards_of_others_are_foreign,
    a_forged_card_is_not_genuine,
    two_cards_at_once_are_told_apart_from_one,
    a_card_that_says_nothing_is_torn,
    a_reader_that_talks_nonsense_is_a_fault_and_recovers,
    pcscd_dies_and_comes_back,
    the_reader_is_unplugged_and_plugged_in,
    a_hung_reader_is_reported_and_left_behind,
    a_reader_that_hangs_for_ever_costs_few_threads,
    every_dialect_reads_a_card,
    the_reader_itself_can_be_asked,
    debians_vpcd_brings_the_same_card,
];

async fn a_card_is_tapped_and_taken_away(rig: Rig) {
    let mut rig = rig.armed().await;
    for serial in [42, 43] {
        rig.reader.tap(citizen(serial));
        rig.expect_card(serial).await;
        rig.reader.remove();
        rig.expect(Event::Removed).await;
    }
}

async fn a_card_that_lies_there_is_read_when_armed(mut rig: Rig) {
    rig.reader.tap(citizen(42));
    rig.start_driver("");
    rig.expect(Event::Ready).await;
    rig.expect_silence();
    rig.arm();
    rig.expect_card(42).await;
    rig.arm();
    rig.expect_card(42).await;
}

async fn disarmed_no_card_is_reported(rig: Rig) {
    let mut rig = rig.armed().await;
    rig.reader.tap(citizen(42));
    rig.expect_card(42).await;
    rig.disarm();
    rig.reader.remove();
    rig.expect(Event::Removed).await;
    rig.reader.tap(citizen(43));
    rig.reader.remove();
    rig.reader.tap(citizen(44));
    // In, out, in, out, in: all of it has passed by pcscd, and the driver said nothing.
    rig.wait_for_changes(5);
    rig.expect_silence();
    rig.arm();
    rig.expect_card(44).await;
}

async fn one_card_swapped_for_another_is_two_cards(rig: Rig) {
    let mut rig = rig.armed().await;
    rig.reader.tap(citizen(42));
    rig.expect_card(42).await;
    rig.reader.swap(citizen(43));
    rig.expect(Event::Removed).await;
    rig.expect_card(43).await;
}

async fn a_swap_in_the_middle_of_reading_mixes_nothing(rig: Rig) {
    let mut rig = rig.armed().await;
    for command in 1..14 {
        rig.reader.swap_after(command, citizen(43));
        rig.reader.tap(citizen(42));
        // Whether the first is reported torn or, since the second was there so fast, not at all.
        let mut event = rig.event().await;
        if event == Event::Unreadable(CardProblem::Torn) {
            rig.expect(Event::Removed).await;
            event = rig.event().await;
        }
        let Event::Presented(card) = event else {
            panic!("after {command}: {event:?}");
        };
        assert_eq!(card.number.reveal().serial(), 43, "after {command}");
        rig.reader.remove();
        rig.expect(Event::Removed).await;
    }
}

async fn a_card_that_leaves_too_early_is_torn(rig: Rig) {
    let mut rig = rig.armed().await;
    for commands in [0, 1, 6, 13] {
        rig.reader.leave_after(commands);
        rig.reader.tap(citizen(42));
        rig.expect(Event::Unreadable(CardProblem::Torn)).await;
        rig.expect(Event::Removed).await;
    }
    rig.reader.set_fault(Fault::Torn, true);
    rig.reader.tap(citizen(42));
    rig.expect(Event::Unreadable(CardProblem::Torn)).await;
    rig.expect(Event::Removed).await;
    rig.reader.set_fault(Fault::Torn, false);
    rig.reader.tap(citizen(42));
    rig.expect_card(42).await;
}

async fn cards_of_others_are_foreign(rig: Rig) {
    let mut rig = rig.armed().await;
    for card in [Card::blank([1, 2, 3, 4]), Card::bank([1, 2, 3]), neighbour(42)] {
        rig.reader.tap(card);
        rig.expect(Event::Unreadable(CardProblem::Foreign)).await;
        rig.reader.remove();
        rig.expect(Event::Removed).await;
    }
}

async fn a_forged_card_is_not_genuine(rig: Rig) {
    let mut rig = rig.armed().await;
    rig.reader.tap(forged(42));
    rig.expect(Event::Unreadable(CardProblem::NotGenuine)).await;
}

async fn two_cards_at_once_are_told_apart_from_one(rig: Rig) {
    let mut rig = rig.armed().await;
    rig.reader.tap_together([citizen(42), Card::bank([1, 2, 3])]);
    rig.expect(Event::Unreadable(CardProblem::Several)).await;
    rig.reader.remove();
    rig.expect(Event::Removed).await;
    rig.reader.tap(citizen(42));
    rig.expect_card(42).await;
}

async fn a_card_that_says_nothing_is_torn(rig: Rig) {
    let mut rig = rig.armed().await;
    rig.reader.set_fault(Fault::CardNotAnswering, true);
    rig.reader.tap(citizen(42));
    rig.expect(Event::Unreadable(CardProblem::Torn)).await;
}

async fn a_reader_that_talks_nonsense_is_a_fault_and_recovers(rig: Rig) {
    let mut rig = rig.armed().await;
    rig.reader.set_fault(Fault::Garbage, true);
    rig.reader.tap(citizen(42));
    let Event::Fault(fault) = rig.event().await else { panic!("nonsense is no card") };
    assert_eq!(fault.kind, FaultKind::Garbled);
    rig.reader.set_fault(Fault::Garbage, false);
    loop {
        match rig.event().await {
            // Tried again before the fault was off.
            Event::Fault(_) | Event::Ready => {}
            Event::Presented(_) => break,
            other => panic!("{other:?}"),
        }
    }
}

async fn pcscd_dies_and_comes_back(rig: Rig) {
    let mut rig = rig.armed().await;
    rig.kill_pcscd().await;
    rig.expect(Event::LinkLost).await;
    rig.reader.tap(citizen(42));
    rig.start_pcscd().await;
    rig.expect(Event::Ready).await;
    rig.expect_card(42).await;
}

async fn the_reader_is_unplugged_and_plugged_in(rig: Rig) {
    let mut rig = rig.armed().await;
    rig.reader.tap(citizen(42));
    rig.expect_card(42).await;
    rig.reader.set_fault(Fault::Unplugged, true);
    rig.expect(Event::Removed).await;
    rig.expect(Event::LinkLost).await;
    rig.reader.set_fault(Fault::Unplugged, false);
    rig.expect(Event::Ready).await;
    rig.expect_card(42).await;
}

async fn a_hung_reader_is_reported_and_left_behind(rig: Rig) {
    let mut rig = rig.armed().await;
    rig.reader.set_fault(Fault::Silent, true);
    rig.reader.tap(citizen(42));
    rig.expect(Event::LinkLost).await;
    rig.reader.set_fault(Fault::Silent, false);
    loop {
        match rig.event().await {
            Event::Presented(card) => break assert_eq!(card.number.reveal().serial(), 42),
            Event::Ready | Event::LinkLost | Event::Unreadable(_) => {}
            other => panic!("{other:?}"),
        }
    }
}

async fn every_dialect_reads_a_card(rig: Rig) {
    drop(rig);
    for model in Model::ALL {
        let mut rig = Rig::with_reader(model).await.armed().await;
        rig.reader.tap(citizen(42));
        rig.expect_card(42).await;
        rig.reader.swap(forged(43));
        rig.expect(Event::Removed).await;
        rig.expect(Event::Unreadable(CardProblem::NotGenuine)).await;
        rig.kill_pcscd().await;
    }
}

/// vpcd waits for an answer for ever, as some real drivers do.
async fn a_reader_that_hangs_for_ever_costs_few_threads(mut rig: Rig) {
    const THREADS_MAX: usize = 4;
    let Some(_caller) = rig.change_to_vpcd().await else { return };
    // Long enough for a busy machine while the reader answers, short enough to hang four times.
    rig.call_time_max = Duration::from_millis(1_500);
    rig.start_driver(VPCD_NAME);
    rig.expect(Event::Ready).await;
    rig.arm();
    rig.reader.tap(citizen(42));
    rig.expect_card(42).await;

    rig.reader.set_fault(Fault::Silent, true);
    rig.arm();
    for _ in 1..THREADS_MAX {
        rig.expect(Event::LinkLost).await;
        rig.expect(Event::Ready).await;
    }
    rig.expect(Event::LinkLost).await;
    assert_eq!(threads_named("pcsc\n"), THREADS_MAX);

    rig.reader.set_fault(Fault::Silent, false);
    rig.expect(Event::Ready).await;
    rig.expect_card(42).await;
}

async fn the_reader_itself_can_be_asked(rig: Rig) {
    drop(rig);
    let rig = Rig::with_reader(Model::Acr122u).await;
    let context = Context::establish(Scope::System).unwrap();
    let name = context.list_readers_owned().unwrap().remove(0);
    // With no card there: a "direct" connection.
    let card = context.connect(&name, ShareMode::Direct, Protocols::UNDEFINED).unwrap();
    let mut buffer = [0; 64];
    let escape = pcsc::ctl_code(3500);
    let version = card.control(escape, &[0xFF, 0x00, 0x48, 0x00, 0x00], &mut buffer);
    assert_eq!(version, Ok(&b"ACR122U215"[..]));
    assert_eq!(card.control(escape, &[0x00], &mut buffer), Err(pcsc::Error::UnsupportedFeature));
    drop(rig);
}

/// A reader driver that is not ours: no wrong idea of our IFD handler hides behind itself.
async fn debians_vpcd_brings_the_same_card(mut rig: Rig) {
    let Some(_caller) = rig.change_to_vpcd().await else { return };
    rig.start_driver(VPCD_NAME);
    rig.expect(Event::Ready).await;
    rig.arm();

    rig.reader.tap(citizen(42));
    rig.expect_card(42).await;
    rig.reader.remove();
    rig.expect(Event::Removed).await;

    rig.reader.tap(forged(43));
    rig.expect(Event::Unreadable(CardProblem::NotGenuine)).await;
    rig.reader.remove();
    rig.expect(Event::Removed).await;

    // vpcd calls a cut exchange a success of 0 bytes.
    rig.reader.leave_after(6);
    rig.reader.tap(citizen(42));
    rig.expect(Event::Unreadable(CardProblem::Torn)).await;
    rig.expect(Event::Removed).await;
}

fn threads_named(name: &str) -> usize {
    std::fs::read_dir("/proc/self/task")
        .unwrap()
        .filter_map(|task| std::fs::read_to_string(task.ok()?.path().join("comm")).ok())
        .filter(|comm| comm == name)
        .count()
}
