//! `run`: the service.

use super::fail;
use crate::config::Config;
use crate::service::{self, Extras, Fatal, Running, admin, because};
use std::process::ExitCode;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tracing::{error, info};

/// Runs until SIGTERM or SIGINT, or until a part of it fails.
pub async fn run(config: Config, config_path: &std::path::Path) -> ExitCode {
    let probe = std::env::current_exe().ok().map(|exe| (exe, vec!["probe-store".to_owned()]));
    let extras = Extras { probe, ..Extras::default() };
    match serve(config, extras, config_path).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(fatal) => {
            error!("{fatal}");
            fail(format!("hearthwatch leaves: {fatal}"))
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "the console is waited for at the stop")]
async fn serve(config: Config, extras: Extras, config_path: &std::path::Path) -> Result<(), Fatal> {
    let listen = config.console.listen;
    let listener =
        TcpListener::bind(listen).await.map_err(|e| Fatal(format!("the console cannot listen on {listen}: {e}")))?;
    let (mut running, ended) = service::start(config, extras).await?;
    let (stop, stopped) = watch::channel(false);
    let router = service::console(&running, stopped.clone())?;
    let console = tokio::spawn(crate::console::serve(listener, router, stopped));
    let socket = admin::serve(&running.config.admin_socket(), running.clone())?;
    info!(%listen, "the console listens");
    let result = wait(&mut running, ended, config_path).await;
    let _ = stop.send(true);
    socket.abort();
    let _ = std::fs::remove_file(running.config.admin_socket());
    running.stop().await;
    let _ = tokio::time::timeout(std::time::Duration::from_secs(5), console).await;
    result
}

/// Waits for a signal to leave; Err where a part ended by itself.
async fn wait(
    running: &mut Arc<Running>,
    mut ended: service::Ended,
    config_path: &std::path::Path,
) -> Result<(), Fatal> {
    let mut term = signal(SignalKind::terminate()).map_err(because("signals"))?;
    let mut int = signal(SignalKind::interrupt()).map_err(because("signals"))?;
    let mut hup = signal(SignalKind::hangup()).map_err(because("signals"))?;
    loop {
        tokio::select! {
            _ = term.recv() => return Ok(()),
            _ = int.recv() => return Ok(()),
            _ = hup.recv() => match crate::config::check(config_path) {
                Ok(config) => running.reload(config),
                Err(mistakes) => mistakes.iter().for_each(|m| error!("the new configuration is refused, the old one stays: {m}")),
            },
            what = ended.recv() => {
                return Err(Fatal(what.unwrap_or_else(|| "everything has ended".into())));
            }
        }
    }
}
