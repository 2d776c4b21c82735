//! What a contactless reader does with an APDU: class FF is its own [PC/SC part 3 §3.2], the rest
//! goes to the card. No time, no transport.

use std::collections::BTreeMap;

use crate::card::{Card, Classic, Nak, Processor, Side};

/// A reader on the market, with its own idea of the standard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Model {
    /// ACS ACR1252U: the standard, two volatile keys.
    Acr1252u,
    /// ACS ACR122U: likewise, but every error is `63 00`.
    Acr122u,
    /// ACS ACR1281U: keys in EEPROM, one volatile.
    Acr1281u,
    /// HID OMNIKEY 5022: persistent keys alone.
    Omnikey5022,
    /// Identiv uTrust 3700 F: one key A and one key B.
    Utrust3700,
}

impl Model {
    /// Every model.
    pub const ALL: [Self; 5] =
        [Self::Acr1252u, Self::Acr122u, Self::Acr1281u, Self::Omnikey5022, Self::Utrust3700];

    /// The name under which PC/SC shows it.
    pub fn pcsc_name(self) -> &'static str {
        match self {
            Self::Acr1252u => "ACS ACR1252 Reader PICC",
            Self::Acr122u => "ACS ACR122U PICC Interface",
            Self::Acr1281u => "ACS ACR1281 1S Dual Reader PICC",
            Self::Omnikey5022 => "HID Global OMNIKEY 5022 Smart Card Reader",
            Self::Utrust3700 => "Identiv uTrust 3700 F CL Reader",
        }
    }

    /// Does it take a key with this P1 and P2?
    fn takes_key(self, structure: u8, slot: u8) -> bool {
        match self {
            Self::Acr1252u | Self::Acr122u => structure == 0x00 && slot <= 0x01,
            Self::Acr1281u => structure == 0x00 && slot == 0x20 || structure == 0x20 && slot < 0x20,
            Self::Omnikey5022 => structure == 0x20 && slot < 0x20,
            Self::Utrust3700 => structure == 0x00 && matches!(slot, 0x60 | 0x61),
        }
    }

    /// Where GENERAL AUTHENTICATE finds the key that it calls `number`, for key type `kind`.
    fn key_slot(self, kind: u8, number: u8) -> u8 {
        match self {
            Self::Acr1252u | Self::Acr122u | Self::Acr1281u | Self::Omnikey5022 => number,
            Self::Utrust3700 => kind,
        }
    }

    fn word(self, status: Status) -> [u8; 2] {
        match (self, status) {
            (_, Status::Ok) => [0x90, 0x00],
            (Self::Acr122u, _) | (_, Status::Refused) => [0x63, 0x00],
            (_, Status::BadKeySlot) => [0x69, 0x88],
            (_, Status::BadLength) => [0x67, 0x00],
            (_, Status::NotSupported) => [0x6A, 0x81],
            (_, Status::CardSilent) => [0x64, 0x00],
        }
    }
}

#[derive(Clone, Copy)]
enum Status {
    Ok,
    Refused,
    BadKeySlot,
    BadLength,
    NotSupported,
    CardSilent,
}

/// The firmware of one reader.
#[derive(Debug)]
pub(super) struct Firmware {
    model: Model,
    keys: BTreeMap<u8, [u8; 6]>,
}

impl Firmware {
    pub(super) fn new(model: Model) -> Self {
        Self { model, keys: BTreeMap::new() }
    }

    /// Selects the card and makes up its ATR [PC/SC part 3 §3.1.3.2.3].
    pub(super) fn power_up(card: &mut Card) -> Vec<u8> {
        card.activate();
        let historical: &[u8] = match card {
            // Registered provider A000000306, standard 03 = 14443-3A, name 0001 = Classic 1K.
            Card::Classic(_) => {
                &[0x80, 0x4F, 0x0C, 0xA0, 0x00, 0x00, 0x03, 0x06, 0x03, 0x00, 0x01, 0, 0, 0, 0]
            }
            Card::Processor(_) => &Processor::HISTORICAL,
        };
        let count = u8::try_from(historical.len()).expect("at most 15 historical bytes");
        let mut atr = vec![0x3B, 0x80 | count, 0x80, 0x01];
        atr.extend(historical);
        let check = atr[1..].iter().fold(0, |check, byte| check ^ byte);
        atr.push(check);
        atr
    }

    /// The response APDU.
    pub(super) fn apdu(&mut self, card: &mut Card, apdu: &[u8]) -> Vec<u8> {
        match (apdu, card) {
            ([0xFF, 0xCA, 0x00, 0x00, _], card) => self.done(&card.uid()),
            ([0xFF, 0x82, structure, slot, 0x06, key @ ..], _) => {
                self.load_key(*structure, *slot, key)
            }
            ([0xFF, 0x86, 0x00, 0x00, 0x05, data @ ..], Card::Classic(card)) => {
                self.authenticate(card, data)
            }
            ([0xFF, 0xB0, 0x00, block, 0x10], Card::Classic(card)) => match card.read(*block) {
                Ok(data) => self.done(&data),
                Err(Nak) => self.recover(card),
            },
            ([0xFF, 0xD6, 0x00, block, 0x10, data @ ..], Card::Classic(card)) => {
                match <&[u8; 16]>::try_from(data).map(|data| card.write(*block, data)) {
                    Ok(Ok(())) => self.done(&[]),
                    Ok(Err(Nak)) => self.recover(card),
                    Err(_) => self.status(Status::BadLength),
                }
            }
            ([0xFF, 0x86 | 0xB0 | 0xD6, ..], Card::Processor(_)) => self.status(Status::Refused),
            ([0xFF, ..], _) => self.status(Status::NotSupported),
            (apdu, Card::Processor(card)) => card.apdu(apdu).to_vec(),
            // A storage card takes no APDU, and the reader has no such class.
            (_, Card::Classic(_)) => vec![0x6E, 0x00],
        }
    }

    /// What the host hears when nothing came back over the air.
    pub(super) fn card_silent(&self) -> Vec<u8> {
        self.status(Status::CardSilent)
    }

    /// A command for the reader itself: its firmware version, in ACS's words.
    pub(super) fn escape(&self, command: &[u8]) -> Option<Vec<u8>> {
        match (self.model, command) {
            (Model::Acr122u, [0xFF, 0x00, 0x48, 0x00, 0x00]) => Some(b"ACR122U215".to_vec()),
            (Model::Acr122u | Model::Acr1252u | Model::Acr1281u, _)
            | (Model::Omnikey5022 | Model::Utrust3700, _) => None,
        }
    }

    fn load_key(&mut self, structure: u8, slot: u8, key: &[u8]) -> Vec<u8> {
        let Ok(key) = key.try_into() else {
            return self.status(Status::BadLength);
        };
        if !self.model.takes_key(structure, slot) {
            return self.status(Status::BadKeySlot);
        }
        self.keys.insert(slot, key);
        self.status(Status::Ok)
    }

    fn authenticate(&self, card: &mut Classic, data: &[u8]) -> Vec<u8> {
        let [0x01, 0x00, block, kind, number] = *data else {
            return self.status(Status::BadLength);
        };
        let side = match kind {
            0x60 => Side::A,
            0x61 => Side::B,
            _ => return self.status(Status::NotSupported),
        };
        let Some(key) = self.keys.get(&self.model.key_slot(kind, number)) else {
            return self.status(Status::BadKeySlot);
        };
        match card.authenticate(block, side, *key) {
            Ok(()) => self.done(&[]),
            Err(Nak) => self.recover(card),
        }
    }

    /// The card is halted after a refusal; a PC/SC reader selects it again.
    fn recover(&self, card: &mut Classic) -> Vec<u8> {
        card.activate();
        self.status(Status::Refused)
    }

    fn done(&self, data: &[u8]) -> Vec<u8> {
        [data, &self.model.word(Status::Ok)].concat()
    }

    fn status(&self, status: Status) -> Vec<u8> {
        self.model.word(status).to_vec()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const UID: [u8; 4] = [0xDE, 0xAD, 0xBE, 0xEF];

    #[test]
    fn a_session_of_the_standard_in_bytes() {
        let mut reader = Firmware::new(Model::Acr1252u);
        let mut card = Card::blank(UID);
        assert_eq!(hex(&Firmware::power_up(&mut card)), "3b8f8001804f0ca000000306030001000000006a");
        let exchanges = [
            ("ffca000000", "deadbeef9000"),
            ("ff82000006ffffffffffff", "9000"),
            ("ff860000050100046000", "9000"),
            ("ffb0000410", "000000000000000000000000000000009000"),
            ("ffb0000710", "000000000000ff078069ffffffffffff9000"),
            ("ffb0000810", "6300"),
            ("ff820000060102030405", "6700"),
            ("ff86000005010004600f", "6988"),
            ("00a4040000", "6e00"),
            ("ff00000000", "6a81"),
        ];
        for (command, response) in exchanges {
            assert_eq!(hex(&reader.apdu(&mut card, &bytes(command))), response, "{command}");
        }
    }

    #[test]
    fn an_acr122u_says_63_00_to_everything_it_dislikes() {
        let mut reader = Firmware::new(Model::Acr122u);
        let mut card = Card::blank(UID);
        for command in ["ff82000506ffffffffffff", "ff86000005010004600f", "ff00000000"] {
            assert_eq!(hex(&reader.apdu(&mut card, &bytes(command))), "6300", "{command}");
        }
    }

    #[test]
    fn what_is_written_is_read() {
        let mut reader = Firmware::new(Model::Omnikey5022);
        let mut card = Card::blank(UID);
        for (command, response) in [
            ("ff82200606ffffffffffff", "9000"),
            ("ff860000050100046006", "9000"),
            ("ffd6000410000102030405060708090a0b0c0d0e0f", "9000"),
            ("ffb0000410", "000102030405060708090a0b0c0d0e0f9000"),
        ] {
            assert_eq!(hex(&reader.apdu(&mut card, &bytes(command))), response, "{command}");
        }
    }

    #[test]
    fn a_banks_card_knows_nothing_of_ours() {
        let mut reader = Firmware::new(Model::Acr1252u);
        let mut card = Card::bank([1, 2, 3]);
        assert_eq!(hex(&Firmware::power_up(&mut card)), "3b89800180318065b001020304e8");
        for (command, response) in [
            ("ffca000000", "080102039000"),
            ("ff82000006a0a1a2a3a4a5", "9000"),
            ("ff860000050100016000", "6300"),
            ("00a4040005a000000003", "6a82"),
            ("d001000000", "6e00"),
        ] {
            assert_eq!(hex(&reader.apdu(&mut card, &bytes(command))), response, "{command}");
        }
    }

    const HEADS: &[&[u8]] = &[&[], &[0xFF], &[0xFF, 0x82], &[0xFF, 0x86], &[0xFF, 0xD6]];

    proptest! {
        #[test]
        fn any_command_has_an_answer(
            model in prop::sample::select(&Model::ALL[..]),
            head in prop::sample::select(HEADS),
            tail: Vec<u8>,
        ) {
            for mut card in [Card::blank(UID), Card::bank([1, 2, 3])] {
                let apdu = [head, &tail].concat();
                prop_assert!(Firmware::new(model).apdu(&mut card, &apdu).len() >= 2);
            }
        }
    }

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    fn bytes(hex: &str) -> Vec<u8> {
        (0..hex.len())
            .step_by(2)
            .map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap())
            .collect()
    }
}
