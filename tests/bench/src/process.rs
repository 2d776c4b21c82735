//! Child processes that never outlive us, and what /proc says of their trees.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command};
use std::time::Duration;

use anyhow::{Context, Result};
use rustix::process::{Pid, Signal, kill_process_group};

/// A process with all it starts; killed when dropped.
pub(crate) struct Running {
    child: Child,
}

impl Running {
    /// In a process group of its own.
    pub(crate) fn start(command: &mut Command) -> Result<Self> {
        let name = command.get_program().to_string_lossy().into_owned();
        let child = command.process_group(0).spawn();
        let child = child.with_context(|| format!("{name} does not start"))?;
        Ok(Self { child })
    }

    pub(crate) fn child(&mut self) -> &mut Child {
        &mut self.child
    }

    pub(crate) fn tree(&self) -> Tree {
        Tree::of(self.child.id())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let group = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        if let Some(group) = group {
            // It may be gone already.
            let _ = kill_process_group(group, Signal::KILL);
        }
        let _ = self.child.wait();
    }
}

/// A process and its descendants, as they are now.
pub(crate) struct Tree(BTreeSet<u32>);

impl Tree {
    pub(crate) fn of(root: u32) -> Self {
        let all: Vec<(u32, u32)> = processes().collect();
        let mut tree = BTreeSet::from([root]);
        loop {
            let before = tree.len();
            let children = all.iter().filter(|(_, parent)| tree.contains(parent));
            let children: Vec<u32> = children.map(|(pid, _)| *pid).collect();
            tree.extend(children);
            if tree.len() == before {
                return Self(tree);
            }
        }
    }

    /// Those of the tree whose executable has this name.
    pub(crate) fn named(&self, name: &str) -> Self {
        let is = |pid: &&u32| {
            let exe = fs::read_link(format!("/proc/{pid}/exe"));
            exe.is_ok_and(|exe| exe.file_name().is_some_and(|file| file == name))
        };
        Self(self.0.iter().filter(is).copied().collect())
    }

    /// Watches it for [`IDLE`].
    pub(crate) fn at_rest(&self) -> Rest {
        let before = self.cpu();
        std::thread::sleep(IDLE);
        Rest {
            pss_bytes: self.pss_bytes(),
            cpu: self.cpu().saturating_sub(before),
            processes: self.0.len(),
        }
    }

    /// Proportional set size: shared pages are divided among those who share them.
    fn pss_bytes(&self) -> u64 {
        self.0.iter().filter_map(|pid| pss_bytes(*pid)).sum()
    }

    /// User and system time so far.
    fn cpu(&self) -> Duration {
        self.0.iter().filter_map(|pid| cpu(*pid)).sum()
    }
}

/// A tree of processes with nothing to do.
pub(crate) struct Rest {
    pub(crate) pss_bytes: u64,
    pub(crate) cpu: Duration,
    pub(crate) processes: usize,
}

pub(crate) fn megabytes(rest: &Rest) -> f64 {
    rest.pss_bytes as f64 / 1e6
}

/// Of one core.
pub(crate) fn percent(rest: &Rest) -> f64 {
    100.0 * rest.cpu.as_secs_f64() / IDLE.as_secs_f64()
}

/// How long a rest is watched.
pub(crate) const IDLE: Duration = Duration::from_secs(20);

fn processes() -> impl Iterator<Item = (u32, u32)> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| {
        let pid = entry.file_name().to_str()?.parse().ok()?;
        let parent = stat(pid)?.get(1)?.parse().ok()?;
        Some((pid, parent))
    })
}

/// The fields of /proc/PID/stat after the name, which may contain anything: state, ppid, …
fn stat(pid: u32) -> Option<Vec<String>> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, fields) = text.rsplit_once(')')?;
    Some(fields.split_whitespace().map(str::to_owned).collect())
}

fn pss_bytes(pid: u32) -> Option<u64> {
    let text = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("Pss:"))?;
    let kib: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kib * 1024)
}

/// What its threads have run so far, to the nanosecond.
fn cpu(pid: u32) -> Option<Duration> {
    let threads = fs::read_dir(format!("/proc/{pid}/task")).ok()?.flatten();
    let ran = threads.filter_map(|thread| {
        // sched-stats.rst: time on the CPU, time waiting for one, times.
        let text = fs::read_to_string(thread.path().join("schedstat")).ok()?;
        text.split_whitespace().next()?.parse().ok().map(Duration::from_nanos)
    });
    Some(ran.sum())
}
