//! No text is clipped, nothing overlaps, nothing is off the panel: every screen, in every
//! language, at every text size, upright and lying, lowered or not.
#![allow(clippy::unwrap_used)] // Helpers of tests.

mod common;

use std::thread;

use common::{Side, Stage, names};
use domain::Lang;
use i_slint_core::items::{ComplexText, ItemRc, SimpleText};
use i_slint_core::layout::Orientation;
use i_slint_core::window::WindowInner;
use kiosk_ui::items;
use ui_proto::{Prefs, Role};

#[test]
fn castilian_fits() {
    lint(Lang::Es);
}

#[test]
fn catalan_fits() {
    lint(Lang::Ca);
}

#[test]
fn english_fits() {
    lint(Lang::En);
}

#[test]
fn german_fits() {
    lint(Lang::De);
}

#[test]
fn french_fits() {
    lint(Lang::Fr);
}

/// The lint itself finds what it is for.
#[test]
fn a_text_in_too_small_a_box_is_found() {
    let stage = Stage::of("[panel]\nwidth_px = 600\nheight_px = 600\nmm_per_px = 0.42\n");
    let prefs = Prefs { text_percent: 200, ..common::PLAIN };
    stage.show("inserting_over_wallet", Lang::De, prefs);
    assert!(!faults(&stage, "inserting_over_wallet").is_empty());
}

fn lint(lang: Lang) {
    // A thread has one screen.
    let found: Vec<String> = thread::scope(|scope| {
        let sides =
            [Side::Portrait, Side::Landscape].map(|side| scope.spawn(move || all(lang, side)));
        sides.into_iter().flat_map(|side| side.join().unwrap()).collect()
    });
    assert!(found.is_empty(), "{} faults\n{}", found.len(), found.join("\n"));
}

fn all(lang: Lang, side: Side) -> Vec<String> {
    let stage = Stage::new(side);
    let mut found = Vec::new();
    for (text_percent, lowered) in [(100, false), (150, false), (200, false), (200, true)] {
        let prefs = Prefs { high_contrast: false, text_percent, lowered };
        for name in names() {
            stage.show(name, lang, prefs);
            let place = format!("{name} {side:?} {text_percent} lowered={lowered}");
            let faults = faults(&stage, name).into_iter();
            found.extend(faults.map(|fault| format!("{place}: {fault}")));
        }
    }
    found
}

struct Words {
    text: String,
    rect: [f32; 4],
}

fn faults(stage: &Stage, name: &str) -> Vec<String> {
    let window = stage.ui.window();
    let size = window.size().to_logical(window.scale_factor());
    let panel = [0.0, 0.0, size.width, size.height];
    let mut words = Vec::new();
    let mut found = Vec::new();
    items::walk(window, &mut |item| {
        let Some(text) = text_of(item) else { return };
        let rect = items::rect(item);
        let [min_width, min_height] = needed(item, window);
        if rect[2] + SLACK < min_width || rect[3] + SLACK < min_height {
            found.push(format!("clipped: {text:?} {rect:?} needs {min_width} x {min_height}"));
        }
        words.push(Words { text, rect });
    });
    for element in stage.elements() {
        if !holds(panel, element.rect) {
            found.push(format!("off the panel: {:?} {:?}", element.label, element.rect));
        }
    }
    // What the warning covers may lie under it.
    if name != "warning" {
        found.extend(overlaps(&words, stage));
    }
    found
}

fn overlaps(words: &[Words], stage: &Stage) -> Vec<String> {
    let mut found = Vec::new();
    for (index, one) in words.iter().enumerate() {
        for other in &words[index + 1..] {
            if meet(one.rect, other.rect) {
                found.push(format!("{:?} runs into {:?}", one.text, other.text));
            }
        }
    }
    let mut elements = stage.elements();
    elements.retain(|element| element.role == Role::Button);
    for (index, button) in elements.iter().enumerate() {
        for text in words {
            if meet(button.rect, text.rect) && !holds(button.rect, text.rect) {
                found.push(format!("{:?} sticks out of {:?}", text.text, button.label));
            }
        }
        for other in &elements[index + 1..] {
            if meet(button.rect, other.rect) {
                found.push(format!("{:?} runs into {:?}", button.label, other.label));
            }
        }
    }
    found
}

fn text_of(item: &ItemRc) -> Option<String> {
    let simple = item.downcast::<SimpleText>().map(|text| text.as_pin_ref().text());
    let text =
        simple.or_else(|| item.downcast::<ComplexText>().map(|text| text.as_pin_ref().text()));
    text.map(String::from).filter(|text| !text.is_empty())
}

/// The widest word, and the height of all lines at the present width.
fn needed(item: &ItemRc, window: &slint::Window) -> [f32; 2] {
    let adapter = WindowInner::from_pub(window).window_adapter();
    let info =
        |orientation| item.borrow().as_ref().layout_info(orientation, -1.0, &adapter, item).min;
    [info(Orientation::Horizontal), info(Orientation::Vertical)]
}

fn holds(outer: [f32; 4], inner: [f32; 4]) -> bool {
    inner[0] + SLACK >= outer[0]
        && inner[1] + SLACK >= outer[1]
        && inner[0] + inner[2] <= outer[0] + outer[2] + SLACK
        && inner[1] + inner[3] <= outer[1] + outer[3] + SLACK
}

fn meet(a: [f32; 4], b: [f32; 4]) -> bool {
    let across = (a[0] + a[2]).min(b[0] + b[2]) - a[0].max(b[0]);
    let down = (a[1] + a[3]).min(b[1] + b[3]) - a[1].max(b[1]);
    across > SLACK && down > SLACK
}

/// Layouts round to whole pixels.
const SLACK: f32 = 1.5;
