//! What the customer is shown: the workbench is one more reader on kioskd's UI socket. It sends
//! no action there; touches go through kiosk-ui like a finger's.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::Serialize;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::net::UnixStream;
use ui_proto::{LINE_MAX, ToUi, View};

use crate::changes::Changes;

/// A view as the HTTP API tells it: the screen's own fields with its `name`, and the view's.
#[derive(Clone, Debug, Serialize)]
pub struct Shown {
    /// Counts the views since the workbench started, restarts of kioskd included.
    pub serial: u64,
    /// Screen, language and preferences.
    #[serde(flatten)]
    pub view: FlatView,
}

/// [`View`] with the screen's fields at the top.
#[derive(Clone, Debug, Serialize)]
pub struct FlatView {
    #[serde(flatten)]
    screen: ui_proto::Screen,
    lang: domain::Lang,
    prefs: ui_proto::Prefs,
    ends_in_s: Option<u16>,
}

impl From<View> for FlatView {
    fn from(view: View) -> Self {
        let View { lang, prefs, ends_in_s, screen } = view;
        Self { screen, lang, prefs, ends_in_s }
    }
}

impl From<FlatView> for View {
    fn from(flat: FlatView) -> Self {
        let FlatView { screen, lang, prefs, ends_in_s } = flat;
        Self { lang, prefs, ends_in_s, screen }
    }
}

impl Shown {
    /// The screen's name.
    pub fn name(&self) -> &'static str {
        self.view.screen.name().0
    }
}

/// The views kioskd has sent, the last ones remembered. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Screens {
    seen: Arc<Mutex<Seen>>,
    changes: Changes,
}

#[derive(Debug, Default)]
struct Seen {
    serial: u64,
    last: VecDeque<Shown>,
    connected: bool,
}

impl Seen {
    /// The serial of the current view, or of the next one while kioskd is away.
    fn next_wanted(&self) -> u64 {
        self.serial + u64::from(!self.connected)
    }
}

impl Screens {
    /// Nothing seen yet.
    pub fn new(changes: Changes) -> Self {
        Self { seen: Arc::default(), changes }
    }

    /// What is shown now; `None` while kioskd does not answer.
    pub fn current(&self) -> Option<Shown> {
        let seen = self.seen();
        seen.last.back().filter(|_| seen.connected).cloned()
    }

    /// The first view that `wanted` likes: the current one or a later one, or with `after` also
    /// one that has passed since that serial. Waits for it for ever.
    pub async fn wait(&self, after: Option<u64>, wanted: impl Fn(&Shown) -> bool) -> Shown {
        let mut changes = self.changes.follow();
        let from = after.map_or_else(|| self.seen().next_wanted(), |after| after.saturating_add(1));
        loop {
            if let Some(shown) = self.first(from, &wanted) {
                return shown;
            }
            // `self` holds the other end, so there is always a next change to wait for.
            changes.changed().await.ok();
        }
    }

    fn first(&self, from: u64, wanted: impl Fn(&Shown) -> bool) -> Option<Shown> {
        let seen = self.seen();
        seen.last.iter().filter(|shown| shown.serial >= from).find(|shown| wanted(shown)).cloned()
    }

    /// Follows kioskd on its UI socket for ever, through all its restarts.
    pub async fn follow(self, socket: PathBuf) {
        loop {
            if let Ok(stream) = UnixStream::connect(&socket).await {
                if let Err(error) = self.read(stream).await {
                    tracing::warn!(%error, "kioskd's UI socket");
                }
                self.lost();
            }
            tokio::time::sleep(RECONNECT_PAUSE).await;
        }
    }

    /// kioskd was cut off: what it showed last is not on the screen any more.
    pub fn lost(&self) {
        self.seen().connected = false;
        self.changes.touch();
    }

    async fn read(&self, stream: UnixStream) -> std::io::Result<()> {
        let mut lines = BufReader::new(stream);
        let line_max = u64::try_from(LINE_MAX).unwrap_or(u64::MAX);
        loop {
            let mut line = Vec::new();
            (&mut lines).take(line_max).read_until(b'\n', &mut line).await?;
            if line.is_empty() {
                return Ok(());
            }
            let told: ToUi = ui_proto::decode(&line).map_err(std::io::Error::other)?;
            self.push(told.view);
        }
    }

    /// Takes a view kioskd has sent.
    pub fn push(&self, view: View) {
        let mut seen = self.seen();
        seen.connected = true;
        seen.serial += 1;
        if seen.last.len() == VIEWS_KEPT {
            seen.last.pop_front();
        }
        let serial = seen.serial;
        seen.last.push_back(Shown { serial, view: view.into() });
        drop(seen);
        self.changes.touch();
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How often a kioskd that is away is looked for.
const RECONNECT_PAUSE: Duration = Duration::from_millis(100);

/// How many views a script can look back.
const VIEWS_KEPT: usize = 256;

#[cfg(test)]
mod tests {
    use ui_proto::{Prefs, Screen};

    use super::*;

    fn view(screen: Screen) -> View {
        View { lang: domain::Lang::Ca, prefs: Prefs::default(), ends_in_s: None, screen }
    }

    #[test]
    fn the_json_has_the_screens_fields_and_its_name_on_top() {
        let screens = Screens::new(Changes::default());
        screens.push(view(Screen::Attract { limited: true }));
        let shown = serde_json::to_value(screens.current().unwrap()).unwrap();
        assert_eq!(shown["name"], "attract");
        assert_eq!(shown["limited"], true);
        assert_eq!(shown["lang"], "ca");
        assert_eq!(shown["serial"], 1);
    }

    #[tokio::test]
    async fn a_screen_that_has_passed_is_found_after_an_earlier_one() {
        let screens = Screens::new(Changes::default());
        screens.push(view(Screen::Attract { limited: false }));
        screens.push(view(Screen::ReadingCard));
        screens.push(view(Screen::CheckingPin));
        let passed = screens.wait(Some(1), |shown| shown.name() == "reading_card").await;
        assert_eq!(passed.serial, 2);
        let later = tokio::spawn({
            let screens = screens.clone();
            async move { screens.wait(None, |shown| shown.name() == "attract").await }
        });
        screens.push(view(Screen::Attract { limited: false }));
        // The one of the beginning had passed; only the new one counts.
        assert_eq!(later.await.unwrap().serial, 4);
    }
}
