//! `import` and `export`: by a running service if there is one, else on the data at rest.

use super::{fail, refuse};
use crate::config::Config;
use crate::roster::File;
use crate::service::admin::{Answer, Request, ask};
use crate::service::registry::{AtRest, Imported};
use std::path::PathBuf;
use std::process::ExitCode;

/// `import FILE… [--dry-run]`
pub async fn import(config: Config, files: &[PathBuf], dry_run: bool) -> ExitCode {
    let read = match read(files) {
        Ok(read) => read,
        Err(code) => return code,
    };
    match ask(&config.admin_socket(), &Request::import(&read, dry_run)).await {
        Ok(Some(answer)) => return show(answer),
        Ok(None) => {}
        Err(error) => return fail(format!("the running service did not answer: {error}")),
    }
    match AtRest::open(config).and_then(|mut data| data.import(&read, dry_run)) {
        Ok(Imported::Done { text }) => show(Answer::Text(text)),
        Ok(Imported::Refused(mistakes)) => refuse(&mistakes),
        Err(fatal) => fail(fatal),
    }
}

/// Reads registry files, or says which cannot be.
///
/// # Errors
/// The exit code of a failure.
pub(super) fn read(files: &[PathBuf]) -> Result<Vec<File>, ExitCode> {
    let read = |path: &PathBuf| match std::fs::read(path) {
        Ok(bytes) => Ok(File { name: path.display().to_string(), bytes }),
        Err(error) => Err(fail(format!("{}: {error}", path.display()))),
    };
    files.iter().map(read).collect()
}

/// `export`
pub async fn export(config: Config) -> ExitCode {
    match ask(&config.admin_socket(), &Request::Export).await {
        Ok(Some(answer)) => return show(answer),
        Ok(None) => {}
        Err(error) => return fail(format!("the running service did not answer: {error}")),
    }
    match AtRest::open(config).and_then(|data| data.export()) {
        Ok(text) => show(Answer::Text(text)),
        Err(fatal) => fail(fatal),
    }
}

fn show(answer: Answer) -> ExitCode {
    match answer {
        Answer::Text(text) => {
            print!("{text}");
            ExitCode::SUCCESS
        }
        Answer::Refused(mistakes) => {
            mistakes.iter().for_each(|mistake| eprintln!("{mistake}"));
            eprintln!("{} mistakes; nothing was done", mistakes.len());
            ExitCode::from(super::WRONG_INPUT)
        }
        Answer::Failed(why) => fail(why),
    }
}
