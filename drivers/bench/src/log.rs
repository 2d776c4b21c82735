//! What the processes say: one file each in `DIR/log/`, and the last lines of all together for
//! the page.

use std::collections::VecDeque;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use serde::Serialize;

/// The last lines of all processes in the order in which they came. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Logs {
    dir: PathBuf,
    last: Arc<Mutex<VecDeque<LogLine>>>,
}

/// One line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LogLine {
    /// Who said it.
    pub process: &'static str,
    /// What, without colours, at most [`LINE_CHARS_MAX`] characters.
    pub text: String,
}

impl Logs {
    /// Files go to `dir`, which is made.
    pub fn new(dir: &Path) -> std::io::Result<Self> {
        std::fs::create_dir_all(dir)?;
        Ok(Self { dir: dir.to_owned(), last: Arc::default() })
    }

    /// `DIR/log/<process>.log`, continued.
    pub fn open(&self, process: &'static str) -> std::io::Result<LogFile> {
        let path = self.dir.join(format!("{process}.log"));
        let file = OpenOptions::new().create(true).append(true).open(path)?;
        Ok(LogFile { process, file: Arc::new(Mutex::new(file)), logs: self.clone() })
    }

    /// The last `count` lines, oldest first.
    pub fn tail(&self, count: usize) -> Vec<LogLine> {
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let skip = last.len().saturating_sub(count);
        last.iter().skip(skip).cloned().collect()
    }
}

/// The log of one process. Cheap to clone.
#[derive(Clone, Debug)]
pub struct LogFile {
    process: &'static str,
    file: Arc<Mutex<File>>,
    logs: Logs,
}

impl LogFile {
    /// Takes a line the process said.
    pub fn line(&self, line: &str) {
        let text: String = line.trim_end().chars().take(LINE_CHARS_MAX).collect();
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        // A full disk must not stop the bench: the page still shows the line.
        writeln!(file, "{text}").ok();
        drop(file);
        let mut last = self.logs.last.lock().unwrap_or_else(PoisonError::into_inner);
        if last.len() == LINES_KEPT {
            last.pop_front();
        }
        last.push_back(LogLine { process: self.process, text });
    }

    /// Takes a line the workbench says about the process.
    pub fn note(&self, note: &str) {
        self.line(&format!("workbench: {note}"));
    }
}

/// Longer lines are cut.
pub const LINE_CHARS_MAX: usize = 2_000;

/// How many lines the page can look back.
const LINES_KEPT: usize = 400;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tail_has_the_last_lines_of_all_in_order_and_no_more_than_kept() {
        let dir = tempfile::tempdir().unwrap();
        let logs = Logs::new(dir.path()).unwrap();
        let (kioskd, central) = (logs.open("kioskd").unwrap(), logs.open("central").unwrap());
        for n in 0..LINES_KEPT {
            kioskd.line(&format!("{n}"));
        }
        central.line("last\r");
        let tail = logs.tail(2);
        assert_eq!((tail[0].process, tail[1].process), ("kioskd", "central"));
        assert_eq!(tail[1].text, "last");
        assert_eq!(logs.tail(usize::MAX).len(), LINES_KEPT);
        let file = std::fs::read_to_string(dir.path().join("kioskd.log")).unwrap();
        assert_eq!(file.lines().count(), LINES_KEPT);
    }
}
