//! The real processes, kept alive as systemd would (`Restart=always` with a back-off), and killed
//! hard when their power is cut.

use std::ffi::OsString;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use serde::Serialize;
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::watch;
use tokio::time::{Instant, timeout};

use crate::log::LogFile;

/// What to start.
#[derive(Clone, Debug)]
pub struct Program {
    /// Name in the HTTP API and of the log file.
    pub name: &'static str,
    /// The executable.
    pub path: PathBuf,
    /// Its arguments.
    pub args: Vec<OsString>,
    /// Where it runs: what it leaves behind lies there.
    pub dir: PathBuf,
    /// What it finds in its environment beside what we have in ours.
    pub env: Vec<(String, String)>,
    /// A socket is made here for each of its starts, and is its standard input.
    pub serves: Option<PathBuf>,
}

impl Program {
    /// Without arguments.
    pub fn new(name: &'static str, path: impl Into<PathBuf>, dir: &Path) -> Self {
        let (path, dir) = (path.into(), dir.to_owned());
        Self { name, path, args: Vec::new(), dir, env: Vec::new(), serves: None }
    }

    /// Adds arguments.
    #[must_use]
    pub fn args<I: IntoIterator<Item: Into<OsString>>>(mut self, args: I) -> Self {
        self.args.extend(args.into_iter().map(Into::into));
        self
    }

    /// Adds an option with a path.
    #[must_use]
    pub fn path_arg(self, option: &str, path: &Path) -> Self {
        self.args([OsString::from(option), path.into()])
    }
}

/// What a process is doing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Status {
    /// Its power is off.
    Off,
    /// It runs.
    Running {
        /// Process id.
        pid: u32,
        /// How often it was started by itself after it had ended.
        restarts: u32,
    },
    /// It ended by itself and comes back after the back-off.
    Restarting {
        /// How it ended, for people.
        ended: String,
    },
}

/// What the workbench wants of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wanted {
    On,
    /// Killed at once, like a cut cable.
    Off,
    /// Ended in order; the workbench stops.
    Gone,
}

/// One process under supervision.
#[derive(Debug)]
pub struct Supervised {
    name: &'static str,
    wanted: watch::Sender<Wanted>,
    status: watch::Receiver<Status>,
}

impl Supervised {
    /// Takes `program` under supervision with its power off. `changed` is called whenever its
    /// [`Status`] changes.
    pub fn new(program: Program, log: LogFile, changed: impl Fn() + Send + Sync + 'static) -> Self {
        let (wanted, wanted_seen) = watch::channel(Wanted::Off);
        let (status_set, status) = watch::channel(Status::Off);
        let name = program.name;
        let supervision =
            Supervision { program, log, status: status_set, changed: Box::new(changed) };
        tokio::spawn(supervision.run(wanted_seen));
        Self { name, wanted, status }
    }

    /// As in the HTTP API.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// What it is doing.
    pub fn status(&self) -> Status {
        self.status.borrow().clone()
    }

    /// Is its power on?
    pub fn is_on(&self) -> bool {
        *self.wanted.borrow() == Wanted::On
    }

    /// Cuts its power (SIGKILL) or gives it back; returns when that has happened.
    pub async fn power(&self, on: bool) {
        self.wanted.send_replace(if on { Wanted::On } else { Wanted::Off });
        let mut status = self.status.clone();
        // An error means that the workbench stops meanwhile: then all is off.
        status.wait_for(|status| (*status == Status::Off) != on).await.ok();
    }

    /// Asks it to end (SIGTERM), kills it after a grace, and waits until it is gone for good.
    pub async fn stop(&self) {
        self.wanted.send_replace(Wanted::Gone);
        let mut status = self.status.clone();
        // The error is what is waited for: the task is gone and its end of the channel with it.
        status.wait_for(|_| false).await.err();
    }
}

/// The task behind [`Supervised`].
struct Supervision {
    program: Program,
    log: LogFile,
    status: watch::Sender<Status>,
    changed: Box<dyn Fn() + Send + Sync>,
}

impl Supervision {
    async fn run(self, mut wanted: watch::Receiver<Wanted>) {
        let mut restarts = Restarts::default();
        loop {
            let now = *wanted.borrow_and_update();
            match now {
                Wanted::Gone => return,
                Wanted::Off => {
                    restarts = Restarts::default();
                    self.set(Status::Off);
                    if wanted.changed().await.is_err() {
                        return;
                    }
                }
                Wanted::On => {
                    let started = Instant::now();
                    if let Some(ended) = self.run_once(restarts.count, &mut wanted).await {
                        let pause = restarts.after(started.elapsed());
                        self.log.note(&format!("{ended}; again in {} ms", pause.as_millis()));
                        self.set(Status::Restarting { ended });
                        // Power that changes meanwhile ends the pause.
                        timeout(pause, wanted.changed()).await.ok();
                    }
                }
            }
        }
    }

    /// Runs it until it ends by itself (then says how) or nobody wants it on any more.
    async fn run_once(
        &self,
        restarts: u32,
        wanted: &mut watch::Receiver<Wanted>,
    ) -> Option<String> {
        let mut child = match self.spawn() {
            Ok(child) => child,
            Err(error) => {
                let path = self.program.path.display();
                return Some(format!("{path} cannot be started: {error}"));
            }
        };
        let pid = child.id().unwrap_or_default();
        self.set(Status::Running { pid, restarts });
        let unwanted = async {
            match wanted.wait_for(|wanted| *wanted != Wanted::On).await {
                Ok(wanted) => *wanted,
                Err(_) => Wanted::Gone,
            }
        };
        tokio::select! {
            ended = child.wait() => return Some(how_it_ended(ended)),
            wanted = unwanted => {
                if wanted == Wanted::Gone {
                    terminate(&child);
                    timeout(STOP_GRACE, child.wait()).await.ok();
                }
            }
        }
        // An error means that it has ended already.
        child.kill().await.ok();
        None
    }

    fn spawn(&self) -> std::io::Result<Child> {
        let stdin = self.program.serves.as_deref().map_or(Ok(Stdio::null()), listening)?;
        let mut command = Command::new(&self.program.path);
        command
            .args(&self.program.args)
            .current_dir(&self.program.dir)
            .envs(self.program.env.iter().map(|(name, value)| (name, value)))
            .env("NO_COLOR", "1")
            // The town's wall clock, wherever the developer is.
            .env("TZ", "Europe/Madrid")
            .stdin(stdin)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            // Ctrl-C in a terminal is for the workbench, which then ends them in order.
            .process_group(0)
            .kill_on_drop(true);
        die_with_parent(&mut command);
        let mut child = command.spawn()?;
        if let Some(out) = child.stdout.take() {
            tokio::spawn(copy_lines(out, self.log.clone()));
        }
        if let Some(err) = child.stderr.take() {
            tokio::spawn(copy_lines(err, self.log.clone()));
        }
        Ok(child)
    }

    fn set(&self, status: Status) {
        self.status.send_replace(status);
        (self.changed)();
    }
}

/// How often it ended by itself, and how long to wait before the next start.
#[derive(Default)]
struct Restarts {
    count: u32,
    in_a_row: u32,
}

impl Restarts {
    fn after(&mut self, ran: Duration) -> Duration {
        self.count = self.count.saturating_add(1);
        self.in_a_row = if ran >= RAN_WELL { 1 } else { self.in_a_row.saturating_add(1) };
        let doubled = 2u32.saturating_pow(self.in_a_row - 1);
        RESTART_PAUSE_MIN.saturating_mul(doubled).min(RESTART_PAUSE_MAX)
    }
}

/// The kernel kills the child when the workbench dies, however it dies: no orphan ever holds a
/// socket or a port of a town that is gone.
#[expect(unsafe_code, reason = "pre_exec has no safe form")]
pub fn die_with_parent(command: &mut Command) {
    let kill = Some(rustix::process::Signal::KILL);
    // SAFETY: between fork and exec the closure makes one prctl system call and allocates nothing.
    unsafe {
        command.pre_exec(move || Ok(rustix::process::set_parent_process_death_signal(kill)?));
    }
}

/// Nobody but the process that gets it holds this socket: who calls when that is gone is refused.
fn listening(path: &Path) -> std::io::Result<Stdio> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    Ok(OwnedFd::from(UnixListener::bind(path)?).into())
}

fn terminate(child: &Child) {
    let pid =
        child.id().and_then(|pid| i32::try_from(pid).ok()).and_then(rustix::process::Pid::from_raw);
    if let Some(pid) = pid {
        // An error means that it has ended already.
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).ok();
    }
}

fn how_it_ended(ended: std::io::Result<ExitStatus>) -> String {
    match ended {
        Ok(status) => format!("ended ({status})"),
        Err(error) => format!("was lost ({error})"),
    }
}

async fn copy_lines(out: impl AsyncRead + Unpin, log: LogFile) {
    let mut lines = BufReader::new(out).split(b'\n');
    while let Ok(Some(line)) = lines.next_segment().await {
        log.line(&String::from_utf8_lossy(&line));
    }
}

/// The first pause before a restart; it doubles with each that follows at once.
const RESTART_PAUSE_MIN: Duration = Duration::from_millis(200);

/// The longest pause.
const RESTART_PAUSE_MAX: Duration = Duration::from_secs(5);

/// Who ran this long starts with the shortest pause again.
const RAN_WELL: Duration = Duration::from_secs(10);

/// How long a process may take to end in order.
const STOP_GRACE: Duration = Duration::from_secs(3);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::changes::Changes;
    use crate::log::Logs;

    fn shell(dir: &Path, script: &str) -> (Supervised, Logs, Changes) {
        let logs = Logs::new(dir).unwrap();
        let changes = Changes::default();
        let program = Program::new("sh", "/bin/sh", dir).args(["-c", script]);
        let log = logs.open("sh").unwrap();
        let supervised = Supervised::new(program, log, {
            let changes = changes.clone();
            move || changes.touch()
        });
        (supervised, logs, changes)
    }

    /// Waits by the changes it announces, as the page does.
    async fn until(process: &Supervised, changes: &Changes, wanted: impl Fn(&Status) -> bool) {
        let mut changes = changes.follow();
        while !wanted(&process.status()) {
            changes.changed().await.unwrap();
        }
    }

    #[tokio::test]
    async fn cut_power_kills_and_power_starts_it_again() {
        let dir = tempfile::tempdir().unwrap();
        // It would survive a polite request.
        let (process, _, _) = shell(dir.path(), "trap '' TERM; while :; do sleep 1; done");
        assert_eq!(process.status(), Status::Off);
        process.power(true).await;
        let Status::Running { pid, restarts: 0 } = process.status() else {
            panic!("{:?}", process.status());
        };
        process.power(false).await;
        assert_eq!(process.status(), Status::Off);
        assert!(!Path::new(&format!("/proc/{pid}")).exists(), "it is reaped, too");
        process.power(true).await;
        assert!(matches!(process.status(), Status::Running { restarts: 0, .. }));
        process.power(false).await;
    }

    #[tokio::test]
    async fn what_ends_by_itself_comes_back_and_its_words_are_kept() {
        let dir = tempfile::tempdir().unwrap();
        let (process, logs, changes) = shell(dir.path(), "echo hello; exit 3");
        process.power(true).await;
        until(&process, &changes, |status| matches!(status, Status::Running { restarts: 1, .. }))
            .await;
        process.stop().await;
        let said: Vec<_> = logs.tail(9).into_iter().map(|line| line.text).collect();
        assert!(said.contains(&"hello".to_owned()), "{said:?}");
        assert!(said.iter().any(|line| line.contains("exit status: 3")), "{said:?}");
    }

    #[tokio::test]
    async fn who_serves_has_a_new_socket_at_each_start_and_nobody_answers_without_it() {
        let dir = tempfile::tempdir().unwrap();
        let socket = dir.path().join("socket");
        let logs = Logs::new(dir.path()).unwrap();
        let program = Program::new("sh", "/bin/sh", dir.path())
            .args(["-c", "test -S /proc/self/fd/0 && exec sleep 60"]);
        let program = Program { serves: Some(socket.clone()), ..program };
        let process = Supervised::new(program, logs.open("sh").unwrap(), || ());
        for _ in 0..2 {
            process.power(true).await;
            assert!(matches!(process.status(), Status::Running { restarts: 0, .. }));
            std::os::unix::net::UnixStream::connect(&socket).unwrap();
            process.power(false).await;
            // A child that another test starts just now has a copy until its exec.
            let refused = async {
                while std::os::unix::net::UnixStream::connect(&socket).is_ok() {
                    tokio::task::yield_now().await;
                }
            };
            timeout(RAN_WELL, refused).await.unwrap();
        }
    }

    #[tokio::test]
    async fn a_program_that_is_not_there_is_said_so() {
        let dir = tempfile::tempdir().unwrap();
        let logs = Logs::new(dir.path()).unwrap();
        let log = logs.open("none").unwrap();
        let process = Supervised::new(Program::new("none", "/no/such", dir.path()), log, || ());
        process.power(true).await;
        let Status::Restarting { ended } = process.status() else {
            panic!("{:?}", process.status());
        };
        assert!(ended.starts_with("/no/such cannot be started"), "{ended}");
        process.stop().await;
    }

    #[test]
    fn pauses_double_up_to_a_limit_and_begin_anew_after_a_good_run() {
        let mut restarts = Restarts::default();
        let pauses: Vec<_> = (0..7).map(|_| restarts.after(Duration::ZERO).as_millis()).collect();
        assert_eq!(pauses, [200, 400, 800, 1600, 3200, 5000, 5000]);
        assert_eq!(restarts.after(RAN_WELL), RESTART_PAUSE_MIN);
        assert_eq!(restarts.count, 8);
    }
}
