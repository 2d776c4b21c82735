//! Puts a bench together, and takes it apart.

use std::path::Path;

use anyhow::Context as _;
use central_api::Client;
use driver_sim::namespace;
use driver_sim::pcscd::{Pcscd, ReaderEntry, SOCKET_VARIABLE, find_ifd_library, serving_stdin};

use crate::accounts::Accounts;
use crate::bench::Bench;
use crate::cabinet::{Cabinet, Line, READER_MODEL, READER_PORT};
use crate::changes::Changes;
use crate::log::Logs;
use crate::options::BenchOptions;
use crate::process::{Program, Supervised};
use crate::remote::Remote;
use crate::screen::Screens;
use crate::town::{KIOSKD, PCSCD, Programs, Town};
use crate::uplink::Uplink;

impl Bench {
    /// The bench of the town in `dir`, made if there is none. Devices are on, processes are not.
    ///
    /// # Errors
    /// A program is missing, or the town cannot be made or read.
    pub async fn assemble(dir: &Path, options: &BenchOptions) -> anyhow::Result<Self> {
        let programs = Programs::beside_us()?;
        let town = Town::open(dir, &programs).await?;
        let uplink = Uplink::start(&town.central).context("the line to central")?;
        let changes = Changes::default();
        let logs = Logs::new(&town.log_dir()).context("the folder of the logs")?;
        let line =
            Line { encrypted: options.encrypted, speed: options.speed, terminal: options.terminal };
        let cabinet = Cabinet::start(&town.device_dir(), line, &changes).await;
        let cabinet = cabinet.context("the simulated devices")?;
        town.configure(options, uplink.address(), cabinet.terminal_config())?;
        let pcscd = pcscd(&town.device_dir()).await?;
        let socket = pcscd.serves.clone();
        let operator = Client::new(&town.operator()?).context("the operator's certificate")?;
        let accounts =
            Accounts::new(programs.path(KIOSKD), town.kioskd_toml(), town.kiosk.clone(), operator);
        let supervise = |program: Program| {
            let log = logs.open(program.name).context("the folder of the logs")?;
            let changes = changes.clone();
            Ok(Supervised::new(program, log, move || changes.touch()))
        };
        let processes = std::iter::once(pcscd)
            .chain(town.programs(options, &programs))
            .map(|program| meeting_at(socket.as_deref(), program))
            .map(supervise)
            .collect::<anyhow::Result<_>>()?;
        Ok(Self {
            remote: Remote::new(town.remote_socket()),
            screens: Screens::new(changes.clone()),
            town,
            cabinet,
            uplink,
            processes,
            accounts,
            logs,
            changes,
        })
    }

    /// Ends all processes: first the screen, last what the others stand on.
    pub async fn stop(&self) {
        for process in self.processes.iter().rev() {
            process.stop().await;
        }
    }
}

/// The PC/SC service with the simulated reader and no other.
async fn pcscd(dir: &Path) -> anyhow::Result<Program> {
    let library = find_ifd_library()
        .context("libifd_virtual.so is missing; build all: cargo build --workspace")?;
    let reader =
        ReaderEntry::virtual_reader(READER_MODEL.pcsc_name(), library, &dir.join(READER_PORT));
    let mut command = Pcscd::command(dir, &[reader]).await?;
    let mut serves = None;
    if !namespace::is_private() {
        command = serving_stdin(&command);
        serves = Some(dir.join("pcscd.comm"));
    }
    let command = command.as_std();
    let program = Program::new(PCSCD, command.get_program(), dir).args(command.get_args());
    Ok(Program { serves, ..program })
}

/// Tells kioskd where pcscd is, if not at the usual place.
fn meeting_at(socket: Option<&Path>, mut program: Program) -> Program {
    if let (KIOSKD, Some(socket)) = (program.name, socket) {
        program.env.push((SOCKET_VARIABLE.to_owned(), socket.display().to_string()));
    }
    program
}
