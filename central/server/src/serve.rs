use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use jiff::tz::TimeZone;
use serde::Serialize;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::caller::Caller;
use crate::clock::Clock;
use crate::config::Config;
use crate::tls::{TlsListener, server_config};
use crate::{Central, StartError};

/// Requests under way at a stop have this long.
const STOP_MAX: Duration = Duration::from_secs(10);

/// Where central listens, written to a file for whoever started it on any free port.
#[derive(Clone, Copy, Debug, Serialize)]
struct Addresses {
    listen: SocketAddr,
    ops_listen: SocketAddr,
}

/// Runs the service until `stop` ends: then no new connections, requests under way are answered,
/// the database is closed. While it listens there is the file `announce`,
/// `{"listen": "127.0.0.1:7443", "ops_listen": "127.0.0.1:7444"}`, and systemd is
/// told.
pub async fn serve(
    config: &Config,
    announce: &Path,
    stop: impl Future<Output = ()>,
) -> Result<(), StartError> {
    let zone = TimeZone::get(&config.time_zone).map_err(StartError::TimeZone)?;
    let tls = server_config(&config.server)?;
    let (central, mut writer) = Central::open(config, Clock::system(zone)).await?;

    let tcp = bind(config.server.listen).await?;
    let ops = bind(config.server.ops_listen).await?;
    let listener =
        TlsListener::spawn(tcp, tls, config.municipality.id.clone()).map_err(StartError::Serve)?;
    let addresses = Addresses {
        listen: listener.address(),
        ops_listen: ops.local_addr().map_err(StartError::Serve)?,
    };

    let (stopping, stopped) = watch::channel(());
    let api = central.router().into_make_service_with_connect_info::<Caller>();
    let api = axum::serve(listener, api).with_graceful_shutdown(ended(stopped.clone()));
    let mut api = tokio::spawn(async move { api.await });
    let ops = axum::serve(ops, central.ops_router()).with_graceful_shutdown(ended(stopped));
    let mut ops = tokio::spawn(async move { ops.await });
    tell(announce, addresses).map_err(StartError::Serve)?;

    tokio::select! {
        () = stop => {}
        _ = &mut writer => return Err(StartError::Ended("the database's writer")),
        _ = &mut api => return Err(StartError::Ended("the service")),
        _ = &mut ops => return Err(StartError::Ended("health and metrics")),
    }
    tracing::info!("stopping");
    drop(stopping);
    drain(api, ops).await;
    close(central, writer).await;
    std::fs::remove_file(announce).map_err(StartError::Serve)
}

async fn bind(address: SocketAddr) -> Result<TcpListener, StartError> {
    let bound = TcpListener::bind(address).await;
    bound.map_err(|source| StartError::Listen { address, source })
}

async fn ended(mut stopped: watch::Receiver<()>) {
    // An error = the sender is gone: that is the sign.
    while stopped.changed().await.is_ok() {}
}

fn tell(announce: &Path, addresses: Addresses) -> io::Result<()> {
    let json = serde_json::to_string(&addresses).expect("addresses have string keys only");
    // Whole or not at all: someone may be waiting for the file to appear.
    let draft = announce.with_extension("draft");
    std::fs::write(&draft, json)?;
    std::fs::rename(draft, announce)?;
    tracing::info!(listen = %addresses.listen, ops = %addresses.ops_listen, "in service");
    // Without systemd there is nobody to tell.
    drop(sd_notify::notify(&[sd_notify::NotifyState::Ready]));
    Ok(())
}

/// Waits for what is under way.
async fn drain(mut api: JoinHandle<io::Result<()>>, mut ops: JoinHandle<io::Result<()>>) {
    let under_way = async { tokio::join!(&mut api, &mut ops) };
    if tokio::time::timeout(STOP_MAX, under_way).await.is_err() {
        tracing::warn!("requests were still under way; closing");
        api.abort();
        ops.abort();
    }
}

/// The readers first: the last connection to close puts the log into the file, and it must be one
/// that can write. The writer ends when its last user has.
async fn close(central: Arc<Central>, writer: JoinHandle<()>) {
    let closed = async {
        central.db.readers.close().await;
        drop(central);
        writer.await
    };
    if tokio::time::timeout(STOP_MAX, closed).await.is_err() {
        tracing::warn!("the database was not closed in time; the next start reads its log");
    }
}
