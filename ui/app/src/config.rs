use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use slint::Color;
use toml::Spanned;

/// What is configured of a screen; each part has a default that fits a 21.5" upright panel.
#[derive(Clone, Debug)]
pub struct Config {
    /// Size of the panel.
    pub panel: Panel,
    /// The municipality's name, as the top bar shows it.
    pub name: String,
    /// The municipality's mark; `None` = a plain one of ours.
    pub mark: Option<slint::Image>,
    /// Colour of the one action; white text on it has a contrast of 4.5:1 or more.
    pub primary: Color,
    /// Where people help.
    pub help: Help,
}

/// The panel as the customer sees it, after any rotation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Panel {
    /// Across, in pixels.
    pub width_px: f32,
    /// Down, in pixels.
    pub height_px: f32,
    /// Pixels in one millimetre.
    pub px_per_mm: f32,
    /// In lowered mode nothing is to be touched above this part of the height.
    pub reach_line: f32,
    /// The picture is turned clockwise by so many degrees: 0, 90, 180 or 270 (linuxkms).
    pub rotation_deg: u16,
}

/// Where people help. An empty line is left out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Help {
    /// The office.
    pub place: String,
    /// When it is open.
    pub hours: String,
    /// Whom to call.
    pub phone: String,
    /// What the caller says this machine is.
    pub kiosk: String,
}

/// A configuration that cannot be used. Names file and line.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("{path}")]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The file is not understood, or a value in it is of no use.
    #[error("{path}:{line}: {reason}")]
    Line {
        /// Which.
        path: PathBuf,
        /// From 1.
        line: usize,
        /// For people.
        reason: String,
    },
}

impl Panel {
    /// In whole pixels.
    pub fn size(&self) -> slint::PhysicalSize {
        // Both are whole and at most [`SIDE_PX_MAX`].
        slint::PhysicalSize::new(self.width_px as u32, self.height_px as u32)
    }
}

impl Config {
    /// # Errors
    /// See [`ConfigError`]. A relative path in it is relative to the file.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let text = fs::read_to_string(path)
            .map_err(|source| ConfigError::Read { path: path.to_owned(), source })?;
        Self::parse(&text, path)
    }

    /// As [`Config::load`], of a text that stood at `path`.
    ///
    /// # Errors
    /// See [`ConfigError`].
    pub fn parse(text: &str, path: &Path) -> Result<Self, ConfigError> {
        let fault = |(span, reason): (Range<usize>, String)| ConfigError::Line {
            path: path.to_owned(),
            line: line_of(text, span.start),
            reason,
        };
        let file: File = toml::from_str(text).map_err(|error| {
            fault((error.span().unwrap_or_default(), error.message().to_owned()))
        })?;
        file.check(path.parent().unwrap_or(Path::new(""))).map_err(fault)
    }
}

impl Default for Config {
    /// What an empty file says.
    fn default() -> Self {
        Self::parse("", Path::new("")).expect("an empty file is a configuration")
    }
}

type Fault = (Range<usize>, String);

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct File {
    panel: PanelFile,
    municipality: Municipality,
    help: Help,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
struct PanelFile {
    width_px: Spanned<u16>,
    height_px: Spanned<u16>,
    diagonal_in: Option<Spanned<f32>>,
    mm_per_px: Option<Spanned<f32>>,
    orientation: Option<Orientation>,
    rotation_deg: Spanned<u16>,
    reach_line_percent: Option<Spanned<u8>>,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Orientation {
    Portrait,
    Landscape,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Municipality {
    name: String,
    mark: Option<Spanned<PathBuf>>,
    primary: Spanned<String>,
}

impl Default for PanelFile {
    fn default() -> Self {
        Self {
            width_px: Spanned::new(0..0, 1080),
            height_px: Spanned::new(0..0, 1920),
            diagonal_in: None,
            mm_per_px: None,
            orientation: None,
            rotation_deg: Spanned::new(0..0, 0),
            reach_line_percent: None,
        }
    }
}

impl Default for Municipality {
    fn default() -> Self {
        Self {
            name: "Ayuntamiento de Villaclara".to_owned(),
            mark: None,
            primary: Spanned::new(0..0, "#0A5561".to_owned()),
        }
    }
}

impl File {
    fn check(self, base: &Path) -> Result<Config, Fault> {
        let panel = self.panel.check()?;
        let primary = self.municipality.primary;
        let mark = self.municipality.mark.map(|mark| {
            let path = base.join(mark.get_ref());
            slint::Image::load_from_path(&path)
                .map_err(|_| (mark.span(), format!("cannot read the mark {}", path.display())))
        });
        Ok(Config {
            panel,
            name: self.municipality.name,
            mark: mark.transpose()?,
            primary: primary_colour(primary.get_ref())
                .map_err(|reason| (primary.span(), reason))?,
            help: self.help,
        })
    }
}

impl PanelFile {
    fn check(self) -> Result<Panel, Fault> {
        for side in [&self.width_px, &self.height_px] {
            if !(SIDE_PX_MIN..=SIDE_PX_MAX).contains(side.get_ref()) {
                let reason = format!("a side has {SIDE_PX_MIN} to {SIDE_PX_MAX} pixels");
                return Err((side.span(), reason));
            }
        }
        if !matches!(*self.rotation_deg.get_ref(), 0 | 90 | 180 | 270) {
            let reason = "rotation_deg is 0, 90, 180 or 270".to_owned();
            return Err((self.rotation_deg.span(), reason));
        }
        let (wide, high) = (*self.width_px.get_ref(), *self.height_px.get_ref());
        let (short, long) = (f32::from(wide.min(high)), f32::from(wide.max(high)));
        let (width_px, height_px) = match self.orientation {
            Some(Orientation::Portrait) => (short, long),
            Some(Orientation::Landscape) => (long, short),
            None => (f32::from(wide), f32::from(high)),
        };
        let (reach_default, reach_max) = if width_px > height_px { (30, 30) } else { (40, 45) };
        let reach = match &self.reach_line_percent {
            None => reach_default,
            Some(reach) if *reach.get_ref() <= reach_max => *reach.get_ref(),
            Some(reach) => {
                let reason = format!("below the reach line fits no keypad: at most {reach_max}");
                return Err((reach.span(), reason));
            }
        };
        Ok(Panel {
            width_px,
            height_px,
            px_per_mm: self.px_per_mm(short, long)?,
            reach_line: f32::from(reach) / 100.0,
            rotation_deg: *self.rotation_deg.get_ref(),
        })
    }

    fn px_per_mm(&self, short: f32, long: f32) -> Result<f32, Fault> {
        let (span, px_per_mm) = match (&self.mm_per_px, &self.diagonal_in) {
            (Some(mm), _) => (mm.span(), 1.0 / mm.get_ref()),
            (None, Some(inch)) => (inch.span(), short.hypot(long) / (inch.get_ref() * 25.4)),
            (None, None) => (0..0, short.hypot(long) / (DIAGONAL_IN * 25.4)),
        };
        // Narrower than this a keypad and the smallest legible text do not fit beside each other.
        let short_mm = short / px_per_mm;
        if short_mm.is_finite() && (SHORT_MM_MIN..=SHORT_MM_MAX).contains(&short_mm) {
            return Ok(px_per_mm);
        }
        let reason = format!(
            "the panel's short side would be {short_mm:.0} mm, not {SHORT_MM_MIN} to {SHORT_MM_MAX}"
        );
        Err((span, reason))
    }
}

/// `#RRGGBB`, dark enough for white text [WCAG 2.1 1.4.3].
fn primary_colour(text: &str) -> Result<Color, String> {
    let hex = text.strip_prefix('#').filter(|hex| hex.len() == 6);
    let rgb = hex.and_then(|hex| u32::from_str_radix(hex, 16).ok());
    let rgb = rgb.ok_or("a colour is written #RRGGBB")?;
    let color = Color::from_argb_encoded(0xff00_0000 | rgb);
    let ratio = contrast(color, Color::from_rgb_u8(255, 255, 255));
    if ratio < CONTRAST_MIN {
        return Err(format!(
            "white text on {text} has a contrast of {ratio:.1}:1, at least {CONTRAST_MIN}:1 is \
             needed"
        ));
    }
    Ok(color)
}

/// Contrast ratio of two colours, 1 to 21 [WCAG 2.1].
pub fn contrast(a: Color, b: Color) -> f32 {
    let (a, b) = (luminance(a), luminance(b));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

fn luminance(color: Color) -> f32 {
    let linear = |channel: u8| {
        let value = f32::from(channel) / 255.0;
        if value <= 0.03928 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
    };
    0.2126 * linear(color.red()) + 0.7152 * linear(color.green()) + 0.0722 * linear(color.blue())
}

fn line_of(text: &str, offset: usize) -> usize {
    1 + text.bytes().take(offset).filter(|byte| *byte == b'\n').count()
}

const SIDE_PX_MIN: u16 = 600;
const SIDE_PX_MAX: u16 = 4320;
const DIAGONAL_IN: f32 = 21.5;
const SHORT_MM_MIN: f32 = 250.0;
const SHORT_MM_MAX: f32 = 600.0;
const CONTRAST_MIN: f32 = 4.5;

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> String {
        Config::parse(text, Path::new("ui.toml")).unwrap_err().to_string()
    }

    #[test]
    fn an_empty_file_is_a_21_inch_panel() {
        let panel = Config::default().panel;
        assert_eq!((panel.width_px, panel.height_px), (1080.0, 1920.0));
        assert!((1.0 / panel.px_per_mm - 0.248).abs() < 0.001);
    }

    #[test]
    fn landscape_turns_the_sides() {
        let config = Config::parse("[panel]\norientation = \"landscape\"", Path::new("")).unwrap();
        assert!(config.panel.width_px > config.panel.height_px);
    }

    #[test]
    fn a_pale_primary_is_refused_with_its_line() {
        let said = error("[municipality]\nname = \"X\"\nprimary = \"#77AA99\"\n");
        assert!(said.starts_with("ui.toml:3: white text on #77AA99"), "{said}");
    }

    #[test]
    fn what_is_not_understood_is_named_with_its_line() {
        assert!(error("[panel]\nwidht_px = 1080").starts_with("ui.toml:2: unknown field"));
        assert!(error("[panel]\n\nwidth_px = -1").starts_with("ui.toml:3:"));
        assert!(error("[panel]\ndiagonal_in = 7").starts_with("ui.toml:2: the panel's short"));
        assert!(error("[panel]\nmm_per_px = 0").starts_with("ui.toml:2:"));
        assert!(error("[panel]\nreach_line_percent = 80").starts_with("ui.toml:2: below"));
        assert!(error("[panel]\nrotation_deg = 45").starts_with("ui.toml:2: rotation"));
        assert!(error("[municipality]\nprimary = \"teal\"").starts_with("ui.toml:2: a colour"));
        assert!(error("[municipality]\nmark = \"none.svg\"").starts_with("ui.toml:2: cannot"));
        assert!(error("[municipality\n").starts_with("ui.toml:1:"));
    }

    #[test]
    fn black_on_white_is_21_to_1() {
        let (black, white) = (Color::from_rgb_u8(0, 0, 0), Color::from_rgb_u8(255, 255, 255));
        assert!((contrast(black, white) - 21.0).abs() < 0.01);
    }
}
