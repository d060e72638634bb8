//! Serves a console with something on it, to look at: `HEARTHWATCH_LOOK=many cargo test --test console look -- --ignored`.

use super::house::{House, Options, TOKEN};
use hearthwatch::engine::policy::RulesPatch;
use hearthwatch::engine::registry::{Entity, Home};
use std::time::Duration;

/// What happened, seconds ago.
const ONE: &[(i64, &str, &str)] = &[(94, "h0012/bedroom", "sos"), (41, "h0012/bedroom", "sos")];

const MANY: &[(i64, &str, &str)] = &[
    (40_000, "h0012/kitchen", "motion"),
    (40_000, "h0487/kitchen", "motion"),
    (40_000, "h0231/kitchen", "motion"),
    (40_000, "h0733/kitchen", "motion"),
    (39_000, "h1042/kitchen", "motion"),
    (39_000, "h0090/kitchen", "motion"),
    (38_000, "h0820/kitchen", "motion"),
    (38_000, "h0940/kitchen", "motion"),
    (37_000, "h0099/kitchen", "motion"),
    (12_000, "h0555/bedroom", "motion"),
    (11_000, "h0612/bedroom", "motion"),
    (10_000, "h0012/bedroom", "motion"),
    (10_000, "h0487/bedroom", "motion"),
    (10_000, "h0231/bedroom", "motion"),
    (10_000, "h0733/bedroom", "motion"),
    (10_000, "h1042/bedroom", "motion"),
    (10_000, "h0090/bedroom", "motion"),
    (10_000, "h0820/bedroom", "motion"),
    (10_000, "h0940/bedroom", "motion"),
    (10_000, "h0099/bedroom", "motion"),
    (49_000, "h0555/kitchen", "motion"),
    (48_000, "h0311/kitchen", "motion"),
    (35_000, "h0311/kitchen", "water_leak"),
    (30_500, "h0612/kitchen", "motion"),
    (7_000, "h0940/bathroom", "battery_low"),
    (5_400, "h0820/kitchen", "tamper"),
    (3_900, "h0090/bathroom", "water_leak"),
    (1_500, "h1042/bathroom", "fall"),
    (640, "h0231/kitchen", "smoke"),
    (600, "h0231/bedroom", "sos"),
    (420, "h0733/bedroom", "sos"),
    (94, "h0012/bedroom", "sos"),
    (41, "h0012/bedroom", "sos"),
    (25, "x9/hall_button", "sos"),
];

/// What somebody did: seconds ago, to which alarm or home, the act, and more of its body.
type Deed = (i64, &'static str, &'static str, &'static str);
/// Something that was said or done, seconds ago.
type Step = (i64, Option<(&'static str, &'static str)>, Option<&'static Deed>);

#[tokio::test]
#[ignore = "serves for a while, to look at it"]
async fn look() {
    let look = std::env::var("HEARTHWATCH_LOOK").unwrap_or_else(|_| "many".into());
    let (story, acts): (_, &'static [Deed]) = match look.as_str() {
        "none" | "duty" => (&[][..], &[]),
        "one" | "storm" => (ONE, &[]),
        _ => (
            MANY,
            &[
                (1_400, "fall", "seen", ""),
                (1_380, "fall", "on-my-way", ",\"minutes\":30"),
                (410, "h0733", "seen", ""),
                (400, "h0733", "no-answer", ""),
                (300, "h0733", "safe", ",\"how\":\"spoke\""),
                (70, "smoke", "on-my-way", ",\"minutes\":10"),
            ],
        ),
    };
    let port = std::env::var("HEARTHWATCH_LOOK_PORT").ok().and_then(|port| port.parse().ok()).unwrap_or(0);
    let house = House::start(Options { port, back_s: 50_000, ..Options::default() }).await;
    let mut all: Vec<Step> = story.iter().map(|(ago, topic, word)| (*ago, Some((*topic, *word)), None)).collect();
    all.extend(acts.iter().map(|act| (act.0, None, Some(act))));
    all.sort_by_key(|(ago, ..)| -ago);
    // The broker is away for two hours and a half, until half an hour ago.
    all.retain(|(ago, ..)| look != "outage" || *ago > 9_900);
    for (ago, said, act) in all {
        house.clock.set_back_s(ago);
        house.settle().await;
        if let Some((topic, word)) = said {
            house.say(topic, word).await;
        }
        if let Some((_, which, act, more)) = act {
            let open = house.board.open();
            let found = open.iter().find(|shown| shown.alarm.kind.name() == *which || shown.home.id.as_str() == *which);
            let alarm = &found.unwrap().alarm;
            let body = format!("{{\"revision\":{}{more}}}", alarm.revision);
            let reply = house.post(&format!("/api/v1/alarms/{}/{act}", alarm.id), &body).await;
            assert_eq!(reply.status, 200, "{}", reply.text);
            house.settle().await;
        }
    }
    if look == "outage" {
        house.handle.link(false);
        house.settle().await;
        house.clock.set_back_s(1_800);
        house.settle().await;
        house.handle.link(true);
        house.settle().await;
    }
    if look == "duty" {
        house.handle.register(vec![super::duty::rota(), super::duty::ladder(&["deputy"])]).await.unwrap();
    }
    house.clock.set_back_s(0);
    house.settle().await;
    if look == "visits" {
        owe_visits(&house).await;
    }
    for n in 0..if look == "storm" { 600 } else { 0 } {
        house.say(&format!("x{n}/button"), if n % 3 == 0 { "gas" } else { "sos" }).await;
    }
    let seconds = std::env::var("HEARTHWATCH_LOOK_S").ok().and_then(|s| s.parse().ok()).unwrap_or(600);
    println!("http://{}  {}", house.address, house.cookie().await);
    tokio::time::sleep(Duration::from_secs(seconds)).await;
}

/// Every other home is a care bed of one of two caseworkers, whose day is half done, in a cold wave.
async fn owe_visits(house: &House) {
    let rules = RulesPatch { online_visits_daily: Some(1), home_visits_a_week: Some(2), ..RulesPatch::default() };
    let known = house.handle.ask(|core| core.site.registry.homes.clone()).await.unwrap();
    let beds = (0..).zip(known.into_values()).map(|(n, home): (usize, Home)| {
        let caseworker = ["张敏", "李强"].get(n % 3).map(|name| name.parse().unwrap());
        let rules = if n % 2 == 0 { rules.clone() } else { home.rules.clone() };
        Entity::Home(Home { rules, caseworker, ..home })
    });
    house.handle.register(beds.collect()).await.unwrap();
    for (home, degrees) in [("h0487", "6.5"), ("h0733", "8"), ("h0231", "17.2")] {
        house.say(&format!("{home}/bedroom"), &format!("temperature={degrees}")).await;
    }
    house.say("h0733/kitchen", "co=false").await;
    let until = jiff::Timestamp::from_second(house.clock.read().1.0 / 1_000 + 172_800).unwrap();
    let said = [
        ("cold-waves/zhonglou", format!("{{\"until\":\"{until}\"}}")),
        ("visits/online:h0231", "{\"outcome\":\"fine\"}".into()),
        ("visits/online:h0733", "{\"outcome\":\"no_answer\"}".into()),
    ];
    for (path, body) in said {
        let bearer = format!("Bearer {TOKEN}");
        let reply = house.send("PUT", &format!("/api/v1/{path}"), &[("authorization", &bearer)], &body).await;
        assert_eq!(reply.status, 200, "{}", reply.text);
    }
    house.settle().await;
}
