use super::*;
use crate::engine::policy::Rules;
use std::collections::BTreeSet;

const DOCUMENTED: &str = include_str!("../../config/hearthwatch.toml");
const DEMO: &str = include_str!("../../config/demo.toml");
const PLAN: &str = include_str!("../../config/plans/default.toml");

const LEAST: &str =
    "[mqtt]\nurl='mqtt://h'\n[site.a]\ntimezone='Asia/Shanghai'\n[source.z]\nsite='a'\ndialect='hearthwatch'\n";

/// The mistakes of a configuration as text, one a line.
fn mistakes(text: &str, env: &[(&str, &str)]) -> String {
    let env = env.iter().map(|(k, v)| (k.to_string(), v.to_string()));
    match sections::read("c", text, env) {
        Ok(_) => String::new(),
        Err(found) => found.iter().map(|m| format!("{m}\n")).collect(),
    }
}

/// The documented file with its `#key = default` lines made active, and with `# e.g. ` ones too where `examples`.
fn active(examples: bool) -> String {
    let line = |line: &str| match (line.strip_prefix("# e.g. "), line.strip_prefix('#')) {
        (Some(example), _) if examples => example.to_owned(),
        (None, Some(default)) if !default.starts_with(' ') => default.to_owned(),
        _ => line.to_owned(),
    };
    DOCUMENTED.lines().map(|l| line(l) + "\n").collect()
}

#[test]
fn documented_defaults_are_the_codes() {
    let plain = Config::parse("c", DOCUMENTED).unwrap();
    assert_ne!(DOCUMENTED, active(false));
    assert_eq!(plain, Config::parse("c", &active(false)).unwrap());
}

#[test]
fn every_key_is_documented() {
    let text = active(true).replace("url = \"mqtt://", "url = \"mqtts://");
    Config::parse("c", &text).unwrap();
    let documented = tree::from_toml("c", &text).unwrap();
    let in_file = |section: &str, key: &str| {
        let mut at = Some(&documented);
        for name in section.split('.').filter(|s| !s.is_empty()) {
            let (name, row) = name.split_once('[').map_or((name, false), |(name, _)| (name, true));
            at = at.and_then(|table| table.get(name)).and_then(|entry| match &entry.value {
                tree::Value::Table(table) if !row => Some(table),
                tree::Value::List(rows) if row => rows.first().and_then(|r| match r {
                    tree::Value::Table(table) => Some(table),
                    _ => None,
                }),
                _ => None,
            });
        }
        at.is_some_and(|table| table.get(key).is_some())
    };
    // Thresholds stand in the built-in plan, the words of alarms in a remark; the second source is there for its dialect.
    let elsewhere = |section: &str| section == "source.own" || section.starts_with("site.zhonglou.");
    let asked: BTreeSet<_> = sections::keys(&text).into_iter().filter(|(section, _)| !elsewhere(section)).collect();
    assert!(asked.len() > 25, "only {} keys asked for", asked.len());
    let missing: Vec<_> = asked.iter().filter(|(section, key)| !in_file(section, key)).collect();
    assert!(missing.is_empty(), "config/hearthwatch.toml says nothing of {missing:?}");
}

#[test]
fn the_built_in_plan_is_shown_as_it_is() {
    let shown: BTreeMap<String, BTreeMap<String, u32>> = toml::from_str(PLAN).unwrap();
    let built_in = Rules::BUILT_IN.table().into_iter().map(|(name, value, _)| (name.to_owned(), value)).collect();
    assert_eq!(shown, BTreeMap::from([("rules".to_owned(), built_in)]));
    for (name, _, range) in Rules::BUILT_IN.table() {
        let number = |n: u32| {
            let digits = n.to_string();
            let groups = digits.as_bytes().rchunks(3).rev().map(|g| std::str::from_utf8(g).unwrap());
            groups.collect::<Vec<_>>().join(",")
        };
        let range = format!("{} to {}", number(*range.start()), number(*range.end()));
        assert!(PLAN.contains(&range), "{name}: {range} is not in the file");
    }
}

#[test]
fn the_demo_and_the_least_configuration_are_valid() {
    Config::parse("c", DEMO).unwrap();
    let config = Config::parse("c", LEAST).unwrap();
    let site = &config.sites["a"];
    assert_eq!((site.name.as_str(), site.zone.iana_name()), ("a", Some("Asia/Shanghai")));
    assert_eq!(site.rules.ladder["life"].as_str(), "life");
    assert_eq!(config.sources["z"].topics, ["hearthwatch/{site}/{home}/{device}"]);
    assert_eq!(config.mqtt.broker, Broker { host: "h".into(), port: 1883, tls: false });
    assert_eq!(config.journal_dir(&site.id), Path::new("data/journal/a"));
}

#[test]
fn all_mistakes_are_told_at_once() {
    let text = "\
[service]
keys_dir = 'data/../data/journal/a/keys'
public_ulr = 'https://x'
[mqtt]
url = 'tcp://h'
keepalive_s = 500
password = 'file:x'
life_topics = ['a/#/b']
[site.A]
timezone = 'Asia/Shanghi'
[site.b]
timezone = 'Asia/Shanghai'
name = 7
[site.b.rules]
hold_s = 1
cap = 2
[source.z]
site = 'c'
dialect = 'zigbee'
topic = 'zigbee2mqtt/+'
[extra]
";
    let expected = "\
c:2: service.keys_dir: lies inside the journals' directory; choose a directory of its own, so that a copy of a journal never carries the keys to it
c:3: service.public_ulr: is not known; did you mean public_url?
c:5: mqtt.url: begins neither with mqtt:// nor with mqtts://; write mqtt://HOST:PORT or mqtts://HOST:PORT
c:6: mqtt.keepalive_s: is 500, but must lie in 5 to 15; write a number of 5 to 15
c:7: mqtt.password: stands without username; add username, or remove both
c:8: mqtt.life_topics: holds \"a/#/b\", which is no topic filter; let + and # stand for whole levels, # only for the last, in 256 bytes at most
c:9: site.A: is no short name; use 1 to 32 small letters, digits, dashes and underscores
c:10: site.A.timezone: names no time zone with \"Asia/Shanghi\"; did you mean Asia/Shanghai?
c:13: site.b.name: is a number, but must be a text; put it in quotes
c:15: site.b.rules.hold_s: is 1, but must lie in 10 to 600; write a number of 10 to 600
c:16: site.b.rules.cap: is not known; remove it; known here are ";
    let found = mistakes(text, &[]);
    assert!(found.starts_with(expected), "{found}");
    for rest in [
        "c:18: source.z.site: names no site with \"c\"; did you mean b?",
        "c:19: source.z.dialect: may not be \"zigbee\"; write one of hearthwatch, zigbee2mqtt, ",
        "c:20: source.z.topic: has no valid level with \"+\"; write",
        "c:21: extra: is not known; remove it",
    ] {
        assert!(found.contains(rest), "{rest}\nis not in\n{found}");
    }
    assert_eq!(found.lines().count(), 15, "{found}");
}

#[test]
fn what_is_missing_is_told() {
    let found = mistakes("", &[]);
    for key in ["mqtt.url: is missing", "site.NAME: is missing", "source.NAME: is missing"] {
        assert!(found.contains(key), "{found}");
    }
    let account =
        format!("{LEAST}[[console.account]]\nname='x'\n[[console.account]]\nname='x'\nrole='boss'\ntoken='file:'\n");
    let found = mistakes(&account, &[]);
    for mistake in [
        "c:8: console.account[1].role: is missing",
        "c:8: console.account[1].token: is missing",
        "c:12: console.account[2].role: may not be \"boss\"; write one of viewer, operator, admin",
        "c:13: console.account[2].token: names no secret",
    ] {
        assert!(found.contains(mistake), "{mistake}\nis not in\n{found}");
    }
}

#[test]
fn brokers_and_topics() {
    let url = |url: &str| mistakes(&LEAST.replace("mqtt://h", url), &[]).is_empty();
    for good in
        ["mqtt://h", "mqtts://h:8884", "mqtt://127.0.0.1:1", "mqtt://[::1]:1883", "mqtts://[fe80::1]", "mqtt://h/"]
    {
        assert!(url(good), "{good}");
    }
    for bad in [
        "h",
        "mqtt://",
        "mqtt://:1883",
        "mqtt://h:0",
        "mqtt://h:x",
        "mqtt://u:p@h",
        "ws://h",
        "mqtt://h/x",
        "mqtt://[::1",
    ] {
        assert!(!url(bad), "{bad}");
    }
    let topic = |topic: &str| mistakes(&format!("{LEAST}topic='{topic}'\n"), &[]).is_empty();
    for good in ["zigbee2mqtt/{home}/{device}", "{device}", "a/{app}/device/{device}/event/{event}"] {
        assert!(topic(good), "{good}");
    }
    for bad in [
        "",
        "zigbee2mqtt",
        "a/{home}",
        "a/{device}/{device}",
        "a//{device}",
        "a/{device}/#",
        "a/x{device}",
        "a/{DEVICE}",
    ] {
        assert!(!topic(bad), "{bad}");
    }
    let twice = format!("{LEAST}[source.y]\nsite='a'\ndialect='hearthwatch'\n");
    assert!(mistakes(&twice, &[]).contains("is the topic of [source.y] too"));
}

#[test]
fn the_environment_overrides() {
    let env = [
        ("HEARTHWATCH__MQTT__URL", "mqtts://broker:8883"),
        ("HEARTHWATCH__MQTT__KEEPALIVE_S", "14"),
        ("HEARTHWATCH__MQTT__LIFE_TOPICS", "a/+/sos, b/#"),
        ("HEARTHWATCH__SITE__A__NAME", "North"),
        ("HEARTHWATCH__JOURNAL__SEGMENT_MIB", "8"),
        ("HEARTHWATCH_TOKEN", "not ours"),
        ("PATH", "/bin"),
    ];
    let owned = env.map(|(k, v)| (k.to_owned(), v.to_owned()));
    let (config, _) = sections::read("c", LEAST, owned).unwrap();
    assert_eq!(config.mqtt.broker, Broker { host: "broker".into(), port: 8883, tls: true });
    assert_eq!((config.mqtt.keepalive_s, config.journal.segment_mib), (14, 8));
    assert_eq!(config.mqtt.life_topics, ["a/+/sos", "b/#"]);
    assert_eq!(config.sites["a"].name, "North");

    let found = mistakes(LEAST, &[("HEARTHWATCH__MQTT__KEEPALIVE", "30"), ("HEARTHWATCH__MQTT__KEEPALIVE_S", "often")]);
    let expected = "\
environment: HEARTHWATCH__MQTT__KEEPALIVE: is not known; did you mean HEARTHWATCH__MQTT__KEEPALIVE_S?
environment: HEARTHWATCH__MQTT__KEEPALIVE_S: is a text, but must be a whole number; write a number of 5 to 15
";
    assert_eq!(found, expected);
}

#[test]
fn check_looks_at_what_the_file_names() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("c.toml");
    let secrets = dir.path().display();
    let text = format!(
        "\
[service]
secrets_dir = '{secrets}'
[mqtt]
url = 'mqtts://h'
username = 'u'
password = 'file:absent'
ca_file = '/absent/ca.pem'
[[console.account]]
name = 'x'
role = 'admin'
token = 'file:token'
[site.a]
timezone = 'Asia/Shanghai'
[source.z]
site = 'a'
dialect = 'hearthwatch'
"
    );
    std::fs::write(&path, text).unwrap();
    std::fs::write(dir.path().join("token"), "short but secret\n").unwrap();
    let told = |found: &[Mistake]| found.iter().map(|m| format!("{m}\n")).collect::<String>();
    let found = told(&check(&path).unwrap_err());
    for part in [
        "mqtt.password: the secret file",
        "ca_file: /absent/ca.pem cannot be read",
        "account[1].token: is too short a token",
    ] {
        assert!(found.contains(part), "{part}\nis not in\n{found}");
    }
    assert!(!found.contains("short but secret"), "{found}");
    let found = told(&check(&dir.path().join("none.toml")).unwrap_err());
    assert!(found.contains("none.toml: cannot be read"), "{found}");
}
