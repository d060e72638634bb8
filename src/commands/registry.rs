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
    let mut read = Vec::new();
    for path in files {
        match std::fs::read(path) {
            Ok(bytes) => read.push(File { name: path.display().to_string(), bytes }),
            Err(error) => return fail(format!("{}: {error}", path.display())),
        }
    }
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
