//! A look at SQLite's write-ahead log before SQLite reads it. SQLite stops at the first frame whose
//! checksum is wrong and forgets the rest: right for the tail that a power cut tore, silent loss
//! for a bit that flipped. The two can be told apart: we sync each commit before the next begins,
//! so that a whole commit *after* a bad frame proves that the bad one was on disk once.
//! Format: <https://www.sqlite.org/fileformat2.html#the_write_ahead_log>.

const HEADER_LEN: usize = 32;
const FRAME_HEADER_LEN: usize = 24;
const MAGIC_LITTLE_ENDIAN: u32 = 0x377F_0682;
const MAGIC_BIG_ENDIAN: u32 = 0x377F_0683;

/// The number of the first damaged frame (1, 2, …; 0 is the header), if the log lost more than a
/// power cut can tear off.
pub(crate) fn damaged_frame(wal: &[u8], page_len_default: usize) -> Option<usize> {
    let header = Header::read(wal);
    let page_len = header.as_ref().map_or(page_len_default, |h| h.page_len);
    let frames = wal
        .get(HEADER_LEN..)?
        .chunks_exact(FRAME_HEADER_LEN + page_len)
        .map(Frame)
        .collect::<Vec<_>>();
    let (salt, bad) = match header {
        Some(header) => (header.salt, header.first_bad(&frames)?),
        // No frame can be checked without the header; what the frames say of each other remains.
        None => (frames.first()?.salt(), 0),
    };
    let ours = |frame: &&Frame<'_>| frame.salt() == salt && salt != [0; 8];
    let mut since_commit = frames[bad..].iter().filter(ours).skip_while(|frame| !frame.commits());
    let damaged = since_commit.nth(1).is_some();
    damaged.then_some(if header.is_some() { bad + 1 } else { 0 })
}

#[derive(Clone, Copy)]
struct Header {
    page_len: usize,
    salt: [u8; 8],
    checksum: Checksum,
}

impl Header {
    /// `None` if it is not whole.
    fn read(wal: &[u8]) -> Option<Self> {
        let bytes = wal.get(..HEADER_LEN)?;
        let big_endian = match be32(bytes, 0) {
            MAGIC_LITTLE_ENDIAN => false,
            MAGIC_BIG_ENDIAN => true,
            _ => return None,
        };
        let checksum = Checksum::new(big_endian).over(&bytes[..24]);
        let page_len = usize::try_from(be32(bytes, 8)).ok()?;
        let whole = checksum.is(be32(bytes, 24), be32(bytes, 28));
        let possible = (512..=65_536).contains(&page_len) && page_len.is_power_of_two();
        (whole && possible).then(|| Self { page_len, salt: salt(bytes, 16), checksum })
    }

    /// The first frame that SQLite would not take.
    fn first_bad(&self, frames: &[Frame<'_>]) -> Option<usize> {
        let mut checksum = self.checksum;
        frames.iter().position(|frame| {
            checksum = checksum.over(&frame.0[..8]).over(&frame.0[FRAME_HEADER_LEN..]);
            let whole = checksum.is(be32(frame.0, 16), be32(frame.0, 20));
            frame.salt() != self.salt || !whole
        })
    }
}

/// Page number, size of the database after a commit (else 0), salt, checksum; then the page.
struct Frame<'a>(&'a [u8]);

impl Frame<'_> {
    fn commits(&self) -> bool {
        be32(self.0, 4) != 0
    }

    fn salt(&self) -> [u8; 8] {
        salt(self.0, 8)
    }
}

/// Fibonacci-weighted sums over pairs of 32-bit words, carried from frame to frame.
#[derive(Clone, Copy)]
struct Checksum {
    big_endian: bool,
    sums: (u32, u32),
}

impl Checksum {
    fn new(big_endian: bool) -> Self {
        Self { big_endian, sums: (0, 0) }
    }

    /// `bytes` are a multiple of eight long.
    fn over(self, bytes: &[u8]) -> Self {
        let word = |bytes: &[u8]| {
            let bytes = [bytes[0], bytes[1], bytes[2], bytes[3]];
            if self.big_endian { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) }
        };
        let sums = bytes.chunks_exact(8).fold(self.sums, |(a, b), pair| {
            let a = a.wrapping_add(word(&pair[..4])).wrapping_add(b);
            (a, b.wrapping_add(word(&pair[4..])).wrapping_add(a))
        });
        Self { sums, ..self }
    }

    fn is(self, a: u32, b: u32) -> bool {
        self.sums == (a, b)
    }
}

fn be32(bytes: &[u8], at: usize) -> u32 {
    u32::from_be_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

fn salt(bytes: &[u8], at: usize) -> [u8; 8] {
    let mut salt = [0; 8];
    salt.copy_from_slice(&bytes[at..at + 8]);
    salt
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const PAGE_LEN: usize = 512;
    const SALT: [u8; 8] = *b"generat1";

    /// A log as SQLite writes it: one frame for each of `commits`, which says whether it is the
    /// last of its transaction.
    fn log(commits: &[bool]) -> Vec<u8> {
        let mut log = Vec::new();
        for word in [MAGIC_BIG_ENDIAN, 3_007_000, 512, 0] {
            log.extend(word.to_be_bytes());
        }
        log.extend(SALT);
        let mut checksum = Checksum::new(true).over(&log);
        log.extend([checksum.sums.0.to_be_bytes(), checksum.sums.1.to_be_bytes()].concat());
        for (n, commits) in (1u8..).zip(commits) {
            let head = [[0, 0, 0, n], [0, 0, 0, u8::from(*commits)]].concat();
            let page = [n; PAGE_LEN];
            checksum = checksum.over(&head).over(&page);
            log.extend(head);
            log.extend(SALT);
            log.extend([checksum.sums.0.to_be_bytes(), checksum.sums.1.to_be_bytes()].concat());
            log.extend(page);
        }
        log
    }

    fn frame_at(number: usize) -> usize {
        HEADER_LEN + (number - 1) * (FRAME_HEADER_LEN + PAGE_LEN)
    }

    #[test]
    fn a_bad_frame_is_damage_if_a_whole_commit_lies_behind_it() {
        let mut bad = log(&[true, true, false, true, true]);
        assert_eq!(damaged_frame(&bad, PAGE_LEN), None);
        bad[frame_at(2) + FRAME_HEADER_LEN + 7] ^= 1;
        assert_eq!(damaged_frame(&bad, PAGE_LEN), Some(2));
    }

    #[test]
    fn a_bad_frame_of_the_last_commit_is_what_a_power_cut_leaves() {
        for bad_frame in [3, 4] {
            let mut torn = log(&[true, true, false, true]);
            torn[frame_at(bad_frame) + FRAME_HEADER_LEN] ^= 0xFF;
            assert_eq!(damaged_frame(&torn, PAGE_LEN), None);
        }
    }

    #[test]
    fn frames_of_an_older_log_are_none_of_ours() {
        let mut log = log(&[true, true, true, true]);
        for frame in [2, 3, 4] {
            log[frame_at(frame) + 8] ^= 1;
        }
        assert_eq!(damaged_frame(&log, PAGE_LEN), None);
    }

    #[test]
    fn a_bad_header_would_hide_every_frame() {
        let mut log = log(&[true, true]);
        log[0] ^= 1;
        assert_eq!(damaged_frame(&log, PAGE_LEN), Some(0));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes: Vec<u8>, commits: Vec<bool>, at: usize, bit in 0..8u8) {
            damaged_frame(&bytes, PAGE_LEN);
            let mut log = log(&commits[..commits.len().min(200)]);
            let at = at % log.len();
            log[at] ^= 1 << bit;
            damaged_frame(&log, PAGE_LEN);
            log.truncate(at);
            damaged_frame(&log, PAGE_LEN);
        }
    }
}
