//! What lies beside the database: the writer's lock and the disk reserve.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use rustix::fs::{FallocateFlags, FlockOperation, fallocate, flock, statvfs};
use rustix::io::Errno;

use crate::OpenError;

/// Kept aside for the day the disk is full: some hundred commits, far more than the end of a visit.
pub const RESERVE_BYTES: u64 = 4 << 20;

/// `journal.db` → `journal.db<suffix>`.
pub(crate) fn beside(journal: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(journal);
    name.push(suffix);
    name.into()
}

/// Held by the one process that writes; the kernel drops it with the process. The file also
/// remembers that there is a journal: a lost one must not be begun anew, its sequence numbers are
/// keys that central has seen.
#[derive(Debug)]
pub(crate) struct Lock {
    file: File,
}

impl Lock {
    pub(crate) fn take(journal: &Path) -> Result<Self, OpenError> {
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(beside(journal, ".lock"))?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Self { file }),
            Err(Errno::WOULDBLOCK) => Err(OpenError::InUse),
            Err(errno) => Err(OpenError::Io(errno.into())),
        }
    }

    pub(crate) fn remembers_a_journal(&self) -> io::Result<bool> {
        Ok(self.file.metadata()?.len() > 0)
    }

    pub(crate) fn remember_the_journal(&mut self) -> io::Result<()> {
        self.file.write_all(b"a journal was created beside this lock\n")?;
        self.file.sync_all()
    }
}

/// The disk space kept aside.
#[derive(Debug)]
pub(crate) struct Reserve {
    path: PathBuf,
    held: bool,
}

impl Reserve {
    /// Takes it if there is room; a kiosk without it still works, and says so.
    pub(crate) fn take(journal: &Path) -> io::Result<Self> {
        let mut reserve = Self { path: beside(journal, ".reserve"), held: false };
        reserve.retake()?;
        Ok(reserve)
    }

    pub(crate) fn is_held(&self) -> bool {
        self.held
    }

    /// Takes it again once there is room for twice as much.
    pub(crate) fn retake(&mut self) -> io::Result<()> {
        if self.held {
            return Ok(());
        }
        let file = OpenOptions::new().create(true).truncate(false).write(true).open(&self.path)?;
        let there = file.metadata()?.len() >= RESERVE_BYTES;
        if there {
            self.held = true;
        } else if self.free_bytes() >= 2 * RESERVE_BYTES {
            match fallocate(&file, FallocateFlags::empty(), 0, RESERVE_BYTES) {
                Ok(()) => self.held = true,
                Err(Errno::NOSPC) => fs::remove_file(&self.path)?,
                Err(errno) => return Err(errno.into()),
            }
        }
        Ok(())
    }

    /// Gives it up. `false` if there was none left to give.
    pub(crate) fn release(&mut self) -> bool {
        if !self.held {
            return false;
        }
        self.held = false;
        match fs::remove_file(&self.path) {
            Ok(()) => true,
            Err(error) => {
                tracing::error!(%error, "the disk reserve cannot be released");
                false
            }
        }
    }

    /// What the file system still has for us; 0 if it does not say.
    pub(crate) fn free_bytes(&self) -> u64 {
        let directory = self.path.parent().filter(|dir| !dir.as_os_str().is_empty());
        statvfs(directory.unwrap_or(Path::new(".")))
            .map_or(0, |stat| stat.f_bavail.saturating_mul(stat.f_frsize))
    }
}
