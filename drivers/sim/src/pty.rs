//! A pseudo-terminal under a name that stays, the stand-in for a serial port.

use std::ffi::OsStr;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use rustix::fs::OFlags;
use rustix::io::Errno;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{OptionalActions, tcgetattr, tcsetattr};
use tokio::io::unix::AsyncFd;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// The device's side of a pty; the host opens the link. Plugged while it lives: dropping it takes
/// the link away, and the host reads 0 bytes or EIO, as from a USB adapter that was pulled.
///
/// Reading 0 bytes means that the host closed its side. A pty is good for one host: hang it up and
/// plug a new one under the same link for the next (a C host that opens the same pty twice fails,
/// since glibc's `tcsetattr` sees nothing to change, and the exclusive lock of a killed host would
/// stay). [`Pty::plug`] does both, since the new link replaces the old one.
#[derive(Debug)]
pub struct Pty {
    master: AsyncFd<OwnedFd>,
    /// What the link points at.
    slave: PathBuf,
    link: PathBuf,
}

impl Pty {
    /// Opens a raw pty and makes `link` a symbolic link to it, replacing the link of an earlier
    /// one. Must run in a tokio context.
    ///
    /// # Errors
    /// No pty is to be had, or the link's folder cannot be written.
    pub fn plug(link: impl Into<PathBuf>) -> io::Result<Self> {
        let link = link.into();
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
        grantpt(&master)?;
        unlockpt(&master)?;
        // Linux: attributes set on the master are the slave's. No echo, no line editing, 8 bits.
        let mut attributes = tcgetattr(&master)?;
        attributes.make_raw();
        tcsetattr(&master, OptionalActions::Now, &attributes)?;
        let flags = rustix::fs::fcntl_getfl(&master)?;
        rustix::fs::fcntl_setfl(&master, flags | OFlags::NONBLOCK)?;
        let name = ptsname(&master, Vec::new())?;
        let slave = PathBuf::from(OsStr::from_bytes(name.as_bytes()));
        point(&link, &slave)?;
        Ok(Self { master: watch(master)?, slave, link })
    }

    /// As [`Pty::plug`], for a cable that is put back: as another device than the one that `link`
    /// pointed at, as the kernel names a USB adapter anew.
    ///
    /// # Errors
    /// As [`Pty::plug`].
    pub fn plug_elsewhere(link: impl Into<PathBuf>, before: &Path) -> io::Result<Self> {
        let link = link.into();
        let first = Self::plug(&link)?;
        // The lowest free number may be the same; while we hold it the next is another.
        if first.slave == before { Self::plug(link) } else { Ok(first) }
    }

    /// The device behind the link.
    pub fn device(&self) -> &Path {
        &self.slave
    }

    /// The name under which the host opens it.
    pub fn link(&self) -> &Path {
        &self.link
    }
}

impl Drop for Pty {
    fn drop(&mut self) {
        // Only our own link: a newer pty may already stand under this name.
        if std::fs::read_link(&self.link).is_ok_and(|target| target == self.slave)
            && let Err(error) = std::fs::remove_file(&self.link)
        {
            tracing::warn!(link = %self.link.display(), %error, "link of a pty stays behind");
        }
    }
}

#[expect(unsafe_code, reason = "registering a descriptor with tokio is unsafe")]
fn watch(master: OwnedFd) -> io::Result<AsyncFd<OwnedFd>> {
    // SAFETY: the `OwnedFd` is valid and stays the same until the `AsyncFd` around it is dropped.
    Ok(unsafe { AsyncFd::register(master) }?)
}

/// In one step, so that a host never finds the name missing while one pty replaces another.
fn point(link: &Path, slave: &Path) -> io::Result<()> {
    let mut new = link.as_os_str().to_owned();
    new.push(".new");
    match std::fs::remove_file(&new) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    std::os::unix::fs::symlink(slave, &new)?;
    std::fs::rename(&new, link)
}

impl AsyncRead for Pty {
    /// 0 bytes = the host hung up.
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        loop {
            let mut ready = ready!(self.master.poll_read_ready(cx))?;
            let read = ready.try_io(|master| {
                Ok(rustix::io::read(master.get_ref(), buf.initialize_unfilled())?)
            });
            match read {
                Ok(Ok(count)) => {
                    buf.advance(count);
                    return Poll::Ready(Ok(()));
                }
                // What Linux says on a master whose slave was closed; bytes sent before that were
                // read before.
                Ok(Err(error)) if error.raw_os_error() == Some(Errno::IO.raw_os_error()) => {
                    return Poll::Ready(Ok(()));
                }
                Ok(Err(error)) => return Poll::Ready(Err(error)),
                Err(_would_block) => {}
            }
        }
    }
}

impl AsyncWrite for Pty {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        loop {
            let mut ready = ready!(self.master.poll_write_ready(cx))?;
            let written = ready.try_io(|master| Ok(rustix::io::write(master.get_ref(), bytes)?));
            if let Ok(written) = written {
                return Poll::Ready(written);
            }
        }
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{File, OpenOptions};
    use std::io::{Read, Write};

    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    /// A host as others write them: blocking, on the path.
    fn open(link: &Path) -> File {
        OpenOptions::new().read(true).write(true).open(link).unwrap()
    }

    #[tokio::test]
    async fn every_byte_passes_unchanged_both_ways() {
        let dir = tempfile::tempdir().unwrap();
        let mut pty = Pty::plug(dir.path().join("port")).unwrap();
        let mut host = open(pty.link());
        let all: Vec<u8> = (0..=255).collect();

        host.write_all(&all).unwrap();
        let mut heard = [0; 256];
        pty.read_exact(&mut heard).await.unwrap();
        assert_eq!(heard[..], all);

        pty.write_all(&all).await.unwrap();
        let mut heard = [0; 256];
        host.read_exact(&mut heard).unwrap();
        assert_eq!(heard[..], all);
    }

    #[tokio::test]
    async fn a_host_that_hangs_up_reads_as_the_end_and_the_next_gets_a_new_pty() {
        let dir = tempfile::tempdir().unwrap();
        let link = dir.path().join("port");
        let mut pty = Pty::plug(&link).unwrap();
        let mut host = open(&link);
        host.write_all(b"x").unwrap();
        drop(host);
        let mut buf = [0; 8];
        assert_eq!(pty.read(&mut buf).await.unwrap(), 1, "what was sent is heard");
        assert_eq!(pty.read(&mut buf).await.unwrap(), 0, "then the end");

        pty = Pty::plug(&link).unwrap();
        let mut host = open(&link);
        host.write_all(b"y").unwrap();
        assert_eq!(pty.read(&mut buf).await.unwrap(), 1);
    }

    #[tokio::test]
    async fn unplugged_the_link_is_gone_and_the_host_hears_the_end() {
        let dir = tempfile::tempdir().unwrap();
        let link = dir.path().join("port");
        let pty = Pty::plug(&link).unwrap();
        let mut host = open(&link);
        drop(pty);
        assert!(!link.exists() && std::fs::symlink_metadata(&link).is_err());
        let end = host.read(&mut [0; 8]);
        assert!(matches!(&end, Ok(0)) || end.is_err(), "{end:?}");
    }

    #[tokio::test]
    async fn a_cable_put_back_is_another_device_under_the_same_link() {
        let dir = tempfile::tempdir().unwrap();
        let link = dir.path().join("port");
        let old = Pty::plug(&link).unwrap();
        let before = old.device().to_owned();
        drop(old);
        let new = Pty::plug_elsewhere(&link, &before).unwrap();
        assert_ne!(new.device(), before);
        assert_eq!(std::fs::read_link(&link).unwrap(), new.device());
    }

    #[tokio::test]
    async fn the_old_pty_does_not_take_the_new_ones_link_away() {
        let dir = tempfile::tempdir().unwrap();
        let link = dir.path().join("port");
        let old = Pty::plug(&link).unwrap();
        let new = Pty::plug(&link).unwrap();
        drop(old);
        assert_eq!(std::fs::read_link(&link).unwrap(), new.slave);
    }
}
