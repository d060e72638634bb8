//! Secrets: named in files, read when they are used, and never shown.

use super::mistake::Wrong;
use std::fmt;
use std::path::{Path, PathBuf};

/// The longest secret in bytes.
const MAX_SECRET_BYTES: u64 = 64 * 1024;

/// Where a secret stands. Two are equal when they stand in the same place.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Source);

#[derive(Clone, PartialEq, Eq)]
enum Source {
    File(PathBuf),
    Env(String),
    Literal(String),
}

/// A secret as it was read. `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct Plain(String);

impl Secret {
    /// Takes `file:PATH` (relative paths are looked up in `dir`), `env:NAME`, or, where the file itself is kept secret, the
    /// bare secret.
    pub fn parse(text: &str, dir: &Path) -> Result<Secret, Wrong> {
        let source = match (text.strip_prefix("file:"), text.strip_prefix("env:")) {
            (Some(path), _) if !path.is_empty() => Source::File(dir.join(path)),
            (_, Some(name)) if !name.is_empty() && !name.contains(['=', '\0']) => Source::Env(name.to_owned()),
            (None, None) if !text.is_empty() => Source::Literal(text.to_owned()),
            _ => return Err(Wrong::new("names no secret", "write file:PATH or env:NAME")),
        };
        Ok(Secret(source))
    }

    /// Whether it stands in a file or the environment, as the registry demands.
    pub fn is_named(&self) -> bool {
        !matches!(self.0, Source::Literal(_))
    }

    /// Reads it, without the line end at its end. Fails where there is nothing to read, with the remedy.
    pub fn resolve(&self) -> Result<Plain, Wrong> {
        let found = match &self.0 {
            Source::Literal(text) => text.clone(),
            Source::Env(name) => std::env::var(name).map_err(|_| {
                Wrong::new(format!("the environment variable {name} is not set"), format!("set {name} for the service"))
            })?,
            Source::File(path) => read(path).map_err(|why| {
                let remedy = "create the file, readable for the service alone";
                Wrong::new(format!("the secret file {} {why}", path.display()), remedy)
            })?,
        };
        match found.trim_end_matches(['\r', '\n']) {
            "" => Err(Wrong::new("the secret is empty", "fill it")),
            text => Ok(Plain(text.to_owned())),
        }
    }
}

fn read(path: &Path) -> Result<String, String> {
    let size = std::fs::metadata(path).map_err(|e| format!("cannot be read ({})", e.kind()))?.len();
    if size > MAX_SECRET_BYTES {
        return Err(format!("has {size} bytes, more than the {MAX_SECRET_BYTES} allowed"));
    }
    std::fs::read_to_string(path).map_err(|e| format!("cannot be read ({})", e.kind()))
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Source::File(_) => "Secret(file)",
            Source::Env(_) => "Secret(env)",
            Source::Literal(_) => "Secret(literal)",
        })
    }
}

impl Plain {
    /// The secret itself, for the one place that needs it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Plain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Plain(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_read_where_it_stands_and_never_shown() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("token"), "hush-hush\r\n").unwrap();
        std::fs::write(dir.path().join("blank"), "\n").unwrap();
        let parse = |text: &str| Secret::parse(text, dir.path());

        for text in ["file:token", "hush-hush"] {
            let secret = parse(text).unwrap();
            let plain = secret.resolve().unwrap();
            assert_eq!(plain.expose(), "hush-hush", "{text}");
            assert!(!format!("{secret:?}{plain:?}").contains("hush"), "{secret:?} {plain:?}");
        }
        assert_eq!(parse("env:PATH").unwrap().resolve().unwrap().expose(), std::env::var("PATH").unwrap());
        for text in ["", "file:", "env:", "env:A=B"] {
            assert!(parse(text).is_err(), "{text:?}");
        }
        for text in ["file:absent", "file:blank", "env:HEARTHWATCH_TEST_IS_NOT_SET"] {
            assert!(parse(text).unwrap().resolve().is_err(), "{text:?}");
        }
        assert!(parse("file:token").unwrap().is_named() && !parse("hush-hush").unwrap().is_named());
    }
}
