//! What the printer finds in its receive buffer, command by command.

/// One command of the ESC/POS reference, or one character.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Command {
    Character(u8),
    LineFeed,
    Initialise,
    CodePage(u8),
    Justify(u8),
    Bold(bool),
    /// Width and height, 1 to 8 times.
    Size(u8, u8),
    FontB(bool),
    /// Font, emphasis and size at once, as bits.
    Mode(u8),
    FeedLines(u8),
    FeedDots(u8),
    LineSpacing(Option<u8>),
    /// Feeds to the cutter and that many dots, if asked to feed.
    Cut {
        feed: Option<u8>,
    },
    BarcodeHeight(u8),
    BarcodeModule(u8),
    BarcodeText(u8),
    /// System and data of `GS k`, either form.
    Barcode(u8, Vec<u8>),
    /// `cn fn …` of `GS ( k`.
    Code2d(Vec<u8>),
    /// Bytes per row and rows of `GS v 0`.
    Raster(usize, Vec<u8>),
    ReportChanges(u8),
    TellSensor(u8),
    TellProcess([u8; 4]),
    /// Known, and without effect on what we model.
    Ignored,
    /// Not in the reference; the printer drops it.
    Unknown,
}

/// The first command in `buffer` and its length, or `None` while bytes are missing.
pub(super) fn parse(buffer: &[u8]) -> Option<(Command, usize)> {
    match *buffer.first()? {
        b'\n' => Some((Command::LineFeed, 1)),
        ESC => parse_esc(buffer),
        GS => parse_gs(buffer),
        // FS selects Asian characters: one parameter in all forms that hosts here send.
        FS => buffer.get(2).map(|_| (Command::Ignored, 3)),
        0..0x20 => Some((Command::Ignored, 1)),
        character => Some((Command::Character(character), 1)),
    }
}

fn parse_esc(buffer: &[u8]) -> Option<(Command, usize)> {
    let name = *buffer.get(1)?;
    match name {
        b'@' => return Some((Command::Initialise, 2)),
        b'2' => return Some((Command::LineSpacing(None), 2)),
        b'D' => {
            let end = buffer.iter().skip(2).position(|byte| *byte == 0)?;
            return Some((Command::Ignored, end + 3));
        }
        b'$' | b'\\' | b'c' => return buffer.get(3).map(|_| (Command::Ignored, 4)),
        b'p' => return buffer.get(4).map(|_| (Command::Ignored, 5)),
        _ => {}
    }
    if !b" !-3EGJMRVadrt{".contains(&name) {
        return Some((Command::Unknown, 2));
    }
    let n = *buffer.get(2)?;
    let command = match name {
        b'3' => Command::LineSpacing(Some(n)),
        b'E' | b'G' => Command::Bold(n & 1 == 1),
        b'J' => Command::FeedDots(n),
        b'M' => Command::FontB(n & 1 == 1),
        b'!' => Command::Mode(n),
        b'a' => Command::Justify(n),
        b'd' => Command::FeedLines(n),
        b't' => Command::CodePage(n),
        _ => Command::Ignored,
    };
    Some((command, 3))
}

fn parse_gs(buffer: &[u8]) -> Option<(Command, usize)> {
    match *buffer.get(1)? {
        b'(' => return parse_gs_block(buffer),
        b'k' => return parse_barcode(buffer),
        b'v' => return parse_raster(buffer),
        b'V' => return parse_cut(buffer),
        b'L' | b'W' | b'$' | b'\\' | b'P' => {
            return buffer.get(3).map(|_| (Command::Ignored, 4));
        }
        name if !b"!BHIabfhrw".contains(&name) => return Some((Command::Unknown, 2)),
        _ => {}
    }
    let n = *buffer.get(2)?;
    let command = match buffer[1] {
        b'!' => Command::Size((n >> 4 & 7) + 1, (n & 7) + 1),
        b'H' => Command::BarcodeText(n),
        b'a' => Command::ReportChanges(n),
        b'h' => Command::BarcodeHeight(n),
        b'r' => Command::TellSensor(n),
        b'w' => Command::BarcodeModule(n),
        _ => Command::Ignored,
    };
    Some((command, 3))
}

fn parse_cut(buffer: &[u8]) -> Option<(Command, usize)> {
    match *buffer.get(2)? {
        0 | 1 | b'0' | b'1' => Some((Command::Cut { feed: None }, 3)),
        65 | 66 => {
            let feed = Some(*buffer.get(3)?);
            Some((Command::Cut { feed }, 4))
        }
        _ => Some((Command::Unknown, 3)),
    }
}

/// `GS ( x pL pH …`: the length makes even unknown ones skippable.
fn parse_gs_block(buffer: &[u8]) -> Option<(Command, usize)> {
    let length = usize::from(u16::from_le_bytes([*buffer.get(3)?, *buffer.get(4)?]));
    let data = buffer.get(5..5 + length)?;
    let command = match (buffer[2], data) {
        (b'k', data) => Command::Code2d(data.to_vec()),
        (b'H', &[48, 48, a, b, c, d]) => Command::TellProcess([a, b, c, d]),
        (_, _) => Command::Ignored,
    };
    Some((command, 5 + length))
}

/// `GS k m … NUL` for m below 65, `GS k m n …` from there.
fn parse_barcode(buffer: &[u8]) -> Option<(Command, usize)> {
    let system = *buffer.get(2)?;
    if system < 65 {
        let length = buffer.iter().skip(3).position(|byte| *byte == 0)?;
        let data = buffer[3..3 + length].to_vec();
        return Some((Command::Barcode(system, data), length + 4));
    }
    let length = usize::from(*buffer.get(3)?);
    let data = buffer.get(4..4 + length)?.to_vec();
    Some((Command::Barcode(system, data), length + 4))
}

fn parse_raster(buffer: &[u8]) -> Option<(Command, usize)> {
    let head: &[u8; 8] = buffer.first_chunk()?;
    let row_bytes = usize::from(u16::from_le_bytes([head[4], head[5]]));
    let rows = usize::from(u16::from_le_bytes([head[6], head[7]]));
    let length = row_bytes * rows;
    let data = buffer.get(8..8 + length)?.to_vec();
    Some((Command::Raster(row_bytes, data), 8 + length))
}

const ESC: u8 = 0x1B;
const FS: u8 = 0x1C;
const GS: u8 = 0x1D;
