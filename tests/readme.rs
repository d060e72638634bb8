//! The examples of README.md do what it says.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "this whole file is a test")]

use std::path::Path;
use std::process::{Command, Output, Stdio};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Runs a line of the README with the program of this build, in a folder that holds nothing but `config/`.
fn run(line: &str) -> Output {
    let dir = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(root().join("config"), dir.path().join("config")).unwrap();
    let line = line.replace("target/release/hearthwatch", env!("CARGO_BIN_EXE_hearthwatch"));
    Command::new("sh").arg("-c").arg(&line).current_dir(dir.path()).stdin(Stdio::null()).output().unwrap()
}

/// The lines of the README's shell examples that begin so.
fn lines(beginning: &str) -> Vec<String> {
    let text = std::fs::read_to_string(root().join("README.md")).unwrap();
    let blocks = text.split("```sh\n").skip(1).filter_map(|rest| rest.split("```").next());
    blocks.flat_map(str::lines).filter(|line| line.starts_with(beginning)).map(str::to_owned).collect()
}

#[test]
fn the_shipped_configuration_and_the_example_registry_are_right() {
    for (beginning, expected) in
        [("target/release/hearthwatch check", "no mistakes"), ("target/release/hearthwatch import", "added    home ")]
    {
        let found = lines(beginning);
        assert_eq!(found.len(), 1, "README.md shows `{beginning}` once");
        let output = run(&found[0]);
        let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{}: {said}", found[0]);
        assert!(said.contains(expected), "{}: {said}", found[0]);
    }
}

#[test]
fn every_command_of_the_table_exists() {
    let text = std::fs::read_to_string(root().join("README.md")).unwrap();
    let table =
        text.lines().filter_map(|line| line.strip_prefix("| `")).filter_map(|rest| rest.split(['`', ' ']).next());
    let commands: Vec<&str> = table.collect();
    assert!(commands.len() >= 9, "{commands:?}");
    for command in commands {
        let output = run(&format!("target/release/hearthwatch {command} --help"));
        assert!(output.status.success(), "{command}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

#[test]
fn the_example_of_decode_is_understood() {
    let [line] = &lines("echo ")[..] else { panic!("README.md shows one message") };
    let answer: serde_json::Value = serde_json::from_slice(&run(line).stdout).unwrap();
    assert_eq!((&answer["outcome"], &answer["address"]), (&"readings".into(), &"h0012/hall".into()), "{answer}");
}

#[test]
fn the_json_of_our_own_devices_is_understood() {
    let text = std::fs::read_to_string(root().join("README.md")).unwrap();
    let json = text.split("```json\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap().trim();
    let line = format!(r#"{{"topic":"hearthwatch/zhonglou/h0012/button","payload":{json}}}"#);
    let output = run(&format!("printf '%s\\n' '{line}' | target/release/hearthwatch decode"));
    let answer: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(answer["outcome"], "readings", "{answer}");
    assert_eq!(answer["readings"][0]["kind"], "sos", "{answer}");
}
