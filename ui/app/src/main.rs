//! `kiosk-ui --config ui.toml --socket ui.sock [--backend window|kms|headless] [--remote …]`

use std::path::PathBuf;
use std::rc::Rc;

use anyhow::Context;
use clap::Parser;
use kiosk_ui::backend::Backend;
use kiosk_ui::link::{Link, News};
use kiosk_ui::remote::OnPanel;
use kiosk_ui::{Config, Ui, fonts, remote};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::prelude::*;

/// The screen of the kiosk. Decides nothing: kioskd says what to show.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// Panel, municipality and contact; what it leaves out has a default
    #[arg(long)]
    config: Option<PathBuf>,
    /// kioskd's Unix socket; it may come later
    #[arg(long)]
    socket: PathBuf,
    /// Where the picture goes
    #[arg(long, value_enum, default_value = "kms")]
    backend: Backend,
    /// Serve pictures and take touches on this Unix socket
    #[arg(long)]
    remote: Option<PathBuf>,
}

/// To standard error, as `RUST_LOG` says (`info,kiosk_ui=debug`). The richer filters of
/// tracing-subscriber bring regular expressions, which are memory for nothing here.
fn log() {
    let wanted = std::env::var("RUST_LOG").ok().and_then(|words| words.parse::<Targets>().ok());
    let filter = wanted.unwrap_or_else(|| Targets::new().with_default(LevelFilter::ERROR));
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    tracing_subscriber::registry().with(lines.with_filter(filter)).init();
}

fn main() -> anyhow::Result<()> {
    fonts::use_bundled();
    log();
    let arguments = Arguments::parse();
    let config = match &arguments.config {
        Some(path) => Config::load(path)?,
        None => Config::default(),
    };
    let picture = arguments.backend.select(&config).context("no screen")?;
    let ui = Rc::new(Ui::new(&config).context("no window")?);

    let (link, news) = Link::open(arguments.socket).context("line to kioskd")?;
    let link = Rc::new(link);
    let actions = link.clone();
    ui.on_action(move |action| actions.send(action));
    let shown = ui.clone();
    let panel = OnPanel::default();
    let on_panel = panel.clone();
    slint::spawn_local(async move {
        while let Ok(news) = news.recv().await {
            match news {
                News::View(message) => {
                    shown.show(message.view.clone());
                    link.shown(message.seq);
                    on_panel.set(message.view);
                }
                News::Lost => shown.show_waiting(),
            }
        }
    })?;

    if let Some(socket) = &arguments.remote {
        let asks = remote::listen(socket, picture, panel)
            .with_context(|| format!("remote socket {}", socket.display()))?;
        let asked = ui.clone();
        slint::spawn_local(async move {
            while let Ok(ask) = asks.recv().await {
                ask.answer(asked.window());
            }
        })?;
    }
    ui.run().context("event loop")?;
    Ok(())
}
