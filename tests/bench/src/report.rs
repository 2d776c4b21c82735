//! Markdown: a table per section, and the machine above them.

use std::fmt::Write as _;
use std::fs;
use std::process::Command;

/// One section of the report.
#[derive(Debug)]
pub(crate) struct Section {
    title: &'static str,
    text: String,
}

impl Section {
    pub(crate) fn new(title: &'static str) -> Self {
        Self { title, text: String::new() }
    }

    /// A sentence of its own: what was done, or what the figures say.
    pub(crate) fn say(&mut self, sentence: &str) {
        self.line(sentence);
        self.line("");
    }

    /// The head of a table, then its rows.
    pub(crate) fn table<const N: usize>(
        &mut self,
        head: [&str; N],
        rows: impl IntoIterator<Item = [String; N]>,
    ) {
        self.row(head.map(str::to_owned));
        self.row(["---"; N].map(str::to_owned));
        for row in rows {
            self.row(row);
        }
        self.line("");
    }

    fn row<const N: usize>(&mut self, cells: [String; N]) {
        self.line(&format!("| {} |", cells.join(" | ")));
    }

    fn line(&mut self, line: &str) {
        self.text.push_str(line);
        self.text.push('\n');
    }

    pub(crate) fn markdown(&self) -> String {
        format!("## {}\n\n{}", self.title, self.text)
    }
}

/// Where it ran: figures without it mean nothing.
pub(crate) fn machine() -> String {
    let cpu = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpu
        .lines()
        .find_map(|line| line.strip_prefix("model name"))
        .map_or("unknown CPU", |rest| rest.trim_start_matches([' ', '\t', ':']));
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let kernel = first_line("/proc/sys/kernel/osrelease");
    let load = first_line("/proc/loadavg");
    let load = load.split(' ').next().unwrap_or_default().to_owned();
    let mut text = String::new();
    let build =
        if cfg!(debug_assertions) { "DEBUG BUILD, figures say nothing" } else { "release build" };
    let written = write!(
        text,
        "Machine: {model}, {cores} cores, Linux {kernel}, load {load} at the start. \
         Commit {}, {build}.",
        commit()
    );
    debug_assert!(written.is_ok(), "a String takes everything");
    text
}

fn first_line(path: &str) -> String {
    let text = fs::read_to_string(path).unwrap_or_default();
    text.lines().next().unwrap_or_default().to_owned()
}

fn commit() -> String {
    let git = |args: &[&str]| {
        let output = Command::new("git").args(args).output().ok()?;
        let text = String::from_utf8(output.stdout).ok()?;
        output.status.success().then(|| text.trim().to_owned())
    };
    git(&["rev-parse", "--short=12", "HEAD"]).unwrap_or_else(|| "unknown".into())
}
