//! The local socket by which the other commands speak to a running service: one JSON line each way. Only the owner of the data
//! directory can open it.

use super::registry::Imported;
use super::{Fatal, Running, because};
use crate::roster::File;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};

/// The longest request: an import of 158,000 homes.
const MAX_REQUEST_BYTES: u64 = 512 << 20;

/// What a command asks.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub enum Request {
    Import {
        /// Name and base64 of each file.
        files: Vec<(String, String)>,
        dry_run: bool,
    },
    Export,
    /// When too few people are there to be told.
    Uncovered,
}

/// What it is answered.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    Text(String),
    /// Sentences with their places; nothing has changed.
    Refused(Vec<String>),
    Failed(String),
}

impl Request {
    pub fn import(files: &[File], dry_run: bool) -> Request {
        Request::Import { files: files.iter().map(|f| (f.name.clone(), STANDARD.encode(&f.bytes))).collect(), dry_run }
    }
}

/// Serves the socket until the task is dropped.
///
/// # Errors
/// Where the socket cannot be made.
#[expect(
    clippy::disallowed_methods,
    reason = "a conversation ends with its socket; the service's stop aborts the listener"
)]
pub fn serve(path: &Path, running: Arc<Running>) -> Result<tokio::task::JoinHandle<()>, Fatal> {
    // The journal's lock is held, so whoever left this socket is gone.
    let _ = std::fs::remove_file(path);
    let listener = UnixListener::bind(path).map_err(because("the admin socket"))?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).map_err(because("the admin socket"))?;
    Ok(tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let running = running.clone();
            tokio::spawn(async move {
                if let Err(error) = converse(stream, &running).await {
                    tracing::warn!(%error, "a command left before its answer");
                }
            });
        }
    }))
}

async fn converse(stream: UnixStream, running: &Running) -> std::io::Result<()> {
    let (read, mut write) = stream.into_split();
    let mut line = String::new();
    BufReader::new(read.take(MAX_REQUEST_BYTES)).read_line(&mut line).await?;
    let answer = match serde_json::from_str(&line) {
        Ok(request) => answer(request, running).await.unwrap_or_else(|fatal| Answer::Failed(fatal.to_string())),
        Err(error) => Answer::Failed(format!("not understood: {error}")),
    };
    write.write_all(&serde_json::to_vec(&answer)?).await?;
    write.write_all(b"\n").await
}

async fn answer(request: Request, running: &Running) -> Result<Answer, Fatal> {
    Ok(match request {
        Request::Export => Answer::Text(running.export().await?),
        Request::Uncovered => {
            Answer::Text(running.uncovered().await?.into_iter().map(|line| format!("warning  {line}\n")).collect())
        }
        Request::Import { files, dry_run } => {
            let decoded: Result<Vec<File>, _> =
                files.into_iter().map(|(name, b)| STANDARD.decode(b).map(|bytes| File { name, bytes })).collect();
            match running.import(&decoded.map_err(because("a file"))?, dry_run).await? {
                Imported::Done { text } => Answer::Text(text),
                Imported::Refused(mistakes) => Answer::Refused(mistakes.iter().map(ToString::to_string).collect()),
            }
        }
    })
}

/// Asks a running service. None where none runs.
pub async fn ask(path: &Path, request: &Request) -> std::io::Result<Option<Answer>> {
    let Ok(stream) = UnixStream::connect(path).await else { return Ok(None) };
    let (read, mut write) = stream.into_split();
    write.write_all(&serde_json::to_vec(request)?).await?;
    write.write_all(b"\n").await?;
    let mut line = String::new();
    BufReader::new(read).read_line(&mut line).await?;
    Ok(Some(serde_json::from_str(&line)?))
}
