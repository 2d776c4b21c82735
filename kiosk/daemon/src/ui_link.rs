//! The socket on which kiosk-ui finds kioskd. Everyone who connects gets the last view at once and
//! every one after; what a customer did on a screen that is gone is not passed on.

use std::io;
use std::path::Path;

use kiosk_core::Event;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{Semaphore, mpsc, watch};
use tracing::{debug, info, warn};
use ui_proto::{FromUi, LINE_MAX, ToUi, decode, encode};
use zeroize::Zeroizing;

use crate::core_loop::Input;

/// The screen, the workbench, a technician's tool, and some room.
const CLIENTS_MAX: usize = 8;

/// Binds the socket; an old file of a kioskd that is gone makes way.
pub(crate) fn bind(path: &Path) -> io::Result<UnixListener> {
    use std::os::unix::fs::PermissionsExt as _;
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    let listener = UnixListener::bind(path)?;
    // The group is kiosk-ui's; nobody else may see screens or press buttons.
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o660))?;
    Ok(listener)
}

/// Serves all who connect, for ever.
pub(crate) async fn serve(
    listener: UnixListener,
    screen: watch::Receiver<Option<ToUi>>,
    inputs: mpsc::Sender<Input>,
) -> anyhow::Result<()> {
    let places = std::sync::Arc::new(Semaphore::new(CLIENTS_MAX));
    loop {
        let (stream, _) = listener.accept().await?;
        let Ok(place) = places.clone().try_acquire_owned() else {
            warn!("more than {CLIENTS_MAX} screens want to be served; one was sent away");
            continue;
        };
        let (screen, inputs) = (screen.clone(), inputs.clone());
        tokio::spawn(async move {
            info!("a screen is there");
            let end = serve_one(stream, screen, inputs).await;
            info!(end = ?end.err().map(|error| error.to_string()), "a screen is gone");
            drop(place);
        });
    }
}

async fn serve_one(
    stream: UnixStream,
    screen: watch::Receiver<Option<ToUi>>,
    inputs: mpsc::Sender<Input>,
) -> io::Result<()> {
    let (read, write) = stream.into_split();
    let actions = forward_actions(read, screen.clone(), inputs);
    tokio::select! {
        end = show(write, screen) => end,
        end = actions => end,
    }
}

async fn show(mut to: OwnedWriteHalf, mut screen: watch::Receiver<Option<ToUi>>) -> io::Result<()> {
    screen.mark_changed();
    while screen.changed().await.is_ok() {
        let line = screen.borrow_and_update().as_ref().map(encode);
        if let Some(line) = line {
            to.write_all(&line).await?;
        }
    }
    Ok(())
}

async fn forward_actions(
    from: OwnedReadHalf,
    screen: watch::Receiver<Option<ToUi>>,
    inputs: mpsc::Sender<Input>,
) -> io::Result<()> {
    let mut from = BufReader::new(from);
    loop {
        // A line may hold a digit of a PIN.
        let mut line = Zeroizing::new(Vec::with_capacity(128));
        let limit = LINE_MAX as u64 + 1;
        if (&mut from).take(limit).read_until(b'\n', &mut line).await? == 0 {
            return Ok(());
        }
        let message: FromUi = decode(&line).map_err(io::Error::other)?;
        let current = screen.borrow().as_ref().map(|shown| shown.seq);
        if current != Some(message.seq) {
            debug!(action = ?message.action, "made on a screen that is gone");
            continue;
        }
        let input = Input::Event(Event::Action(message.action));
        if inputs.send(input).await.is_err() {
            return Ok(());
        }
    }
}
