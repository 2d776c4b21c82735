//! Every screen by what is written on it: a press does what its label says, keys alone do all of
//! it, and what is spoken never holds a digit of a PIN.

mod common;

use common::{PLAIN, Side, Stage, names};
use domain::{Amount, Lang};
use kiosk_ui::fixtures;
use ui_proto::{Action, Prefs, RemoteReply, RemoteRequest, Role, Screen, View};

/// What each button of each fixture does, in English.
#[test]
fn every_button_does_what_it_says() {
    let stage = Stage::new(Side::Portrait);
    let euro = |euro| Action::Amount(Amount::euro(euro));
    let buttons: &[(&str, &[(&str, Action)])] = &[
        (
            "attract",
            &[("Castellano", Action::Language(Lang::Es)), ("Français", Action::Language(Lang::Fr))],
        ),
        ("present_card", &[("Cancel", Action::Cancel)]),
        ("refused_torn", &[("Cancel", Action::Cancel)]),
        ("refused_blocked", &[("End", Action::Cancel)]),
        ("pin", &[("0", Action::Digit(0)), ("9", Action::Digit(9)), ("Cancel", Action::Cancel)]),
        ("pin_typed", &[("Erase", Action::Erase), ("Continue", Action::Confirm)]),
        ("home", &[("Recharge with notes", Action::Recharge), ("End", Action::Cancel)]),
        ("home_wallet_full", &[("End", Action::Cancel)]),
        (
            "home_by_card",
            &[
                ("Recharge with notes", Action::Recharge),
                ("Recharge by bank card", Action::PayByCard),
            ],
        ),
        ("home_by_card_only", &[("Recharge by bank card", Action::PayByCard)]),
        ("home_no_terminal", &[("Recharge with notes", Action::Recharge)]),
        ("choose_amount", &[("€20", euro(20)), ("Back", Action::Back), ("Cancel", Action::Cancel)]),
        ("choose_amount_many", &[("€5", euro(5)), ("€100", euro(100))]),
        ("pay_present_card", &[("Cancel", Action::Cancel)]),
        (
            "declined_funds",
            &[
                ("Try again", Action::Confirm),
                ("Recharge with notes", Action::Recharge),
                ("End", Action::Cancel),
            ],
        ),
        ("declined_for_good", &[("End", Action::Cancel)]),
        ("done_payment_in_doubt", &[("Print receipt", Action::Print)]),
        ("offline_home", &[("Recharge with notes", Action::Recharge), ("End", Action::Cancel)]),
        ("offline_home_no_acceptor", &[("End", Action::Cancel)]),
        ("inserting", &[("Cancel", Action::Cancel)]),
        ("inserting_counted", &[("Finish", Action::Finish), ("Cancel", Action::Cancel)]),
        (
            "confirm_cancel",
            &[("Credit €30.00 and end", Action::Confirm), ("Insert more notes", Action::Back)],
        ),
        ("review", &[("Credit €30.00", Action::Confirm), ("Insert more notes", Action::Back)]),
        ("review_offline", &[("Confirm €30.00", Action::Confirm)]),
        (
            "done_credited",
            &[
                ("Print receipt", Action::Print),
                ("Receipt on the screen", Action::ShowReceipt),
                ("No receipt", Action::Confirm),
            ],
        ),
        ("done_take", &[("End", Action::Confirm)]),
        ("done_on_screen", &[("End", Action::Confirm)]),
        ("done_not_printed", &[("End", Action::Confirm)]),
        ("goodbye", &[("Close", Action::Confirm)]),
        ("warning", &[("Yes, more time", Action::MoreTime), ("No, end", Action::Cancel)]),
        ("language", &[("Deutsch", Action::Language(Lang::De))]),
    ];
    for (name, buttons) in buttons {
        for (label, action) in *buttons {
            stage.show(name, Lang::En, PLAIN);
            assert_eq!(stage.press(label), [*action], "{label} on {name}");
        }
    }
}

#[test]
fn what_is_not_possible_cannot_be_pressed() {
    let stage = Stage::new(Side::Portrait);
    let missing = [
        ("pin", "Continue"),
        ("pin", "Erase"),
        ("inserting", "Finish"),
        ("home_no_acceptor", "Recharge with notes"),
        ("offline_home_no_acceptor", "Recharge with notes"),
        ("home", "Recharge by bank card"),
        ("home_by_card_only", "Recharge with notes"),
        ("home_no_terminal", "Recharge by bank card"),
        ("home_checking", "Recharge by bank card"),
        ("pay_asking_bank", "Cancel"),
        ("checking_payment", "End"),
        ("declined_no_host", "Try again"),
        ("declined_cancelled", "Recharge with notes"),
        ("done_no_printer", "Print receipt"),
        ("warning", "Finish"),
        ("done_printing", "End"),
    ];
    for (name, label) in missing {
        stage.show(name, Lang::En, PLAIN);
        let label = label.to_owned();
        let reply = kiosk_ui::remote::act(stage.ui.window(), &RemoteRequest::Press { label });
        assert!(matches!(reply, RemoteReply::Refused { .. }), "{name}: {reply:?}");
        assert!(stage.taken().is_empty());
    }
}

#[test]
fn the_tools_open_and_close() {
    let stage = Stage::new(Side::Portrait);
    stage.show("home", Lang::En, PLAIN);
    stage.press("Help");
    assert!(stage.says("900 000 000") && stage.says("This machine is number K0001."));
    assert!(!stage.says("Your balance"));
    stage.press("Back");
    assert!(stage.says("Your balance"));
    stage.press("Accessibility");
    assert!(stage.key("Escape").is_empty());
    assert!(stage.says("Your balance"));
}

#[test]
fn another_screen_closes_the_tool() {
    let stage = Stage::new(Side::Portrait);
    stage.show("inserting", Lang::En, PLAIN);
    stage.press("Help");
    stage.show_screen(fixtures::screen("inserting_counted").unwrap());
    assert!(stage.says("How it works"), "a note counted meanwhile is no reason to close it");
    stage.show_screen(Screen::Goodbye { returned: None, timed_out: true });
    assert!(stage.says("Your visit has ended"));
}

#[test]
fn accessibility_asks_for_one_change_at_a_time() {
    let stage = Stage::new(Side::Portrait);
    let prefs = Prefs { text_percent: 125, ..PLAIN };
    stage.show("access", Lang::En, prefs);
    let contrast = Prefs { high_contrast: true, ..prefs };
    assert_eq!(stage.press("High contrast"), [Action::Prefs(contrast)]);
    let lowered = Prefs { lowered: true, ..prefs };
    assert_eq!(stage.press("Buttons lower down"), [Action::Prefs(lowered)]);
    let larger = Prefs { text_percent: 150, ..prefs };
    assert_eq!(stage.press("Larger"), [Action::Prefs(larger)]);
    assert_eq!(stage.press("Smaller"), [Action::Prefs(PLAIN)]);
}

#[test]
fn a_pin_is_typed_by_keys_alone() {
    let stage = Stage::new(Side::Portrait);
    stage.show("pin", Lang::En, PLAIN);
    assert_eq!(stage.key("7"), [Action::Digit(7)]);
    assert!(stage.key("Enter").is_empty(), "not enough digits yet");
    assert!(stage.key("Backspace").is_empty(), "nothing to erase");
    stage.show("pin_typed", Lang::En, PLAIN);
    assert_eq!(stage.key("Backspace"), [Action::Erase]);
    assert_eq!(stage.key("Enter"), [Action::Confirm]);
    assert_eq!(stage.key("Escape"), [Action::Cancel]);
    assert!(stage.key("x").is_empty());
}

#[test]
fn digits_mean_nothing_elsewhere() {
    let stage = Stage::new(Side::Portrait);
    let names = ["home", "inserting", "review", "warning", "help"];
    for name in names.into_iter().chain(["choose_amount", "pay_use_pin_pad", "pay_wrong_pin"]) {
        stage.show(name, Lang::En, PLAIN);
        assert!(stage.key("1").is_empty() && stage.key("Enter").is_empty(), "{name}");
    }
}

#[test]
fn escape_leaves_a_payment_only_while_it_may_be_left() {
    let stage = Stage::new(Side::Portrait);
    let ways = [
        ("choose_amount", vec![Action::Back]),
        ("pay_present_card", vec![Action::Cancel]),
        ("pay_asking_bank", vec![]),
        ("checking_payment", vec![]),
        ("giving_back", vec![]),
        ("declined_bank", vec![Action::Cancel]),
    ];
    for (name, way) in ways {
        stage.show(name, Lang::En, PLAIN);
        assert_eq!(stage.key("Escape"), way, "{name}");
    }
}

#[test]
fn a_way_to_recharge_that_is_off_says_why() {
    let stage = Stage::new(Side::Portrait);
    let why = [
        ("home_by_card_only", vec!["Notes are not taken at the moment."]),
        ("home_no_note_fits", vec!["Your wallet is full: no note fits."]),
        ("home_no_terminal", vec!["Bank cards are not taken at the moment."]),
        ("home_no_card_fits", vec!["Your wallet is full: no bank card payment fits."]),
        ("home_checking", vec!["Bank cards later: an earlier payment is being checked."]),
        (
            "home_neither",
            vec![
                "Notes are not taken at the moment.",
                "Bank cards later: an earlier payment is being checked.",
            ],
        ),
        ("home_full_for_all", vec!["Your wallet is full: nothing more fits under its limit."]),
        (
            "home_nothing_works",
            vec!["This machine takes neither notes nor bank cards at the moment."],
        ),
    ];
    for (name, why) in why {
        stage.show(name, Lang::En, PLAIN);
        let texts = stage.texts().into_iter();
        let told: Vec<String> =
            texts.filter(|text| text.contains(" at the moment") || text.contains(": ")).collect();
        assert_eq!(told, why, "{name}");
    }
}

#[test]
fn not_paid_begins_with_nothing_was_charged_and_gives_each_reason_its_own_words() {
    let stage = Stage::new(Side::Portrait);
    let mut reasons = Vec::new();
    for (name, _) in fixtures::screens().into_iter().filter(|(name, _)| name.contains("declined_"))
    {
        stage.show(name, Lang::En, PLAIN);
        let texts = stage.texts();
        let first = texts.iter().position(|text| text == "Nothing was charged").unwrap();
        if name != "declined_for_good" {
            reasons.push(texts[first + 1].clone());
        }
    }
    let count = reasons.len();
    reasons.sort();
    reasons.dedup();
    assert_eq!((count, reasons.len()), (9, 9), "{reasons:?}");
}

#[test]
fn a_payment_in_doubt_says_not_to_pay_again_what_happens_and_where_to_go() {
    let stage = Stage::new(Side::Portrait);
    stage.show("checking_payment", Lang::En, PLAIN);
    assert!(stage.says("Do not pay again"));
    stage.show("done_payment_in_doubt", Lang::En, PLAIN);
    let will = "We are checking your payment of €20.00. If it was charged, we credit it \
                automatically.";
    for text in ["Do not pay again", will, "K0001-000127", "Plaza Mayor, 1", "900 000 000"] {
        assert!(stage.says(text), "{text}");
    }
}

#[test]
fn tab_reaches_every_button_and_comes_back() {
    let stage = Stage::new(Side::Portrait);
    for name in names() {
        stage.show(name, Lang::En, PLAIN);
        let mut buttons = stage.buttons();
        buttons.retain(|button| button.enabled);
        let wanted: Vec<String> = buttons.into_iter().map(|button| button.label).collect();
        let mut reached = Vec::new();
        for _ in &wanted {
            stage.key("Tab");
            reached.push(stage.focused().unwrap_or_else(|| panic!("{name}: after {reached:?}")));
        }
        assert_eq!(reached, wanted, "{name}");
        stage.key("Tab");
        assert_eq!(stage.focused().as_ref(), wanted.first(), "{name} is a trap");
    }
}

#[test]
fn the_first_tab_is_the_primary_action_and_enter_does_it() {
    let stage = Stage::new(Side::Portrait);
    let primary = [
        ("home", Action::Recharge),
        ("home_by_card", Action::Recharge),
        ("choose_amount", Action::Amount(Amount::euro(5))),
        ("declined_bank", Action::Confirm),
        ("declined_no_host", Action::Recharge),
        ("inserting_counted", Action::Finish),
        ("review", Action::Confirm),
        ("done_credited", Action::Print),
        ("warning", Action::MoreTime),
    ];
    for (name, action) in primary {
        stage.show(name, Lang::En, PLAIN);
        stage.key("Tab");
        assert_eq!(stage.key("Enter"), [action], "{name}");
    }
}

#[test]
fn a_new_screen_has_no_focus_on_it() {
    let stage = Stage::new(Side::Portrait);
    stage.show("review", Lang::En, PLAIN);
    stage.key("Tab");
    stage.show_screen(fixtures::screen("confirm_cancel").unwrap());
    assert_eq!(stage.focused(), None);
    assert!(stage.key("Enter").is_empty(), "an Enter meant for the last screen does nothing here");
}

#[test]
fn a_held_key_acts_once() {
    use slint::platform::WindowEvent;
    let stage = Stage::new(Side::Portrait);
    stage.show("pin", Lang::En, PLAIN);
    let window = stage.ui.window();
    window.dispatch_event(WindowEvent::KeyPressed { text: "4".into() });
    window.dispatch_event(WindowEvent::KeyPressRepeated { text: "4".into() });
    window.dispatch_event(WindowEvent::KeyPressRepeated { text: "4".into() });
    window.dispatch_event(WindowEvent::KeyReleased { text: "4".into() });
    assert_eq!(stage.taken(), [Action::Digit(4)]);
}

#[test]
fn what_has_the_focus_is_spoken_but_no_digit_of_a_pin() {
    let stage = Stage::new(Side::Portrait);
    stage.show("review", Lang::En, PLAIN);
    let entered = stage.spoken();
    assert!(entered.contains(&"Is this right?".to_owned()), "{entered:?}");
    stage.key("Tab");
    assert_eq!(stage.spoken(), ["Credit €30.00"]);
    stage.show("pin", Lang::En, PLAIN);
    for _ in 0..11 {
        stage.key("Tab");
        stage.key("5");
    }
    let spoken = stage.spoken();
    assert!(spoken.contains(&"Digit key".to_owned()));
    assert!(spoken.iter().all(|text| !text.contains(|c: char| c.is_ascii_digit())), "{spoken:?}");
}

#[test]
fn news_of_a_note_is_spoken_when_it_comes() {
    let stage = Stage::new(Side::Portrait);
    stage.show_screen(fixtures::screen("inserting").unwrap());
    stage.spoken();
    stage.show_screen(fixtures::screen("inserting_counted").unwrap());
    assert_eq!(stage.spoken(), ["€10 counted"]);
}

#[test]
fn what_the_terminal_wants_is_spoken_when_it_changes() {
    let stage = Stage::new(Side::Portrait);
    stage.show("pay_present_card", Lang::En, PLAIN);
    let entered = stage.spoken();
    let never = "The PIN of your bank card: only on the terminal, never on this screen.";
    assert!(entered.contains(&never.to_owned()), "{entered:?}");
    stage.show_screen(fixtures::screen("pay_wrong_pin").unwrap());
    let asked = ["The PIN was not right", "Please type it again on the terminal."];
    assert_eq!(stage.spoken(), asked);
}

#[test]
fn the_cancel_button_says_what_happens_to_the_money() {
    let stage = Stage::new(Side::Portrait);
    let hint = |name: &str| {
        stage.show(name, Lang::En, PLAIN);
        let cancel = stage.buttons().into_iter().find(|button| button.label == "Cancel").unwrap();
        cancel.description
    };
    assert_eq!(hint("inserting"), "");
    assert_eq!(hint("inserting_escrowed"), "Your note is returned to you");
    assert_eq!(hint("inserting_counted"), "Notes already counted are credited");
}

#[test]
fn amounts_follow_the_language() {
    let stage = Stage::new(Side::Portrait);
    stage.show("home", Lang::Es, PLAIN);
    assert!(stage.says("12,38\u{a0}€") && stage.says("Su saldo") && stage.says("20/11"));
    stage.show("home", Lang::En, PLAIN);
    assert!(stage.says("€12.38") && stage.says("Your balance"));
    stage.show("home", Lang::De, PLAIN);
    assert!(stage.says("20.11."));
}

#[test]
fn the_countdown_counts_in_the_plural_of_the_language() {
    let stage = Stage::new(Side::Portrait);
    let at = |lang, seconds| {
        stage
            .ui
            .show(View { ends_in_s: Some(seconds), ..fixtures::view(lang, Screen::PresentCard) });
        slint::platform::update_timers_and_animations();
        stage.texts()
    };
    let has = |texts: Vec<String>, text: &str| texts.iter().any(|found| found == text);
    assert!(has(at(Lang::En, 20), "Your visit ends in 20 seconds. Your money is safe."));
    assert!(has(at(Lang::En, 1), "Your visit ends in one second. Your money is safe."));
    assert!(has(at(Lang::De, 1), "Ihr Besuch endet in einer Sekunde. Ihr Geld ist sicher."));
}

#[test]
fn everything_named_and_large_enough_to_touch() {
    let stage = Stage::new(Side::Portrait);
    let px_per_mm = 1080f32.hypot(1920.0) / (21.5 * 25.4);
    for name in names() {
        stage.show(name, Lang::De, PLAIN);
        for button in stage.buttons() {
            assert!(!button.label.is_empty(), "a nameless button on {name}");
            let [_, _, width, height] = button.rect;
            let least = width.min(height) / px_per_mm;
            assert!(least >= 15.0, "{} on {name} is {least} mm", button.label);
        }
    }
}

#[test]
fn lowered_nothing_is_to_be_touched_above_the_reach_line() {
    for (side, reach) in [(Side::Portrait, 0.4 * 1920.0), (Side::Landscape, 0.3 * 1080.0)] {
        let check = move || {
            let stage = Stage::new(side);
            for text_percent in [100, 200] {
                let prefs = Prefs { lowered: true, text_percent, ..PLAIN };
                for name in names() {
                    stage.show(name, Lang::De, prefs);
                    for button in stage.buttons().into_iter().filter(|button| button.enabled) {
                        let top = button.rect[1];
                        assert!(
                            top >= reach,
                            "{} on {name} {side:?} {text_percent} at {top}",
                            button.label
                        );
                    }
                }
            }
        };
        std::thread::spawn(check).join().unwrap();
    }
}

#[test]
fn a_receipt_on_the_screen_is_a_picture_with_a_name() {
    let stage = Stage::new(Side::Portrait);
    stage.show("done_on_screen", Lang::En, PLAIN);
    let images = stage.elements().into_iter().filter(|element| element.role == Role::Image);
    let labels: Vec<String> = images.map(|image| image.label).collect();
    assert_eq!(labels, ["Your receipt as a QR code"]);
}

#[test]
fn an_amount_of_a_million_still_fits_its_column() {
    let stage = Stage::new(Side::Portrait);
    let Some(Screen::Home(mut home)) = fixtures::screen("home") else { panic!("home") };
    home.balance = Amount::MAX;
    stage.show_screen(Screen::Home(home));
    let balance =
        stage.elements().into_iter().find(|element| element.label.starts_with("€100,")).unwrap();
    assert!(balance.rect[0] + balance.rect[2] <= 1080.0);
}
