//! The real service as a process of its own, with a configuration, a registry and data in a temporary folder.
//!
//! ```ignore
//! let broker = Broker::start();
//! let receiver = Receiver::start();
//! let mut gateway = Gateway::new(&broker.url());
//! gateway.import(&registry);          // TOML, by the `import` command
//! gateway.start();                    // until /readyz says that it is subscribed
//! gateway.kill();                     // kill -9
//! gateway.start();                    // the same data, the same port
//! let past = gateway.past();          // what its journal says, read by the product's own reader
//! ```
#![allow(dead_code, reason = "each test takes what it needs")]

pub use super::past::Past;
use super::port::Port;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::sleep;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// How long the service may take for anything that a test waits for; a loaded machine is slow.
pub const PATIENCE: Duration = Duration::from_secs(40);
/// The one site of the tests.
pub const SITE: &str = "t";
/// The operator's token.
pub const TOKEN: &str = "0123456789abcdef0123456789abcdef";
/// What every channel of the tests signs with.
pub const SECRET: &str = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=";

/// Waits until `done`.
pub fn eventually(what: &str, mut done: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !done() {
        assert!(Instant::now() < deadline, "not within {PATIENCE:?}: {what}");
        sleep(Duration::from_millis(10));
    }
}

/// A service of one test. Killed, and its folder removed, when dropped.
pub struct Gateway {
    dir: TempDir,
    console: Port,
    /// What its processes have in their environment beside ours.
    environment: BTreeMap<String, String>,
    child: Option<Child>,
    log: Arc<Mutex<String>>,
    /// Where in the log the present process begins.
    said_before: usize,
}

impl Gateway {
    /// Writes a configuration with one site, one Zigbee2MQTT source and one of the own dialect. Nothing runs yet.
    pub fn new(broker_url: &str) -> Gateway {
        let dir = tempfile::tempdir().expect("temporary folder");
        let console = Port::hold();
        fs::write(dir.path().join("secret"), SECRET).expect("secret");
        fs::write(dir.path().join("token"), TOKEN).expect("token");
        let (at, listen) = (dir.path().display(), console.address());
        let config = format!(
            "[service]\ndata_dir = \"{at}/data\"\nsecrets_dir = \"{at}\"\n\
             [console]\nlisten = \"{listen}\"\n\
             [[console.account]]\nname = \"desk\"\nrole = \"operator\"\ntoken = \"file:{at}/token\"\n\
             [mqtt]\nurl = \"{broker_url}\"\nkeepalive_s = 5\n\
             [site.{SITE}]\nname = \"Test\"\ntimezone = \"Asia/Shanghai\"\n\
             [source.z]\nsite = \"{SITE}\"\ndialect = \"zigbee2mqtt\"\n\
             [source.own]\nsite = \"{SITE}\"\ndialect = \"hearthwatch\"\n\
             [journal]\nsegment_mib = 1\nreserve_mib = 1\n"
        );
        fs::write(dir.path().join("hearthwatch.toml"), config).expect("configuration");
        Gateway { dir, console, environment: BTreeMap::new(), child: None, log: Arc::default(), said_before: 0 }
    }

    /// Puts a variable into the environment of every process from now on; an empty one is taken out.
    pub fn set(&mut self, name: &str, value: impl Into<String>) {
        self.environment.insert(name.to_owned(), value.into());
        self.environment.retain(|_, value| !value.is_empty());
    }

    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// Where its console listens.
    pub fn console(&self) -> SocketAddr {
        self.console.address()
    }

    pub fn data(&self, inside: &str) -> PathBuf {
        self.dir().join("data").join(inside)
    }

    /// Takes a registry in by the `import` command, by the running service or at rest.
    pub fn import(&self, registry: &str) {
        let file = self.dir().join("registry.toml");
        fs::write(&file, registry).expect("registry");
        let done = self.command(&["import", &file.display().to_string()]);
        assert!(done.status.success(), "import: {}", String::from_utf8_lossy(&done.stderr));
    }

    /// Runs another command with this configuration to its end.
    pub fn command(&self, arguments: &[&str]) -> Output {
        self.program(arguments).output().expect("the command runs")
    }

    /// A command with this configuration, not run yet.
    pub fn program(&self, arguments: &[&str]) -> Command {
        // A shell that ignores the signal of a file size limit, so that such a write fails as on a broken disk; and that allows no more
        // open files than `OPEN_FILES` says.
        let script = "trap '' XFSZ; [ -z \"$OPEN_FILES\" ] || ulimit -n \"$OPEN_FILES\"; exec \"$0\" \"$@\"";
        let mut command = Command::new("sh");
        command.args(["-c", script, env!("CARGO_BIN_EXE_hearthwatch")]);
        command.args(&arguments[..1]).arg("--config").arg(self.dir().join("hearthwatch.toml")).args(&arguments[1..]);
        command.stdin(Stdio::null()).env_remove("HEARTHWATCH_LOG").envs(&self.environment);
        command
    }

    /// Starts the process and waits for nothing.
    pub fn spawn(&mut self) {
        assert!(self.child.is_none(), "it runs");
        self.said_before = self.log().len();
        let mut child = self.program(&["run"]).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("starts");
        let (stderr, log) = (child.stderr.take().expect("piped"), self.log.clone());
        std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                let _ = writeln!(log.lock().expect("log"), "{line}");
            }
        });
        self.child = Some(child);
    }

    /// Waits until the process that runs now has said something that holds this.
    pub fn wait_for_line(&self, part: &str) {
        eventually(part, || self.log()[self.said_before..].contains(part));
    }

    /// Starts it and waits until it hears its homes.
    pub fn start(&mut self) {
        self.spawn();
        self.ready();
    }

    /// Waits until it hears its homes.
    pub fn ready(&mut self) {
        let deadline = Instant::now() + PATIENCE;
        while !self.is_ready() {
            if let Some(status) = self.ended() {
                panic!("the service left with {status}:\n{}", self.log());
            }
            assert!(Instant::now() < deadline, "not ready within {PATIENCE:?}:\n{}", self.log());
            sleep(Duration::from_millis(20));
        }
    }

    fn is_ready(&self) -> bool {
        self.get("/readyz").is_some_and(|(status, body)| status == 200 && body.contains("subscribed"))
    }

    /// How it ended, if it did.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        let status = self.child.as_mut()?.try_wait().expect("its state");
        if status.is_some() {
            self.child = None;
        }
        status
    }

    /// Waits until it ends by itself.
    pub fn wait_for_end(&mut self) -> ExitStatus {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.ended() {
                return status;
            }
            assert!(Instant::now() < deadline, "it does not end:\n{}", self.log());
            sleep(Duration::from_millis(10));
        }
    }

    /// kill -9. Gives whether it was alive until then.
    pub fn kill(&mut self) -> bool {
        let Some(mut child) = self.child.take() else { return false };
        child.kill().expect("kill");
        child.wait().expect("its end").signal() == Some(9)
    }

    /// SIGTERM; gives how it left and how long that took.
    pub fn terminate(&mut self) -> (ExitStatus, Duration) {
        let began = Instant::now();
        let pid = self.pid();
        assert!(Command::new("kill").arg(pid.to_string()).status().expect("kill").success());
        (self.wait_for_end(), began.elapsed())
    }

    pub fn pid(&self) -> u32 {
        self.child.as_ref().expect("it runs").id()
    }

    /// The last line that it wrote to stderr.
    pub fn last_line(&self) -> String {
        self.log().lines().last().unwrap_or_default().to_owned()
    }

    /// What the process that runs now, or ran last, wrote to stderr.
    pub fn said(&self) -> String {
        self.log()[self.said_before..].to_owned()
    }

    /// Everything that it wrote to stderr, in all its lives.
    pub fn log(&self) -> String {
        self.log.lock().expect("log").clone()
    }

    /// A GET without a sign-in; status and body, None where nobody answers.
    pub fn get(&self, path: &str) -> Option<(u16, String)> {
        self.ask("GET", path, "")
    }

    /// A POST of the operator with a JSON body; status and body, None where nobody answers.
    pub fn post(&self, path: &str, body: &str) -> Option<(u16, String)> {
        self.ask("POST", path, body)
    }

    fn ask(&self, method: &str, path: &str, body: &str) -> Option<(u16, String)> {
        let mut stream = TcpStream::connect_timeout(&self.console(), Duration::from_secs(1)).ok()?;
        stream.set_read_timeout(Some(Duration::from_secs(5))).ok()?;
        let length = body.len();
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nHost: t\r\nAuthorization: Bearer {TOKEN}\r\nConnection: close\r\n\
             Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
        )
        .ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        let status = answer.split(' ').nth(1)?.parse().ok()?;
        Some((status, answer.split_once("\r\n\r\n")?.1.to_owned()))
    }

    /// What the journal says, of a running service too.
    pub fn past(&self) -> Past {
        Past::read(&self.data("journal").join(SITE))
    }

    /// Waits until every notice in the journal was delivered and that is written too: nothing is on its way then.
    pub fn wait_for_outcomes(&self) {
        eventually("an outcome of each notice", || {
            let past = self.past();
            past.notices.len() == past.attempts.iter().filter(|(.., outcome)| outcome == "delivered").count()
        });
    }

    /// The open alarms on the console's page of them, as (home, kind), in order; panics where nobody answers.
    pub fn shown_open(&self) -> Vec<(String, String)> {
        let (status, body) = self.get("/api/v1/alarms?state=open&limit=500").expect("an answer");
        assert_eq!(status, 200, "{body}");
        let list: serde_json::Value = serde_json::from_str(&body).expect("JSON");
        let text = |value: &serde_json::Value| value.as_str().expect("a text").to_owned();
        let alarms = list["alarms"].as_array().expect("a list");
        let mut open: Vec<_> = alarms.iter().map(|a| (text(&a["home"]["id"]), text(&a["kind"]))).collect();
        open.sort();
        open
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.kill();
        if std::thread::panicking() {
            let log = self.log();
            let lines: Vec<&str> = log.lines().collect();
            eprintln!("--- what the service said last:\n{}", lines[lines.len().saturating_sub(60)..].join("\n"));
        }
    }
}

/// A registry in TOML, put together piece by piece.
#[derive(Default)]
pub struct Registry {
    text: String,
}

impl Registry {
    /// A channel to a receiver on loopback, and the responder of the same name whom it reaches.
    pub fn channel(self, gateway: &Gateway, id: &str, url: &str) -> Registry {
        self.channel_with(gateway, id, url, "")
    }

    /// The same with further lines.
    pub fn channel_with(mut self, gateway: &Gateway, id: &str, url: &str, lines: &str) -> Registry {
        let secret = gateway.dir().join("secret");
        let _ = writeln!(
            self.text,
            "[[channel]]\nid = \"{id}\"\nurl = \"{url}\"\nsecret = \"file:{}\"\nallow_private = true\nmedium = \"voice\"\n{lines}\n\
             [[responder]]\nid = \"{id}\"\nchannels = [\"{id}\"]\nname = \"Somebody\"\nphone = \"000\"",
            secret.display()
        );
        self
    }

    /// A ladder of rungs, each a responder and the seconds until the next one.
    pub fn ladder(mut self, id: &str, repeat_s: u32, rungs: &[(&str, u32)]) -> Registry {
        let _ = writeln!(self.text, "[[ladder]]\nid = \"{id}\"\nrepeat_s = {repeat_s}");
        for (to, wait_s) in rungs {
            let _ = writeln!(self.text, "[[ladder.rung]]\nname = \"{to}\"\nto = [\"{to}\"]\nwait_s = {wait_s}");
        }
        self
    }

    /// A home; the ladder of its life alarms where it has one of its own.
    pub fn home(mut self, id: &str, ladder: Option<&str>) -> Registry {
        let _ = writeln!(self.text, "[[home]]\nid = \"{id}\"\naddress = \"1 Test Lane\"");
        if let Some(ladder) = ladder {
            let _ = writeln!(self.text, "[home.ladder]\nlife = \"{ladder}\"");
        }
        self
    }

    /// A Zigbee2MQTT device `home/name`; with `life` it can call for help.
    pub fn device(mut self, home: &str, name: &str, life: bool) -> Registry {
        let _ = writeln!(
            self.text,
            "[[device]]\nid = \"{home}-{name}\"\nhome = \"{home}\"\nsource = \"z\"\naddress = \"{home}/{name}\"\nlife = {life}"
        );
        self
    }

    pub fn text(&self) -> &str {
        &self.text
    }
}

/// Verifies a request's signature by an implementation that is not ours, and gives its body.
pub fn verified(request: &super::receiver::Request) -> serde_json::Value {
    let mut headers = reqwest::header::HeaderMap::new();
    for (name, value) in &request.headers {
        let name = reqwest::header::HeaderName::from_bytes(name.as_bytes()).expect("a header's name");
        headers.insert(name, value.parse().expect("a header's value"));
    }
    let webhook = standardwebhooks::Webhook::new(SECRET).expect("a good secret");
    webhook.verify(&request.body, &headers).expect("the signature holds");
    request.json()
}
