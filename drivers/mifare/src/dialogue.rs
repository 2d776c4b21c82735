use domain::{CardRef, CardRefKey, Pii, Uid};
use driver_api::card_reader::{Card, CardProblem};

use crate::dialect::{KeyMemory, ReaderDialect};
use crate::identity::{CardData, CardKeys};
use crate::layout::{IDENTITY_BLOCK, MAD_READ_KEY, READ_KEY, SIGNATURE_BLOCKS};
use crate::mad::{Aid, Directory};

/// One attempt at reading one card. A card never speaks unasked, so that the dialogue is a chain:
/// send [`Reading::question`], give what came back to [`Reading::answer`], until it is
/// [`Next::Done`]. When the transport itself fails, drop the `Reading` and begin a new one on a new
/// connection.
///
/// A refusal (`63 00` above all) may mean "wrong key" or "card gone": believe
/// [`CardProblem::Foreign`] only when a second attempt on a fresh connection says the same.
#[derive(Debug)]
pub struct Reading {
    dialect: &'static ReaderDialect,
    /// Still to do, the next one last.
    steps: Vec<Step>,
    uid: Option<Uid>,
    blocks: [[u8; 16]; 10],
}

/// What follows an answer.
#[must_use]
#[derive(Debug)]
pub enum Next {
    /// The next question.
    Ask(Reading),
    /// The end.
    Done(Result<RawCard, Failure>),
}

/// What one card said of itself, read in one go from one chip; not yet verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawCard {
    /// The chip.
    pub uid: Uid,
    /// Identity block and signature.
    pub data: CardData,
}

/// Why an attempt ended early.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// It is the card.
    Card(CardProblem),
    /// The reader gave no UID or took no key, with this status word: it speaks another dialect, or
    /// nonsense.
    Reader(u16),
}

/// What turns a read card into one the kiosk may serve. Holds no secret of any card.
#[derive(Clone, Debug)]
pub struct Verifier {
    /// The network's public keys.
    pub keys: CardKeys,
    /// Makes the pseudonyms.
    pub card_ref_key: CardRefKey,
}

impl Verifier {
    /// Is it genuine, and who is it?
    ///
    /// # Errors
    /// As [`CardKeys::verify`].
    pub fn judge(&self, card: &RawCard) -> Result<Card, CardProblem> {
        let identity = self.keys.verify(card.uid, &card.data)?;
        Ok(Card {
            number: Pii::new(identity.number),
            uid: Pii::new(card.uid),
            card_ref: CardRef::new(&self.card_ref_key, identity.number, card.uid),
            expires_day: identity.expires_day,
        })
    }
}

impl Reading {
    /// A new attempt. `keys_loaded`: an earlier one on this reader got past its keys, which a
    /// reader of [`KeyMemory::Persistent`] still has.
    pub fn begin(dialect: &'static ReaderDialect, keys_loaded: bool) -> Self {
        let skip_load = keys_loaded && dialect.memory == KeyMemory::Persistent;
        let steps = SCRIPT
            .into_iter()
            .rev()
            .filter(|step| !(skip_load && matches!(step, Step::Load(_))))
            .collect();
        Self { dialect, steps, uid: None, blocks: Default::default() }
    }

    /// The command APDU to send now.
    pub fn question(&self) -> Vec<u8> {
        match *self.step() {
            Step::Uid | Step::SameUid => vec![0xFF, 0xCA, 0x00, 0x00, 0x00],
            Step::Load(key) => {
                let slot = self.dialect.slots[key.index()].load;
                let mut apdu = vec![0xFF, 0x82, self.dialect.key_structure, slot, 0x06];
                apdu.extend(key.value());
                apdu
            }
            Step::Authenticate(block, key) => {
                let slot = self.dialect.slots[key.index()].authenticate;
                let data = [0x01, 0x00, block, KEY_A, slot];
                [&[0xFF, 0x86, 0x00, 0x00, 0x05], &data[..]].concat()
            }
            Step::Read(block) => vec![0xFF, 0xB0, 0x00, block, 0x10],
        }
    }

    /// Takes the response APDU.
    pub fn answer(mut self, response: &[u8]) -> Next {
        if let Err(failure) = self.take(Answer::parse(response)) {
            return Next::Done(Err(failure));
        }
        self.steps.pop();
        match (self.steps.is_empty(), self.uid) {
            (false, _) => Next::Ask(self),
            (true, Some(uid)) => Next::Done(Ok(self.card(uid))),
            (true, None) => unreachable!("the script begins with the UID"),
        }
    }

    fn take(&mut self, answer: Answer<'_>) -> Result<(), Failure> {
        const TORN: Failure = Failure::Card(CardProblem::Torn);
        const FOREIGN: Failure = Failure::Card(CardProblem::Foreign);
        match (*self.step(), answer) {
            (Step::Uid, Answer::Done(data)) => {
                // Ours have 4 bytes; 7 and 10 are other chips [ISO 14443-3 §6.5.4].
                self.uid = Some(Uid(data.try_into().map_err(|_| FOREIGN)?));
                Ok(())
            }
            (Step::SameUid, Answer::Done(data)) => {
                let same = self.uid.is_some_and(|uid| uid.0 == data);
                same.then_some(()).ok_or(TORN)
            }
            (Step::Load(_) | Step::Authenticate(..), Answer::Done(_)) => Ok(()),
            (Step::Read(block), Answer::Done(data)) => {
                self.blocks[usize::from(block)] = data.try_into().map_err(|_| TORN)?;
                if block == DIRECTORY_BLOCKS[1] && !self.directory_is_ours() {
                    return Err(FOREIGN);
                }
                Ok(())
            }
            (Step::Load(_), Answer::Refused(status)) => Err(Failure::Reader(status)),
            (Step::Authenticate(..), Answer::Refused(_)) => Err(FOREIGN),
            // A reader that does not even give a UID is no reader of contactless cards.
            (Step::Uid, Answer::Refused(status)) if status != NOT_DONE => {
                Err(Failure::Reader(status))
            }
            (Step::Uid | Step::SameUid | Step::Read(_), Answer::Refused(_)) => Err(TORN),
            (_, Answer::Unknown) => Err(TORN),
        }
    }

    fn directory_is_ours(&self) -> bool {
        let blocks = DIRECTORY_BLOCKS.map(|block| self.blocks[usize::from(block)]);
        Directory::decode(blocks).is_some_and(|directory| {
            directory.application(1) == Aid::IDENTITY && directory.application(2) == Aid::SIGNATURE
        })
    }

    fn card(&self, uid: Uid) -> RawCard {
        let mut signature = [0; 64];
        let (quarters, _) = signature.as_chunks_mut::<16>();
        for (quarter, block) in quarters.iter_mut().zip(SIGNATURE_BLOCKS) {
            *quarter = self.blocks[usize::from(block)];
        }
        let identity = self.blocks[usize::from(IDENTITY_BLOCK)];
        RawCard { uid, data: CardData { identity, signature } }
    }

    fn step(&self) -> &Step {
        self.steps.last().expect("a Reading without steps is Done and was dropped")
    }
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Uid,
    Load(Key),
    /// The block says the sector.
    Authenticate(u8, Key),
    Read(u8),
    /// The same chip still: block 4 of one card and block 9 of another must not meet.
    SameUid,
}

#[derive(Clone, Copy, Debug)]
enum Key {
    Directory,
    Ours,
}

impl Key {
    fn index(self) -> usize {
        match self {
            Self::Directory => 0,
            Self::Ours => 1,
        }
    }

    fn value(self) -> [u8; 6] {
        match self {
            Self::Directory => MAD_READ_KEY,
            Self::Ours => READ_KEY,
        }
    }
}

const SCRIPT: [Step; 14] = [
    Step::Uid,
    Step::Load(Key::Directory),
    Step::Authenticate(DIRECTORY_BLOCKS[0], Key::Directory),
    Step::Read(DIRECTORY_BLOCKS[0]),
    Step::Read(DIRECTORY_BLOCKS[1]),
    Step::Load(Key::Ours),
    Step::Authenticate(IDENTITY_BLOCK, Key::Ours),
    Step::Read(IDENTITY_BLOCK),
    Step::Read(SIGNATURE_BLOCKS[0]),
    Step::Read(SIGNATURE_BLOCKS[1]),
    Step::Authenticate(SIGNATURE_BLOCKS[2], Key::Ours),
    Step::Read(SIGNATURE_BLOCKS[2]),
    Step::Read(SIGNATURE_BLOCKS[3]),
    Step::SameUid,
];

const DIRECTORY_BLOCKS: [u8; 2] = [1, 2];

/// The one word for everything that can go wrong at many readers.
const NOT_DONE: u16 = 0x6300;

/// Key type in GENERAL AUTHENTICATE: key A.
const KEY_A: u8 = 0x60;

/// What a response APDU says.
enum Answer<'a> {
    /// `90 00`: done, with this data.
    Done(&'a [u8]),
    /// Not done, with this status word; nothing happened on the card.
    Refused(u16),
    /// Nobody knows. Shorter than a status word: some readers end a cut exchange with success and
    /// 0 or 1 bytes. Or the reader heard nothing from the card (`62 xx`, `64 xx`, `6F 00`).
    Unknown,
}

impl<'a> Answer<'a> {
    fn parse(response: &'a [u8]) -> Self {
        let Some((data, status)) = response.split_last_chunk::<2>() else {
            return Self::Unknown;
        };
        match (u16::from_be_bytes(*status), status[0]) {
            (0x9000, _) => Self::Done(data),
            (0x6F00, _) | (_, 0x62 | 0x64) => Self::Unknown,
            (refusal, _) => Self::Refused(refusal),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use domain::CardNumber;
    use ed25519_dalek::SigningKey;
    use proptest::prelude::*;

    use super::*;
    use crate::{CardImage, CardMasterKey, Identity, NetworkCode, SectorKeys, personalise};

    const UID: Uid = Uid([0xDE, 0xAD, 0xBE, 0xEF]);
    const OK: [u8; 2] = [0x90, 0x00];

    fn town() -> (CardImage, Verifier) {
        let network = NetworkCode(7);
        let signing = SigningKey::from_bytes(&[1; 32]);
        let identity = Identity {
            network,
            key_version: 1,
            number: CardNumber::from_serial(42).unwrap(),
            issue: 1,
            issued_day: 20_000,
            expires_day: 23_650,
        };
        let keys = SectorKeys::of_card(&CardMasterKey([9; 16]), network, UID);
        let verifier = Verifier {
            keys: CardKeys::new(network, BTreeMap::from([(1, signing.verifying_key())])),
            card_ref_key: CardRefKey([3; 32]),
        };
        (personalise(UID, &identity, &signing, &keys), verifier)
    }

    /// A reader that opens everything to everybody: only the questions are looked at.
    fn respond(image: &CardImage, question: &[u8]) -> Vec<u8> {
        match question {
            [0xFF, 0xCA, ..] => [&image.uid().0[..], &OK].concat(),
            [0xFF, 0x82 | 0x86, ..] => OK.to_vec(),
            [0xFF, 0xB0, 0x00, block, 0x10] => [&image.block(*block)[..], &OK].concat(),
            other => panic!("not a command of a card reader: {other:02X?}"),
        }
    }

    /// Reads; `respond` gets the number of the question and the question.
    fn read(
        dialect: &str,
        mut respond: impl FnMut(usize, &[u8]) -> Vec<u8>,
    ) -> Result<RawCard, Failure> {
        let mut reading = Reading::begin(ReaderDialect::of(dialect), false);
        for number in 0.. {
            let response = respond(number, &reading.question());
            match reading.answer(&response) {
                Next::Ask(more) => reading = more,
                Next::Done(result) => return result,
            }
        }
        unreachable!()
    }

    #[test]
    fn a_genuine_card_is_read_and_verified() {
        let (image, verifier) = town();
        let raw = read("", |_, question| respond(&image, question)).unwrap();
        let card = verifier.judge(&raw).unwrap();
        assert_eq!(card.number.reveal().serial(), 42);
        assert_eq!(card.uid.reveal(), &UID);
        assert_eq!(card.expires_day, 23_650);
        let same = CardRef::new(&verifier.card_ref_key, *card.number.reveal(), UID);
        assert_eq!(card.card_ref, same);
    }

    #[test]
    fn a_card_that_leaves_at_any_moment_is_torn() {
        let (image, _) = town();
        for gone in 0..SCRIPT.len() {
            for last_words in [&[][..], &[0x90], &[0x64, 0x00]] {
                let result = read("", |number, question| {
                    if number < gone { respond(&image, question) } else { last_words.to_vec() }
                });
                assert_eq!(result, Err(Failure::Card(CardProblem::Torn)), "after {gone}");
            }
        }
    }

    #[test]
    fn two_cards_never_become_one() {
        let (first, _) = town();
        let mut second = first.clone();
        second.set_block(0, CardImage::blank(Uid([1, 2, 3, 4])).block(0));
        for swapped in 1..SCRIPT.len() {
            let result = read("", |number, question| {
                respond(if number < swapped { &first } else { &second }, question)
            });
            assert_eq!(result, Err(Failure::Card(CardProblem::Torn)), "after {swapped}");
        }
    }

    #[test]
    fn another_chip_another_key_another_directory_are_foreign() {
        let (image, _) = town();
        let foreign = Err(Failure::Card(CardProblem::Foreign));
        let long_uid = read("", |_, _| vec![4, 1, 2, 3, 4, 5, 6, 0x90, 0x00]);
        assert_eq!(long_uid, foreign);

        for authentication in 0..3 {
            let mut seen = 0;
            let refused = read("", |_, question| {
                seen += usize::from(question[1] == 0x86);
                if seen > authentication { vec![0x63, 0x00] } else { respond(&image, question) }
            });
            assert_eq!(refused, foreign);
        }

        let mut other = image.clone();
        other.set_block(1, &[0; 16]);
        assert_eq!(read("", |_, question| respond(&other, question)), foreign);
    }

    #[test]
    fn a_reader_that_takes_no_key_is_reported_with_its_word() {
        let (image, _) = town();
        let result = read("", |_, question| match question[1] {
            0x82 => vec![0x69, 0x88],
            _ => respond(&image, question),
        });
        assert_eq!(result, Err(Failure::Reader(0x6988)));
    }

    #[test]
    fn each_dialect_asks_in_its_own_words() {
        let (image, _) = town();
        let loads_and_authentications = |reader: &str| {
            let mut words = Vec::new();
            read(reader, |_, question| {
                match question[1] {
                    0x82 => words.push(hex::encode(&question[..5])),
                    0x86 => words.push(hex::encode(&question[5..])),
                    _ => {}
                }
                respond(&image, question)
            })
            .unwrap();
            words.join(" ")
        };
        assert_eq!(
            loads_and_authentications("ACS ACR122U PICC Interface"),
            "ff82000006 0100016000 ff82000106 0100046001 0100086001"
        );
        assert_eq!(
            loads_and_authentications("HID Global OMNIKEY 5422 Smartcard Reader"),
            "ff82200606 0100016006 ff82200706 0100046007 0100086007"
        );
        assert_eq!(
            loads_and_authentications("Identiv uTrust 3700 F CL Reader"),
            "ff82006006 0100016001 ff82006006 0100046001 0100086001"
        );
    }

    #[test]
    fn a_memory_that_wears_is_written_once() {
        let asks_for_keys = |reader: &str, loaded| {
            let (image, _) = town();
            let mut reading = Reading::begin(ReaderDialect::of(reader), loaded);
            let mut loads = 0;
            while let Next::Ask(more) = {
                let question = reading.question();
                loads += usize::from(question[1] == 0x82);
                reading.answer(&respond(&image, &question))
            } {
                reading = more;
            }
            loads
        };
        assert_eq!(asks_for_keys("OMNIKEY 5022", false), 2);
        assert_eq!(asks_for_keys("OMNIKEY 5022", true), 0);
        assert_eq!(asks_for_keys("ACS ACR1252", true), 2);
    }

    proptest! {
        #[test]
        fn garbage_ends_every_reading(
            garbage in proptest::collection::vec(
                proptest::collection::vec(any::<u8>(), 0..20), SCRIPT.len()),
            honest in 0..SCRIPT.len(),
        ) {
            let (image, verifier) = town();
            let result = read("", |number, question| {
                if number < honest { respond(&image, question) } else { garbage[number].clone() }
            });
            if let Ok(card) = result {
                prop_assert!(verifier.judge(&card).is_err() || card.uid == UID);
            }
        }
    }
}
