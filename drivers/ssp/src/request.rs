use crate::crypt::{GENERATOR, MODULUS};

/// What the driver asks of the unit [GA138 "Commands"].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Request {
    Sync,
    SetGenerator,
    SetModulus,
    /// Our half of the key exchange.
    KeyExchange(u64),
    HostProtocol(u8),
    Setup,
    SerialNumber,
    Counters,
    Inhibits(u16),
    Enable,
    Disable,
    Reject,
    Hold,
    Poll,
    PollWithAck,
    EventAck,
    LastRejectCode,
    Reset,
}

impl Request {
    /// Command byte and parameters.
    pub(crate) fn bytes(self) -> Vec<u8> {
        let number = |code: u8, number: u64| {
            let mut bytes = vec![code];
            bytes.extend(number.to_le_bytes());
            bytes
        };
        match self {
            Self::Sync => vec![0x11],
            Self::SetGenerator => number(0x4A, GENERATOR),
            Self::SetModulus => number(0x4B, MODULUS),
            Self::KeyExchange(half) => number(0x4C, half),
            Self::HostProtocol(level) => vec![0x06, level],
            Self::Setup => vec![0x05],
            Self::SerialNumber => vec![0x0C],
            Self::Counters => vec![0x58],
            Self::Inhibits(mask) => {
                let [low, high] = mask.to_le_bytes();
                vec![0x02, low, high]
            }
            Self::Enable => vec![0x0A],
            Self::Disable => vec![0x09],
            Self::Reject => vec![0x08],
            Self::Hold => vec![0x18],
            Self::Poll => vec![0x07],
            Self::PollWithAck => vec![0x56],
            Self::EventAck => vec![0x57],
            Self::LastRejectCode => vec![0x17],
            Self::Reset => vec![0x01],
        }
    }
}

/// Generic response to a command that was understood.
pub(crate) const OK: u8 = 0xF0;
