//! What every customer does, step by step, in the words of the screen.

use crate::{Bench, Card};

impl Bench {
    /// Card and PIN, up to the menu.
    pub fn identify(&self, id: &str) -> Card {
        let card = self.card(id);
        self.tap(&card);
        self.wait_screen("pin");
        self.type_pin(&card);
        self.wait_screen("home");
        card
    }

    /// Card, PIN, and the slot is open. An acceptor that has just come back is waited for.
    pub fn open_slot(&self, id: &str) -> Card {
        let card = self.identify(id);
        self.wait_screen_with("home", &[("recharge_off", "null")]);
        self.press("Recargar con billetes");
        self.wait_screen("inserting");
        card
    }

    /// A note goes in and is counted; `total` euro are in then.
    pub fn count_in(&self, euro: u32, total: u32) {
        self.insert(euro);
        let cents = (total * 100).to_string();
        self.wait_screen_with("inserting", &[("inserted", &cents), ("escrowed", "null")]);
    }

    /// From the open slot to the last look.
    pub fn finish(&self) {
        self.press("Finalizar");
        self.wait_screen("review");
    }

    /// From the last look to central's word: so many euro are on the wallet.
    pub fn credit(&self, euro: u32) {
        self.press("Abonar");
        let cents = (euro * 100).to_string();
        self.wait_screen_with("done", &[("done.credited.amount", &cents)]);
    }

    /// Asks for the receipt and reads it.
    pub fn print(&self) -> String {
        self.press("Imprimir recibo");
        self.wait_printed()
    }

    /// The receipt that comes out by itself, or was asked for.
    pub fn wait_printed(&self) -> String {
        self.wait_screen_with("done", &[("receipt", "take")]);
        self.receipt_text()
    }

    /// Takes card and leave; returns when the next customer can come.
    pub fn leave(&self) {
        self.leave_to("attract");
    }

    /// Takes card and leave; returns when this screen is there.
    pub fn leave_to(&self, screen: &str) {
        self.remove_card();
        if self.screen()["name"] == "done" {
            self.key("Escape");
        }
        self.wait_screen(screen);
    }
}
