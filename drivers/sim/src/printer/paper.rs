//! The paper: what was printed, as dots and as text.

use super::codes::Symbol;
use super::font::{FONT_A, Font};

/// One character as it stands on the line.
#[derive(Clone, Copy)]
pub(super) struct Cell {
    pub(super) character: char,
    pub(super) font: &'static Font,
    pub(super) bold: bool,
    pub(super) width: usize,
    pub(super) height: usize,
}

impl Cell {
    const fn dots_wide(&self) -> usize {
        self.font.width * self.width
    }

    const fn dots_high(&self) -> usize {
        self.font.height * self.height
    }
}

/// Where a line stands between the margins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Justify {
    Left,
    Centre,
    Right,
}

impl Justify {
    const fn indent(self, room: usize) -> usize {
        match self {
            Self::Left => 0,
            Self::Centre => room / 2,
            Self::Right => room,
        }
    }
}

/// Printed paper: the end of the roll, or what was cut off it.
pub struct Paper {
    width: usize,
    dots: Vec<bool>,
    text: String,
}

impl Paper {
    /// Blank paper of that many dots across.
    pub(super) const fn new(width: usize) -> Self {
        Self { width, dots: Vec::new(), text: String::new() }
    }

    pub(super) fn is_blank(&self) -> bool {
        !self.dots.contains(&true)
    }

    /// What was printed so far; the paper behind the cut is blank.
    pub(super) fn cut(&mut self) -> Self {
        std::mem::replace(self, Self::new(self.width))
    }

    /// Line by line, indented as on the paper; symbols as `[QR: …]` and `[CODE128: …]`.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// How many of these cells still fit on a line.
    pub(super) fn fits(&self, line: &[Cell], cell: &Cell) -> bool {
        let used: usize = line.iter().map(Cell::dots_wide).sum();
        used + cell.dots_wide() <= self.width
    }

    pub(super) fn print_line(&mut self, line: &[Cell], justify: Justify, spacing: usize) {
        let wide: usize = line.iter().map(Cell::dots_wide).sum();
        let high = line.iter().map(Cell::dots_high).max().unwrap_or_default();
        let top = self.feed(high.max(spacing));
        let mut left = justify.indent(self.width.saturating_sub(wide));
        self.push_text(left, &line.iter().map(|cell| cell.character).collect::<String>());
        for cell in line {
            // Characters of one line stand on the same foot.
            self.draw(cell, left, top + high - cell.dots_high());
            left += cell.dots_wide();
        }
    }

    /// Modules of `module` × `height` dots; too wide ones are not printed, as real printers do.
    pub(super) fn print_symbol(
        &mut self,
        symbol: &Symbol,
        (module, height): (usize, usize),
        justify: Justify,
        name: &str,
    ) {
        let wide = symbol.columns * module;
        if wide > self.width || wide == 0 {
            return;
        }
        let left = justify.indent(self.width - wide);
        let rows = symbol.modules.len() / symbol.columns;
        let top = self.feed(rows * height);
        self.push_text(left, &format!("[{name}: {}]", symbol.content));
        for (index, _) in symbol.modules.iter().enumerate().filter(|(_, ink)| **ink) {
            let (row, column) = (index / symbol.columns, index % symbol.columns);
            for y in 0..height {
                let at = (top + row * height + y) * self.width + left + column * module;
                self.dots[at..at + module].fill(true);
            }
        }
    }

    /// A picture, from the left margin; what is too wide is lost.
    pub(super) fn print_raster(&mut self, row_bytes: usize, data: &[u8]) {
        if row_bytes == 0 {
            return;
        }
        let top = self.feed(data.len() / row_bytes);
        for (y, row) in data.chunks_exact(row_bytes).enumerate() {
            for x in 0..self.width.min(row_bytes * 8) {
                self.dots[(top + y) * self.width + x] = row[x / 8] << (x % 8) & 0x80 != 0;
            }
        }
    }

    /// Moves the paper; the row where the new room begins.
    pub(super) fn feed(&mut self, dots: usize) -> usize {
        let top = self.dots.len() / self.width;
        // A host that never cuts prints onto the floor: only so much of it is kept.
        let kept = dots.min(ROWS_MAX.saturating_sub(top));
        if kept < dots {
            self.dots.clear();
            self.text.clear();
            self.dots.resize(dots * self.width, false);
            return 0;
        }
        self.dots.resize((top + dots) * self.width, false);
        top
    }

    fn push_text(&mut self, indent_dots: usize, text: &str) {
        let text = text.trim_end();
        if !text.is_empty() {
            let indent = indent_dots / FONT_A.width;
            self.text.extend(std::iter::repeat_n(' ', indent));
            self.text.push_str(text);
        }
        self.text.push('\n');
    }

    fn draw(&mut self, cell: &Cell, left: usize, top: usize) {
        for y in 0..cell.dots_high() {
            for x in 0..cell.dots_wide() {
                let (column, row) = (x / cell.width, y / cell.height);
                // Emphasis is the same glyph once more, one dot to the right.
                let is_ink = cell.font.has_dot(cell.character, column, row)
                    || cell.bold
                        && column > 0
                        && cell.font.has_dot(cell.character, column - 1, row);
                if is_ink && left + x < self.width {
                    self.dots[(top + y) * self.width + left + x] = true;
                }
            }
        }
    }

    /// The receipt as it lies in the hand: margins, and the edge the cutter left.
    pub(super) fn png(&self) -> Result<Vec<u8>, png::EncodingError> {
        let rows = self.dots.len() / self.width;
        let (width, height) = (self.width + 2 * MARGIN, rows + 2 * MARGIN);
        let mut pixels = vec![PAPER; width * height];
        for (index, _) in self.dots.iter().enumerate().filter(|(_, ink)| **ink) {
            let (row, column) = (index / self.width, index % self.width);
            pixels[(row + MARGIN) * width + column + MARGIN] = INK;
        }
        for (x, pixel) in pixels[(height - 2) * width..].iter_mut().enumerate() {
            if x % 8 < 4 {
                *pixel = EDGE;
            }
        }
        let side = |dots: usize| u32::try_from(dots).unwrap_or(u32::MAX);
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, side(width), side(height));
        encoder.set_color(png::ColorType::Indexed);
        encoder.set_depth(png::BitDepth::Eight);
        encoder.set_palette(PALETTE.as_slice());
        let mut writer = encoder.write_header()?;
        writer.write_image_data(&pixels)?;
        writer.finish()?;
        Ok(bytes)
    }
}

/// Two metres and a half of paper.
const ROWS_MAX: usize = 20_000;
/// Paper beside the print area: 80 mm of paper, 72 mm of print.
const MARGIN: usize = 32;
const PAPER: u8 = 0;
const INK: u8 = 1;
const EDGE: u8 = 2;
const PALETTE: [u8; 9] = [0xFD, 0xFC, 0xF8, 0x1E, 0x1E, 0x24, 0xB8, 0xB4, 0xAC];
