//! A cable that carries bytes in both directions, and what cables do: they take their time, split
//! what was sent in one piece, merge what was sent in two, add noise, lose bytes, and are pulled.
//! They never reorder.

use std::collections::VecDeque;

use crate::rng::Rng;
use crate::stage::Stage;

/// What kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cable {
    /// RS-232 or the like: nobody checks what it carries. Among noise this byte hurts most.
    Serial {
        /// Such as a start byte.
        worst: u8,
    },
    /// A serial port over USB, which checks and repeats: bytes come late, and never wrong.
    Usb,
    /// Messages over USB: each comes as a whole or not at all.
    Packets,
    /// A connection in a network, which checks and repeats, too.
    Network,
    /// No cable: the other end is in kioskd.
    Memory,
}

/// To whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// From the driver to the device.
    ToDevice,
    /// From the device to the driver.
    ToHost,
}

/// The cable between one device and one driver.
pub struct Link {
    cable: Cable,
    rng: Rng,
    is_plugged: bool,
    to_device: Lane,
    to_host: Lane,
}

#[derive(Default)]
struct Lane {
    on_the_way: VecDeque<(u64, Vec<u8>)>,
    /// Nothing arrives before what was sent earlier.
    last_at_ms: u64,
}

/// In a millisecond of USB. A serial line carries about one: 9600 baud, a little rounded.
const PACKET_BYTES: u64 = 64;

/// A reading that is no more than this long is one.
const PIECES_MAX: u64 = 4;

/// A USB adapter that hiccups: up to past the second that drivers wait for a reply.
const HICCUP_MS_MAX: u64 = 1_500;

impl Link {
    /// Plugged at both ends.
    pub fn new(cable: Cable, rng: Rng) -> Self {
        let (to_device, to_host) = (Lane::default(), Lane::default());
        Self { cable, rng, is_plugged: true, to_device, to_host }
    }

    /// Is it plugged at both ends?
    pub const fn is_plugged(&self) -> bool {
        self.is_plugged
    }

    /// Pulled: what is under way is lost.
    pub fn pull(&mut self) {
        self.is_plugged = false;
        self.lose_all();
    }

    /// Back in.
    pub fn plug(&mut self) {
        self.is_plugged = true;
    }

    /// The host is no more: nobody reads, and what it had written may still come out of its port.
    pub fn host_gone(&mut self) {
        self.to_host.on_the_way.clear();
        if self.rng.coin() {
            self.to_device.on_the_way.clear();
        }
    }

    /// What is under way is lost.
    pub fn lose_all(&mut self) {
        self.to_device.on_the_way.clear();
        self.to_host.on_the_way.clear();
    }

    /// Somebody says something; `true` = something else than was said is on its way.
    pub fn send(&mut self, way: Way, mut bytes: Vec<u8>, stage: &mut Stage) -> bool {
        if !self.is_plugged {
            return false;
        }
        let is_spoilt = match self.cable {
            Cable::Serial { worst } => self.spoil(worst, &mut bytes, stage),
            Cable::Usb | Cable::Packets | Cable::Network | Cable::Memory => false,
        };
        let pieces = match self.cable {
            Cable::Packets | Cable::Memory => 1,
            Cable::Serial { .. } | Cable::Usb | Cable::Network => {
                match self.rng.chance(stage.faults.wire_splits) {
                    true => self.rng.between(2, PIECES_MAX),
                    false => 1,
                }
            }
        };
        let mut rest = bytes.as_slice();
        for left in (1..=pieces).rev() {
            let most = u64::try_from(rest.len()).unwrap_or_default();
            let take = if left == 1 { most } else { self.rng.below(most + 1) };
            let (piece, after) = rest.split_at(usize::try_from(take).unwrap_or_default());
            rest = after;
            if !piece.is_empty() {
                self.carry(way, piece, stage);
            }
        }
        is_spoilt
    }

    fn carry(&mut self, way: Way, piece: &[u8], stage: &mut Stage) {
        let bytes = u64::try_from(piece.len()).unwrap_or_default();
        let mut ms = match self.cable {
            Cable::Serial { .. } => bytes,
            Cable::Usb | Cable::Packets => bytes.div_ceil(PACKET_BYTES),
            Cable::Network => 1,
            Cable::Memory => 0,
        };
        if self.cable != Cable::Memory {
            ms += self.rng.below(3);
            if self.rng.chance(stage.faults.wire_hiccups) {
                ms += self.rng.between(50, HICCUP_MS_MAX);
            }
        }
        let lane = self.lane(way);
        let at = lane.last_at_ms.max(stage.now_ms + ms);
        lane.last_at_ms = at;
        lane.on_the_way.push_back((at, piece.to_vec()));
    }

    fn spoil(&mut self, worst: u8, bytes: &mut Vec<u8>, stage: &mut Stage) -> bool {
        let mut is_spoilt = false;
        let place = |rng: &mut Rng, bytes: &[u8]| {
            let count = u64::try_from(bytes.len()).unwrap_or_default();
            usize::try_from(rng.below(count)).unwrap_or_default()
        };
        if !bytes.is_empty() && self.rng.chance(stage.faults.wire_flips) {
            let at = place(&mut self.rng, bytes);
            bytes[at] ^= 1 << self.rng.below(8);
            is_spoilt = true;
            stage.note("cable", format_args!("flips a bit"));
        }
        if self.rng.chance(stage.faults.wire_noise) {
            let at = place(&mut self.rng, bytes);
            let count = self.rng.between(1, 8);
            let byte = |rng: &mut Rng| if rng.coin() { worst } else { rng.byte() };
            let noise: Vec<u8> = (0..count).map(|_| byte(&mut self.rng)).collect();
            bytes.splice(at..at, noise);
            is_spoilt = true;
            stage.note("cable", format_args!("adds {count} bytes"));
        }
        if !bytes.is_empty() && self.rng.chance(stage.faults.wire_loses) {
            let from = place(&mut self.rng, bytes);
            let count = place(&mut self.rng, &bytes[from..]) + 1;
            bytes.drain(from..from + count);
            is_spoilt = true;
            stage.note("cable", format_args!("loses {count} bytes"));
        }
        is_spoilt
    }

    /// All that has arrived by now, in one reading; in a network piece by piece, so that something
    /// can happen between any two.
    pub fn arrived(&mut self, way: Way, now_ms: u64) -> Option<Vec<u8>> {
        let is_single = self.cable == Cable::Network;
        let lane = self.lane(way);
        let mut bytes = Vec::new();
        while let Some((_, piece)) = lane.on_the_way.pop_front_if(|(at, _)| *at <= now_ms) {
            bytes.extend(piece);
            if is_single {
                break;
            }
        }
        (!bytes.is_empty()).then_some(bytes)
    }

    /// When something arrives next.
    pub fn next_at(&self) -> Option<u64> {
        let lanes = [&self.to_device, &self.to_host];
        lanes.iter().filter_map(|lane| lane.on_the_way.front()).map(|(at, _)| *at).min()
    }

    fn lane(&mut self, way: Way) -> &mut Lane {
        match way {
            Way::ToDevice => &mut self.to_device,
            Way::ToHost => &mut self.to_host,
        }
    }
}
