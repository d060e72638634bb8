//! The real binary as a process: a folder of its own, the homes imported, started and stopped as an operator would.

use crate::port::Port;
use crate::receiver::Receiver;
use hearthwatch::fleet::FleetHome;
use serde_json::{Value, json};
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver as Lines, channel};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// How long anything may take.
pub const PATIENCE: Duration = Duration::from_secs(180);

pub struct Gateway {
    pub dir: TempDir,
    console: Port,
    child: Option<Child>,
    log: Option<Lines<String>>,
}

impl Gateway {
    /// Imports the homes. One ladder with one rung that waits for an hour: what is measured is the first notice.
    pub fn new(broker: &str, receiver: &Receiver, homes: &[FleetHome]) -> Gateway {
        Gateway::with_repeats(broker, receiver, homes, 3_600)
    }

    /// The same, with a rung that is told again so often.
    pub fn with_repeats(broker: &str, receiver: &Receiver, homes: &[FleetHome], repeat_s: u32) -> Gateway {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let console = Port::hold();
        let listen = console.address();
        let at = |name: &str| dir.path().join(name);
        let folder = |name: &str| at(name).display().to_string();
        let config = format!(
            "[service]\ndata_dir = {data:?}\nkeys_dir = {keys:?}\nsecrets_dir = {secrets:?}\n\
             [console]\nlisten = \"{listen}\"\n[mqtt]\nurl = {broker:?}\n\
             [site.demo]\ntimezone = \"Asia/Shanghai\"\n\
             [source.zigbee2mqtt]\nsite = \"demo\"\ndialect = \"zigbee2mqtt\"\n",
            data = folder("data"),
            keys = folder("keys"),
            secrets = folder("secrets"),
        );
        fs::write(at("hearthwatch.toml"), config).expect("the configuration");
        fs::create_dir(at("secrets")).expect("a folder");
        fs::write(at("secrets/phone"), "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=").expect("a secret");
        fs::write(at("registry.json"), registry(homes, &receiver.url(), repeat_s).to_string()).expect("the registry");
        let gateway = Gateway { dir, console, child: None, log: None };
        let imported = gateway.command("import").arg(gateway.file("registry.json")).output().expect("the binary");
        assert!(imported.status.success(), "{}", String::from_utf8_lossy(&imported.stderr));
        gateway
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn command(&self, name: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_hearthwatch"));
        command.arg(name).arg("--config").arg(self.file("hearthwatch.toml"));
        command
    }

    /// Starts it and returns at once.
    pub fn start(&mut self) {
        let mut child = self.command("run").stderr(Stdio::piped()).stdout(Stdio::null()).spawn().expect("the binary");
        let log = child.stderr.take().expect("its log");
        let (lines, read) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(log).lines().map_while(Result::ok) {
                // Notices are told one by one; nobody waits for those.
                if line.contains("recovered") || line.contains(" WARN ") || line.contains("ERROR") {
                    let _ = lines.send(line);
                }
            }
        });
        self.child = Some(child);
        self.log = Some(read);
    }

    /// The line that tells of the recovery.
    pub fn recovered(&self) -> String {
        let log = self.log.as_ref().expect("it runs");
        loop {
            let line = log.recv_timeout(PATIENCE).expect("the line of recovery");
            if line.contains("recovered") {
                return line;
            }
        }
    }

    /// Waits until it is ready: subscribed, journal writable, keeper turning.
    pub fn wait_until_ready(&self) {
        let deadline = Instant::now() + PATIENCE;
        while !self.is_ready() {
            assert!(Instant::now() < deadline, "it does not get ready: {:?}", self.readyz());
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    fn is_ready(&self) -> bool {
        let answer = self.readyz().unwrap_or_default();
        answer.starts_with("HTTP/1.1 200") && !answer.contains("ready: false")
    }

    fn readyz(&self) -> std::io::Result<String> {
        let mut socket = TcpStream::connect(self.console.address())?;
        socket.write_all(b"GET /readyz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")?;
        let mut answer = String::new();
        socket.read_to_string(&mut answer)?;
        Ok(answer)
    }

    pub fn pid(&self) -> u32 {
        self.child.as_ref().expect("it runs").id()
    }

    /// SIGTERM.
    pub fn stop(&mut self) {
        let Some(mut child) = self.child.take() else { return };
        let sent = Command::new("kill").arg("-TERM").arg(child.id().to_string()).status();
        assert!(sent.is_ok_and(|s| s.success()), "kill -TERM");
        let status = child.wait().expect("its end");
        assert!(status.success(), "{status}");
    }

    /// kill -9.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().expect("kill");
            child.wait().expect("its end");
        }
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.kill();
    }
}

fn registry(homes: &[FleetHome], url: &str, repeat_s: u32) -> Value {
    let home = |h: &FleetHome| {
        json!({"id": h.id, "site": "demo", "community": h.community, "block": h.block, "floor": h.floor, "address": h.address,
               "keyholder": h.keyholder, "keyholder_phone": h.keyholder_phone,
               "contact1_name": h.contacts[0].name, "contact1_phone": h.contacts[0].phone, "contact1_relation": h.contacts[0].relation})
    };
    let device = |home: &str, d: &hearthwatch::fleet::FleetDevice| json!({"id": d.id, "home": home, "source": d.source, "address": d.address, "room": d.room, "model": d.model, "life": d.life});
    let resident = |home: &str, number: usize, r: &hearthwatch::fleet::FleetResident| json!({"id": format!("{home}-{number}"), "home": home, "name": r.name, "phone": r.phone, "birth_year": r.birth_year});
    let residents = homes.iter().flat_map(|h| h.residents.iter().enumerate().map(|(n, r)| resident(&h.id, n, r)));
    let ladder = |id: &str| json!({"id": id, "site": "demo", "repeat_s": repeat_s, "rung": [{"name": "all", "to": ["caseworker"], "wait_s": repeat_s}]});
    let ladders = ["life", "welfare", "property"].map(ladder);
    json!({
        "channel": [{"id": "phone", "site": "demo", "dialect": "standard", "url": url, "secret": "file:phone", "allow_private": true, "slots": 32, "medium": "voice"}],
        "responder": [{"id": "caseworker", "site": "demo", "channels": ["phone"], "name": "Caseworker", "phone": "15400000000"}],
        "ladder": ladders,
        "home": homes.iter().map(home).collect::<Vec<_>>(),
        "resident": residents.collect::<Vec<_>>(),
        "device": homes.iter().flat_map(|h| h.devices.iter().map(|d| device(&h.id, d))).collect::<Vec<_>>(),
    })
}
