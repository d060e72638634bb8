use super::message::cut;
use super::*;
use crate::engine::alarm::{Progress, Reason, Safe, SafeHow};
use crate::engine::delivery::{Failure, Outcome};
use crate::engine::home::care::VisitKind;
use crate::engine::id::{AlarmId, HomeId, NoticeId, ResponderId, SiteId};
use crate::engine::kind::{AlarmKind, Kind, Priority};
use crate::engine::parcel::*;
use crate::engine::registry::{Answers, Channel, Language, Template};
use crate::engine::time::Millis;
use crate::engine::view::{AlarmView, HomeView, NextView, SeenView};
use crate::wire::respond::{Links, MAX_PUBLIC_URL_BYTES};
use serde_json::{Value, json};
use std::sync::Arc;

/// 03:13:20 in Shanghai on 2025-12-24.
const ISSUED: Wall = Wall(1_766_517_200_000);

fn minutes_ago(minutes: i64) -> Wall {
    Wall(ISSUED.0 - minutes * 60_000)
}

fn site() -> SiteId {
    "zhonglou".parse().unwrap()
}

fn channel(dialect: ChannelDialect) -> Channel {
    Channel::new("desk".parse().unwrap(), site(), dialect, "https://example.org/hook", "")
}

fn links(base: &str) -> Links {
    Links::new(ring::hmac::Key::new(ring::hmac::HMAC_SHA256, b"key"), base)
}

/// The link that stands in every notice here.
fn url() -> String {
    desk().link(&parcel(ChannelDialect::Standard, told(AlarmKind::Sos))).unwrap()
}

fn desk() -> Desk {
    Desk {
        links: Some(links("https://watch.example.org")),
        zone: TimeZone::get("Asia/Shanghai").unwrap(),
        phone: "0519-0000-0000".to_owned(),
    }
}

fn told(kind: AlarmKind) -> AlarmNotice {
    AlarmNotice {
        kind: NoticeType::Notice,
        alarm: AlarmView {
            id: AlarmId { site: site(), number: 184 },
            revision: 7,
            kind,
            priority: kind.priority(),
            raised_at: minutes_ago(1),
            happened_at: minutes_ago(1),
            age_unknown: false,
            late_by_s: 0,
            events: 1,
            last_event_at: minutes_ago(1),
            reason: Reason::Said { kind: Kind::Sos, device: "bathroom-button".into() },
            seen: None,
            over: None,
            safe: None,
            unanswered: 0,
            no_access: 0,
            last_taker: None,
        },
        home: HomeView {
            id: "0012".parse().unwrap(),
            site: site(),
            claimed: true,
            community: Some("翠竹社区".into()),
            block: Some("3幢".into()),
        },
        rung: 1,
        round: 0,
        next: Some(NextView { at: Wall(ISSUED.0 + 60_000), to: "副班".into() }),
        people: vec![Person { name: "张敏".into(), phone: "138 0000-0001".into() }],
        by: None,
        by_name: None,
        outcome: None,
        personal: None,
    }
}

fn parcel_to(channel: Channel, content: Content) -> Parcel {
    let notice = NoticeId { alarm: AlarmId { site: site(), number: 184 }, number: 3 };
    Parcel { notice, attempt: 1, channel: Arc::new(channel), issued: ISSUED, content }
}

fn parcel(dialect: ChannelDialect, told: AlarmNotice) -> Parcel {
    parcel_to(channel(dialect), Content::Alarm(Box::new(told)))
}

/// The words alone, as a plain text.
fn text_of(language: Language, content: Content) -> String {
    let parcel = parcel_to(Channel { language, ..channel(ChannelDialect::Wecom) }, content);
    words::message(&parcel, &desk()).text(&words::WHOLE, "")
}

fn said(language: Language, told: AlarmNotice) -> String {
    text_of(language, Content::Alarm(Box::new(told)))
}

fn body(parcel: &Parcel) -> Value {
    serde_json::from_slice(&sending(parcel, &desk(), &Keys::None, 0, ISSUED).unwrap().body).unwrap()
}

#[test]
fn a_notice_says_in_order_what_a_caseworker_needs() {
    let mut sos = told(AlarmKind::Sos);
    sos.alarm.events = 2;
    sos.alarm.last_event_at = ISSUED;
    let expected = "\
【危急·紧急求助】翠竹社区 3幢 0012户
03:12、03:13 按下求助,共2次,无人接单
@张敏 马上:①打老人电话 ②不接,立即上门 ③危急先打120
03:14前未接单,自动通知副班
接单(看地址、电话、钥匙):LINK
打不开:0519-0000-0000 报\"0012\" 编号A184 第1次";
    assert_eq!(said(Language::Zh, sos), expected.replace("LINK", &url()));

    let mut silent = told(AlarmKind::Inactivity);
    silent.home.community = Some("Cuizhu".into());
    silent.home.block = Some("5".into());
    silent.home.id = "0487".parse().unwrap();
    silent.alarm.id.number = 1_219;
    silent.alarm.unanswered = 2;
    silent.alarm.reason = Reason::Silent {
        last_activity: minutes_ago(391),
        last_kind: Some(Kind::Motion),
        last_room: "kitchen".into(),
        silent_s: 23_400,
        limit_s: 21_600,
        limit: "cap".into(),
    };
    silent.next = Some(NextView { at: Wall(ISSUED.0 + 47 * 60_000), to: "lead".into() });
    silent.people[0].name = "Li Qiang".into();
    let expected = "\
[WELFARE · no activity] Cuizhu, block 5, household 0487
Last activity 23 Dec 20:42; 03:12 = 6 h 30 min, over this home's limit; 2 calls unanswered; nobody has taken it
@Li Qiang call the resident, else knock, and reply by 04:00
Not taken by 04:00: lead is told
No answer at the door: stay, press “no access”; the desk calls family and 110
Take it (address, phones, key):LINK
Link dead: 0519-0000-0000, say \"0487\". No. B219, notice 1";
    assert_eq!(said(Language::En, silent), expected.replace("LINK", &url()));
}

#[test]
fn fire_and_gas_come_first_to_119_and_nobody_goes_in() {
    let table = [
        (AlarmKind::Smoke, "①先打119", "不要进屋", "① 119 first", "do not enter"),
        (AlarmKind::Co, "①先打119", "不要进屋", "① 119 first", "do not enter"),
        (AlarmKind::Gas, "①先打119", "不碰开关", "① 119 first", "touch no switch"),
        (AlarmKind::Sos, "③危急先打120", "立即上门", "120 first", "go there at once"),
        (AlarmKind::Leak, "关阀", "不接就上门", "shut the valve", "else go there"),
        (AlarmKind::InactivityCheck, "【询问·", "打电话问一声", "[CHECK ·", "call and ask"),
    ];
    for (kind, zh1, zh2, en1, en2) in table {
        let (zh, en) = (said(Language::Zh, told(kind)), said(Language::En, told(kind)));
        for (text, words) in [(&zh, [zh1, zh2]), (&en, [en1, en2])] {
            assert!(words.iter().all(|word| text.contains(word)), "{kind}: {words:?} not in\n{text}");
        }
    }
}

#[test]
fn how_a_notice_stands_is_said() {
    let with = |change: &dyn Fn(&mut AlarmNotice)| {
        let mut told = told(AlarmKind::Sos);
        change(&mut told);
        (said(Language::Zh, told.clone()), said(Language::En, told))
    };
    let by: ResponderId = "zhang-min".parse().unwrap();
    type Change<'a> = &'a dyn Fn(&mut AlarmNotice);
    let table: &[(Change<'_>, &str, &str)] = &[
        (&|t| t.alarm.late_by_s = 59, "按下求助,无人接单", "pressed; nobody"),
        (&|t| t.alarm.late_by_s = 10_200, "(迟到2小时50分)", "(late by 2 h 50 min)"),
        (&|t| t.alarm.age_unknown = true, "发生时间不明", "nobody knows since when"),
        (&|t| t.alarm.last_taker = Some("zhang-min".parse().unwrap()), "有人接单但未办结", "taken, but not finished"),
        (&|t| t.alarm.happened_at = minutes_ago(300), "12月23日22:13 按下求助", "23 Dec 22:13 help button pressed"),
        (&|t| (t.rung, t.round) = (3, 4), "编号A184 第7次", "No. A184, notice 7"),
        (&|t| t.people.clear(), "请值班员 马上", "Desk: now"),
        (&|t| t.next = None, "危急先打120\n接单", "120 first\nTake it"),
        (
            &|t| t.home.claimed = false,
            "【危急·紧急求助】未登记设备0012\n",
            "[LIFE · call for help] unregistered device 0012\n",
        ),
        (
            &|t| (t.home.community, t.home.block) = (None, Some("3".into())),
            "】3幢 0012户\n",
            "] block 3, household 0012\n",
        ),
        (
            &|t| {
                t.kind = NoticeType::Taken;
                (t.rung, t.by, t.by_name) = (0, Some("zhang-min".parse().unwrap()), Some("张敏".into()));
                let (at, until) = (minutes_ago(0), Wall(ISSUED.0 + 1_200_000));
                t.alarm.seen = Some(SeenView { by: "zhang-min".parse().unwrap(), at, until, how: Progress::OnMyWay });
            },
            "【已接单·紧急求助】翠竹社区 3幢 0012户\n张敏 03:13 已出发,办到03:33\n",
            "[TAKEN · call for help] 翠竹社区, 3幢, household 0012\n张敏 is on the way since 03:13, until 03:33\n",
        ),
        (
            &|t| {
                (t.kind, t.rung, t.by, t.outcome) = (NoticeType::Closed, 0, Some(by.clone()), Some("accidental"));
                t.alarm.safe = Some(Safe { by: by.clone(), at: ISSUED, how: SafeHow::Spoke });
            },
            "【已结束·紧急求助】翠竹社区 3幢 0012户\nzhang-min办结:误触\n通过话,平安\n",
            "zhang-min: accidental\nsafe, spoken to\n",
        ),
        (&|t| (t.kind, t.by) = (NoticeType::Closed, None), "情况已自行解除\n", "It ended by itself\n"),
    ];
    for (change, zh, en) in table {
        let said = with(change);
        assert!(said.0.contains(zh), "{zh:?} is not in\n{}", said.0);
        assert!(said.1.contains(en), "{en:?} is not in\n{}", said.1);
    }
    // Where somebody is now, and who died, is not for a group.
    for code in ["hospital", "deceased", "not_home", "no_access"] {
        let (zh, _) = with(&|t| (t.kind, t.outcome) = (NoticeType::Closed, Some(code)));
        assert!(zh.contains("办结:已处理"), "{code}: {zh}");
    }
}

/// Every reason there is, each with a word that must not get out.
fn reasons() -> Vec<Reason> {
    let secret = || "SECRET-ROOM".into();
    vec![
        Reason::Said { kind: Kind::Sos, device: secret() },
        Reason::FoundTrue { kind: Kind::Smoke, device: secret() },
        Reason::LatchedRepeat { kind: Kind::Sos, device: secret() },
        Reason::Silent {
            last_activity: Wall(0),
            last_kind: None,
            last_room: secret(),
            silent_s: 1,
            limit_s: 1,
            limit: secret(),
        },
        Reason::EngineFault { fault: secret() },
        Reason::Unreadable { topic: secret() },
        Reason::Own { what: secret() },
        Reason::Unheard { since: Wall(0), homes: 40, deaf: false },
        Reason::Unwatched { since: Wall(0), until: None, last_activity: None },
        Reason::Lasting { since: Wall(0), lasted_s: 1, limit_s: 1, room: secret(), value: Some(4.25), more_c: None },
        Reason::ChannelDown { channel: "desk".parse().unwrap(), failure: "gone".into(), since: Wall(0) },
        Reason::Visit { visits: VisitKind::ALL.to_vec(), due: Wall(0), outcome: None },
    ]
}

const DIALECTS: [ChannelDialect; 5] = [
    ChannelDialect::Wecom,
    ChannelDialect::Dingtalk,
    ChannelDialect::Feishu,
    ChannelDialect::Slack,
    ChannelDialect::Template,
];

/// A channel that can speak its dialect.
fn able(dialect: ChannelDialect) -> Channel {
    let body = r#"{"text": {{ text }}, "to": {{ phones }}, "n": {{ repeat }}}"#.into();
    let template = Template { content_type: "application/json".into(), body, ..Template::default() };
    let template = (dialect == ChannelDialect::Template).then(|| Box::new(template));
    Channel { template, ..channel(dialect) }
}

#[test]
fn no_message_of_any_kind_tells_what_a_group_may_not_read() {
    let forbidden = [
        "SECRET",
        "独居",
        "低保",
        "无人在家",
        "nobody home",
        "卫生间",
        "卧室",
        "bathroom",
        "bedroom",
        "Wang",
        "翠竹路",
        "5551",
    ];
    for (dialect, language) in DIALECTS.iter().flat_map(|d| [(*d, Language::Zh), (*d, Language::En)]) {
        for (kind, reason) in AlarmKind::ALL.iter().flat_map(|kind| reasons().into_iter().map(|r| (*kind, r))) {
            for notice in [NoticeType::Notice, NoticeType::Taken, NoticeType::Closed] {
                let mut told = told(kind);
                (told.kind, told.alarm.reason) = (notice, reason.clone());
                let contact = PersonalContact { name: "Wang".into(), phone: "5551".into(), role: "resident".into() };
                let (residents, contacts) = (vec![contact.clone()], vec![contact]);
                told.personal = Some(Personal { address: "翠竹路3号".into(), residents, contacts });
                let channel = Channel { language, ..able(dialect) };
                let parcel = parcel_to(channel, Content::Alarm(Box::new(told)));
                let sent = sending(&parcel, &desk(), &Keys::None, 0, ISSUED).unwrap();
                let body = String::from_utf8(sent.body).unwrap();
                let found: Vec<_> = forbidden.iter().filter(|word| body.contains(**word)).collect();
                assert!(found.is_empty(), "{dialect:?} {kind} {reason:?}: {found:?} in {body}");
                assert!(body.contains("A184"), "{dialect:?} {kind}: {body}");
            }
        }
    }
}

#[test]
fn each_platform_gets_its_own_dress() {
    let life = || told(AlarmKind::Sos);
    let text = said(Language::Zh, life());
    let lines: Vec<&str> = text.lines().collect();
    let url = url();

    let wecom = body(&parcel(ChannelDialect::Wecom, life()));
    let expected = json!({"msgtype": "text", "text": {"content": text, "mentioned_mobile_list": ["13800000001"]}});
    assert_eq!(wecom, expected, "life is text, since only text mentions");
    let wecom = body(&parcel(ChannelDialect::Wecom, told(AlarmKind::Leak)));
    let content = wecom["markdown"]["content"].as_str().unwrap();
    assert_eq!(wecom["msgtype"], "markdown");
    assert!(content.starts_with("**【财产·漏水】翠竹社区 3幢 0012户**\n"), "{content}");
    assert!(content.contains(&format!("\n[接单(看地址、电话、钥匙)]({url})\n")), "{content}");

    let dingtalk = body(&parcel(ChannelDialect::Dingtalk, life()));
    assert_eq!(dingtalk["markdown"]["title"], lines[0]);
    assert_eq!(dingtalk["at"], json!({"atMobiles": ["13800000001"], "atUserIds": [], "isAtAll": false}));
    let content = dingtalk["markdown"]["text"].as_str().unwrap();
    assert!(content.starts_with(&format!("### {}\n\n{}\n\n", lines[0], lines[1])), "{content}");
    assert!(content.ends_with("第1次\n\n@13800000001"), "DingTalk mentions whom the text names: {content}");

    let feishu = body(&parcel(ChannelDialect::Feishu, life()));
    assert_eq!(feishu["msg_type"], "interactive");
    let card = &feishu["card"];
    let title = json!({"tag": "plain_text", "content": lines[0]});
    assert_eq!(card["header"], json!({"template": "red", "title": title}));
    let content = json!({"tag": "plain_text", "content": lines[1..].join("\n")});
    assert_eq!(card["elements"][0], json!({"tag": "div", "text": content}));
    assert_eq!(card["elements"][1]["actions"][0]["url"], url);

    let slack = body(&parcel(ChannelDialect::Slack, life()));
    assert_eq!(slack["text"], lines[0]);
    let content = slack["blocks"][0]["text"]["text"].as_str().unwrap();
    assert!(content.starts_with(&format!("*{}*\n{}\n", lines[0], lines[1])), "{content}");
    assert!(content.contains(&format!("\n<{url}|接单(看地址、电话、钥匙)>\n")), "{content}");
}

#[test]
fn whom_the_channel_wants_mentioned_is_mentioned_where_it_is_about_life() {
    let mention: Vec<Box<str>> = vec!["all".into(), "U123".into()];
    let sent = |dialect, told: AlarmNotice| {
        let channel = Channel { mention: mention.clone(), ..channel(dialect) };
        body(&parcel_to(channel, Content::Alarm(Box::new(told)))).to_string()
    };
    let taken = || AlarmNotice { kind: NoticeType::Taken, ..told(AlarmKind::Sos) };
    let table = [
        (ChannelDialect::Wecom, r#""mentioned_list":["@all","U123"]"#),
        (ChannelDialect::Dingtalk, r#""isAtAll":true"#),
        (ChannelDialect::Dingtalk, "@13800000001 @U123"),
        (ChannelDialect::Feishu, "<at id=all></at><at id=U123></at>"),
        (ChannelDialect::Slack, "<!channel> <@U123>"),
    ];
    for (dialect, expected) in table {
        let life = sent(dialect, told(AlarmKind::Sos));
        assert!(life.contains(expected), "{life}");
        for other in [sent(dialect, told(AlarmKind::Leak)), sent(dialect, taken())] {
            assert!(!other.contains(expected) && !other.contains("U123"), "{other}");
        }
    }
}

#[test]
fn what_people_wrote_is_neither_markup_nor_a_mention() {
    let evil = "<@all> <!channel> [x](https://evil.example) <at id=all></at> **b** @13900000000 \u{202e}&";
    for dialect in DIALECTS {
        let mut told = told(AlarmKind::Sos);
        told.home.community = Some(evil.into());
        told.home.block = Some(evil.into());
        told.home.id = HomeId::cut(evil);
        told.people[0].name = evil.into();
        told.next = Some(NextView { at: ISSUED, to: evil.into() });
        let body = body(&parcel_to(able(dialect), Content::Alarm(Box::new(told)))).to_string();
        let taken_for_more = ["<@all", "<!chan", "[x](", "://evil", "<at id", "**b", "@139", "\u{202e}"];
        let found: Vec<_> = taken_for_more.iter().filter(|markup| body.contains(**markup)).collect();
        assert!(found.is_empty(), "{dialect:?}: {found:?} in {body}");
    }
}

/// The most that a platform takes, where it counts, and what it counts.
fn counted(dialect: ChannelDialect, body: &Value) -> (usize, usize, String) {
    let text = |pointer: &str| body.pointer(pointer).and_then(Value::as_str).unwrap().to_owned();
    match dialect {
        ChannelDialect::Wecom if body["msgtype"] == "text" => {
            (2_048, text("/text/content").len(), text("/text/content"))
        }
        ChannelDialect::Wecom => (4_096, text("/markdown/content").len(), text("/markdown/content")),
        ChannelDialect::Dingtalk => (20_000, body.to_string().len(), text("/markdown/text")),
        ChannelDialect::Feishu => (20_000, body.to_string().len(), text("/card/elements/0/text/content")),
        ChannelDialect::Slack => (3_000, text("/blocks/0/text/text").chars().count(), text("/blocks/0/text/text")),
        _ => (2_048, text("/text").len(), text("/text")),
    }
}

#[test]
fn no_message_is_larger_than_its_platform_takes_and_its_end_is_whole() {
    for letter in ["a", "字", "🏠", "\"", "\\", "&"] {
        let long: Box<str> = letter.repeat(5_000).into();
        let id = letter.repeat(256 / letter.len());
        for (dialect, kind) in DIALECTS.iter().flat_map(|d| [(*d, AlarmKind::Sos), (*d, AlarmKind::Inactivity)]) {
            let mut told = told(kind);
            told.home.id = id.parse().unwrap();
            (told.home.community, told.home.block) = (Some(long.clone()), Some(long.clone()));
            told.next = Some(NextView { at: ISSUED, to: long.clone() });
            told.people = vec![Person { name: long.to_string(), phone: "13800000001".into() }; 30];
            let desk =
                Desk { links: Some(links(&format!("https://{}", "w".repeat(MAX_PUBLIC_URL_BYTES - 8)))), ..desk() };
            let parcel = parcel_to(able(dialect), Content::Alarm(Box::new(told)));
            let sent = sending(&parcel, &desk, &Keys::None, 0, ISSUED).unwrap();
            let (most, found, text) = counted(dialect, &serde_json::from_slice(&sent.body).unwrap());
            assert!(found <= most, "{dialect:?} {letter:?}: {found} > {most}");
            for part in ["www/r#", "0519-0000-0000", "编号A184 第1次"] {
                assert!(text.contains(part), "{dialect:?} {letter:?}: {part} is not in {text}");
            }
        }
    }
}

fn digest(life: u64, batteries: u64, total: u32) -> Content {
    let line = |number: u64, kind| {
        let mut told = told(kind);
        told.alarm.id.number = number;
        told.home.id = HomeId::cut(&format!("{number:04}"));
        DigestLine { r#type: NoticeType::Notice, alarm: told.alarm, home: told.home }
    };
    // The least grave come first, as nobody should rely on.
    let batteries = (0..batteries).map(|n| line(500 + n, AlarmKind::BatteryLow));
    let alarms = batteries.chain((0..life).map(|n| line(n, AlarmKind::Sos))).collect();
    Content::Digest(Digest { alarms, total })
}

#[test]
fn a_digest_names_every_home_whose_life_is_in_danger_and_counts_the_rest() {
    let expected = "\
【危急·汇总】2户危急,共9起
· 危急 紧急求助 翠竹社区 3幢 0000户 03:12 编号A000
· 危急 紧急求助 翠竹社区 3幢 0001户 03:12 编号A001
· 设备 电池电量低 3起
…还有4起,见链接
打开值班台:https://watch.example.org/
值班台:0519-0000-0000";
    assert_eq!(text_of(Language::Zh, digest(2, 3, 9)), expected);
    let expected = "\
[DIGEST] 3 alarms
First · TECHNICAL low battery, 翠竹社区, 3幢, household 0500, 03:12, No. A500
· TECHNICAL low battery: 3
Open the desk:https://watch.example.org/
Desk: 0519-0000-0000";
    assert_eq!(text_of(Language::En, digest(0, 3, 0)), expected);
}

#[test]
fn a_digest_tells_apart_who_calls_and_of_whom_somebody_takes_care() {
    let Content::Digest(mut all) = digest(4, 0, 4) else { unreachable!() };
    (all.alarms[1].r#type, all.alarms[3].r#type) = (NoticeType::Taken, NoticeType::Closed);
    let expected = "\
[LIFE · digest] 2 about life, 4 in all
· LIFE call for help, 翠竹社区, 3幢, household 0000, 03:12, No. A000
· LIFE call for help, 翠竹社区, 3幢, household 0002, 03:12, No. A002
· taken, 1: 0001
· closed, 1: 0003
Open the desk:https://watch.example.org/
Desk: 0519-0000-0000";
    assert_eq!(text_of(Language::En, Content::Digest(all)), expected);
}

#[test]
fn a_digest_of_a_storm_fits_everywhere_and_counts_what_it_leaves_out() {
    for dialect in DIALECTS {
        let sent = body(&parcel_to(able(dialect), digest(900, 100, 1_500)));
        let (most, found, text) = counted(dialect, &sent);
        assert!(found <= most, "{dialect:?}: {found} > {most}");
        let named = text.matches("紧急求助").count();
        // The line of the batteries, and 500 that the digest does not hold.
        let left_out = 1_500 - named;
        assert!(named >= 10 && text.contains(&format!("…还有{left_out}起,见链接")), "{dialect:?}: {named} of {text}");
        assert!(text.contains("https://watch.example.org/"), "{dialect:?}");
    }
    let parcel = parcel_to(channel(ChannelDialect::Standard), digest(300, 100, 1_500));
    let standard = body(&parcel);
    let alarms = standard["data"]["alarms"].as_array().unwrap();
    assert!(standard.to_string().len() <= standard::MAX_BODY_BYTES && alarms.len() >= 20);
    assert_eq!((&standard["type"], &standard["data"]["total"]), (&json!("hearthwatch.digest"), &json!(1_500)));
    assert_eq!((&standard["subject"], &standard["source"]), (&json!("sites/zhonglou"), &json!("/sites/zhonglou")));
    assert_eq!(alarms[0]["alarm"]["id"], "zhonglou-000500");
}

const DING: &str = "hmPWwU+7lVdm3ZZz0r9tSfx0L4Q26jWOZr9+Gs6EZQM=";
const FEISHU: &str = "l1N0gAcBjdwBvGm1xMjOF0XSyaLRpR7tuO5dHfhAYc8=";

/// Neither platform publishes a message with its signature, so these are computed from their documented recipes by another hand
/// (Python's hmac): https://open.dingtalk.com/document/robots/customize-robot-security-settings and
/// https://open.feishu.cn/document/client-docs/bot-v3/add-custom-bot. The recipes differ: one signs under the key, the other nothing
/// under time and key.
#[test]
fn a_test_message_says_first_that_nobody_needs_help() {
    let test = || Content::Test("4711".into());
    let expected = "[TEST] code 4711\nThis tests the channel: nobody needs help\nTell the desk this code: 4711\nDesk: 0519-0000-0000";
    assert_eq!(text_of(Language::En, test()), expected);
    let expected = "【测试】代码4711\n这是渠道测试,没有人需要帮助\n请告诉值班台代码:4711\n值班台:0519-0000-0000";
    assert_eq!(text_of(Language::Zh, test()), expected);
    use ChannelDialect::*;
    for dialect in [Standard, Wecom, Dingtalk, Feishu, Slack] {
        let body = body(&parcel_to(able(dialect), test())).to_string();
        assert!(body.contains("4711") && !body.contains("all"), "{dialect:?}: {body}");
    }
    let standard = body(&parcel_to(channel(Standard), test()));
    let data = json!({"schema": 1, "sequence": 3, "channel": "desk", "code": "4711"});
    assert_eq!((&standard["type"], &standard["data"]), (&json!("hearthwatch.channel.test"), &data));
}

#[test]
fn robots_signatures_follow_the_documented_recipes() {
    let query = dingtalk::signature("this is secret", Wall(1_577_262_236_757));
    assert_eq!(query, [("timestamp", "1577262236757".to_owned()), ("sign", DING.to_owned())]);
    assert_eq!(feishu::signature("demo", 1_599_360_473), FEISHU);

    let keys = Keys::parse(ChannelDialect::Feishu, Some("other\n demo\n")).unwrap();
    let parcel = parcel(ChannelDialect::Feishu, told(AlarmKind::Sos));
    let signed = |turn| {
        let sent = sending(&parcel, &desk(), &keys, turn, Wall(1_599_360_473_999)).unwrap();
        serde_json::from_slice::<Value>(&sent.body).unwrap()
    };
    assert_eq!(keys.turns(), 2);
    assert_eq!((&signed(1)["timestamp"], &signed(1)["sign"]), (&json!("1599360473"), &json!(FEISHU)));
    assert_ne!(signed(0)["sign"], FEISHU);
}

#[test]
fn a_channel_has_the_keys_of_its_dialect() {
    use ChannelDialect::*;
    const WHSEC: &str = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX";
    let turns = |dialect, text| Keys::parse(dialect, text).map(|keys| keys.turns());
    let table = [
        (Standard, None, Err(BadSecret::Missing)),
        (Standard, Some(WHSEC), Ok(1)),
        (Standard, Some("SEC1"), Err(BadSecret::Prefix)),
        (Template, None, Ok(1)),
        (Template, Some(WHSEC), Ok(1)),
        (Wecom, None, Ok(1)),
        (Wecom, Some("x"), Err(BadSecret::Unwanted)),
        (Slack, Some("x"), Err(BadSecret::Unwanted)),
        (Dingtalk, None, Ok(1)),
        (Dingtalk, Some("SEC1 SEC2"), Ok(2)),
        (Dingtalk, Some(" "), Err(BadSecret::Missing)),
        (Feishu, Some("a b c d e"), Err(BadSecret::TooMany)),
    ];
    for (dialect, text, expected) in table {
        assert_eq!(turns(dialect, text), expected, "{dialect:?} {text:?}");
    }
    assert_eq!(format!("{:?}", Keys::parse(Dingtalk, Some("SEC1")).unwrap()), "Keys(…)");
}

#[test]
fn only_a_platforms_own_word_is_a_success() {
    use ChannelDialect::*;
    use Failure::*;
    /// None: as the status says.
    type Meaning = Option<Result<(), Failure>>;
    let table: &[(ChannelDialect, u16, &str, Meaning)] = &[
        (Standard, 200, "anything", None),
        (Wecom, 200, r#"{"errcode":0,"errmsg":"ok"}"#, Some(Ok(()))),
        (Wecom, 200, r#"{"errcode":"0"}"#, Some(Ok(()))),
        (Wecom, 200, "", Some(Err(Unproven))),
        (Wecom, 200, "ok", Some(Err(Unproven))),
        (Wecom, 200, r#"{"errcode":0"#, Some(Err(Unproven))),
        (Wecom, 200, r#"{"code":0}"#, Some(Err(Unproven))),
        (Wecom, 200, r#"{"errcode":null}"#, Some(Err(Unproven))),
        (Wecom, 200, r#"[{"errcode":0}]"#, Some(Err(Unproven))),
        (Wecom, 502, r#"{"errcode":0}"#, None),
        (Wecom, 502, "<html>", None),
        (Wecom, 200, r#"{"errcode":-1,"errmsg":"system busy"}"#, Some(Err(Busy(-1)))),
        (Wecom, 200, r#"{"errcode":45009,"errmsg":"api freq out of limit"}"#, Some(Err(RateLimited))),
        (Wecom, 200, r#"{"errcode":45033,"errmsg":"api concurrent out of limit"}"#, Some(Err(RateLimited))),
        (Wecom, 200, r#"{"errcode":40058,"errmsg":"markdown.content exceed max length 4096"}"#, Some(Err(TooLong))),
        (Wecom, 200, r#"{"errcode":40058,"errmsg":"invalid Request Parameter"}"#, Some(Err(Declined(40058)))),
        (Wecom, 200, r#"{"errcode":93000,"errmsg":"invalid webhook url"}"#, Some(Err(KeyRefused))),
        (Wecom, 200, r#"{"errcode":60020,"errmsg":"not allow to access from your ip"}"#, Some(Err(Barred))),
        (Wecom, 200, r#"{"errcode":44004,"errmsg":"empty content"}"#, Some(Err(Declined(44004)))),
        (Dingtalk, 200, r#"{"errcode":0,"errmsg":"ok"}"#, Some(Ok(()))),
        (
            Dingtalk,
            200,
            r#"{"errcode":130101,"errmsg":"send too fast, exceed 20 times per minute"}"#,
            Some(Err(RateLimited)),
        ),
        (Dingtalk, 200, r#"{"errcode":460101,"errmsg":"message too long, exceed 20000 bytes"}"#, Some(Err(TooLong))),
        (Dingtalk, 200, r#"{"errcode":310000,"errmsg":"sign not match, more: [https://…]"}"#, Some(Err(KeyRefused))),
        (Dingtalk, 200, r#"{"errcode":310000,"errmsg":"invalid timestamp"}"#, Some(Err(KeyRefused))),
        (Dingtalk, 200, r#"{"errcode":310000,"errmsg":"keywords not in content"}"#, Some(Err(Barred))),
        (Dingtalk, 200, r#"{"errcode":310000,"errmsg":"ip 1.2.3.4 not in whitelist"}"#, Some(Err(Barred))),
        (Dingtalk, 200, r#"{"errcode":300005,"errmsg":"token is not exist"}"#, Some(Err(KeyRefused))),
        (Dingtalk, 200, r#"{"errcode":-1,"errmsg":"系统繁忙"}"#, Some(Err(Busy(-1)))),
        (Dingtalk, 200, r#"{"errcode":99}"#, Some(Err(Declined(99)))),
        (Feishu, 200, r#"{"code":0,"msg":"success","data":{}}"#, Some(Ok(()))),
        (Feishu, 200, r#"{"StatusCode":0,"StatusMessage":"success"}"#, Some(Err(Unproven))),
        (Feishu, 400, r#"{"code":9499,"msg":"Bad Request","data":{}}"#, Some(Err(Declined(9499)))),
        (Feishu, 400, r#"{"code":9499,"msg":"too many request"}"#, Some(Err(RateLimited))),
        (Feishu, 200, r#"{"code":11232,"msg":"frequency limited"}"#, Some(Err(RateLimited))),
        (Feishu, 200, r#"{"code":19001,"msg":"incoming webhook access token invalid"}"#, Some(Err(KeyRefused))),
        (
            Feishu,
            200,
            r#"{"code":19021,"msg":"sign match fail or timestamp is not within one hour from current time"}"#,
            Some(Err(KeyRefused)),
        ),
        (Feishu, 200, r#"{"code":19022,"msg":"Ip Not Allowed"}"#, Some(Err(Barred))),
        (Feishu, 200, r#"{"code":19024,"msg":"Key Words Not Found"}"#, Some(Err(Barred))),
        (Slack, 200, "ok", Some(Ok(()))),
        (Slack, 200, "ok\n", Some(Ok(()))),
        (Slack, 200, "<html>ok</html>", Some(Err(Unproven))),
        (Slack, 200, "", Some(Err(Unproven))),
        (Slack, 403, "invalid_token", Some(Err(KeyRefused))),
        (Slack, 404, "no_service", Some(Err(KeyRefused))),
        (Slack, 400, "invalid_payload", None),
        (Slack, 410, "channel_is_archived", None),
        (Slack, 429, "rate_limited", None),
    ];
    for (dialect, status, body, expected) in table {
        let verdict = judge(&channel(*dialect), *status, body.as_bytes());
        let found = verdict.map(|v| match v.outcome {
            Outcome::Delivered => Ok(()),
            Outcome::Failed { failure, .. } => Err(failure),
        });
        assert_eq!(found, *expected, "{dialect:?} {status} {body}");
        assert_eq!(verdict.is_some_and(|v| v.another_key), found == Some(Err(KeyRefused)), "{dialect:?} {body}");
    }
}

#[test]
fn a_robot_that_was_asked_too_often_is_left_alone_for_as_long_as_it_refuses() {
    use ChannelDialect::*;
    let table = [
        (Wecom, r#"{"errcode":45009}"#, 60),
        (Dingtalk, r#"{"errcode":130101}"#, 600),
        (Feishu, r#"{"code":11232}"#, 10),
    ];
    for (dialect, body, seconds) in table {
        let expected = Outcome::Failed { failure: Failure::RateLimited, retry_after: Some(Millis::from_secs(seconds)) };
        assert_eq!(judge(&channel(dialect), 200, body.as_bytes()).unwrap().outcome, expected);
    }
}

fn template(content_type: &str, body: &str) -> Template {
    Template { content_type: content_type.into(), body: body.into(), ..Template::default() }
}

#[test]
fn a_templates_values_are_escaped_for_what_the_body_is() {
    let table = [
        (
            "application/json",
            r#"{"t": {{ community }}, "p": {{ phones }}, "n": {{ repeat }}}"#,
            r#"{"t": "a\"\u003cb\u003e\u0026 字", "p": ["13800000001"], "n": 1}"#,
        ),
        ("application/vnd.x+json; charset=utf-8", "{{ community }}", r#""a\"\u003cb\u003e\u0026 字""#),
        (
            "application/x-www-form-urlencoded",
            "t={{ community }}&p={{ phones | join(',') }}",
            "t=a%22%EF%BC%9Cb%EF%BC%9E%EF%BC%86%20%E5%AD%97&p=13800000001",
        ),
        ("text/xml", "<t>{{ community }}</t>", "<t>a&quot;＜b＞＆ 字</t>"),
        ("text/plain", "{{ community }}", "a\"＜b＞＆ 字"),
        ("text/plain", "{% if urgent %}{{ number }}/{{ type }}/{{ kind }}{% endif %}", "A184/notice/sos"),
        ("text/plain", "{{ link }} {{ notice_id }} {{ home }}", "LINK zhonglou-000184-n3 0012"),
    ];
    for (content_type, body, expected) in table {
        let expected = expected.replace("LINK", &url());
        let mut told = told(AlarmKind::Sos);
        told.home.community = Some("a\"<b>& 字".into());
        let template = Some(Box::new(template(content_type, body)));
        let channel = Channel { template, ..channel(ChannelDialect::Template) };
        let sent = sending(&parcel_to(channel, Content::Alarm(Box::new(told))), &desk(), &Keys::None, 0, ISSUED);
        let found = String::from_utf8(sent.unwrap().body).unwrap();
        let same = match serde_json::from_str::<Value>(&expected) {
            // Ours are harmless before they are escaped.
            Ok(_) if content_type.contains("json") => {
                let of = |text: &str| serde_json::from_str::<Value>(text).unwrap();
                of(&found) == of(&expected.replace("\\u003c", "＜").replace("\\u003e", "＞").replace("\\u0026", "＆"))
            }
            _ => found == expected,
        };
        assert!(same, "{content_type} {body}\n{found}\n{expected}");
    }
}

#[test]
fn a_bad_template_is_found_before_an_alarm_needs_it() {
    let table = [
        ("application/json", r#"{"text": {{ text }}}"#, Ok(())),
        ("application/json", r#"{"text": "{{ text }}"}"#, Err("becomes no JSON")),
        ("application/json", r#"{"text": {{ txt }}}"#, Err("line 1: uses a variable that there is not")),
        ("application/json", "{\n\"text\": {{ text", Err("line 2: is no template")),
        ("application/json", r#"{"to": {{ phones[0] }}}"#, Err("uses a variable that there is not")),
        ("application/json", r#"{"to": {{ phones | first | default("") }}}"#, Ok(())),
        ("application/json", "[{% for i in range(100000) %}1,{% endfor %}1]", Err("takes too many steps")),
        ("application/pdf", "x", Err("no values can be escaped")),
        ("text/plain", "{% include 'etc/passwd' %}", Err("line 1:")),
        ("text/plain", "{{ ('x' * 1000) * 1000 }}", Err("")),
    ];
    for (content_type, body, expected) in table {
        let found = super::template::check(&template(content_type, body), &channel(ChannelDialect::Template));
        match (&found, expected) {
            (Ok(()), Ok(())) => {}
            (Err(why), Err(part)) => assert!(why.0.contains(part), "{body}: {why}"),
            _ => panic!("{body}: {found:?}, not {expected:?}"),
        }
    }
    let long = template("text/plain", &"x".repeat(super::template::MAX_TEMPLATE_BYTES + 1));
    assert!(super::template::check(&long, &channel(ChannelDialect::Template)).is_err());
}

#[test]
fn a_template_has_an_answers_token_and_the_phones_of_the_home_only_where_they_belong() {
    let body = "{{ answer }}|{{ resident_phones | join(',') }}|{{ contact_phones | join(',') }}";
    let one = |phone: &str| PersonalContact { name: "王".into(), phone: phone.into(), role: "女儿".into() };
    let personal = || {
        let (residents, contacts) = (vec![one("0519-1")], vec![one("137"), one(""), one("136")]);
        Some(Personal { address: "3幢".into(), residents, contacts })
    };
    let answers = || Some(Box::new(Answers { token: "/t".into(), key: "/k".into(), ..Answers::default() }));
    let token = links("https://x").answer(
        &"zhonglou-000184-n3".parse().unwrap(),
        &channel(ChannelDialect::Template).id,
        ISSUED,
    );
    let table = [
        (NoticeType::Notice, true, true, format!("{token}|0519-1|137,136")),
        (NoticeType::Notice, true, false, format!("{token}||")),
        (NoticeType::Notice, false, true, "|0519-1|137,136".to_owned()),
        (NoticeType::Taken, true, true, "|0519-1|137,136".to_owned()),
        (NoticeType::Closed, true, false, "||".to_owned()),
    ];
    for (kind, hands_on, include_personal, expected) in table {
        let answers = if hands_on { answers() } else { None };
        let template = Some(Box::new(Template { answers, ..template("text/plain", body) }));
        let channel = Channel { template, include_personal, ..channel(ChannelDialect::Template) };
        let told = AlarmNotice { kind, personal: personal(), ..told(AlarmKind::Sos) };
        let sent = sending(&parcel_to(channel, Content::Alarm(Box::new(told))), &desk(), &Keys::None, 0, ISSUED);
        assert_eq!(String::from_utf8(sent.unwrap().body).unwrap(), expected, "{kind:?}");
    }
    let deaf = Template { answers: answers(), ..template("text/plain", "{{ text }}") };
    let why = super::template::check(&deaf, &channel(ChannelDialect::Template)).unwrap_err();
    assert!(why.0.contains("does not bring {{ answer }} along"), "{why}");
}

#[test]
fn a_templates_answer_is_judged_by_its_own_words() {
    let words = |words: &[&str]| words.iter().map(|w| Box::from(*w)).collect();
    let template = Template {
        pointer: "/result/code".into(),
        delivered: "OK".into(),
        busy: words(&["LIMIT", "429"]),
        broken: words(&["DENIED", "17"]),
        ..template("application/json", "{}")
    };
    let channel = Channel { template: Some(Box::new(template)), ..channel(ChannelDialect::Template) };
    let failed = |failure| Some(Outcome::failed(failure));
    let table = [
        (200, r#"{"result":{"code":"OK"}}"#, Some(Outcome::Delivered)),
        (201, r#"{"result":{"code":"OK"}}"#, Some(Outcome::Delivered)),
        (200, r#"{"result":{"code":429}}"#, failed(Failure::Busy(429))),
        (200, r#"{"result":{"code":"LIMIT"}}"#, failed(Failure::Busy(0))),
        (200, r#"{"result":{"code":17}}"#, failed(Failure::Declined(17))),
        (200, r#"{"result":{"code":"ok"}}"#, failed(Failure::Unproven)),
        (200, r#"{"result":{}}"#, failed(Failure::Unproven)),
        (200, "", failed(Failure::Unproven)),
        (500, r#"{"result":{"code":"OK"}}"#, None),
    ];
    for (status, body, expected) in table {
        assert_eq!(judge(&channel, status, body.as_bytes()).map(|v| v.outcome), expected, "{status} {body}");
    }
    let bare = Channel { template: Some(Box::new(Template::default())), ..channel };
    assert_eq!(judge(&bare, 200, b"whatever"), None, "without a pointer the status is the proof");
}

#[test]
fn every_kind_has_its_words_in_both_languages() {
    let mut names = std::collections::BTreeSet::new();
    for (kind, language) in AlarmKind::ALL.iter().flat_map(|k| [(*k, Language::Zh), (*k, Language::En)]) {
        let phrase = phrases::phrase(kind, language);
        let is_chinese = |text: &str| text.chars().any(|c| c > '\u{2e80}');
        assert_eq!(is_chinese(phrase.name), language == Language::Zh, "{kind}: {}", phrase.name);
        assert_eq!(is_chinese(phrase.what), language == Language::Zh, "{kind}: {}", phrase.what);
        names.insert(phrase.name);
        let grave = matches!(kind.priority(), Priority::Life);
        assert_eq!(phrases::severity(kind, Language::En) == "LIFE", grave, "{kind}");
    }
    // Two ask for the same, and a fall that is only likely is called the same whichever way it is known.
    assert!(names.len() >= 2 * AlarmKind::ALL.len() - 3, "{names:?}");
    assert_eq!(cut("字字", 5), "…");
}
