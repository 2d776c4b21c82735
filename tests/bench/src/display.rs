//! An X server without a screen, whose picture lies in a file: Xvfb's frame buffer, an XWD image.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

use crate::process::Running;

pub(crate) const WIDTH: usize = 1080;
pub(crate) const HEIGHT: usize = 1920;

pub(crate) struct Display {
    /// `:7`
    pub(crate) name: String,
    picture: Picture,
    _server: Running,
}

impl Display {
    pub(crate) fn start(directory: &Path) -> Result<Self> {
        let mut command = Command::new("Xvfb");
        command
            .args(["-displayfd", "1", "-screen", "0", &format!("{WIDTH}x{HEIGHT}x24")])
            .args(["-nolisten", "tcp", "-noreset", "-fbdir"])
            .arg(directory)
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut server = Running::start(&mut command)?;
        let stdout = server.child().stdout.take().context("Xvfb's stdout")?;
        let mut number = String::new();
        BufReader::new(stdout).read_line(&mut number)?;
        ensure!(!number.trim().is_empty(), "Xvfb did not say its display");
        Ok(Self {
            name: format!(":{}", number.trim()),
            picture: Picture::open(&directory.join("Xvfb_screen0"))?,
            _server: server,
        })
    }

    /// What of the picture has this colour (`0xRRGGBB`), in percent, by sampling.
    pub(crate) fn percent_of(&self, colour: u32) -> Result<usize> {
        self.picture.percent_of(colour)
    }
}

struct Picture {
    file: File,
    pixels_at: u64,
    line_len: u64,
}

impl Picture {
    fn open(path: &Path) -> Result<Self> {
        let file = File::open(path).context("Xvfb's frame buffer")?;
        let mut header = [0; 100];
        file.read_exact_at(&mut header, 0)?;
        // XWDFile.h: 32-bit big-endian words.
        let word = |n: usize| {
            let bytes = [header[4 * n], header[4 * n + 1], header[4 * n + 2], header[4 * n + 3]];
            u64::from(u32::from_be_bytes(bytes))
        };
        let (header_len, bits_per_pixel, line_len, colours) =
            (word(0), word(11), word(12), word(19));
        ensure!(bits_per_pixel == 32, "{bits_per_pixel} bits per pixel");
        Ok(Self { file, pixels_at: header_len + colours * COLOUR_LEN, line_len })
    }

    fn percent_of(&self, colour: u32) -> Result<usize> {
        let [blue, green, red, _] = colour.to_le_bytes();
        let mut line = vec![0; WIDTH * 4];
        let (mut hits, mut samples) = (0, 0);
        for y in (0..HEIGHT).step_by(STEP) {
            let at = self.pixels_at + self.line_len * y as u64;
            self.file.read_exact_at(&mut line, at)?;
            for pixel in line.chunks_exact(4).step_by(STEP) {
                samples += 1;
                hits += usize::from(pixel[..3] == [blue, green, red]);
            }
        }
        Ok(hits * 100 / samples)
    }
}

/// Every so many pixels one is looked at.
const STEP: usize = 20;
/// An XWDColor in the file.
const COLOUR_LEN: u64 = 12;
