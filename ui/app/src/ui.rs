use std::cell::RefCell;
use std::rc::Rc;

use domain::{Amount, Lang};
use slint::{ComponentHandle, Model, ModelRc, SharedString, VecModel};
use ui_proto::{Action, Prefs, Screen, View};

use crate::generated::{Act, Do, KioskWindow, Layers, Nav, SheetId, Speech, Theme, Town};
use crate::{Config, keys, screens};

/// The window with its screens: views go in, actions come out. No Slint type leaves the crate but
/// the window itself, for the back ends.
pub struct Ui {
    window: KioskWindow,
    shown: Rc<RefCell<View>>,
}

impl Ui {
    /// Shows "one moment" until the first view comes.
    ///
    /// # Errors
    /// No back end could open a window.
    pub fn new(config: &Config) -> Result<Self, slint::PlatformError> {
        let window = KioskWindow::new()?;
        furnish(&window, config);
        let ui = Self {
            window,
            shown: Rc::new(RefCell::new(waiting(Lang::default(), Prefs::default()))),
        };
        let first = ui.shown.borrow().clone();
        ui.paint(None, &first);
        Ok(ui)
    }

    /// Paints what has changed since the last view.
    pub fn show(&self, view: View) {
        let last = self.shown.replace(view.clone());
        self.paint(Some(&last), &view);
    }

    /// kioskd is away: one moment, in the language and the manner of the last view.
    pub fn show_waiting(&self) {
        let View { lang, prefs, .. } = *self.shown.borrow();
        self.show(waiting(lang, prefs));
    }

    /// Calls `act` for everything the customer does.
    pub fn on_action(&self, act: impl Fn(Action) + 'static) {
        let act = Rc::new(act);
        let out = self.window.global::<Act>();
        let send = act.clone();
        out.on_send(move |done| send(action(done)));
        let send = act.clone();
        out.on_digit(move |digit| {
            if let Ok(digit) = u8::try_from(digit) {
                send(Action::Digit(digit));
            }
        });
        let (send, shown) = (act.clone(), self.shown.clone());
        out.on_amount(move |index| {
            let chosen = usize::try_from(index).ok().and_then(|index| offered(&shown, index));
            if let Some(amount) = chosen {
                send(Action::Amount(amount));
            }
        });
        let send = act.clone();
        out.on_language(move |index| {
            let lang = usize::try_from(index).ok().and_then(|index| Lang::ALL.get(index));
            if let Some(lang) = lang {
                send(Action::Language(*lang));
            }
        });
        let send = act.clone();
        out.on_prefs(move |high_contrast, text_percent, lowered| {
            send(Action::Prefs(Prefs {
                high_contrast,
                text_percent: u16::try_from(text_percent).unwrap_or(100),
                lowered,
            }));
        });
        let (shown, window) = (self.shown.clone(), self.window.as_weak());
        out.on_key(move |key| {
            let Some(window) = window.upgrade() else {
                return false;
            };
            let nav = window.global::<Nav>();
            if nav.get_sheet() != SheetId::None {
                // Its screen is not seen, so no key may act on that.
                if key == keys::ESCAPE {
                    nav.set_sheet(SheetId::None);
                }
                return key == keys::ESCAPE;
            }
            let action = keys::action(&shown.borrow(), &key);
            action.map(&*act).is_some()
        });
    }

    /// Calls `say` with what is to be spoken, in the language of the screen. It never holds a
    /// digit of a PIN.
    pub fn on_speech(&self, say: impl Fn(&str) + 'static) {
        self.window.global::<Speech>().on_say(move |text| say(&text));
    }

    /// For the back ends: events in, pixels out.
    pub fn window(&self) -> &slint::Window {
        self.window.window()
    }

    /// Shows the window and runs the event loop until it quits.
    ///
    /// # Errors
    /// The back end failed.
    pub fn run(&self) -> Result<(), slint::PlatformError> {
        self.window.run()
    }

    /// Makes the window visible without running a loop, for tests and pictures.
    ///
    /// # Errors
    /// The back end failed.
    pub fn open(&self) -> Result<(), slint::PlatformError> {
        self.window.show()
    }

    /// Opens one of the three tools, as its button does.
    pub fn open_sheet(&self, sheet: Sheet) {
        self.window.global::<Nav>().set_sheet(match sheet {
            Sheet::Language => SheetId::Language,
            Sheet::Access => SheetId::Access,
            Sheet::Help => SheetId::Help,
        });
    }

    /// The colours and measures in force, for tests: name and value.
    pub fn theme(&self) -> ThemeValues {
        let theme = self.window.global::<Theme>();
        ThemeValues {
            texts: vec![
                ("ink", theme.get_ink()),
                ("ink-quiet", theme.get_ink_quiet()),
                ("primary", theme.get_primary()),
                ("positive", theme.get_positive()),
                ("negative", theme.get_negative()),
                ("caution", theme.get_caution()),
            ],
            grounds: vec![
                ("paper", theme.get_paper()),
                ("surface", theme.get_surface()),
                ("primary-tint", theme.get_primary_tint()),
            ],
            controls: vec![("line", theme.get_line()), ("focus", theme.get_focus())],
            primary: theme.get_primary(),
            on_primary: theme.get_on_primary(),
            primary_pressed: theme.get_primary_pressed(),
            text_px: vec![
                ("smallest", theme.get_smallest()),
                ("body", theme.get_body()),
                ("title", theme.get_title()),
                ("amount", theme.get_amount()),
                ("digit", theme.get_digit()),
                ("mark", theme.get_mark()),
            ],
        }
    }

    fn paint(&self, last: Option<&View>, view: &View) {
        let (window, view_lang) = (&self.window, view.lang);
        let lang_changed = last.is_none_or(|last| last.lang != view_lang);
        let screen_changed = last.is_none_or(|last| last.screen != view.screen);
        let name_changed = last.is_none_or(|last| last.screen.name() != view.screen.name());
        if last.is_none_or(|last| last.prefs != view.prefs) {
            set_prefs(&window.global::<Theme>(), view.prefs);
        }
        if lang_changed {
            speak_language(window, view_lang);
        }
        if lang_changed || screen_changed {
            screens::fill(window, view_lang, &view.screen);
        }
        if name_changed {
            let nav = window.global::<Nav>();
            nav.set_sheet(SheetId::None);
            nav.set_screen(screens::id(&view.screen));
        }
        let layers = window.global::<Layers>();
        layers.set_ends_in_s(view.ends_in_s.map_or(0, i32::from));
        let covered = view.ends_in_s.is_some();
        if name_changed || layers.get_covered() != covered {
            layers.set_covered(covered);
            window.invoke_unfocus();
        }
    }
}

/// One of the tools of the top bar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sheet {
    /// Choose another language.
    Language,
    /// Contrast, text size, reach.
    Access,
    /// What to do, whom to call.
    Help,
}

/// What [`Ui::theme`] says: each with the name it has in `theme.slint`.
pub struct ThemeValues {
    /// Colours that text takes on any of the grounds.
    pub texts: Vec<(&'static str, slint::Color)>,
    /// Colours that text and controls stand on.
    pub grounds: Vec<(&'static str, slint::Color)>,
    /// Colours that bound a control.
    pub controls: Vec<(&'static str, slint::Color)>,
    /// The one action.
    pub primary: slint::Color,
    /// Text on it.
    pub on_primary: slint::Color,
    /// The one action, held.
    pub primary_pressed: slint::Color,
    /// Font sizes in pixels.
    pub text_px: Vec<(&'static str, f32)>,
}

fn waiting(lang: Lang, prefs: Prefs) -> View {
    View { lang, prefs, ends_in_s: None, screen: Screen::Starting }
}

/// What the configuration says, once.
fn furnish(window: &KioskWindow, config: &Config) {
    let theme = window.global::<Theme>();
    let panel = &config.panel;
    theme.set_mm(panel.px_per_mm);
    theme.set_panel_width(panel.width_px);
    theme.set_panel_height(panel.height_px);
    theme.set_reach_line(panel.reach_line);
    theme.set_brand(config.primary);
    let town = window.global::<Town>();
    town.set_name(config.name.as_str().into());
    if let Some(mark) = &config.mark {
        town.set_mark(mark.clone());
    }
    town.set_place(config.help.place.as_str().into());
    town.set_hours(config.help.hours.as_str().into());
    town.set_phone(config.help.phone.as_str().into());
    town.set_kiosk(config.help.kiosk.as_str().into());
    let names = Lang::ALL.map(|lang| SharedString::from(lang.own_name()));
    window.global::<Nav>().set_lang_names(ModelRc::new(VecModel::from(names.to_vec())));
}

fn set_prefs(theme: &Theme<'_>, prefs: Prefs) {
    theme.set_high_contrast(prefs.high_contrast);
    theme.set_lowered(prefs.lowered);
    theme.set_text_scale(f32::from(prefs.text_percent.clamp(100, 200)) / 100.0);
}

fn speak_language(window: &KioskWindow, lang: Lang) {
    // English is what the screens are written in.
    let bundle = if lang == Lang::En { "" } else { lang.code() };
    if let Err(error) = slint::select_bundled_translation(bundle) {
        tracing::error!(%error, lang = lang.code(), "no such translation in the binary");
    }
    let nav = window.global::<Nav>();
    nav.set_lang_code(lang.code().to_uppercase().into());
    let index = Lang::ALL.iter().position(|other| *other == lang);
    nav.set_lang_index(index.and_then(|index| i32::try_from(index).ok()).unwrap_or(0));
    debug_assert_eq!(nav.get_lang_names().row_count(), Lang::ALL.len());
}

/// The amount on the tile of that index.
fn offered(shown: &RefCell<View>, index: usize) -> Option<Amount> {
    let Screen::ChooseAmount(choose) = &shown.borrow().screen else {
        return None;
    };
    choose.amounts.get(index).copied()
}

fn action(done: Do) -> Action {
    match done {
        Do::Erase => Action::Erase,
        Do::Confirm => Action::Confirm,
        Do::Recharge => Action::Recharge,
        Do::PayByCard => Action::PayByCard,
        Do::Finish => Action::Finish,
        Do::Back => Action::Back,
        Do::Cancel => Action::Cancel,
        Do::Print => Action::Print,
        Do::ShowReceipt => Action::ShowReceipt,
        Do::MoreTime => Action::MoreTime,
    }
}
