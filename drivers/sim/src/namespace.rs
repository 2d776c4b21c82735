//! A mount namespace of one's own, so that several pcscd can run side by side: the daemon and its
//! clients meet at a fixed path, and here that path is private.

use std::io;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};

use rustix::mount::{MountFlags, mount};

/// Where pcscd and its clients will meet.
#[derive(Debug)]
#[must_use]
pub enum Isolation {
    /// In a folder that only this process and its children see.
    Private,
    /// In the machine's own, because the kernel or the container allows no namespaces: one pcscd at
    /// a time, and root's; or on a socket elsewhere ([`crate::pcscd::serving_stdin`]).
    Shared,
}

/// Makes `/run/pcscd` private to this process and its children. To be called first thing in `main`:
/// it runs the program anew under `unshare` (util-linux), with the same arguments and process id.
///
/// # Errors
/// The private folder cannot be mounted, though it could a moment ago.
pub fn enter_private() -> io::Result<Isolation> {
    if is_private() {
        mount("tmpfs", FOLDER, "tmpfs", MountFlags::empty(), None)?;
        return Ok(Isolation::Private);
    }
    if make_folder().is_err() {
        return Ok(Isolation::Shared);
    }
    for way in WAYS {
        let allowed = unshare(way)
            .args(["mount", "-t", "tmpfs", "tmpfs", FOLDER])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        if allowed.is_ok_and(|status: ExitStatus| status.success()) {
            // Only an error comes back.
            return Err(unshare(way)
                .arg(std::env::current_exe()?)
                .args(std::env::args_os().skip(1))
                .env(INSIDE, std::process::id().to_string())
                .exec());
        }
    }
    Ok(Isolation::Shared)
}

/// Did [`enter_private`] find a way for this process?
pub fn is_private() -> bool {
    // The process id stays the same through `exec`, and tells us from our children.
    std::env::var(INSIDE).is_ok_and(|inside| inside == std::process::id().to_string())
}

/// Set in the second incarnation, to its process id.
const INSIDE: &str = "PAUSE_PRIVATE_PCSCD";

const FOLDER: &str = "/run/pcscd";

/// As root; then as anybody, who is root over a namespace of their own.
const WAYS: [&[&str]; 2] =
    [&["--mount"], &["--user", "--map-current-user", "--keep-caps", "--mount"]];

fn unshare(way: &[&str]) -> Command {
    let mut command = Command::new("unshare");
    command.args(way).arg("--");
    command
}

/// systemd makes it where pcscd is installed; a container has no systemd.
fn make_folder() -> io::Result<()> {
    if Path::new(FOLDER).is_dir() {
        return Ok(());
    }
    std::fs::create_dir_all(FOLDER)
}
