//! A screen as a picture, without kioskd:
//! `cargo run -p kiosk-ui --example shot -- home --lang de --text 200 --contrast --out home.png`
//! and with `all` in place of the name one picture of each, into the directory `--out`.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use clap::Parser;
use domain::Lang;
use kiosk_ui::{Config, Sheet, Ui, fixtures, fonts, remote};
use ui_headless::{Canvas, Headless};
use ui_proto::{Prefs, Screen, View};

#[derive(Parser)]
struct Arguments {
    /// A name of `fixtures::screens`, `language`, `access`, `help`, `warning`, or `all`
    name: String,
    /// es, ca, en, de or fr
    #[arg(long, default_value = "es")]
    lang: String,
    /// Text size in percent
    #[arg(long, default_value_t = 100)]
    text: u16,
    /// High contrast
    #[arg(long)]
    contrast: bool,
    /// Controls within reach of a wheelchair
    #[arg(long)]
    lowered: bool,
    /// 1920x1080 instead of 1080x1920
    #[arg(long)]
    landscape: bool,
    /// File, or directory for `all`
    #[arg(long, default_value = "shot.png")]
    out: PathBuf,
}

fn main() -> anyhow::Result<()> {
    fonts::use_bundled();
    let arguments = Arguments::parse();
    let side = if arguments.landscape { "landscape" } else { "portrait" };
    let text = include_str!("../ui.toml");
    let text = text.replace("# orientation = \"portrait\"", &format!("orientation = \"{side}\" #"));
    let text = text.replace("reach_line_percent = 40", "");
    let config = Config::parse(&text, Path::new("ui.toml"))?;
    let canvas = Headless::stage(config.panel.size())?;
    let ui = Ui::new(&config)?;
    ui.open()?;
    if arguments.name != "all" {
        return shoot(&arguments, &arguments.name, &arguments.out, &ui, &canvas);
    }
    fs::create_dir_all(&arguments.out)?;
    let names = fixtures::screens().into_iter().map(|(name, _)| name);
    for name in names.chain(["language", "access", "help", "warning"]) {
        let path = arguments.out.join(format!("{name}.png"));
        shoot(&arguments, name, &path, &ui, &canvas)?;
    }
    Ok(())
}

fn shoot(
    arguments: &Arguments,
    name: &str,
    path: &Path,
    ui: &Ui,
    canvas: &Canvas,
) -> anyhow::Result<()> {
    let sheet = match name {
        "language" => Some(Sheet::Language),
        "access" => Some(Sheet::Access),
        "help" => Some(Sheet::Help),
        _ => None,
    };
    let screen = match name {
        "language" | "access" | "help" => Screen::Attract { limited: false },
        "warning" => fixtures::screen("inserting_counted").context("a fixture is gone")?,
        _ => fixtures::screen(name).with_context(|| format!("no screen is called {name}"))?,
    };
    ui.show_waiting();
    ui.show(View {
        prefs: Prefs {
            high_contrast: arguments.contrast,
            text_percent: arguments.text,
            lowered: arguments.lowered,
        },
        ends_in_s: (name == "warning").then_some(20),
        ..fixtures::view(Lang::from_code(&arguments.lang).context("no such language")?, screen)
    });
    if let Some(sheet) = sheet {
        ui.open_sheet(sheet);
    }
    slint::platform::update_timers_and_animations();
    canvas.paint();
    let (_, [width, height], pixels) = canvas.picture().look(None, Duration::ZERO);
    fs::write(path, remote::encode_png(width, height, &pixels)?)?;
    Ok(())
}
