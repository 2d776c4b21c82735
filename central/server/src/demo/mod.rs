//! A town of invented people, with everything that a try needs: municipality, keys, certificates,
//! cards, wallets with a past. Its PINs are known to whoever knows the seed, so it is for trying
//! and nothing else.

mod cards;
mod certificates;
mod people;
mod seeded;
mod settings;

use std::path::{Path, PathBuf};
use std::{fs, io};

use anyhow::{Context, Result, bail};
use central_api::Municipality;
use clap::Args;
use domain::Lang;
use kiosk_records::KioskId;
use serde::Serialize;

use crate::config::Config;

/// `central demo-town`.
#[derive(Args, Clone, Debug)]
pub struct Options {
    /// Where it is made; must not hold a town already.
    #[arg(long)]
    pub dir: PathBuf,
    /// Numbers, chips and PINs are made from it.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// A kiosk to make a certificate for; may be given several times.
    #[arg(long = "kiosk", default_value = "K0001")]
    pub kiosks: Vec<KioskId>,
    /// Central's port; without it, one that is free now. Health and metrics always get a free one.
    #[arg(long)]
    pub port: Option<u16>,
}

/// `town.json`: what the workbench shows of the town.
#[derive(Serialize)]
struct Town {
    name: String,
    municipality: Municipality,
    kiosk: KioskId,
    central: String,
    cards: Vec<cards::TownCard>,
}

/// Makes the town.
pub async fn make_town(options: &Options) -> Result<()> {
    let dir = &options.dir;
    let config_file = dir.join("central.toml");
    if config_file.exists() {
        bail!("{} is there already", config_file.display());
    }
    fs::create_dir_all(dir).with_context(|| dir.display().to_string())?;
    certificates::write(dir, settings::TOWN, &options.kiosks)?;
    settings::write_keys(dir)?;
    let config = settings::toml(options.port)?;
    let draft = dir.join("central.toml.draft");
    write_private(&draft, config.as_bytes())?;
    let loaded = Config::load(&draft)?;
    let kiosk = options.kiosks.first().context("at least one --kiosk")?;
    let town = Town {
        name: loaded.municipality.name(Lang::Ca).to_owned(),
        municipality: loaded.municipality.clone(),
        kiosk: kiosk.clone(),
        central: format!("https://{}", loaded.server.listen),
        cards: cards::make(&loaded, options.seed).await?,
    };
    let json = serde_json::to_string_pretty(&town)?;
    write_private(&dir.join("town.json"), format!("{json}\n").as_bytes())?;
    // The last step: a directory with this file holds a whole town.
    fs::rename(draft, config_file)?;
    Ok(())
}

/// Keys, PINs: for the owner alone.
fn write_private(file: &Path, content: &[u8]) -> Result<()> {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;

    let write = || -> io::Result<()> {
        let mut options = fs::OpenOptions::new();
        options.write(true).create(true).truncate(true).mode(0o600);
        options.open(file)?.write_all(content)
    };
    write().with_context(|| file.display().to_string())
}
