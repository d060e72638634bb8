//! The law of the house, file by file: who may enter which room, what the pure rooms may not touch, how long a file may be, and
//! what may stand at the top level. Code of tests (a `tests.rs`, or what follows the first `#[cfg(test)]` module) is exempt.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "this whole file is a test")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// The rooms, and which others each may enter: a room, or one module of it.
const ROOMS: &[(&str, &[&str])] = &[
    ("engine", &[]),
    ("wire", &["engine"]),
    ("config", &["engine"]),
    ("clock", &["engine"]),
    ("roster", &["engine", "config", "wire::webhook"]),
    ("keeper", &["engine"]),
    ("journal", &["engine", "keeper::ports"]),
    ("store", &["engine", "keeper::ports", "keeper::record"]),
    ("mqtt", &["engine", "wire", "config", "keeper"]),
    ("courier", &["engine", "wire", "config", "keeper"]),
    ("console", &["engine", "wire", "config", "keeper"]),
    ("fleet", &["engine", "wire"]),
    ("replay", &["engine", "wire", "config"]),
    // The wiring.
    ("service", &ALL),
    // The whole of it in a simulated world.
    ("sim", &SIMULATED),
    ("commands", &COMMANDS),
];

const COMMANDS: [&str; 15] = [
    "engine", "wire", "config", "clock", "roster", "keeper", "journal", "store", "mqtt", "courier", "console", "fleet",
    "replay", "service", "sim",
];
const SIMULATED: [&str; 10] =
    ["engine", "wire", "clock", "keeper", "journal", "store", "mqtt", "courier", "fleet", "service"];
const ALL: [&str; 13] = [
    "engine", "wire", "config", "clock", "roster", "keeper", "journal", "store", "mqtt", "courier", "console", "fleet",
    "replay",
];

/// The crate's two roots may enter every room.
const ROOTS: &[&str] = &["main", "lib"];

/// The crates that the engine may use.
const ENGINE_CRATES: &[&str] = &["serde", "minicbor", "jiff", "libm"];

/// What the pure rooms may not name: clocks, I/O, randomness, tasks, logging, and in the engine whatever has no order.
const IMPURE: &[&str] = &[
    "std::time",
    "std::fs",
    "std::net",
    "std::env",
    "std::io",
    "std::process",
    "std::thread",
    "tokio",
    "tracing",
    "rand",
    "rustix",
    "reqwest",
    "rumqttc",
];
const UNORDERED: &[&str] = &["HashMap", "HashSet", "hash_map", "hash_set"];
const PURE: &[&str] = &["engine", "wire"];

/// How a clock is read.
const NOW: &[&str] = &["Instant::now", "SystemTime::now", "Timestamp::now", "ZonedDateTime::now", "clock_gettime"];

/// Who may read a clock, and why.
const CLOCKS: &[(&str, &str)] = &[
    ("clock.rs", "it is the clock"),
    ("courier/line.rs", "a deadline of an exchange under way; decides nothing"),
    ("courier/pump.rs", "a deadline of an exchange under way; decides nothing"),
    ("fleet/inbox.rs", "the clock of the demo's phones"),
    ("fleet/publish.rs", "paces a load"),
    ("mqtt/pump.rs", "the ticks of the session machine"),
];

/// What is let off besides, and why.
const LET_OFF: &[(&str, &str, &str)] =
    &[("fleet/broker.rs", "thread::sleep", "the demo's broker tells nobody when it listens")];

/// Files that may be longer than [`MAX_LINES`], and why.
const LONG: &[(&str, &str)] = &[];
const MAX_LINES: usize = 500;

/// What may stand at the top level. Dotfiles may besides.
const TOP: &[&str] = &["Cargo.toml", "Cargo.lock", "LICENSE", "README.md", "src", "config", "deploy", "tests"];

struct SourceFile {
    /// Below `src`, with slashes.
    name: String,
    /// Without tests, comments and texts; every line is still in its place.
    code: String,
    /// Every path in it, as (line, segments); what a `use` groups is taken apart.
    paths: Vec<(usize, Vec<String>)>,
}

impl SourceFile {
    fn new(name: &str, text: &str) -> SourceFile {
        let code = without_tests(&without_comments(text)).to_owned();
        SourceFile { name: name.to_owned(), paths: paths(&code), code }
    }

    fn module(&self) -> Vec<&str> {
        let plain = self.name.trim_end_matches(".rs");
        plain.split('/').filter(|part| !matches!(*part, "mod" | "lib" | "main")).collect()
    }

    fn room(&self) -> &str {
        self.name.split('/').next().unwrap().trim_end_matches(".rs")
    }

    /// The paths that lead to a room of this crate, without the crate's name.
    fn entered(&self) -> Vec<(usize, Vec<&str>)> {
        let depth = self.module().len();
        let inner = |segments: &'_ [String]| -> Option<usize> {
            match segments[0].as_str() {
                "crate" | "hearthwatch" => Some(1),
                "super" => {
                    let ups = segments.iter().take_while(|s| *s == "super").count();
                    (ups >= depth).then_some(ups)
                }
                _ => None,
            }
        };
        let found = self.paths.iter().filter_map(|(line, path)| {
            let rest = path.get(inner(path)?..)?;
            (!rest.is_empty()).then(|| (*line, rest.iter().map(String::as_str).collect()))
        });
        found.collect()
    }
}

/// The text with comments, strings and characters blanked out.
fn without_comments(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    while at < chars.len() {
        let end = literal_or_comment_end(&chars, at);
        match end {
            Some(end) => out.extend(chars[at..end].iter().map(|c| if *c == '\n' { '\n' } else { ' ' })),
            None => out.push(chars[at]),
        }
        at = end.unwrap_or(at + 1);
    }
    out
}

/// Where the comment, text or character that begins at `at` ends; none where none begins.
fn literal_or_comment_end(chars: &[char], at: usize) -> Option<usize> {
    let get = |i: usize| chars.get(i).copied().unwrap_or('\0');
    let find = |from: usize, end: &[char]| {
        (from..chars.len()).find(|i| chars[*i..].starts_with(end)).map_or(chars.len(), |i| i + end.len())
    };
    let in_word = at > 0 && (get(at - 1).is_alphanumeric() || get(at - 1) == '_');
    match (get(at), get(at + 1)) {
        ('/', '/') => Some(find(at, &['\n']) - usize::from(find(at, &['\n']) < chars.len())),
        ('/', '*') => Some(find(at + 2, &['*', '/'])),
        ('r', '"' | '#') if !in_word => {
            let hashes = chars[at + 1..].iter().take_while(|c| **c == '#').count();
            let mut end = vec!['"'];
            end.extend(std::iter::repeat_n('#', hashes));
            (get(at + 1 + hashes) == '"').then(|| find(at + 2 + hashes, &end))
        }
        ('"', _) => {
            let mut i = at + 1;
            while i < chars.len() && chars[i] != '"' {
                i += 1 + usize::from(chars[i] == '\\');
            }
            Some((i + 1).min(chars.len()))
        }
        ('\'', '\\') => Some(find(at + 3, &['\''])),
        ('\'', _) if get(at + 2) == '\'' => Some(at + 3),
        _ => None,
    }
}

/// The code before the first module of tests.
fn without_tests(code: &str) -> &str {
    let mut from = 0;
    while let Some(found) = code[from..].find("#[cfg(test)]") {
        let after = code[from + found + "#[cfg(test)]".len()..].trim_start();
        // A declared module (`mod tests;`) stands elsewhere; one with a body ends the file.
        if after.starts_with("mod ") && after.find('{') < after.find(';') && after.contains('{') {
            return &code[..from + found];
        }
        from += found + 1;
    }
    code
}

/// Every path of at least two segments.
fn paths(code: &str) -> Vec<(usize, Vec<String>)> {
    let bytes = code.as_bytes();
    let is_word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    let (mut found, mut at, mut line) = (Vec::new(), 0, 1);
    while at < bytes.len() {
        line += usize::from(bytes[at] == b'\n');
        let begins = is_word(bytes[at]) && (at == 0 || !is_word(bytes[at - 1])) && !code[..at].ends_with("::");
        if begins {
            tree(&code[at..], line, &mut Vec::new(), &mut found);
        }
        at += 1;
    }
    found.retain(|(_, path)| path.len() > 1);
    found
}

/// Reads `a::b::{c, d::e}` at the start of `code` into its paths; gives the bytes read.
fn tree(code: &str, line: usize, prefix: &mut Vec<String>, found: &mut Vec<(usize, Vec<String>)>) -> usize {
    let depth = prefix.len();
    let mut at = 0;
    loop {
        at += code[at..].len() - code[at..].trim_start().len();
        let word: String = code[at..].chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
        if !word.is_empty() {
            at += word.len();
            prefix.push(word);
            if code[at..].starts_with("::") {
                at += 2;
                continue;
            }
        } else if code[at..].starts_with('{') && prefix.len() > depth {
            at += 1;
            while at < code.len() && !code[at..].starts_with('}') {
                let line = line + code[..at].matches('\n').count();
                at += tree(&code[at..], line, prefix, found).max(1);
                at += code[at..]
                    .find([',', '}'])
                    .map_or(code.len() - at, |i| i + usize::from(code[at + i..].starts_with(',')));
                at += code[at..].len() - code[at..].trim_start().len();
            }
            prefix.truncate(depth);
            return at;
        }
        found.push((line, prefix.clone()));
        prefix.truncate(depth);
        return at;
    }
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn files(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => found.extend(files(&path)),
            false => found.push(path),
        }
    }
    found.retain(|path| path.extension().is_some_and(|e| e == "rs"));
    found.sort();
    found
}

fn sources() -> Vec<SourceFile> {
    let src = root().join("src");
    let name = |path: &Path| path.strip_prefix(&src).unwrap().to_string_lossy().replace('\\', "/");
    let is_test = |name: &str| name.split('/').any(|part| part == "tests.rs" || part == "tests");
    let read = |path: PathBuf| (name(&path), std::fs::read_to_string(&path).unwrap());
    let all = files(&src).into_iter().map(read).filter(|(name, _)| !is_test(name));
    all.map(|(name, text)| SourceFile::new(&name, &text)).collect()
}

/// Where the law is broken, by what, and why that is against it.
struct Breach {
    place: String,
    what: String,
    why: String,
}

fn lawful(broken: impl IntoIterator<Item = Breach>) {
    let told: Vec<String> = broken.into_iter().map(|b| format!("{}: `{}`: {}", b.place, b.what, b.why)).collect();
    assert!(told.is_empty(), "the law of the house (tests/law.rs, src/lib.rs) is broken:\n{}\n", told.join("\n"));
}

fn imports(file: &SourceFile) -> Vec<Breach> {
    let room = file.room();
    let breach =
        |line: usize, what: String, why: String| Breach { place: format!("src/{}:{line}", file.name), what, why };
    if ROOTS.contains(&room) {
        return Vec::new();
    }
    let Some((_, allowed)) = ROOMS.iter().find(|(name, _)| *name == room) else {
        return vec![breach(1, room.into(), "a new room; say in the table ROOMS whom it may enter".into())];
    };
    let leads_into = |path: &[&str], target: &str| {
        let target: Vec<&str> = target.split("::").collect();
        path.starts_with(&target)
    };
    let may = |path: &[&str]| path[0] == room || allowed.iter().any(|target| leads_into(path, target));
    let is_room = |name: &str| ROOMS.iter().any(|(room, _)| *room == name);
    let broken = file.entered().into_iter().filter(|(_, path)| is_room(path[0]) && !may(path));
    broken.map(|(line, path)| breach(line, path.join("::"), format!("{room} may only enter {allowed:?}"))).collect()
}

fn impurities(file: &SourceFile, dependencies: &BTreeSet<String>) -> Vec<Breach> {
    let (pure, engine) = (PURE.contains(&file.room()), file.room() == "engine");
    let breach = |line: usize, what: String, why: &str| Breach {
        place: format!("src/{}:{line}", file.name),
        what,
        why: why.into(),
    };
    let mut broken = Vec::new();
    for (line, path) in &file.paths {
        let joined = path.join("::");
        let ends_with = |ends: &[&str]| ends.iter().any(|end| joined == *end || joined.ends_with(&format!("::{end}")));
        let why = if pure && IMPURE.iter().any(|name| format!("{joined}::").starts_with(&format!("{name}::"))) {
            "a pure room has no clock, I/O, randomness, task or log; take it as an argument"
        } else if engine && dependencies.contains(&path[0]) && !ENGINE_CRATES.contains(&path[0].as_str()) {
            "the engine uses std, serde, minicbor, jiff and libm alone"
        } else if ends_with(NOW) && !CLOCKS.iter().any(|(name, _)| *name == file.name) {
            "clock.rs alone reads time"
        } else if ends_with(&["thread::sleep"]) {
            "nothing waits by sleeping; keep a deadline"
        } else {
            continue;
        };
        if !LET_OFF.iter().any(|(name, what, _)| *name == file.name && *what == joined) {
            broken.push(breach(*line, joined, why));
        }
    }
    for (at, line) in file.code.lines().enumerate().filter(|_| engine) {
        let words = line.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| UNORDERED.contains(word));
        let why = "it has no order, and replay must repeat itself; use a BTreeMap or a BTreeSet";
        broken.extend(words.map(|word| breach(at + 1, word.to_owned(), why)));
    }
    broken
}

fn dependencies() -> BTreeSet<String> {
    let cargo: toml::Table = std::fs::read_to_string(root().join("Cargo.toml")).unwrap().parse().unwrap();
    cargo["dependencies"].as_table().unwrap().keys().map(|name| name.replace('-', "_")).collect()
}

#[test]
fn every_room_enters_only_what_it_may() {
    let sources = sources();
    assert!(sources.len() >= ROOMS.len(), "only {} files found", sources.len());
    lawful(sources.iter().flat_map(imports));
}

#[test]
fn rooms_have_no_cycles() {
    let targets: BTreeMap<&str, Vec<&str>> =
        ROOMS.iter().map(|(room, may)| (*room, may.iter().map(|m| m.split("::").next().unwrap()).collect())).collect();
    let mut open: BTreeSet<&str> = targets.keys().copied().collect();
    while let Some(done) = open.iter().copied().find(|room| targets[room].iter().all(|target| !open.contains(target))) {
        open.remove(done);
    }
    assert!(open.is_empty(), "these rooms enter each other in a circle: {open:?}");
}

#[test]
fn pure_rooms_are_pure() {
    let dependencies = dependencies();
    assert!(dependencies.contains("tokio"), "{dependencies:?}");
    lawful(sources().iter().flat_map(|file| impurities(file, &dependencies)));
}

#[test]
fn files_are_short() {
    lawful(sources().into_iter().filter_map(|file| {
        let lines = file.code.lines().count();
        let exempt = LONG.iter().any(|(name, _)| *name == file.name);
        let why = format!("split it at a thought; {MAX_LINES} are allowed");
        (lines > MAX_LINES && !exempt).then(|| Breach {
            place: format!("src/{}", file.name),
            what: format!("{lines} lines"),
            why,
        })
    }));
}

#[test]
fn the_exceptions_are_still_needed() {
    let names: BTreeSet<String> = sources().into_iter().map(|file| file.name).collect();
    for (name, why) in CLOCKS.iter().chain(LONG) {
        assert!(names.contains(*name) && !why.is_empty(), "{name} is excepted ({why}), but there is no such file");
    }
}

#[test]
fn the_top_level_holds_only_what_it_should() {
    let ignored = std::fs::read_to_string(root().join(".gitignore")).unwrap();
    let ignored: Vec<&str> = ignored.lines().map(|line| line.trim_matches('/')).collect();
    let names =
        std::fs::read_dir(root()).unwrap().map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned());
    let strange = names.filter(|n| !n.starts_with('.') && !TOP.contains(&n.as_str()) && !ignored.contains(&n.as_str()));
    let why = || format!("the top level holds only {TOP:?} and dotfiles");
    lawful(strange.map(|name| Breach { place: "top level".into(), what: name, why: why() }));
}

/// What the law finds fault with in a piece of code in a file.
fn found_in(name: &str, code: &str) -> Vec<String> {
    let file = SourceFile::new(name, code);
    imports(&file).into_iter().chain(impurities(&file, &dependencies())).map(|breach| breach.what).collect()
}

#[test]
fn the_law_itself_sees() {
    let table: &[(&str, &str, &[&str])] = &[
        ("engine/home.rs", "use crate::engine::id::*;\nuse super::time::Tick;\nuse std::collections::BTreeMap;", &[]),
        ("engine/home.rs", "use crate::journal::Journal;", &["journal::Journal"]),
        ("engine/home.rs", "use crate::{engine::id, wire::{self, z2m}};", &["wire::self", "wire::z2m"]),
        ("engine/home.rs", "use super::super::store::Store;", &["store::Store"]),
        ("engine/home.rs", "fn f() { crate::clock::wall() }", &["clock::wall"]),
        ("engine/mod.rs", "use super::wire::Lore;", &["wire::Lore"]),
        ("clock.rs", "use super::store::x; fn f() { Instant::now() }", &["store::x"]),
        ("journal/mod.rs", "use crate::keeper::ports::Journal; use crate::engine::id;", &[]),
        ("journal/mod.rs", "use crate::keeper::turn::Turn;", &["keeper::turn::Turn"]),
        ("journal/mod.rs", "use crate::keeper::{ports::Turn, Handle};", &["keeper::Handle"]),
        ("lib.rs", "pub mod store; use store::x; use crate::mqtt::y;", &[]),
        ("main.rs", "fn main() { hearthwatch::store::open() }", &[]),
        ("engine/a.rs", "use std::{fmt, time::Instant};", &["std::time::Instant"]),
        ("engine/a.rs", "use std::collections::HashMap;", &["HashMap"]),
        ("engine/a.rs", "use tokio::sync::mpsc;", &["tokio::sync::mpsc"]),
        ("engine/a.rs", "use bytes::Bytes; use serde::Serialize; fn f(t: jiff::Timestamp) {}", &["bytes::Bytes"]),
        ("wire/a.rs", "use bytes::Bytes; fn f() { tracing::info!(\"x\") }", &["tracing::info"]),
        ("console/a.rs", "fn f() { let t = std::time::Instant::now(); }", &["std::time::Instant::now"]),
        ("store/a.rs", "fn f() { std::thread::sleep(x); thread::sleep(x) }", &["std::thread::sleep", "thread::sleep"]),
        ("courier/a.rs", "async fn f() { tokio::time::sleep(x).await }", &[]),
        (
            "engine/a.rs",
            "// use crate::store::x;\n/* crate::store::x */ const A: &str = \"crate::store::x\";\nconst B: &str = r#\"crate::wire::y\"#;",
            &[],
        ),
        ("engine/a.rs", "fn f<'a>(c: char, s: &'a str) { if c == '\"' { crate::wire::x() } }", &["wire::x"]),
        ("engine/a.rs", "fn f() {}\n#[cfg(test)]\nmod tests {\n use crate::store::x;\n}", &[]),
        ("engine/a.rs", "#[cfg(test)]\nmod tests;\nuse crate::store::x;\nfn f() {}", &["store::x"]),
    ];
    for (name, code, expected) in table {
        assert_eq!(found_in(name, code), *expected, "{name}: {code}");
    }
    assert_eq!(found_in("attic.rs", ""), ["attic"]);
}
