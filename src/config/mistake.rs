//! A mistake in a file that a person wrote: where, what, and what to do about it.

use std::fmt;

/// Where in a file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Place {
    /// The file as it was named to us, or `environment`.
    pub file: String,
    /// From 1; none where the whole file is meant, or its format keeps no lines.
    pub line: Option<usize>,
    /// The key with its section, or the column as its heading stands in the file; empty where the whole line is meant.
    pub key: String,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        if !self.key.is_empty() {
            write!(f, ": {}", self.key)?;
        }
        Ok(())
    }
}

/// What is wrong with a value, and the remedy; both are phrases without the place. Neither ever holds a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrong {
    pub what: String,
    pub remedy: String,
}

impl Wrong {
    pub fn new(what: impl Into<String>, remedy: impl Into<String>) -> Wrong {
        Wrong { what: what.into(), remedy: remedy.into() }
    }
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; {}", self.what, self.remedy)
    }
}

/// One mistake with its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    pub place: Place,
    pub what: String,
    pub remedy: String,
}

impl Mistake {
    pub fn new(place: Place, wrong: Wrong) -> Mistake {
        Mistake { place, what: wrong.what, remedy: wrong.remedy }
    }

    /// A mistake of a whole file.
    pub fn of_file(file: &str, what: impl Into<String>, remedy: impl Into<String>) -> Mistake {
        let place = Place { file: file.to_owned(), ..Place::default() };
        Mistake { place, what: what.into(), remedy: remedy.into() }
    }
}

/// One line: `config/hearthwatch.toml:12: mqtt.keepalive_s: is 500, but must lie in 5 to 15; write a number in that range`.
impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}; {}", self.place, self.what, self.remedy)
    }
}

impl std::error::Error for Mistake {}

/// The known word that somebody probably meant: the nearest within a third of its length in edits, at least two.
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_lowercase();
    let scored = known.into_iter().map(|k| (distance(&word, &k.to_lowercase()), k));
    let allowed = (word.chars().count() / 3).max(2);
    scored.filter(|(edits, _)| *edits <= allowed).min_by_key(|(edits, _)| *edits).map(|(_, k)| k)
}

/// Edits (insert, drop, replace, swap neighbours) from `a` to `b`. Words beyond 64 characters are cut there.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().take(64).collect(), b.chars().take(64).collect());
    let (mut before, mut last, mut row) =
        (vec![0; b.len() + 1], (0..=b.len()).collect::<Vec<_>>(), vec![0; b.len() + 1]);
    for i in 1..=a.len() {
        row[0] = i;
        for j in 1..=b.len() {
            let replaced = last[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            row[j] = replaced.min(last[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                row[j] = row[j].min(before[j - 2] + 1);
            }
        }
        std::mem::swap(&mut before, &mut last);
        std::mem::swap(&mut last, &mut row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_word_is_the_one_meant() {
        let known = ["keepalive_s", "client_id", "username", "url"];
        let table = [
            ("keepalive", Some("keepalive_s")),
            ("keep_alive_s", Some("keepalive_s")),
            ("clinet_id", Some("client_id")),
            ("user_name", Some("username")),
            ("URL", Some("url")),
            ("colour", None),
        ];
        for (word, meant) in table {
            assert_eq!(nearest(word, known), meant, "{word:?}");
        }
        assert_eq!(distance("ab", "ba"), 1);
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("", "abc"), 3);
    }

    #[test]
    fn a_mistake_is_one_line() {
        let place = Place { file: "a.toml".into(), line: Some(12), key: "mqtt.url".into() };
        let wrong = Wrong::new("is missing", "name the broker");
        assert_eq!(Mistake::new(place, wrong).to_string(), "a.toml:12: mqtt.url: is missing; name the broker");
        assert_eq!(Mistake::of_file("a.toml", "is empty", "fill it").to_string(), "a.toml: is empty; fill it");
    }
}
