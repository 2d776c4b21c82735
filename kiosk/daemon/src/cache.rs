//! What central told last, kept for a start without central.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use central_api::{CardStatus, Hotlist, KioskConfig};
use kiosk_core::{Denied, Settings};
use serde::{Deserialize, Serialize};
use tracing::warn;

/// Settings and hotlist, each with its entity tag.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Cache {
    pub(crate) config: Option<KioskConfig>,
    pub(crate) config_etag: Option<String>,
    pub(crate) hotlist: Option<Hotlist>,
    pub(crate) hotlist_etag: Option<String>,
    /// When central last confirmed the hotlist, ms since 1970 UTC.
    pub(crate) hotlist_confirmed_ms: i64,
}

impl Cache {
    pub(crate) fn path(data_dir: &Path) -> PathBuf {
        data_dir.join("central.json")
    }

    /// Empty when there is none, or it cannot be read: then central is asked before anything.
    pub(crate) fn load(path: &Path) -> Self {
        let text = match fs::read(path) {
            Ok(text) => text,
            Err(error) => {
                if error.kind() != io::ErrorKind::NotFound {
                    warn!(%error, "what central told last cannot be read");
                }
                return Self::default();
            }
        };
        serde_json::from_slice(&text).unwrap_or_else(|error| {
            warn!(%error, "what central told last is damaged");
            Self::default()
        })
    }

    /// Whole or not at all.
    pub(crate) fn save(&self, path: &Path) -> io::Result<()> {
        let beside = path.with_extension("new");
        let mut file = File::create(&beside)?;
        file.write_all(&serde_json::to_vec(self).map_err(io::Error::other)?)?;
        file.sync_all()?;
        fs::rename(&beside, path)
    }

    /// For the core.
    pub(crate) fn settings(&self) -> Option<Settings> {
        self.config.as_ref().map(|config| Settings {
            rules: config.rules.clone(),
            municipality: config.municipality.names.clone(),
        })
    }

    /// For the core.
    pub(crate) fn hotlist(&self) -> Option<kiosk_core::Hotlist> {
        self.hotlist.as_ref().map(|hotlist| kiosk_core::Hotlist {
            version: hotlist.version,
            confirmed_ms: self.hotlist_confirmed_ms,
            cards: hotlist
                .cards
                .iter()
                .filter_map(|entry| Some((entry.card_ref, denied(entry.reason)?)))
                .collect(),
        })
    }
}

fn denied(status: CardStatus) -> Option<Denied> {
    match status {
        CardStatus::Blocked => Some(Denied::Blocked),
        CardStatus::Suspended => Some(Denied::Suspended),
        CardStatus::Active => None,
    }
}
