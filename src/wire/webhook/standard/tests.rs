use super::*;
use crate::engine::alarm::{Progress, Reason, Safe, SafeHow};
use crate::engine::id::AlarmId;
use crate::engine::kind::{AlarmKind, Kind};
use crate::engine::parcel::{AlarmNotice, Content, NoticeType, PersonalContact};
use crate::engine::registry::{Channel, ChannelDialect};
use crate::engine::view::{OverView, SeenView};
use proptest::prelude::*;
use serde_json::json;
use std::sync::Arc;

fn parcel(site: &str, home: &str) -> Parcel {
    let site: crate::engine::id::SiteId = site.parse().unwrap();
    let alarm = AlarmId { site: site.clone(), number: 184 };
    let raised = Wall(1_766_448_000_250);
    Parcel {
        notice: NoticeId { alarm: alarm.clone(), number: 3 },
        attempt: 1,
        channel: Arc::new(Channel::new(
            "desk".parse().unwrap(),
            site.clone(),
            ChannelDialect::Standard,
            "https://example.org/hook",
            "env:SECRET",
        )),
        issued: Wall(1_766_448_001_000),
        content: Content::Alarm(Box::new(AlarmNotice {
            kind: NoticeType::Notice,
            alarm: AlarmView {
                id: alarm,
                revision: 7,
                kind: AlarmKind::Sos,
                priority: AlarmKind::Sos.priority(),
                raised_at: raised,
                happened_at: raised,
                age_unknown: false,
                late_by_s: 0,
                events: 2,
                last_event_at: raised,
                reason: Reason::Said { kind: Kind::Sos, device: "h0012/button".into() },
                seen: None,
                over: None,
                safe: None,
                unanswered: 0,
                no_access: 0,
                last_taker: None,
            },
            home: HomeView { id: home.parse().unwrap(), site, claimed: true, community: None, block: None },
            rung: 1,
            round: 0,
            next: Some(NextView { at: Wall(1_766_448_060_000), to: "deputy".into() }),
            people: Vec::new(),
            by: None,
            by_name: None,
            outcome: None,
            personal: None,
        })),
    }
}

fn told(parcel: &mut Parcel) -> &mut AlarmNotice {
    match &mut parcel.content {
        Content::Alarm(told) => told,
        Content::Digest(_) | Content::Test(_) => panic!("of no one alarm"),
    }
}

fn rendered(parcel: &Parcel, link: Option<&str>) -> Value {
    serde_json::from_slice(&render(parcel, link).unwrap()).unwrap()
}

#[test]
fn a_notice_reads_as_the_contract_shows() {
    let expected = json!({
        "specversion": "1.0",
        "id": "zl-000184-n3",
        "source": "/sites/zhonglou",
        "type": "hearthwatch.alarm.notice",
        "time": "2025-12-23T00:00:01.000Z",
        "subject": "homes/h0012",
        "datacontenttype": "application/json",
        "data": {
            "schema": 1,
            "sequence": 3,
            "alarm": {
                "id": "zl-000184", "revision": 7, "kind": "sos", "priority": "life",
                "raised_at": "2025-12-23T00:00:00.250Z", "happened_at": "2025-12-23T00:00:00.250Z", "age_unknown": false,
                "late_by_s": 0, "events": 2, "last_event_at": "2025-12-23T00:00:00.250Z",
                "reason": {"why": "said", "kind": "sos", "device": "h0012/button"},
                "seen": null, "over": null, "safe": null, "unanswered": 0, "no_access": 0, "last_taker": null,
            },
            "home": {"id": "h0012", "site": "zhonglou", "claimed": true},
            "rung": 1,
            "loop": 0,
            "next": {"at": "2025-12-23T00:01:00.000Z", "to": "deputy"},
            "links": {"respond": "https://watch.example.org/r#token"},
        },
    });
    let mut parcel = parcel("zhonglou", "h0012");
    told(&mut parcel).alarm.id.site = "zl".parse().unwrap();
    parcel.notice.alarm.site = "zl".parse().unwrap();
    assert_eq!(rendered(&parcel, Some("https://watch.example.org/r#token")), expected);
}

#[test]
fn what_is_not_known_is_null() {
    let mut parcel = parcel("zhonglou", "h0012");
    told(&mut parcel).next = None;
    let body = rendered(&parcel, None);
    assert_eq!(body["data"]["next"], Value::Null);
    assert_eq!(body["data"]["links"], json!({"respond": null}));
    let absent = ["by", "outcome", "personal"].map(|field| body["data"].get(field).is_none());
    assert_eq!(absent, [true; 3]);
}

#[test]
fn taken_and_closed_say_by_whom() {
    let mut parcel = parcel("zhonglou", "h0012");
    told(&mut parcel).kind = NoticeType::Taken;
    told(&mut parcel).by = Some("zhang-min".parse().unwrap());
    let by: ResponderId = "zhang-min".parse().unwrap();
    let at = Wall(1_766_448_002_000);
    told(&mut parcel).alarm.seen =
        Some(SeenView { by: by.clone(), at, until: Wall(1_766_448_182_000), how: Progress::OnMyWay });
    let body = rendered(&parcel, None);
    assert_eq!((&body["type"], &body["data"]["by"]), (&json!("hearthwatch.alarm.taken"), &json!("zhang-min")));
    let seen = json!({"by": "zhang-min", "at": "2025-12-23T00:00:02.000Z", "until": "2025-12-23T00:03:02.000Z", "how": "on_my_way"});
    assert_eq!(body["data"]["alarm"]["seen"], seen);

    told(&mut parcel).kind = NoticeType::Closed;
    told(&mut parcel).outcome = Some("accidental");
    told(&mut parcel).alarm.over = Some(OverView { at });
    told(&mut parcel).alarm.safe = Some(Safe { by, at, how: SafeHow::Spoke });
    let body = rendered(&parcel, None);
    assert_eq!((&body["type"], &body["data"]["outcome"]), (&json!("hearthwatch.alarm.closed"), &json!("accidental")));
    assert_eq!(body["data"]["alarm"]["over"], json!({"at": "2025-12-23T00:00:02.000Z"}));
    let safe = json!({"by": "zhang-min", "at": "2025-12-23T00:00:02.000Z", "how": "spoke"});
    assert_eq!(body["data"]["alarm"]["safe"], safe);
}

fn personal(text: &str, contacts: usize) -> Personal {
    let contact = PersonalContact { name: text.into(), phone: text.into(), role: text.into() };
    Personal { address: text.into(), residents: vec![contact.clone(); contacts], contacts: vec![contact; contacts] }
}

#[test]
fn personal_data_needs_the_parcel_and_the_channel() {
    for (in_parcel, allowed) in [(false, false), (false, true), (true, false), (true, true)] {
        let mut parcel = parcel("zhonglou", "h0012");
        Arc::make_mut(&mut parcel.channel).include_personal = allowed;
        told(&mut parcel).personal = in_parcel.then(|| personal("翠竹路3号", 1));
        let body = rendered(&parcel, None);
        assert_eq!(body["data"].get("personal").is_some(), in_parcel && allowed, "{in_parcel} {allowed}");
        if in_parcel && allowed {
            assert_eq!(body["data"]["personal"]["contacts"][0]["name"], "翠竹路3号");
        }
    }
}

#[test]
fn ids_of_any_letters_stay_safe_in_headers() {
    let parcel = parcel("钟楼 3.b", "h/12");
    let body = rendered(&parcel, None);
    assert_eq!(message_id(&parcel.notice), "%E9%92%9F%E6%A5%BC%203%2Eb-000184-n3");
    assert_eq!(body["id"], "%E9%92%9F%E6%A5%BC%203%2Eb-000184-n3");
    assert_eq!(body["source"], "/sites/%E9%92%9F%E6%A5%BC%203.b");
    assert_eq!(body["subject"], "homes/h/12");
    assert_eq!(body["data"]["alarm"]["id"], "钟楼 3.b-000184");
}

#[test]
fn a_body_is_small_whatever_stands_in_it() {
    let worst = ["\u{1}", "\"", "字", "🏠", "a"];
    for letter in worst {
        // A control character may stand in no id.
        let id = if letter == "\u{1}" { "\\" } else { letter };
        let longest_id = id.repeat(256 / id.len());
        let mut parcel = parcel(&longest_id, &longest_id);
        Arc::make_mut(&mut parcel.channel).include_personal = true;
        let long = letter.repeat(5_000);
        let by: ResponderId = longest_id.parse().unwrap();
        parcel.notice.alarm.number = u64::MAX;
        told(&mut parcel).alarm.id.number = u64::MAX;
        told(&mut parcel).alarm.reason = Reason::Silent {
            last_activity: Wall(0),
            last_kind: Some(Kind::Motion),
            last_room: long.clone().into(),
            silent_s: u64::MAX,
            limit_s: u64::MAX,
            limit: long.clone().into(),
        };
        told(&mut parcel).alarm.seen =
            Some(SeenView { by: by.clone(), at: Wall(0), until: Wall(0), how: Progress::OnSite });
        told(&mut parcel).alarm.safe = Some(Safe { by: by.clone(), at: Wall(0), how: SafeHow::Spoke });
        told(&mut parcel).alarm.last_taker = Some(by.clone());
        told(&mut parcel).by = Some(by);
        told(&mut parcel).home.community = Some(long.clone().into());
        told(&mut parcel).home.block = Some(long.clone().into());
        told(&mut parcel).next = Some(NextView { at: Wall(0), to: long.clone().into() });
        told(&mut parcel).personal = Some(personal(&long, 20));
        let link = format!("https://watch.example.org/r#{}", "a".repeat(1_300));
        let body = render(&parcel, Some(&link)).unwrap();
        assert!(body.len() <= MAX_BODY_BYTES, "{letter:?}: {} bytes", body.len());
        let body: Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(body["data"]["home"]["id"], longest_id);
        assert_eq!(body["data"]["alarm"]["id"], told(&mut parcel).alarm.id.to_string());
        assert_eq!(body["data"]["links"]["respond"], link, "a link that is cut leads nowhere");
    }
}

#[test]
fn personal_data_stays_where_cutting_is_enough() {
    let mut parcel = parcel("zhonglou", "h0012");
    Arc::make_mut(&mut parcel.channel).include_personal = true;
    told(&mut parcel).personal = Some(personal("a", 1));
    told(&mut parcel).personal.as_mut().unwrap().address = "b".repeat(30_000);
    let body = rendered(&parcel, None);
    assert_eq!(body["data"]["personal"]["address"].as_str().unwrap().chars().count(), CUT_CHARS + 1);
    assert_eq!(body["data"]["personal"]["contacts"][0]["phone"], "a");
}

proptest! {
    #[test]
    fn any_text_gives_a_small_json_body(text in ".{0,3000}", n in 0usize..40) {
        let mut parcel = parcel("zhonglou", "h0012");
        Arc::make_mut(&mut parcel.channel).include_personal = true;
        told(&mut parcel).alarm.reason = Reason::Unreadable { topic: text.clone().into() };
        told(&mut parcel).personal = Some(personal(&text, n));
        let body = render(&parcel, None).unwrap();
        prop_assert!(body.len() <= MAX_BODY_BYTES);
        prop_assert!(serde_json::from_slice::<Value>(&body).is_ok());
    }

    #[test]
    fn a_message_id_is_plain_and_unique(site in "\\PC{1,40}") {
        prop_assume!(!site.chars().any(char::is_control));
        let id = message_id(&NoticeId { alarm: AlarmId { site: site.parse().unwrap(), number: 1 }, number: 1 });
        prop_assert!(id.bytes().all(|b| b.is_ascii_graphic() && b != b'.'));
        let back: Vec<u8> = decoded(&id);
        prop_assert_eq!(String::from_utf8(back).unwrap(), format!("{site}-000001-n1"));
    }
}

/// Undoes percent-encoding.
fn decoded(text: &str) -> Vec<u8> {
    let mut bytes = text.bytes();
    let mut out = Vec::new();
    while let Some(byte) = bytes.next() {
        out.push(match byte {
            b'%' => {
                let hex = [bytes.next().unwrap(), bytes.next().unwrap()];
                u8::from_str_radix(std::str::from_utf8(&hex).unwrap(), 16).unwrap()
            }
            other => other,
        });
    }
    out
}

const SECRET_24: &str = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX";
const SECRET_64: &str =
    "whsec_//79/Pv6+fj39vX08/Lx8O/u7ezr6uno5+bl5OPi4eDf3t3c29rZ2NfW1dTT0tHQz87NzMvKycjHxsXEw8LBwA==";

/// Computed by the Standard Webhooks project's own Python library (standardwebhooks 1.1.0).
#[test]
fn signatures_are_those_of_the_reference_implementation() {
    let table = [
        (
            SECRET_24,
            "zhonglou-000184-n3",
            1_766_448_000,
            r#"{"specversion":"1.0"}"#,
            "v1,TRTDeHCeNpQqyq13j4P5M/UNLu5ZJjQntbe0GxpR8SI=",
        ),
        (
            SECRET_64,
            "zhonglou-000184-n3",
            1_766_448_000,
            r#"{"specversion":"1.0"}"#,
            "v1,wZnRfHlxN5sCV9KCyuXljZMrzBEYqHgNuZkj8BJJPXU=",
        ),
        (
            SECRET_24,
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            1_614_265_330,
            r#"{"test": 2432232314}"#,
            "v1,/485aUtxlie+TIScVpHggMfqOB4so2KWb7+Gf727B44=",
        ),
        (SECRET_64, "a-000001-n1", 0, "钟楼区 危急", "v1,IuVlXtZftwMT5TxPp5r3iecJ87eO7LDhjMdPiEt5UZE="),
        (SECRET_24, "a-000001-n1", 1, "", "v1,uGkpAX8vhWfxo5l4dfwT5bpcr5bPpzSUUalBIYBFxBo="),
    ];
    for (secret, id, timestamp_s, body, signature) in table {
        assert_eq!(Secrets::parse(secret).unwrap().sign(id, timestamp_s, body.as_bytes()), signature);
    }
}

/// The example of the specification's own libraries: https://github.com/standard-webhooks/standard-webhooks, their tests.
#[test]
fn the_signature_is_that_of_the_published_example() {
    let signature = Secrets::parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap().sign(
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        1_614_265_330,
        br#"{"test": 2432232314}"#,
    );
    assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
}

#[test]
fn rotating_secrets_sign_side_by_side() {
    let both = Secrets::parse(&format!(" {SECRET_64}\n{SECRET_24}\n")).unwrap().sign(
        "a-000001-n1",
        0,
        "钟楼区 危急".as_bytes(),
    );
    let (first, second) = both.split_once(' ').unwrap();
    assert_eq!(first, "v1,IuVlXtZftwMT5TxPp5r3iecJ87eO7LDhjMdPiEt5UZE=");
    assert_eq!(second, Secrets::parse(SECRET_24).unwrap().sign("a-000001-n1", 0, "钟楼区 危急".as_bytes()));
}

#[test]
fn a_bad_secret_says_why_and_nothing_of_itself() {
    let of = |bytes: usize| format!("whsec_{}", BASE64.encode(vec![7; bytes]));
    let table = [
        (String::new(), BadSecret::Missing),
        (" \n".to_owned(), BadSecret::Missing),
        ("AAECAwQFBgcICQoLDA0ODxAREhMUFRYX".to_owned(), BadSecret::Prefix),
        (format!("{SECRET_24} AAEC"), BadSecret::Prefix),
        ("whsec_!".to_owned(), BadSecret::Encoding),
        ("whsec_".to_owned(), BadSecret::Length),
        (of(23), BadSecret::Length),
        (of(65), BadSecret::Length),
        ([SECRET_24; 5].join(" "), BadSecret::TooMany),
    ];
    for (text, why) in table {
        assert_eq!(Secrets::parse(&text).unwrap_err(), why, "{text}");
    }
    assert!(Secrets::parse(&[of(24), of(64), of(32), of(48)].join("\n")).is_ok());
    assert_eq!(format!("{:?}", Secrets::parse(SECRET_24).unwrap()), "Secrets([Secret(…)])");
}
