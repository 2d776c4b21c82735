//! A customer without memory: looks at the screen and does what it asks for.

use e2e::{Bench, Card};
use serde_json::{Value, json};

use crate::Dice;

/// Whoever comes to this kiosk.
pub(crate) struct Customer<'a> {
    bench: &'a Bench,
    dice: Dice,
    /// Cards whose wallets have room, the one in use last.
    cards: Vec<Card>,
    /// Cents that the machine has drawn in.
    pub(crate) inserted: i64,
    /// Cents that the machine has given back.
    pub(crate) returned: i64,
}

impl<'a> Customer<'a> {
    /// With all cards that can be recharged here.
    pub(crate) fn new(bench: &'a Bench, dice: Dice) -> Self {
        let mut cards = bench.cards();
        cards.retain(|card| card.json["status"] == "active" && !card.pin.is_empty());
        Self { bench, dice, cards, inserted: 0, returned: 0 }
    }

    /// Is there a wallet with room?
    pub(crate) fn can_come(&self) -> bool {
        !self.cards.is_empty()
    }

    /// Looks at the screen and does one thing, then waits a moment for the next view.
    pub(crate) fn act(&mut self) {
        let Some(screen) = self.look("api/screen") else {
            // kioskd is away: wait for its next word.
            self.look("api/screen/wait?timeout_ms=200");
            return;
        };
        self.answer(&screen);
        let serial = &screen["serial"];
        self.look(&format!("api/screen/wait?timeout_ms=200&after={serial}"));
    }

    /// Takes the quiet way out of whatever is shown, until nobody is at the kiosk, no note moves,
    /// and everything given back is taken.
    pub(crate) fn leave(&mut self) {
        self.bench.remove_card();
        self.bench.wait_until("the kiosk to be in service again", || {
            let screen = self.look("api/screen").unwrap_or_default();
            match screen["name"].as_str() {
                Some("attract") => true,
                Some("confirm_cancel" | "review") => {
                    self.confirm();
                    false
                }
                _ => {
                    self.press(&json!({"key": "Escape"}));
                    false
                }
            }
        });
        self.bench.wait_until("the note path to be clear", || {
            let says = &self.bench.get("api/state")["ports"]["notes"]["says"];
            let says = says.as_str().unwrap_or_default();
            !MOVING.iter().any(|moving| says.ends_with(moving))
        });
        let taken = self.bench.take_returned();
        self.returned += taken.into_iter().map(|cents| cents.cast_signed()).sum::<i64>();
    }

    fn answer(&mut self, screen: &Value) {
        match screen["name"].as_str().unwrap_or_default() {
            "attract" | "present_card" => self.tap(),
            "pin" => self.type_pin(screen),
            "home" | "offline_home" => self.choose(screen),
            "inserting" => self.insert_or_finish(screen),
            "choose_amount" => {
                self.press(&json!({"label": "10\u{a0}€"}));
            }
            "confirm_cancel" | "review" => self.confirm(),
            "done" => {
                let may_print = screen["receipt"]["offer"]["can_print"] == true;
                if may_print && self.dice.throw(2) == 0 {
                    self.press(&json!({"label": "Imprimir recibo"}));
                } else {
                    self.press(&json!({"key": "Escape"}));
                }
            }
            "card_refused" | "payment_declined" | "goodbye" => {
                self.press(&json!({"key": "Escape"}));
            }
            // The machine is at it.
            _ => {}
        }
    }

    /// What was put in goes to the wallet: now, or when central is back.
    fn confirm(&self) {
        if !self.press(&json!({"label": "Abonar"})) {
            self.press(&json!({"label": "Confirmar"}));
        }
    }

    fn tap(&self) {
        if let Some(card) = self.cards.last() {
            self.bench.tap(card);
        }
    }

    fn type_pin(&self, screen: &Value) {
        let Some(card) = self.cards.last() else { return };
        let typed = screen["digits"].as_u64().and_then(|typed| usize::try_from(typed).ok());
        let digit = typed.and_then(|typed| card.pin.get(typed..=typed));
        self.press(&json!({"key": digit.unwrap_or("Enter")}));
    }

    fn choose(&mut self, screen: &Value) {
        if screen["by_card"] == "open" && self.dice.throw(3) == 0 {
            self.press(&json!({"label": "Recargar con tarjeta bancaria"}));
            return;
        }
        match screen["recharge_off"].as_str() {
            None => {
                self.press(&json!({"label": "Recargar con billetes"}));
            }
            Some("wallet_full") => {
                self.cards.pop();
                self.bench.remove_card();
                self.press(&json!({"key": "Escape"}));
            }
            // Not yet.
            Some(_) => {}
        }
    }

    fn insert_or_finish(&mut self, screen: &Value) {
        let is_moving = !screen["escrowed"].is_null() || screen["news"] == "reading";
        if is_moving {
            return;
        }
        if screen["can_finish"] == true && self.dice.throw(3) == 0 {
            self.press(&json!({"label": "Finalizar"}));
            return;
        }
        let fitting = screen["notes"].as_array().map_or(&[][..], Vec::as_slice);
        let fitting: Vec<i64> = fitting.iter().filter_map(Value::as_i64).collect();
        if fitting.is_empty() {
            self.press(&json!({"label": "Finalizar"}));
            return;
        }
        // Small notes: wallets fill up, and then a new town has to be made.
        let cents = self.dice.pick(&fitting[..fitting.len().min(2)]);
        let (status, _) = self.bench.try_post("api/acceptor/insert", &json!({"cents": cents}));
        if (200..300).contains(&status) {
            self.inserted += cents;
        }
    }

    /// Says whether it was there to be pressed; if not, it was meant for a screen that has passed.
    fn press(&self, what: &Value) -> bool {
        let (status, _) = self.bench.try_post("api/screen/press", what);
        (200..300).contains(&status)
    }

    fn look(&self, path: &str) -> Option<Value> {
        self.bench.try_get(path).and_then(|text| serde_json::from_str(&text).ok())
    }
}

/// How the slot says that a note is in the machine.
const MOVING: [&str; 4] = ["entering", "escrow", "stacking", "rejecting"];
