//! The page behind a notice's link in a real browser, as a caseworker's phone shows it: the page and its script, the console over HTTP,
//! and a real keeper. Needs `chromium` or `google-chrome` in `PATH`; `tests/run` installs it.
//!
//! `HEARTHWATCH_SHOTS=FOLDER tests/run --test browser` keeps pictures, one of each language, scheme and state, to look at.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::disallowed_methods,
    reason = "a test reads clocks and may fail"
)]

#[path = "browser/chromium.rs"]
mod chromium;
#[path = "console/house.rs"]
#[allow(dead_code, reason = "the page needs a part of it")]
mod house;
#[path = "console/link.rs"]
mod link;
#[path = "browser/phone.rs"]
mod phone;

use house::{DESK_PHONE, House, Options, PIN};
use link::{PERSONAL, token};
use phone::{Look, Phone};
use serde_json::{Value, json};
use std::sync::atomic::Ordering;

const SOS: &str = "/api/v1/alarms/zhonglou-000001";
const HOUR_MS: i64 = 3_600_000;

/// A house with one press in it.
async fn pressed() -> House {
    let house = House::start(Options::default()).await;
    house.say("h0012/bedroom", "sos").await;
    house
}

/// The link of an alarm's first notice to the desk's people, made so long ago.
fn link_of(house: &House, number: u32, ago_ms: i64) -> String {
    let token = token(house, &format!("zhonglou-{number:06}-n1"), "desk", ago_ms);
    format!("http://{}/r#{token}", house.address)
}

/// A phone on which the link of an alarm was touched, when its page asks who one is.
async fn opened(house: &House, look: Look, number: u32) -> Phone {
    let phone = Phone::new(look).await;
    phone.open(&link_of(house, number, 0)).await;
    phone.until_says(look.say("你是谁？", "Who are you?")).await;
    phone
}

/// 张敏 says who she is: touches her name and types the PIN.
async fn say_who(phone: &Phone, pin: &str) {
    phone.tap("张敏").await;
    phone.until("document.activeElement?.id === 'pin'").await;
    phone.write(pin).await;
    phone.tap(phone.look.say("进入", "Open")).await;
}

/// Until the page shows what it shows to whoever has said who they are.
async fn is_let_in(phone: &Phone) {
    phone.until("!document.getElementById('bar').hidden && Boolean(document.querySelector('.me'))").await;
}

async fn has_nothing_personal(phone: &Phone, when: &str) {
    let whole = phone.whole().await;
    assert!(whole.contains("h0012"), "{whole}");
    for personal in PERSONAL {
        assert!(!whole.contains(personal), "{personal} {when}: {whole}");
    }
}

/// Everything that the service could have changed: the alarm, the number of the latest event, and what went into the journal.
async fn all_that_counts(house: &House) -> (Value, Value, u64) {
    house.settle().await;
    let mut alarm = house.get(SOS).await.json();
    // When it was asked.
    alarm["now"] = Value::Null;
    let event = house.get("/api/v1/alarms").await.json()["event"].clone();
    (alarm, event, house.turns.load(Ordering::Relaxed))
}

#[tokio::test]
async fn by_day_and_by_night_in_both_languages_it_is_read_and_used_with_a_thumb() {
    for look in Look::all() {
        let house = pressed().await;
        let phone = opened(&house, look, 1).await;
        for said in [look.say("紧急求助", "Call for help"), look.say("还没有人接单", "Nobody has taken it"), "翠竹社区"]
        {
            phone.until_says(said).await;
        }
        has_nothing_personal(&phone, "before anybody has said who they are").await;
        phone.is_fit("1-before").await;
        phone.tap("张敏").await;
        phone.until_says(look.say("张敏 的密码", "PIN of 张敏")).await;
        phone.is_fit("2-pin").await;
        phone.write(PIN).await;
        phone.tap(look.say("进入", "Open")).await;
        is_let_in(&phone).await;
        phone.until_says(look.say("先打老人电话", "Call the resident first")).await;
        phone.is_fit("3-after").await;
        phone.tap(look.say("在路上", "On my way")).await;
        phone.until_says(look.say("几分钟到？", "How many minutes?")).await;
        phone.is_fit("4-minutes").await;
        phone.tap(look.say("10 分钟", "10 min")).await;
        phone.until_says(look.say("你已接单", "You have it")).await;
        phone.is_fit("5-taken").await;
        phone.tap(look.say("安全", "Safe")).await;
        phone.until_says(look.say("怎么知道是安全的？", "How do you know?")).await;
        phone.is_fit("6-how").await;

        let late = Phone::new(look).await;
        late.open(&link_of(&house, 1, 13 * HOUR_MS)).await;
        late.until_says(look.say("链接已过期", "The time of this link is over")).await;
        late.is_fit("7-expired").await;
    }
}

#[tokio::test]
async fn whoever_says_who_it_is_calls_first_and_then_goes() {
    for look in [Look::new("zh-CN", false), Look::new("en", true)] {
        let house = pressed().await;
        let phone = opened(&house, look, 1).await;
        say_who(&phone, PIN).await;
        is_let_in(&phone).await;

        // The first number of the page is the resident's, and it stands where it is seen without scrolling and not under the buttons.
        let first = phone
            .js("(() => {
                const tel = document.querySelector('a[href^=\"tel:\"]');
                const { x, y, width, height, bottom } = tel.getBoundingClientRect();
                const there = document.elementFromPoint(x + width / 2, y + height / 2);
                return { href: tel.getAttribute('href'), touched: tel.contains(there), bottom };
            })()")
            .await;
        assert_eq!((&first["href"], &first["touched"]), (&"tel:051988880012".into(), &true.into()), "{first}");
        // What ails the person, where one goes, how one gets in and whom else one can call all stand below it.
        for below in ["高血压", "乙单元502室", "2580#", "刘阿姨", "王建华", "王丽"] {
            let tops = format!(
                "[...document.querySelectorAll('#page *')].filter((e) => [...e.childNodes].some((n) => n.nodeType === 3 && n.data.includes({})))
                    .map((e) => e.getBoundingClientRect().top)",
                json!(below)
            );
            let tops = phone.js(&tops).await;
            let tops = tops.as_array().unwrap();
            assert!(!tops.is_empty(), "{below} is not shown");
            assert!(tops.iter().all(|top| top.as_f64() >= first["bottom"].as_f64()), "{below} at {tops:?}: {first}");
        }

        assert_eq!(house.get(SOS).await.json()["seen"], Value::Null, "looking is not taking");
        phone.tap(look.say("在路上", "On my way")).await;
        phone.tap(look.say("20 分钟", "20 min")).await;
        phone.until_says(look.say("已记录：在路上 · 20 分钟", "recorded: On my way · 20 min")).await;
        phone.until_says(look.say("你已接单（在路上），到 ", "You have it until ")).await;
        phone.until_says(look.say("前不再呼叫别人", "Nobody else is called until")).await;
        house.settle().await;
        let alarm = house.get(SOS).await.json();
        assert_eq!((&alarm["seen"]["by"], &alarm["seen"]["how"]), (&"zhangmin".into(), &"on_my_way".into()));

        // Who comes by the same link on a phone of their own sees that it is taken, and by whom once they have said who they are.
        let other = opened(&house, look, 1).await;
        other.until_says(look.say("已有人接单", "Somebody has taken it")).await;
        has_nothing_personal(&other, "on a phone of somebody else").await;

        // The phone is handed on: nothing of the household stays on it.
        phone.tap(look.say("换人", "Not you?")).await;
        phone.until_says(look.say("你是谁？", "Who are you?")).await;
        has_nothing_personal(&phone, "after the person has left").await;
    }
}

#[tokio::test]
async fn a_wrong_pin_is_said_on_the_page_and_changes_nothing() {
    let house = pressed().await;
    for look in [Look::new("zh-CN", true), Look::new("en", false)] {
        let phone = opened(&house, look, 1).await;
        let before = all_that_counts(&house).await;
        say_who(&phone, "0000").await;
        phone.until_says(look.say("密码不对", "The PIN is wrong")).await;
        has_nothing_personal(&phone, "after a wrong PIN").await;
        assert_eq!(phone.js("document.getElementById('bar').hidden").await, true, "no buttons that act");
        phone.is_fit("8-wrong-pin").await;
        assert_eq!(all_that_counts(&house).await, before);

        // What was typed is gone, and one types it again without touching anything before.
        assert_eq!(phone.js("document.activeElement.id + document.activeElement.value").await, "pin");
        phone.write(PIN).await;
        phone.key("Enter").await;
        is_let_in(&phone).await;
    }
}

#[tokio::test]
async fn a_preview_of_the_link_changes_nothing() {
    let house = pressed().await;
    let before = all_that_counts(&house).await;
    assert_eq!(house.send("GET", "/r", &[("user-agent", "a preview")], "").await.status, 200);
    assert_eq!(all_that_counts(&house).await, before, "without its script");
    // The most that a preview can do: run the page until it shows the alarm, scroll through it, and leave.
    let phone = opened(&house, Look::new("zh-CN", false), 1).await;
    phone.js("scrollTo(0, document.documentElement.scrollHeight)").await;
    phone.open("about:blank").await;
    assert_eq!(all_that_counts(&house).await, before, "with its script");
}

#[tokio::test]
async fn a_link_that_is_no_good_says_so_in_its_language_and_offers_no_act() {
    let house = pressed().await;
    house.say("h0487/bedroom", "sos").await;
    let other = "/api/v1/alarms/zhonglou-000002";
    for (what, more) in [("safe", "\"how\":\"spoke\""), ("close", "\"outcome\":\"helped\"")] {
        let revision = house.get(other).await.json()["revision"].clone();
        let reply = house.post(&format!("{other}/{what}"), &format!("{{\"revision\":{revision},{more}}}")).await;
        assert_eq!(reply.status, 200, "{}", reply.text);
        house.settle().await;
    }
    let nonsense = format!("http://{}/r#nonsense", house.address);
    let none = format!("http://{}/r", house.address);
    let table = [
        ("old", link_of(&house, 1, 13 * HOUR_MS), "链接已过期。", "The time of this link is over.", Some("A001")),
        ("nonsense", nonsense, "链接不完整或无效。", "This link is not whole or not valid.", None),
        ("cut off", none, "链接不完整或无效。", "This link is not whole or not valid.", None),
        ("closed", link_of(&house, 2, 0), "这个警报已经关闭。", "This alarm is closed.", Some("A002")),
    ];
    for look in [Look::new("zh-CN", false), Look::new("en", true)] {
        let phone = Phone::new(look).await;
        for (what, link, zh, en, number) in &table {
            // Of the page before it nothing is left that could be taken for this one's.
            phone.open("about:blank").await;
            phone.until("location.href === 'about:blank'").await;
            phone.open(link).await;
            phone.until_says(look.say(zh, en)).await;
            assert_eq!(phone.js("document.querySelectorAll('button, input').length").await, 0, "{what}");
            assert_eq!(phone.js("document.getElementById('bar').hidden").await, true, "{what}");
            // The way that is left is the desk's phone, with the number to say.
            let tels = phone.js("[...document.querySelectorAll('a[href^=\"tel:\"]')].map((e) => e.innerText)").await;
            assert_eq!(tels, json!([format!("{}{DESK_PHONE}", look.say("值守台 ", "The desk: "))]), "{what}");
            if let Some(number) = number {
                phone.until_says(&format!("{}{number}", look.say("请报编号 ", "Say the number "))).await;
            }
            phone.is_fit(&format!("9-{}", what.replace(' ', "-"))).await;
        }
    }
}

#[tokio::test]
async fn with_a_keyboard_alone_somebody_takes_it() {
    let house = pressed().await;
    let phone = opened(&house, Look::new("en", false), 1).await;
    phone.tab_to("张敏").await;
    phone.key("Enter").await;
    phone.until("document.activeElement?.id === 'pin'").await;
    phone.write(PIN).await;
    phone.key("Enter").await;
    is_let_in(&phone).await;
    phone.tab_to("On my way").await;
    phone.key("Enter").await;
    phone.until_says("How many minutes?").await;
    phone.tab_to("5 min").await;
    phone.key("Enter").await;
    phone.until_says("You have it until ").await;
    house.settle().await;
    assert_eq!(house.get(SOS).await.json()["seen"]["by"], "zhangmin");
}

#[tokio::test]
async fn where_it_burns_or_leaks_the_fire_brigade_is_called_first() {
    let house = House::start(Options::default()).await;
    let kinds = [("smoke", "h0487"), ("co", "h0231"), ("gas", "h0733")];
    for (kind, home) in kinds {
        house.say(&format!("{home}/kitchen"), kind).await;
    }
    for look in [Look::new("zh-CN", false), Look::new("en", true)] {
        for (number, (kind, _)) in (1..).zip(kinds) {
            let phone = opened(&house, look, number).await;
            // What not to do there concerns whoever has the link, and is said before anything is asked.
            let danger = phone.js("document.querySelector('.what + .danger').innerText").await;
            assert!(danger.as_str().unwrap().starts_with(look.say("先打 119。", "119 first.")), "{kind}: {danger}");
            phone.is_fit(&format!("10-{kind}-before")).await;
            say_who(&phone, PIN).await;
            is_let_in(&phone).await;
            let tels = "[...document.querySelectorAll('a[href^=\"tel:\"]')].map((e) => e.getAttribute('href'))";
            let tels = phone.js(tels).await;
            assert_eq!((&tels[0], &tels[3]), (&"tel:119".into(), &"tel:051988880012".into()), "{kind}: {tels}");
            phone.is_fit(&format!("10-{kind}-after")).await;
        }
    }
}
