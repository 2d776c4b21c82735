//! Who may do what to a block [MF1S50yyX data sheet, tables 7 and 8].

use super::classic::Side;

/// Which keys open something.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Keys {
    No,
    A,
    B,
    Ab,
}

use Keys::{A, Ab, B, No};

/// Rights to a data block.
#[derive(Clone, Copy)]
pub(super) enum Right {
    Read,
    Write,
    Increment,
    /// Also transfer and restore.
    Decrement,
}

/// Rights to the parts of a trailer. Key A is never read.
#[derive(Clone, Copy)]
pub(super) enum TrailerRight {
    WriteKeyA,
    ReadAccess,
    WriteAccess,
    ReadKeyB,
    WriteKeyB,
}

/// Access conditions of one sector: C1 C2 C3 of each block, as a number 0..=7.
#[derive(Clone, Copy)]
pub(super) struct Access([usize; 4]);

impl Access {
    /// Bytes 6 to 8 of a trailer; nothing if they contradict each other.
    pub(super) fn of_trailer(trailer: &[u8; 16]) -> Option<Self> {
        let bits = |byte: u8, shift: u32| [0, 1, 2, 3].map(|block| byte >> (shift + block) & 1);
        let [b6, b7, b8] = [trailer[6], trailer[7], trailer[8]];
        let (c1, c2, c3) = (bits(b7, 4), bits(b8, 0), bits(b8, 4));
        let (not_c1, not_c2, not_c3) = (bits(b6, 0), bits(b6, 4), bits(b7, 0));
        let is_sound = (0..4).all(|block| {
            c1[block] != not_c1[block] && c2[block] != not_c2[block] && c3[block] != not_c3[block]
        });
        is_sound.then(|| {
            Self([0, 1, 2, 3].map(|block| {
                usize::from(c1[block]) * 4 + usize::from(c2[block]) * 2 + usize::from(c3[block])
            }))
        })
    }

    pub(super) fn allows(self, block: usize, side: Side, right: Right) -> bool {
        let column = match right {
            Right::Read => 0,
            Right::Write => 1,
            Right::Increment => 2,
            Right::Decrement => 3,
        };
        self.opens(DATA[self.0[block]][column], side)
    }

    pub(super) fn allows_trailer(self, side: Side, right: TrailerRight) -> bool {
        self.opens(self.trailer(right), side)
    }

    fn trailer(self, right: TrailerRight) -> Keys {
        let column = match right {
            TrailerRight::WriteKeyA => 0,
            TrailerRight::ReadAccess => 1,
            TrailerRight::WriteAccess => 2,
            TrailerRight::ReadKeyB => 3,
            TrailerRight::WriteKeyB => 4,
        };
        TRAILER[self.0[3]][column]
    }

    /// A key B that can be read is data: who authenticates with it may do nothing.
    fn opens(self, keys: Keys, side: Side) -> bool {
        let key_b_counts = self.trailer(TrailerRight::ReadKeyB) == No;
        match side {
            Side::A => matches!(keys, A | Ab),
            Side::B => key_b_counts && matches!(keys, B | Ab),
        }
    }
}

/// Row = C1 C2 C3; columns: read, write, increment, decrement.
const DATA: [[Keys; 4]; 8] = [
    [Ab, Ab, Ab, Ab],
    [Ab, No, No, Ab],
    [Ab, No, No, No],
    [B, B, No, No],
    [Ab, B, No, No],
    [B, No, No, No],
    [Ab, B, B, Ab],
    [No, No, No, No],
];

/// Row = C1 C2 C3; columns: write key A, read access, write access, read key B, write key B.
const TRAILER: [[Keys; 5]; 8] = [
    [A, A, No, A, A],
    [A, A, A, A, A],
    [No, A, No, A, No],
    [B, Ab, B, No, B],
    [B, Ab, No, No, B],
    [No, Ab, B, No, No],
    [No, Ab, No, No, No],
    [No, Ab, No, No, No],
];
