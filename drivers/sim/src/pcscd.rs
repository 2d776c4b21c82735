//! A pcscd of one's own for a test or a workbench, with virtual readers alone.

use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::net::UnixStream;
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep};

/// A running pcscd; killed when dropped. There can be one per mount namespace: call
/// [`crate::namespace::enter_private`] first to have one beside the system's.
#[derive(Debug)]
pub struct Pcscd {
    child: Child,
}

/// One reader in pcscd's configuration.
#[derive(Clone, Debug)]
pub struct ReaderEntry {
    name: String,
    device: String,
    library: PathBuf,
}

/// pcscd did not come up.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PcscdError {
    /// Its configuration could not be written, or it could not be run (is it installed?).
    #[error("pcscd could not be started")]
    Start(#[source] io::Error),
    /// It ended at once: most often because another pcscd runs here.
    #[error("pcscd ended at once ({0}); does another one run here?")]
    Ended(std::process::ExitStatus),
    /// It runs, but nobody can speak to it.
    #[error("pcscd does not answer")]
    Silent,
}

impl ReaderEntry {
    /// A reader behind our IFD handler `library` ([`find_ifd_library`]), on the socket of
    /// [`crate::reader::Reader::serve_ifd`].
    pub fn virtual_reader(
        name: impl Into<String>,
        library: impl Into<PathBuf>,
        socket: &Path,
    ) -> Self {
        Self {
            name: name.into(),
            // pcscd 1.9.9 wants that what stands before the colon exists.
            device: format!("/dev/null:{}", socket.display()),
            library: library.into(),
        }
    }

    /// Debian's vpcd, on which a card program calls at `port` (and which takes the next port too).
    pub fn vpcd(name: impl Into<String>, port: u16) -> Self {
        Self {
            name: name.into(),
            device: format!("/dev/null:0x{port:04X}"),
            library: PathBuf::from(VPCD_LIBRARY),
        }
    }
}

/// Where Debian's package `vsmartcard-vpcd` puts it.
pub const VPCD_LIBRARY: &str = "/usr/lib/pcsc/drivers/serial/libifdvpcd.so";

/// Our IFD handler as cargo built it: beside the running program, or in the folder above or below.
pub fn find_ifd_library() -> Option<PathBuf> {
    let program = std::env::current_exe().ok()?;
    let folder = program.parent()?;
    [Some(folder), folder.parent(), Some(&folder.join("deps"))]
        .into_iter()
        .flatten()
        .map(|folder| folder.join("libifd_virtual.so"))
        .find(|library| library.exists())
}

/// Makes of a [`Pcscd::command`] one that serves the listening socket on its standard input, as if
/// systemd had started it, and makes none at its usual place. That takes no rights, and leaves
/// other pcscds alone. Its clients find the socket by [`SOCKET_VARIABLE`].
pub fn serving_stdin(pcscd: &Command) -> Command {
    let pcscd = pcscd.as_std();
    let mut command = Command::new("/bin/sh");
    // As sd_listen_fds(3) has it: the socket is descriptor 3 of the process that is named.
    command.args(["-c", "LISTEN_FDS=1 LISTEN_PID=$$ exec \"$0\" \"$@\" 3<&0 </dev/null"]);
    command.arg(pcscd.get_program()).args(pcscd.get_args());
    command
}

/// In a client's environment: where its pcscd serves, if not at the usual place.
pub const SOCKET_VARIABLE: &str = "PCSCLITE_CSOCK_NAME";

impl Pcscd {
    /// Writes its configuration into `dir` and says how to run it, for a supervisor of one's own.
    ///
    /// # Errors
    /// See [`PcscdError`].
    pub async fn command(dir: &Path, readers: &[ReaderEntry]) -> Result<Command, PcscdError> {
        let config = dir.join("reader.conf.d");
        write_config(&config, readers).map_err(PcscdError::Start)?;
        let mut command = Command::new(program());
        command.arg("--foreground").arg("-c").arg(&config);
        if knows_polkit().await.map_err(PcscdError::Start)? {
            command.arg("--disable-polkit");
        }
        Ok(command)
    }

    /// Writes its configuration into `dir`, runs it and waits until it listens.
    ///
    /// # Errors
    /// See [`PcscdError`].
    pub async fn start(dir: &Path, readers: &[ReaderEntry]) -> Result<Self, PcscdError> {
        let mut command = Self::command(dir, readers).await?;
        let log = std::fs::File::create(dir.join("pcscd.log")).map_err(PcscdError::Start)?;
        let errors = log.try_clone().map_err(PcscdError::Start)?;
        let child = command
            .stdin(Stdio::null())
            .stdout(log)
            .stderr(errors)
            .spawn()
            .map_err(PcscdError::Start)?;
        Self { child }.wait_until_ready().await
    }

    /// Kills it, as a crash would, and waits until it is gone.
    ///
    /// # Errors
    /// It was gone already.
    pub async fn kill(mut self) -> io::Result<()> {
        self.child.kill().await
    }

    async fn wait_until_ready(mut self) -> Result<Self, PcscdError> {
        let deadline = Instant::now() + START_TIME_MAX;
        while UnixStream::connect(SOCKET).await.is_err() {
            match self.child.try_wait() {
                Ok(Some(status)) => return Err(PcscdError::Ended(status)),
                Ok(None) if Instant::now() < deadline => sleep(START_PAUSE).await,
                Ok(None) => return Err(PcscdError::Silent),
                Err(error) => return Err(PcscdError::Start(error)),
            }
        }
        Ok(self)
    }
}

impl Drop for Pcscd {
    /// Returns when it is gone: the next one looks whether the last one's process is still there.
    fn drop(&mut self) {
        let deadline = std::time::Instant::now() + END_TIME_MAX;
        // Fails for one that has ended already.
        let _ = self.child.start_kill();
        while matches!(self.child.try_wait(), Ok(None)) && std::time::Instant::now() < deadline {
            std::thread::sleep(END_PAUSE);
        }
    }
}

/// Compiled into pcsc-lite's library and daemon alike.
const SOCKET: &str = "/run/pcscd/pcscd.comm";

const START_TIME_MAX: Duration = Duration::from_secs(10);
const START_PAUSE: Duration = Duration::from_millis(5);

/// After SIGKILL it takes a few milliseconds.
const END_TIME_MAX: Duration = Duration::from_secs(1);
const END_PAUSE: Duration = Duration::from_millis(1);

/// pcscd lives where ordinary users do not look.
fn program() -> PathBuf {
    let usual = PathBuf::from("/usr/sbin/pcscd");
    if usual.exists() { usual } else { PathBuf::from("pcscd") }
}

fn write_config(dir: &Path, readers: &[ReaderEntry]) -> io::Result<()> {
    std::fs::create_dir_all(dir)?;
    let mut text = String::new();
    for (channel, reader) in readers.iter().enumerate() {
        writeln!(
            text,
            "FRIENDLYNAME \"{}\"\nDEVICENAME {}\nLIBPATH {}\nCHANNELID {channel}\n",
            reader.name,
            reader.device,
            reader.library.display(),
        )
        .expect("a String takes all");
    }
    std::fs::write(dir.join("readers"), text)
}

/// From 2.0.1 on pcscd asks polkit who may, and no polkit runs in a container; before that the
/// option does not exist and would end it.
async fn knows_polkit() -> io::Result<bool> {
    let help = Command::new(program()).arg("--help").output().await?;
    let says = |text: &[u8]| String::from_utf8_lossy(text).contains("--disable-polkit");
    Ok(says(&help.stdout) || says(&help.stderr))
}
