//! `demo`: everything in one process with nothing to install. An embedded broker, sled in a temporary folder, simulated homes, the
//! caseworkers' phones, the console, and a stage from which to press SOS in a home.

mod homes;
mod stage;

use super::fail;
use crate::config::Config;
use crate::engine::time::Wall;
use crate::fleet::broker::EmbeddedBroker;
use crate::fleet::inbox::{self, InboxOptions, Phone};
use crate::fleet::{Fleet, FleetOptions};
use crate::service::{self, Extras, Fatal, because};
use base64::Engine as _;
use ring::rand::{SecureRandom, SystemRandom};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};

/// What `demo` takes.
#[derive(clap::Args)]
pub struct Options {
    /// Simulated homes, 1 to 3,000
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=3_000))]
    homes: u32,
    /// How much faster than the clock the homes live, 0.1 to 1,000
    #[arg(long, default_value_t = 20.0)]
    speed: f64,
    /// Where the stage listens on loopback; the console takes the port after it, both any free one where it is taken
    #[arg(long, default_value_t = 8_080)]
    port: u16,
}

/// The one site of the demo.
const SITE: &str = "demo";
const SEED: u64 = 7;
/// The homes live in China: minutes east of UTC.
const UTC_OFFSET_MIN: i32 = 480;

/// A folder that goes with the demo.
struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        // Whatever stays, stays in the folder for temporary things.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Runs until it is interrupted.
pub async fn demo(options: Options) -> ExitCode {
    match play(options).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(fatal) => fail(fatal),
    }
}

#[expect(clippy::disallowed_methods, reason = "each is waited for below")]
async fn play(options: Options) -> Result<(), Fatal> {
    let folder = Folder(std::env::temp_dir().join(format!("hearthwatch-demo-{}", std::process::id())));
    let token = format!("hearthwatch-demo-{}", random::<12>()?);
    let phones = InboxOptions::demo_phones([random::<16>()?, random::<16>()?, random::<16>()?]);
    let secret = format!("whsec_{}", base64::engine::general_purpose::STANDARD.encode(random::<16>()?));
    std::fs::create_dir_all(&folder.0).map_err(because("the temporary folder"))?;
    std::fs::write(folder.0.join("hook"), &secret).map_err(because("the temporary folder"))?;
    let broker = EmbeddedBroker::start().map_err(because("the embedded broker"))?;
    let stage = listen(options.port).await?;
    let console = listen(options.port.saturating_add(1)).await?;
    let (stage_at, console_at) = (address(&stage)?, address(&console)?);

    let start = crate::clock::wall_now();
    let fleet_options =
        FleetOptions { site: SITE.into(), start, utc_offset_min: UTC_OFFSET_MIN, ..FleetOptions::default() };
    let fleet = Fleet::new(SEED, options.homes, fleet_options);
    let config = configuration(&folder.0, broker.url(), &console_at, &token, &phones)?;
    let vault = service::open_vault(&config)?;
    let registry = homes::registry(&fleet, &phones, &stage_at, &config, &vault)?;
    let extras = Extras { registry, vault: Some(vault), ..Extras::default() };
    let (running, mut ended) = service::start(config, extras).await?;

    let (stop, stopped) = watch::channel(false);
    let console_router = service::console(&running, stopped.clone())?;
    let served = tokio::spawn(crate::console::serve(console, console_router, stopped.clone()));
    let inbox = inbox::router(InboxOptions {
        phones,
        secret,
        api: console_at.clone(),
        console: console_at.clone(),
        utc_offset_min: UTC_OFFSET_MIN,
    })
    .map_err(because("the inbox"))?;
    let (orders, to_homes) = mpsc::channel(64);
    let router = stage::router(fleet.homes(), orders, console_at.clone()).merge(inbox);
    let played = tokio::spawn(crate::console::serve(stage, router, stopped));
    let living = tokio::spawn(homes::live(fleet, broker.url(), start, options.speed, to_homes));

    announce(&options, &stage_at, &console_at, &token);
    let result = tokio::select! {
        _ = tokio::signal::ctrl_c() => Ok(()),
        what = ended.recv() => Err(Fatal(what.unwrap_or_default())),
        lived = living => Err(Fatal(format!("the homes have stopped: {lived:?}"))),
    };
    // Whoever follows has gone, or goes now.
    let _ = stop.send(true);
    running.stop().await;
    let _ = (served.await, played.await);
    result
}

fn announce(options: &Options, stage: &str, console: &str, token: &str) {
    println!(
        "守望 Hearthwatch: {} simulated homes, living {} times as fast as the clock",
        options.homes, options.speed
    );
    println!("  the stage    {stage}/stage    press SOS in a home, and watch the caseworker's phone");
    println!("  the phone    {stage}/    the page behind a notice's link asks for the PIN {}", inbox::PIN);
    println!("  the console  {console}/    sign in as  desk  with  {token}");
    println!("The broker inside is for demonstration: it forgets everything when it stops. Ctrl-C ends the demo.");
}

fn configuration(folder: &Path, broker: String, console: &str, token: &str, phones: &[Phone]) -> Result<Config, Fatal> {
    let dir = folder.display();
    let listen = console.trim_start_matches("http://");
    let account = |(name, role, token): (&str, &str, &str)| {
        format!("[[console.account]]\nname = '{name}'\nrole = '{role}'\ntoken = '{token}'\n")
    };
    let people = phones.iter().map(|p| (p.id.as_str(), "operator", p.token.as_str()));
    let accounts: String = people.chain([("desk", "admin", token)]).map(account).collect();
    let text = format!(
        "[service]\ndata_dir = '{dir}/data'\nsecrets_dir = '{dir}'\npublic_url = '{console}'\n\
         [console]\nlisten = '{listen}'\n{accounts}\
         [mqtt]\nurl = '{broker}'\nclient_id = 'hearthwatch-demo'\n\
         [site.{SITE}]\nname = '演示区 Demo'\ntimezone = 'Asia/Shanghai'\n\
         [source.zigbee2mqtt]\nsite = '{SITE}'\ndialect = 'zigbee2mqtt'\n\
         [source.hearthwatch]\nsite = '{SITE}'\ndialect = 'hearthwatch'\n\
         [journal]\nsegment_mib = 8\nreserve_mib = 8\n"
    );
    Config::parse("the demo's configuration", &text)
        .map_err(|mistakes| Fatal(mistakes.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")))
}

/// A listener on loopback at this port, or at any free one.
async fn listen(port: u16) -> Result<TcpListener, Fatal> {
    match TcpListener::bind(("127.0.0.1", port)).await {
        Ok(listener) => Ok(listener),
        Err(_) => TcpListener::bind(("127.0.0.1", 0)).await.map_err(because("no port on loopback")),
    }
}

fn address(listener: &TcpListener) -> Result<String, Fatal> {
    Ok(format!("http://{}", listener.local_addr().map_err(because("the listener"))?))
}

/// Random bytes in hexadecimal.
fn random<const N: usize>() -> Result<String, Fatal> {
    let mut bytes = [0; N];
    SystemRandom::new().fill(&mut bytes).map_err(|_| Fatal("the system gives no randomness".into()))?;
    Ok(bytes.iter().map(|b| format!("{b:02x}")).collect())
}

/// When the homes' time is, so long after the start.
fn simulated(start: Wall, elapsed_ms: u64, speed: f64) -> Wall {
    Wall(start.0 + (elapsed_ms as f64 * speed.clamp(0.1, 1_000.0)) as i64)
}

type Orders = mpsc::Receiver<stage::Order>;
