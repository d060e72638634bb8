//! References to what must not stand in a configuration: `file:PATH` and `env:NAME`.

use std::fmt;
use std::fs::File;
use std::io::Read;

/// The longest secret in bytes.
const MAX_BYTES: u64 = 16 * 1024;

/// A text that is never shown. Its Debug says only that it is there.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretText(String);

impl SecretText {
    /// The text itself: for the one place that uses it, never for a message.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SecretText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretText(…)")
    }
}

/// Why a reference leads to no secret. Its text names the file or variable, and never holds anything of a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unresolved {
    /// Neither `file:…` nor `env:…`. The text may itself be a secret, so it is not repeated.
    NoReference,
    Unreadable {
        path: String,
        why: std::io::ErrorKind,
    },
    NoVariable {
        name: String,
    },
    /// More than 16 KiB.
    TooLong,
    /// Nothing, or white space.
    Empty,
    NotUtf8,
}

impl fmt::Display for Unresolved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Unresolved::NoReference => f.write_str("a secret has to be written as file:PATH or env:NAME"),
            Unresolved::Unreadable { path, why } => write!(f, "the file {path} cannot be read: {why}"),
            Unresolved::NoVariable { name } => write!(f, "the environment has no variable {name}"),
            Unresolved::TooLong => f.write_str("it is longer than 16 KiB"),
            Unresolved::Empty => f.write_str("it is empty"),
            Unresolved::NotUtf8 => f.write_str("it is not UTF-8"),
        }
    }
}

impl std::error::Error for Unresolved {}

/// Whether a text is a reference, so that [`resolve`] has to be asked for what it means.
pub fn is_reference(text: &str) -> bool {
    text.starts_with("file:") || text.starts_with("env:")
}

/// Reads what `file:PATH` or `env:NAME` leads to, without the white space around it. Blocks for as long as the file system does.
pub fn resolve(reference: &str) -> Result<SecretText, Unresolved> {
    let text = if let Some(path) = reference.strip_prefix("file:") {
        read_file(path)?
    } else if let Some(name) = reference.strip_prefix("env:") {
        read_variable(name)?
    } else {
        return Err(Unresolved::NoReference);
    };
    match text.trim() {
        "" => Err(Unresolved::Empty),
        text => Ok(SecretText(text.to_owned())),
    }
}

fn read_file(path: &str) -> Result<String, Unresolved> {
    let unreadable = |e: std::io::Error| Unresolved::Unreadable { path: path.to_owned(), why: e.kind() };
    let mut bytes = Vec::new();
    File::open(path).and_then(|file| file.take(MAX_BYTES + 1).read_to_end(&mut bytes)).map_err(unreadable)?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(Unresolved::TooLong);
    }
    String::from_utf8(bytes).map_err(|_| Unresolved::NotUtf8)
}

fn read_variable(name: &str) -> Result<String, Unresolved> {
    // A name that holds one of these makes the standard library panic or never finds anything.
    if name.is_empty() || name.contains(['=', '\0']) {
        return Err(Unresolved::NoVariable { name: name.to_owned() });
    }
    match std::env::var_os(name).map(|value| value.into_string()) {
        None => Err(Unresolved::NoVariable { name: name.to_owned() }),
        Some(Err(_)) => Err(Unresolved::NotUtf8),
        Some(Ok(value)) if value.len() as u64 > MAX_BYTES => Err(Unresolved::TooLong),
        Some(Ok(value)) => Ok(value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(bytes: &[u8]) -> (tempfile::TempDir, String) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        std::fs::write(&path, bytes).unwrap();
        let reference = format!("file:{}", path.display());
        (folder, reference)
    }

    #[test]
    fn a_file_is_read_without_the_white_space_around() {
        let (_folder, reference) = written(b"  whsec_abc\nwhsec_def \n");
        assert_eq!(resolve(&reference).unwrap().expose(), "whsec_abc\nwhsec_def");
    }

    #[test]
    fn a_variable_is_read() {
        // Cargo sets this one for every test.
        assert_eq!(resolve("env:CARGO_PKG_NAME").unwrap().expose(), "hearthwatch");
    }

    #[test]
    fn what_leads_nowhere_says_why() {
        let (_a, empty) = written(b" \n");
        let (_b, long) = written(&[b'a'; 16 * 1024 + 1]);
        let (_c, binary) = written(&[0xff, 0xfe]);
        let missing = Unresolved::Unreadable { path: "/no/such/file".to_owned(), why: std::io::ErrorKind::NotFound };
        let table = [
            ("whsec_abc", Unresolved::NoReference),
            ("", Unresolved::NoReference),
            ("file:/no/such/file", missing),
            ("env:HEARTHWATCH_NO_SUCH", Unresolved::NoVariable { name: "HEARTHWATCH_NO_SUCH".to_owned() }),
            ("env:", Unresolved::NoVariable { name: String::new() }),
            ("env:a=b", Unresolved::NoVariable { name: "a=b".to_owned() }),
            (&empty, Unresolved::Empty),
            (&long, Unresolved::TooLong),
            (&binary, Unresolved::NotUtf8),
        ];
        for (reference, why) in table {
            assert_eq!(resolve(reference).unwrap_err(), why, "{reference}");
        }
        let unreadable = resolve("file:a\0b").unwrap_err();
        assert!(matches!(unreadable, Unresolved::Unreadable { .. }), "{unreadable:?}");
    }

    #[test]
    fn nothing_of_a_secret_is_shown() {
        let (_folder, reference) = written(b"whsec_abc");
        assert_eq!(format!("{:?}", resolve(&reference).unwrap()), "SecretText(…)");
        assert!(!format!("{:?} {}", Unresolved::NoReference, Unresolved::NoReference).contains("whsec_abc"));
    }
}
