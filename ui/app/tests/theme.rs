//! Contrast and size, from the values in force [EN 301 549 5.1.4, 11.1.4.3, 11.1.4.11].

mod common;

use common::{PLAIN, Side, Stage};
use domain::Lang;
use kiosk_ui::contrast;
use ui_proto::Prefs;

#[test]
fn text_stands_out_from_every_ground_and_controls_from_theirs() {
    let stage = Stage::new(Side::Portrait);
    for high_contrast in [false, true] {
        stage.show("home", Lang::Es, Prefs { high_contrast, ..PLAIN });
        let theme = stage.ui.theme();
        for (ground, below) in &theme.grounds {
            for (text, color) in &theme.texts {
                let ratio = contrast(*color, *below);
                assert!(ratio >= 4.5, "{text} on {ground}: {ratio}");
            }
        }
        for (control, color) in &theme.controls {
            for (ground, below) in &theme.grounds[..2] {
                let ratio = contrast(*color, *below);
                assert!(ratio >= 3.0, "{control} on {ground}: {ratio}");
            }
        }
        for below in [theme.primary, theme.primary_pressed] {
            assert!(contrast(theme.on_primary, below) >= 4.5);
        }
    }
}

#[test]
fn a_colour_that_the_configuration_allows_stays_legible() {
    // 4.5:1 against white, the palest that is let through.
    let stage = Stage::of("[municipality]\nprimary = \"#767676\"\n");
    stage.show("home", Lang::Es, PLAIN);
    let theme = stage.ui.theme();
    assert!(contrast(theme.on_primary, theme.primary) >= 4.5);
    assert!(contrast(theme.on_primary, theme.primary_pressed) >= 4.5);
}

#[test]
fn a_capital_is_seven_tenths_of_a_degree_at_60_cm_on_any_panel() {
    for diagonal in [21.5f32, 24.0, 27.0, 32.0] {
        let check = move || {
            let stage = Stage::of(&format!("[panel]\ndiagonal_in = {diagonal}\n"));
            let mm_per_px = diagonal * 25.4 / 1080f32.hypot(1920.0);
            for (name, font_px) in stage.ui.theme().text_px {
                let capital_mm = font_px * NOTO_SANS_CAP_HEIGHT * mm_per_px;
                let degrees = (capital_mm / 600.0).atan().to_degrees();
                assert!(degrees >= 0.6995, "{name}: {degrees}° on {diagonal}\"");
            }
        };
        std::thread::spawn(check).join().unwrap();
    }
}

#[test]
fn text_grows_to_twice_its_size() {
    let stage = Stage::new(Side::Portrait);
    let body = |text_percent| {
        stage.show("home", Lang::Es, Prefs { text_percent, ..PLAIN });
        let sizes = stage.ui.theme().text_px;
        sizes.into_iter().find(|(name, _)| *name == "body").unwrap().1
    };
    assert!((body(200) / body(100) - 2.0).abs() < 0.001);
}

/// sCapHeight 714 of 1000 units in its OS/2 table.
const NOTO_SANS_CAP_HEIGHT: f32 = 0.714;
