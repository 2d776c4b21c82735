//! Every screen in every language looks as it did: compared with the pictures in `golden/`, a
//! quarter of the size, few colours. `UPDATE_GOLDEN=1 cargo test -p kiosk-ui --test golden` writes
//! them anew; then look at them.
#![allow(clippy::unwrap_used)] // Helpers of tests.

mod common;

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;

use common::{PLAIN, Side, Stage, names};
use domain::Lang;
use ui_proto::Prefs;

#[test]
fn castilian() {
    compare("es", Side::Portrait, Lang::Es, PLAIN, &names());
}

#[test]
fn catalan() {
    compare("ca", Side::Portrait, Lang::Ca, PLAIN, &names());
}

#[test]
fn english() {
    compare("en", Side::Portrait, Lang::En, PLAIN, &names());
}

#[test]
fn german() {
    compare("de", Side::Portrait, Lang::De, PLAIN, &names());
}

#[test]
fn french() {
    compare("fr", Side::Portrait, Lang::Fr, PLAIN, &names());
}

#[test]
fn high_contrast() {
    let prefs = Prefs { high_contrast: true, ..PLAIN };
    compare("es-contrast", Side::Portrait, Lang::Es, prefs, SOME);
}

#[test]
fn text_twice_as_large() {
    let prefs = Prefs { text_percent: 200, ..PLAIN };
    compare("de-200", Side::Portrait, Lang::De, prefs, SOME);
}

#[test]
fn lowered() {
    let prefs = Prefs { lowered: true, ..PLAIN };
    compare("es-lowered", Side::Portrait, Lang::Es, prefs, SOME);
}

#[test]
fn landscape() {
    compare("es-landscape", Side::Landscape, Lang::Es, PLAIN, SOME);
}

#[test]
fn landscape_with_everything_on() {
    let prefs = Prefs { high_contrast: true, text_percent: 200, lowered: true };
    compare("de-landscape-all", Side::Landscape, Lang::De, prefs, SOME);
}

/// What the preferences change most.
const SOME: &[&str] = &[
    "attract",
    "attract_limited",
    "present_card",
    "refused_blocked",
    "refused_torn",
    "pin_wrong",
    "home",
    "home_by_card",
    "home_no_terminal",
    "choose_amount",
    "pay_present_card",
    "pay_use_pin_pad",
    "declined_funds",
    "checking_payment",
    "giving_back",
    "offline_home",
    "inserting_over_wallet",
    "confirm_cancel",
    "review",
    "done_credited",
    "done_on_screen",
    "done_in_doubt",
    "done_payment_in_doubt",
    "goodbye_note",
    "out_acceptor",
    "language",
    "access",
    "help",
    "warning",
];

fn compare(set: &str, side: Side, lang: Lang, prefs: Prefs, names: &[&str]) {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(set);
    let update = std::env::var_os("UPDATE_GOLDEN").is_some();
    let stage = Stage::new(side);
    let mut wrong = Vec::new();
    for name in names {
        stage.show(name, lang, prefs);
        let (size, pixels) = stage.small_picture(SCALE);
        let small = Small::of(size, &pixels);
        let path = dir.join(format!("{name}.png"));
        if update {
            fs::create_dir_all(&dir).unwrap();
            small.write(&path);
            continue;
        }
        match Small::read(&path) {
            Some(golden) if small.differs(&golden) <= DIFFERENT_MAX => {}
            found => {
                let seen = seen(set, name);
                small.write(&seen);
                let why = found.map_or("missing".to_owned(), |golden| {
                    format!("{:.2} % differ", small.differs(&golden) * 100.0)
                });
                wrong.push(format!("{set}/{name}: {why}, see {}", seen.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    if !update {
        assert_eq!(stored(&dir), names.len(), "golden/{set} holds pictures of no screen");
    }
}

/// Where a picture that is not as it was can be looked at.
fn seen(set: &str, name: &str) -> PathBuf {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("golden").join(set);
    fs::create_dir_all(&dir).unwrap();
    dir.join(format!("{name}.png"))
}

fn stored(dir: &Path) -> usize {
    fs::read_dir(dir).map_or(0, Iterator::count)
}

/// A quarter of the width and height, each channel in ten steps.
struct Small {
    width: usize,
    rgb: Vec<[u8; 3]>,
}

impl Small {
    fn of([width, _]: [usize; 2], pixels: &[slint::Rgb8Pixel]) -> Self {
        let rgb = pixels.iter().map(|p| [p.r, p.g, p.b].map(step)).collect();
        Self { width, rgb }
    }

    /// What part of the pixels is more than a step away.
    fn differs(&self, other: &Self) -> f64 {
        if self.width != other.width || self.rgb.len() != other.rgb.len() {
            return 1.0;
        }
        let far = |(a, b): (&[u8; 3], &[u8; 3])| (0..3).any(|i| a[i].abs_diff(b[i]) > STEP);
        let count = self.rgb.iter().zip(&other.rgb).filter(|pair| far(*pair)).count();
        count as f64 / self.rgb.len() as f64
    }

    fn write(&self, path: &Path) {
        let mut palette: Vec<[u8; 3]> = self.rgb.clone();
        palette.sort_unstable();
        palette.dedup();
        let height = self.rgb.len() / self.width;
        let file = fs::File::create(path).unwrap();
        let mut encoder = png::Encoder::new(file, self.width as u32, height as u32);
        encoder.set_depth(png::BitDepth::Eight);
        encoder.set_compression(png::Compression::High);
        if palette.len() <= 256 {
            encoder.set_color(png::ColorType::Indexed);
            encoder.set_palette(palette.concat());
            let index = |rgb| palette.binary_search(rgb).unwrap() as u8;
            let data: Vec<u8> = self.rgb.iter().map(index).collect();
            encoder.set_filter(png::Filter::NoFilter);
            encoder.write_header().unwrap().write_image_data(&data).unwrap();
        } else {
            encoder.set_color(png::ColorType::Rgb);
            encoder.write_header().unwrap().write_image_data(&self.rgb.concat()).unwrap();
        }
    }

    fn read(path: &Path) -> Option<Self> {
        let file = fs::File::open(path).ok()?;
        let mut decoder = png::Decoder::new(std::io::BufReader::new(file));
        decoder.set_transformations(png::Transformations::EXPAND);
        let mut reader = decoder.read_info().ok()?;
        let mut data = vec![0; reader.output_buffer_size()?];
        let info = reader.next_frame(&mut data).ok()?;
        let rgb = data.chunks_exact(3).map(|rgb| [rgb[0], rgb[1], rgb[2]]).collect();
        Some(Self { width: info.width as usize, rgb })
    }
}

fn step(value: u8) -> u8 {
    (value.saturating_add(STEP / 2) / STEP) * STEP
}

/// The comparison itself sees a word that changes.
#[test]
fn another_language_is_another_picture() {
    thread::spawn(|| {
        let stage = Stage::new(Side::Portrait);
        let look = |lang| {
            stage.show("home", lang, PLAIN);
            let (size, pixels) = stage.small_picture(SCALE);
            Small::of(size, &pixels)
        };
        let (es, de) = (look(Lang::Es), look(Lang::De));
        assert!(es.differs(&de) > DIFFERENT_MAX);
        assert_eq!(look(Lang::Es).differs(&es), 0.0);
    })
    .join()
    .unwrap();
}

const SCALE: usize = 4;
const STEP: u8 = 28;
/// A glyph's edge may fall otherwise on another machine; a word may not.
const DIFFERENT_MAX: f64 = 0.002;
