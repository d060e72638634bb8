//! Detection on the fleet's lives: each home lives half a year, the first four weeks of which teach; what is raised afterwards while all
//! is well is false, and from drawn moments on a copy of the home is silent. Default settings but for the allowance.
//!
//! The generator and its numbers stand before the detector is measured on them; neither is to be turned to please the other.

use crate::Options;
use crate::figures::{line, title};
use hearthwatch::engine::id::SiteId;
use hearthwatch::engine::policy::{RulesPatch, SiteRules};
use hearthwatch::engine::registry::Registry;
use hearthwatch::engine::time::{Millis, Wall};
use hearthwatch::fleet::{FleetOptions, Recording, Span};
use hearthwatch::replay;
use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

const DAYS: u32 = 180;
const LEARNING_DAYS: u32 = 28;
const MONTH_DAYS: f64 = 30.44;
/// False alarms a home and month.
const ALLOWANCES: [f64; 3] = [0.25, 1.0, 4.0];
/// Moments of collapse that are drawn in each home.
const DRAWS: u32 = 12;
/// Whoever is silent for longer is away for days and has told nobody: asking after them is right.
const AWAY: Millis = Millis::from_mins(20 * 60);

/// What one home came to under one allowance.
struct Lived {
    sort: &'static str,
    false_alarms: u32,
    away_alarms: u32,
    /// Hours to the alarm; none where it did not come within 24.
    delays: Vec<Option<f64>>,
    /// All that was raised after the learning, by kind.
    raised: BTreeMap<String, u32>,
    summary: replay::Summary,
    took: Duration,
}

pub fn run(options: &Options) {
    title(&format!("Lives: {} homes, {DAYS} days, seed {}", options.homes, options.seed));
    let homes = all(options.seed, options.homes);
    for (place, allowance) in ALLOWANCES.into_iter().enumerate() {
        let lived: Vec<&Lived> = homes.iter().map(|home| &home[place]).collect();
        let mut sorts: BTreeMap<&str, Vec<&Lived>> = BTreeMap::new();
        for home in &lived {
            sorts.entry(home.sort).or_default().push(home);
        }
        tell(&format!("{allowance} a home-month"), &lived, allowance);
        sorts.iter().for_each(|(sort, homes)| tell(&format!("  {sort}"), homes, allowance));
    }
    tell_cost(homes.iter().flatten());
}

/// How fast it went, each replay on a core of its own, and how much is kept of a home.
fn tell_cost<'a>(lived: impl Iterator<Item = &'a Lived> + Clone) {
    let readings: u64 = lived.clone().map(|one| one.summary.readings).sum();
    let took: Duration = lived.clone().map(|one| one.took).sum();
    let mut bytes: Vec<u64> = lived.map(|one| one.summary.state_bytes).collect();
    bytes.sort_unstable();
    let rate = readings as f64 / took.as_secs_f64();
    line("replay", format!("{readings} readings, {rate:.0}/s and core, collapses included"), "1,000,000/s");
    let (half, most) = (bytes.get(bytes.len() / 2).copied(), bytes.last().copied());
    let told = format!("p50 {}, most {}", half.unwrap_or_default(), most.unwrap_or_default());
    line("state and learning, bytes a home", told, "4,096");
}

fn tell(name: &str, homes: &[&Lived], allowance: f64) {
    let months = f64::from(DAYS - LEARNING_DAYS) / MONTH_DAYS;
    let rate = |false_alarms: f64| false_alarms / months / allowance;
    let all: u32 = homes.iter().map(|home| home.false_alarms).sum();
    let away: u32 = homes.iter().map(|home| home.away_alarms).sum();
    let mut each: Vec<u32> = homes.iter().map(|home| home.false_alarms).collect();
    each.sort_unstable();
    let mut delays: Vec<f64> = homes.iter().flat_map(|home| &home.delays).map(|d| d.unwrap_or(f64::INFINITY)).collect();
    delays.sort_by(f64::total_cmp);
    let missed = delays.iter().filter(|d| d.is_infinite()).count() as f64 / delays.len().max(1) as f64;
    let found = delays.iter().filter(|d| d.is_finite());
    let mean = found.clone().sum::<f64>() / found.count().max(1) as f64;
    let at = |share: f64| delays.get((delays.len() as f64 * share) as usize).copied().unwrap_or(f64::NAN);
    line(
        name,
        format!(
            "{} homes, false {:.2} x the allowance, 95 % of homes within {:.2} x; noticed p50 {:.1} h p90 {:.1} h mean {mean:.1} h, \
             missed {:.1} % of {}; {away} alarms of people away for days",
            homes.len(),
            rate(f64::from(all) / homes.len() as f64),
            rate(f64::from(each[(each.len() * 95 / 100).min(each.len() - 1)])),
            at(0.5),
            at(0.9),
            missed * 100.0,
            delays.len(),
        ),
        "0.7 to 1.3 x, 3 x",
    );
    let mut raised: BTreeMap<&str, u32> = BTreeMap::new();
    homes.iter().flat_map(|home| &home.raised).for_each(|(kind, count)| *raised.entry(kind).or_default() += count);
    let a_month = |count: u32| f64::from(count) / months / homes.len() as f64;
    let raised: Vec<_> = raised.into_iter().map(|(kind, count)| format!("{kind} {:.2}", a_month(count))).collect();
    line("    raised a home-month", raised.join(", "), "");
}

/// What each home came to under each allowance.
fn all(seed: u64, homes: u32) -> Vec<[Lived; ALLOWANCES.len()]> {
    let (next, lived) = (AtomicU32::new(1), Mutex::new(Vec::new()));
    let work = || loop {
        let number = next.fetch_add(1, Ordering::Relaxed);
        if number > homes {
            return;
        }
        let home = live(seed, number);
        lived.lock().expect("no thread panics").push(home);
    };
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| (0..threads).for_each(|_| drop(scope.spawn(work))));
    lived.into_inner().expect("no thread panics")
}

fn live(seed: u64, number: u32) -> [Lived; ALLOWANCES.len()] {
    let fleet = FleetOptions { power_cuts_per_home_month: 0.2, ghosts_per_home_month: 0.05, ..FleetOptions::default() };
    let tested = fleet.start + Millis::from_mins(u64::from(LEARNING_DAYS) * 24 * 60);
    let span = Span { days: DAYS, collapse_days: LEARNING_DAYS..DAYS, draws: DRAWS };
    let recording = Recording::of(seed, number, fleet, &span);
    ALLOWANCES.map(|allowance| {
        let begun = Instant::now();
        let (answers, summary) = replayed(&recording, allowance);
        let took = begun.elapsed();
        Lived { summary, took, ..judge(&recording, tested, &answers) }
    })
}

/// The answers of a replay under an allowance.
fn replayed(recording: &Recording, allowance: f64) -> (String, replay::Summary) {
    let mut rules = RulesPatch::default();
    replay::allow(&mut rules, (allowance * 100.0) as u32);
    let zone = jiff::tz::TimeZone::get("Asia/Shanghai").expect("a zone");
    let rules = SiteRules { site: SiteId::cut("lives"), zone, rules };
    let options = replay::Options { rules, registry: Registry::default(), care: true };
    let mut answers = Vec::new();
    let summary =
        replay::run(&options, recording.readings.as_bytes(), Some(recording.collapses.as_bytes()), &mut answers)
            .expect("a recording");
    (String::from_utf8(answers).expect("JSON lines"), summary)
}

fn judge(recording: &Recording, tested: Wall, answers: &str) -> Lived {
    let sensors = recording.home.devices.iter().filter(|d| d.address.ends_with("_motion")).count();
    let sort = match (recording.home.residents.len(), sensors) {
        (2.., _) => "couples",
        (_, 5) => "five motion sensors",
        (_, 3) => "three motion sensors",
        _ => "hall and door",
    };
    let mut lived = Lived {
        sort,
        false_alarms: 0,
        away_alarms: 0,
        delays: Vec::new(),
        raised: BTreeMap::new(),
        summary: replay::Summary::default(),
        took: Duration::ZERO,
    };
    for line in answers.lines() {
        let answer: serde_json::Value = serde_json::from_str(line).expect("JSON");
        if answer.get("collapse_at").is_some() {
            lived.delays.push(answer["delay_s"].as_f64().map(|s| s / 3_600.0));
            continue;
        }
        let at: jiff::Timestamp = answer["at"].as_str().and_then(|at| at.parse().ok()).expect("a time");
        let (at, kind) = (Wall(at.as_millisecond()), answer["alarm"].as_str().expect("a kind"));
        if at < tested || answer["change"] != "raised" {
            continue;
        }
        *lived.raised.entry(kind.to_owned()).or_default() += 1;
        if kind == "inactivity" || kind == "not_up" {
            let after = recording.stirrings.partition_point(|stirred| *stirred <= at);
            let before = after.checked_sub(1).map(|i| recording.stirrings[i]);
            let silence = before.zip(recording.stirrings.get(after)).map_or(Millis(0), |(from, to)| to.since(from));
            match silence > AWAY {
                true => lived.away_alarms += 1,
                false => lived.false_alarms += 1,
            }
        }
    }
    lived
}
