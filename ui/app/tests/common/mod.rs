//! A customer in front of a screen that is not there.
#![allow(dead_code, unreachable_pub)] // Each test file uses its part.
#![allow(clippy::unwrap_used)] // Helpers of tests.

use std::cell::RefCell;
use std::path::Path;
use std::rc::Rc;

use domain::Lang;
use kiosk_ui::{Config, Sheet, Ui, fixtures, fonts, items, remote};
use ui_headless::{Canvas, Headless};
use ui_proto::{Action, Element, Prefs, RemoteReply, RemoteRequest, Role, Screen, View};

pub struct Stage {
    pub ui: Ui,
    canvas: Rc<Canvas>,
    actions: Rc<RefCell<Vec<Action>>>,
    spoken: Rc<RefCell<Vec<String>>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    Portrait,
    Landscape,
}

pub const HELP: &str = r#"
[help]
place = "Plaza Mayor, 1"
hours = "9–14 h"
phone = "900 000 000"
kiosk = "K0001"
"#;

impl Stage {
    pub fn new(side: Side) -> Self {
        let orientation = match side {
            Side::Portrait => "portrait",
            Side::Landscape => "landscape",
        };
        Self::of(&format!("{HELP}[panel]\norientation = \"{orientation}\"\n"))
    }

    pub fn of(config: &str) -> Self {
        fonts::use_bundled();
        let config = Config::parse(config, Path::new("test.toml")).unwrap();
        let canvas = Headless::stage(config.panel.size()).unwrap();
        let ui = Ui::new(&config).unwrap();
        let actions = Rc::<RefCell<Vec<Action>>>::default();
        let done = actions.clone();
        ui.on_action(move |action| done.borrow_mut().push(action));
        let spoken = Rc::<RefCell<Vec<String>>>::default();
        let said = spoken.clone();
        ui.on_speech(move |text| said.borrow_mut().push(text.to_owned()));
        ui.open().unwrap();
        Self { ui, canvas, actions, spoken }
    }

    /// One of the fixtures, or a tool, or the warning.
    pub fn show(&self, name: &str, lang: Lang, prefs: Prefs) {
        self.ui.show_waiting();
        let sheet = match name {
            "language" => Some(Sheet::Language),
            "access" => Some(Sheet::Access),
            "help" => Some(Sheet::Help),
            _ => None,
        };
        let screen = match name {
            "language" | "access" | "help" => Screen::PresentCard,
            "warning" => fixtures::screen("inserting_counted").unwrap(),
            name => fixtures::screen(name).unwrap_or_else(|| panic!("no screen {name}")),
        };
        self.ui.show(View {
            prefs,
            ends_in_s: (name == "warning").then_some(20),
            ..fixtures::view(lang, screen)
        });
        if let Some(sheet) = sheet {
            self.ui.open_sheet(sheet);
        }
        slint::platform::update_timers_and_animations();
    }

    pub fn show_screen(&self, screen: Screen) {
        self.ui.show(fixtures::view(Lang::En, screen));
        slint::platform::update_timers_and_animations();
    }

    pub fn elements(&self) -> Vec<Element> {
        items::elements(self.ui.window())
    }

    pub fn buttons(&self) -> Vec<Element> {
        let mut buttons = self.elements();
        buttons.retain(|element| element.role == Role::Button);
        buttons
    }

    pub fn texts(&self) -> Vec<String> {
        let texts = self.elements().into_iter();
        let texts = texts.filter(|element| element.role == Role::Text);
        texts.map(|element| element.label).collect()
    }

    pub fn says(&self, text: &str) -> bool {
        self.texts().iter().any(|found| found == text)
    }

    pub fn focused(&self) -> Option<String> {
        let found = self.elements().into_iter().find(|element| element.focused);
        found.map(|element| element.label)
    }

    /// # Panics
    /// Where the press is refused.
    pub fn press(&self, label: &str) -> Vec<Action> {
        let label = label.to_owned();
        let reply = remote::act(self.ui.window(), &RemoteRequest::Press { label });
        assert_eq!(reply, RemoteReply::Ok);
        self.actions.take()
    }

    pub fn key(&self, key: &str) -> Vec<Action> {
        let key = key.to_owned();
        let reply = remote::act(self.ui.window(), &RemoteRequest::Key { key });
        assert_eq!(reply, RemoteReply::Ok);
        slint::platform::update_timers_and_animations();
        self.actions.take()
    }

    pub fn taken(&self) -> Vec<Action> {
        self.actions.take()
    }

    pub fn spoken(&self) -> Vec<String> {
        // Builds what has come, which speaks; then says what has changed.
        self.elements();
        slint::platform::update_timers_and_animations();
        self.spoken.take()
    }

    pub fn small_picture(&self, scale: usize) -> ([usize; 2], Vec<slint::Rgb8Pixel>) {
        self.canvas.paint();
        self.canvas.picture().shrunk(scale)
    }
}

pub const PLAIN: Prefs = Prefs { high_contrast: false, text_percent: 100, lowered: false };

/// Every fixture, the tools and the warning.
pub fn names() -> Vec<&'static str> {
    let screens = fixtures::screens().into_iter().map(|(name, _)| name);
    screens.chain(["language", "access", "help", "warning"]).collect()
}
