//! The `template` dialect: any HTTP interface (SMS, voice calls, work orders), its body in the manner of Jinja.
//!
//! The engine of the templates reads no files and calls nothing; it works so many steps and no more. Every value is escaped for what
//! the body is, so nobody has to think of it: in JSON `{{ text }}` is a whole JSON string with its quotes, in a form it is percent-encoded,
//! in XML its brackets are. README lists the variables.

use super::message::{Message, Tone, plain};
use super::standard::{message_id, percent_encoded};
use super::{Desk, Unsendable, words};
use crate::engine::alarm::Reason;
use crate::engine::id::{AlarmId, HomeId, NoticeId, ResponderId};
use crate::engine::kind::{AlarmKind, Kind};
use crate::engine::parcel::{
    AlarmNotice, Content, Digest, DigestLine, NoticeType, Parcel, Person, Personal, PersonalContact,
};
use crate::engine::registry::{Channel, Template};
use crate::engine::time::Wall;
use crate::engine::view::{AlarmView, HomeView, NextView};
use crate::wire::respond::Links;
use minijinja::{AutoEscape, Environment, Error, ErrorKind, Output, State, UndefinedBehavior, Value, escape_formatter};
use ring::hmac;
use serde_json::json;
use std::sync::Arc;

/// The largest template, in bytes.
pub const MAX_TEMPLATE_BYTES: usize = 4_096;

/// The largest body that a template may become, in bytes.
pub const MAX_BODY_BYTES: usize = 64 * 1024;

/// The steps that a template may take; one with a loop over a digest takes some hundreds.
const FUEL: u64 = 20_000;

/// How values are escaped in a body of this type; None for types that nobody here knows to escape for.
fn escaping(content_type: &str) -> Option<AutoEscape> {
    let plain = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    Some(match plain.as_str() {
        "application/json" => AutoEscape::Json,
        json if json.starts_with("application/") && json.ends_with("+json") => AutoEscape::Json,
        "application/xml" | "text/xml" | "text/html" => AutoEscape::Html,
        "application/x-www-form-urlencoded" => AutoEscape::Custom(FORM),
        "text/plain" => AutoEscape::None,
        _ => return None,
    })
}

const FORM: &str = "form";

/// Writes one value as [`escaping`] says.
fn escape(out: &mut Output<'_>, state: &State<'_, '_>, value: &Value) -> Result<(), Error> {
    match state.auto_escape() {
        AutoEscape::Custom(FORM) => Ok(out.write_str(&percent_encoded(&value.to_string(), b"-._~"))?),
        _ => escape_formatter(out, state, value),
    }
}

/// The body of a parcel.
pub(super) fn render(
    template: &Template,
    parcel: &Parcel,
    message: &Message,
    answer: &str,
) -> Result<String, Unsendable> {
    let escaping = escaping(&template.content_type)
        .ok_or_else(|| Unsendable(format!("no values can be escaped for {:?}", template.content_type)))?;
    let is_json = escaping == AutoEscape::Json;
    let mut jinja = Environment::new();
    jinja.set_undefined_behavior(UndefinedBehavior::Strict);
    jinja.set_fuel(Some(FUEL));
    jinja.set_auto_escape_callback(move |_| escaping);
    jinja.set_formatter(escape);
    let body = jinja.render_str(&template.body, variables(parcel, message, answer)).map_err(|error| told(&error))?;
    match body.len() {
        n if n > MAX_BODY_BYTES => Err(Unsendable(format!("becomes {n} bytes long"))),
        _ if is_json => match serde_json::from_str::<serde::de::IgnoredAny>(&body) {
            Ok(_) => Ok(body),
            Err(error) => Err(Unsendable(format!("becomes no JSON from line {} on", error.line()))),
        },
        _ => Ok(body),
    }
}

/// What is wrong, with its line, and nothing of the values.
fn told(error: &Error) -> Unsendable {
    let what = match error.kind() {
        ErrorKind::SyntaxError => format!("is no template: {}", error.detail().unwrap_or_default()),
        ErrorKind::UndefinedError => "uses a variable that there is not".to_owned(),
        ErrorKind::OutOfFuel => "takes too many steps".to_owned(),
        kind => kind.to_string(),
    };
    Unsendable(match error.line() {
        Some(line) => format!("line {line}: {what}"),
        None => what,
    })
}

/// What a template may name. Each is there in every notice; what a notice has not is empty, or 0.
fn variables(parcel: &Parcel, message: &Message, answer: &str) -> Value {
    let told = parcel.alarm();
    let (alarm, home) = (told.map(|told| &told.alarm), told.map(|told| &told.home));
    let of_home = |text: Option<&str>| text.map(plain).unwrap_or_default();
    // What a parcel has is not yet what its channel may have.
    let personal = told.and_then(|told| told.personal.as_ref()).filter(|_| parcel.channel.include_personal);
    let alarms = match &parcel.content {
        Content::Alarm(_) => 1,
        Content::Digest(digest) => digest.total,
        Content::Test(_) => 0,
    };
    let kind = match parcel.kind() {
        NoticeType::Notice => "notice",
        NoticeType::Taken => "taken",
        NoticeType::Closed => "closed",
        NoticeType::Digest => "digest",
        NoticeType::Test => "test",
    };
    Value::from_serialize(json!({
        "type": kind,
        "title": message.title,
        "text": message.text(&words::WHOLE, ""),
        "link": message.link.as_ref().map_or("", |link| &link.url),
        "number": alarm.map(|alarm| alarm.id.short()).unwrap_or_default(),
        "repeat": told.map_or(0, |told| told.rung + told.round),
        "priority": alarm.map_or("", |alarm| alarm.priority.name()),
        "kind": alarm.map_or("", |alarm| alarm.kind.name()),
        "urgent": message.calls && message.tone == Tone::Life,
        "at": alarm.map_or(parcel.issued, |alarm| alarm.happened_at).utc(),
        "events": alarm.map_or(0, |alarm| alarm.events),
        "late_by_s": alarm.map_or(0, |alarm| alarm.late_by_s),
        "alarms": alarms,
        "home": home.map(|home| home.id.to_string()).unwrap_or_default(),
        "community": of_home(home.and_then(|home| home.community.as_deref())),
        "block": of_home(home.and_then(|home| home.block.as_deref())),
        "site": parcel.channel.site,
        "phones": message.phones,
        "names": message.names,
        "resident_phones": personal.map(|of| phones(&of.residents)).unwrap_or_default(),
        "contact_phones": personal.map(|of| phones(&of.contacts)).unwrap_or_default(),
        "answer": answer,
        "alarm_id": alarm.map(|alarm| alarm.id.to_string()).unwrap_or_default(),
        "notice_id": message_id(&parcel.notice),
        "attempt": parcel.attempt,
    }))
}

fn phones(of: &[PersonalContact]) -> Vec<&str> {
    of.iter().map(|one| one.phone.as_str()).filter(|phone| !phone.is_empty()).collect()
}

/// Tries a template on made-up notices of every type; what is wrong with it is told before an alarm needs it.
pub fn check(template: &Template, channel: &Channel) -> Result<(), Unsendable> {
    if template.body.len() > MAX_TEMPLATE_BYTES {
        return Err(Unsendable(format!("is longer than {MAX_TEMPLATE_BYTES} bytes")));
    }
    let key = hmac::Key::new(hmac::HMAC_SHA256, b"of a sample");
    let desk = Desk { links: Some(Links::new(key, "https://watch.example.org")), ..Desk::default() };
    // The channel's own template is the one that is tried.
    let channel = Channel { template: Some(Box::new(template.clone())), ..channel.clone() };
    let mut brought = template.answers.is_none();
    for parcel in samples(&channel) {
        let answer = desk.answer(&parcel);
        let body = render(template, &parcel, &words::message(&parcel, &desk), &answer)?;
        brought |= !answer.is_empty() && body.contains(&answer);
    }
    match brought {
        true => Ok(()),
        false => Err(Unsendable("does not bring {{ answer }} along, without which no callback is believed".to_owned())),
    }
}

/// One parcel of each type, with everything in it or with as little as can be.
fn samples(channel: &Channel) -> Vec<Parcel> {
    let (site, at) = (channel.site.clone(), Wall(1_766_448_000_000));
    let id = AlarmId { site: site.clone(), number: 184 };
    let home = HomeView {
        id: HomeId::cut("h0012"),
        site,
        claimed: true,
        community: Some("翠竹 \"<社区>\"".into()),
        block: Some("3".into()),
    };
    let kind = AlarmKind::Sos;
    let alarm = AlarmView {
        id: id.clone(),
        revision: 1,
        kind,
        priority: kind.priority(),
        raised_at: at,
        happened_at: at,
        age_unknown: false,
        late_by_s: 0,
        events: 2,
        last_event_at: at,
        reason: Reason::Said { kind: Kind::Sos, device: "".into() },
        seen: None,
        over: None,
        safe: None,
        unanswered: 0,
        no_access: 0,
        last_taker: None,
    };
    let line = DigestLine { r#type: NoticeType::Notice, alarm: alarm.clone(), home: home.clone() };
    let one =
        |phone: &str| PersonalContact { name: "王".to_owned(), phone: phone.to_owned(), role: "女儿".to_owned() };
    let personal = Personal {
        address: "3幢".to_owned(),
        residents: vec![one("0519-0000-0000")],
        contacts: vec![one("13700000000"), one("")],
    };
    let personal = channel.include_personal.then_some(personal);
    let told = |kind, people: Vec<Person>| {
        let next = Some(NextView { at, to: "deputy".into() });
        let (by, outcome) = (Some(ResponderId::cut("deputy")), Some("helped"));
        let (alarm, home) = (alarm.clone(), home.clone());
        let told = AlarmNotice {
            kind,
            alarm,
            home,
            rung: 1,
            round: 0,
            next,
            people,
            by,
            by_name: None,
            outcome,
            personal: personal.clone(),
        };
        Content::Alarm(Box::new(told))
    };
    let person = Person { name: "张\"敏\"".to_owned(), phone: "13800000000".to_owned() };
    let contents = [
        told(NoticeType::Notice, vec![person]),
        told(NoticeType::Notice, Vec::new()),
        told(NoticeType::Taken, Vec::new()),
        told(NoticeType::Closed, Vec::new()),
        Content::Digest(Digest { alarms: vec![line], total: 3 }),
        Content::Test("4711".into()),
    ];
    let channel = Arc::new(channel.clone());
    let parcel = |content| Parcel {
        notice: NoticeId { alarm: id.clone(), number: 1 },
        attempt: 1,
        channel: channel.clone(),
        issued: at,
        content,
    };
    contents.into_iter().map(parcel).collect()
}
