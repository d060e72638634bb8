//! A real Chromium without a window. It is told what to do over two pipes, in NUL-separated JSON of its DevTools protocol: so no port is
//! taken and no websocket is needed.

use serde_json::{Value, json};
use std::collections::HashMap;
use std::ffi::OsStr;
use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tokio::sync::oneshot;

/// How long anything that is waited for may take, on a machine that has more to do.
pub const PATIENCE: Duration = Duration::from_secs(20);
/// How long the browser may take to close by itself.
const FAREWELL: Duration = Duration::from_secs(5);

/// What the browser said.
struct Heard {
    /// Who waits for the answer of which order. None: it has left.
    waiting: Option<HashMap<u64, oneshot::Sender<Value>>>,
    /// Errors of scripts, and what a page's policy forbade, each with the session it was in.
    faults: Vec<(String, String)>,
}

/// The browser, until the last who uses it lets go of it.
pub struct Browser {
    child: Child,
    orders: Mutex<(File, u64)>,
    heard: Arc<Mutex<Heard>>,
    folder: TempDir,
}

impl Browser {
    /// The one that all tests share that run at the same time: a start costs a second or two.
    pub fn shared() -> Arc<Browser> {
        static SHARED: Mutex<Weak<Browser>> = Mutex::new(Weak::new());
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        shared.upgrade().unwrap_or_else(|| {
            let started = Arc::new(Browser::start());
            *shared = Arc::downgrade(&started);
            started
        })
    }

    fn start() -> Browser {
        let program = installed().expect("no chromium or google-chrome in PATH: install chromium; tests/run does it");
        let folder = tempfile::tempdir().unwrap();
        let (orders, answers) = (folder.path().join("orders"), folder.path().join("answers"));
        let made = Command::new("mkfifo").args([&orders, &answers]).status().unwrap();
        assert!(made.success(), "mkfifo: {made}");
        // It reads orders on 3 and answers on 4; a shell opens them, for that is nothing that safe code can do. Its sandbox does not
        // start for root, and nothing but our own page is opened.
        let child = Command::new("sh")
            .args(["-c", r#"exec "$@" 3<"$ORDERS" 4>"$ANSWERS""#, "sh"])
            .arg(program)
            .args([
                "--headless=new",
                "--remote-debugging-pipe",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-dev-shm-usage",
            ])
            .args(["--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"])
            .args(["--disable-extensions", "--no-proxy-server", "--hide-scrollbars", "--force-color-profile=srgb"])
            .arg(format!("--user-data-dir={}", folder.path().join("profile").display()))
            .envs([("ORDERS", &orders), ("ANSWERS", &answers)])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(File::create(folder.path().join("said")).unwrap())
            .process_group(0)
            .spawn()
            .unwrap();
        let heard = Arc::new(Mutex::new(Heard { waiting: Some(HashMap::new()), faults: Vec::new() }));
        let listener = heard.clone();
        // Opening the pipe waits for the browser, and so does every answer: that is for a thread of its own.
        std::thread::Builder::new().name("browser".into()).spawn(move || listen(&answers, &listener)).unwrap();
        // Open for reading too, though nobody does: so it waits for nobody, and closes when this process ends, whatever ends it. Then the
        // browser ends, too.
        let orders = OpenOptions::new().read(true).write(true).open(&orders).unwrap();
        Browser { child, orders: Mutex::new((orders, 0)), heard, folder }
    }

    /// Gives an order and waits for the answer; an error is the browser's own.
    pub async fn order(&self, session: Option<&str>, method: &str, params: Value) -> Result<Value, Value> {
        let (answer, coming) = oneshot::channel();
        self.post(session, method, params, Some(answer));
        let answer = tokio::time::timeout(PATIENCE, coming).await;
        let mut answer = answer.ok().and_then(Result::ok).unwrap_or_else(|| panic!("{method}: {}", self.last_words()));
        if answer["error"].is_null() { Ok(answer["result"].take()) } else { Err(answer["error"].take()) }
    }

    /// Gives an order; nobody waits for what comes of it where there is no `answer`.
    pub fn post(&self, session: Option<&str>, method: &str, params: Value, answer: Option<oneshot::Sender<Value>>) {
        let mut orders = self.orders.lock().unwrap_or_else(PoisonError::into_inner);
        orders.1 += 1;
        if let (Some(answer), Some(waiting)) = (answer, &mut heard(&self.heard).waiting) {
            waiting.insert(orders.1, answer);
        }
        let mut order = json!({"id": orders.1, "method": method, "params": params});
        if let Some(session) = session {
            order["sessionId"] = session.into();
        }
        let _ = orders.0.write_all(format!("{order}\0").as_bytes());
    }

    /// What went wrong in a session since this was asked last.
    pub fn faults(&self, session: &str) -> Vec<String> {
        let mut heard = heard(&self.heard);
        let (of_it, others) = std::mem::take(&mut heard.faults).into_iter().partition(|(of, _)| of == session);
        heard.faults = others;
        let of_it: Vec<(String, String)> = of_it;
        of_it.into_iter().map(|(_, fault)| fault).collect()
    }

    /// The end of what it wrote to its standard error.
    fn last_words(&self) -> String {
        let said = std::fs::read(self.folder.path().join("said")).unwrap_or_default();
        format!(
            "no answer from the browser; it said: {}",
            String::from_utf8_lossy(&said[said.len().saturating_sub(2_000)..])
        )
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        self.post(None, "Browser.close", json!({}), None);
        let since = Instant::now();
        while since.elapsed() < FAREWELL {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        // It has not been waited for, so its number is still its own.
        let _ = rustix::process::kill_process_group(
            rustix::process::Pid::from_child(&self.child),
            rustix::process::Signal::KILL,
        );
        let _ = self.child.wait();
    }
}

fn heard(heard: &Mutex<Heard>) -> std::sync::MutexGuard<'_, Heard> {
    heard.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Hands out the answers, and keeps what went wrong, until the browser leaves.
fn listen(answers: &Path, to: &Mutex<Heard>) {
    let answers =
        File::open(answers).map(BufReader::new).into_iter().flat_map(|answers| answers.split(0)).map_while(Result::ok);
    for said in answers.filter_map(|said| serde_json::from_slice::<Value>(&said).ok()) {
        let mut heard = heard(to);
        if let Some(id) = said["id"].as_u64() {
            let answer = heard.waiting.as_mut().and_then(|waiting| waiting.remove(&id));
            answer.map(|answer| answer.send(said));
        } else if let (Some(fault), Some(session)) = (fault(&said), said["sessionId"].as_str()) {
            heard.faults.push((session.to_owned(), fault));
        }
    }
    heard(to).waiting = None;
}

/// What is wrong with a page, where an event says that something is. A request that was refused is nothing of the kind.
fn fault(event: &Value) -> Option<String> {
    let (params, method) = (&event["params"], event["method"].as_str()?);
    let entry = &params["entry"];
    let wrong = match method {
        "Runtime.exceptionThrown" => true,
        "Log.entryAdded" => entry["level"] == "error" && entry["source"] != "network",
        _ => false,
    };
    wrong.then(|| params.to_string())
}

fn installed() -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let named = |name: &str| {
        std::env::split_paths(OsStr::new(&path)).map(|folder| folder.join(name)).find(|file| file.is_file())
    };
    named("chromium").or_else(|| named("google-chrome"))
}
