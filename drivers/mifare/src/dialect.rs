/// How one family of readers wants its card commands [PC/SC part 3 §3.2.2, and the makers' manuals
/// where they differ]. Data, so that a new reader is a new row.
#[derive(Debug, PartialEq, Eq)]
pub struct ReaderDialect {
    /// For the log.
    pub name: &'static str,
    /// A reader belongs to the family if its PC/SC name holds one of these.
    readers: &'static [&'static str],
    /// P1 of LOAD KEYS.
    pub key_structure: u8,
    /// Where the public directory key and our read key go.
    pub slots: [KeySlot; 2],
    /// What becomes of a loaded key.
    pub memory: KeyMemory,
}

/// A place for a key in the reader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeySlot {
    /// P2 of LOAD KEYS.
    pub load: u8,
    /// Key number in GENERAL AUTHENTICATE.
    pub authenticate: u8,
}

impl KeySlot {
    const fn same(number: u8) -> Self {
        Self { load: number, authenticate: number }
    }
}

/// How long a reader keeps a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyMemory {
    /// Until another is loaded or the power goes: load it every time.
    Volatile,
    /// For ever, in a memory that wears: load it once per attached reader.
    Persistent,
}

impl ReaderDialect {
    /// The dialect of the reader with this PC/SC name.
    pub fn of(reader: &str) -> &'static Self {
        DIALECTS
            .iter()
            .find(|dialect| dialect.readers.iter().any(|part| reader.contains(part)))
            .unwrap_or(&STANDARD)
    }
}

/// What the standard says, and what ACR122U, ACR1252U, ACR1552U, ACR1581 and SpringCard do.
static STANDARD: ReaderDialect = ReaderDialect {
    name: "PC/SC part 3",
    readers: &[],
    key_structure: 0x00,
    slots: [KeySlot::same(0x00), KeySlot::same(0x01)],
    memory: KeyMemory::Volatile,
};

static DIALECTS: [ReaderDialect; 3] = [
    // Slots 00 to 1F are in its EEPROM; 20 is its one session key [ACR1281U API §5.2].
    ReaderDialect {
        name: "ACS ACR1281U",
        readers: &["ACR1281", "ACR128U"],
        key_structure: 0x00,
        slots: [KeySlot::same(0x20), KeySlot::same(0x20)],
        memory: KeyMemory::Volatile,
    },
    // Takes persistent keys alone, as HID's own MIFARE sample loads them.
    ReaderDialect {
        name: "HID OMNIKEY",
        readers: &["OMNIKEY"],
        key_structure: 0x20,
        slots: [KeySlot::same(0x06), KeySlot::same(0x07)],
        memory: KeyMemory::Persistent,
    },
    // LOAD KEYS names the side (60 = key A), and there is one key of each.
    ReaderDialect {
        name: "Identiv uTrust 37x0 F",
        readers: &["uTrust 3700", "uTrust 3720"],
        key_structure: 0x00,
        slots: [KeySlot { load: 0x60, authenticate: 0x01 }; 2],
        memory: KeyMemory::Volatile,
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reader_is_known_by_its_name() {
        let dialect = |reader| ReaderDialect::of(reader).name;
        assert_eq!(dialect("HID Global OMNIKEY 5022 Smart Card Reader 00 00"), "HID OMNIKEY");
        assert_eq!(dialect("Identiv uTrust 3700 F CL Reader 00 00"), "Identiv uTrust 37x0 F");
        assert_eq!(dialect("ACS ACR1281 1S Dual Reader 00 01"), "ACS ACR1281U");
        assert_eq!(dialect("ACS ACR1252 Dual Reader PICC 00 00"), "PC/SC part 3");
        assert_eq!(dialect(""), "PC/SC part 3");
    }

    #[test]
    fn a_key_that_is_loaded_once_has_a_slot_of_its_own() {
        for dialect in &DIALECTS {
            let [mad, ours] = dialect.slots;
            assert!(dialect.memory == KeyMemory::Volatile || mad != ours, "{}", dialect.name);
        }
    }
}
