//! The `standard` webhook dialect: a CloudEvents 1.0 body, signed as Standard Webhooks 1.0 says.

use crate::engine::id::{ChannelId, NoticeId, ResponderId};
use crate::engine::parcel::{Content, DigestLine, Parcel, Personal};
use crate::engine::time::Wall;
use crate::engine::view::{AlarmView, HomeView, NextView, utc};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use ring::hmac;
use serde::Serialize;
use serde_json::Value;
use std::fmt::{self, Write};

/// The `Content-Type` of every body of this dialect.
pub const CONTENT_TYPE: &str = "application/cloudevents+json";

/// The largest body in bytes: Standard Webhooks asks for less than 20 kB.
pub const MAX_BODY_BYTES: usize = 19_999;

/// To how many characters the texts of a too large body are cut. An id is shorter than this and stays whole.
const CUT_CHARS: usize = 280;

/// How many entries the lists of a too large body keep.
const CUT_ENTRIES: usize = 8;

#[derive(Serialize)]
struct Event<'a> {
    specversion: &'static str,
    id: String,
    source: String,
    r#type: &'static str,
    #[serde(serialize_with = "utc")]
    time: Wall,
    subject: String,
    datacontenttype: &'static str,
    data: Data<'a>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Data<'a> {
    Alarm(AlarmData<'a>),
    Digest(DigestData<'a>),
    Test(TestData<'a>),
}

#[derive(Serialize)]
struct AlarmData<'a> {
    schema: u32,
    sequence: u32,
    alarm: &'a AlarmView,
    home: &'a HomeView,
    rung: u32,
    r#loop: u32,
    next: Option<&'a NextView>,
    links: Links<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    by: Option<&'a ResponderId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    outcome: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    personal: Option<&'a Personal>,
}

#[derive(Serialize)]
struct DigestData<'a> {
    schema: u32,
    sequence: u32,
    total: u32,
    alarms: &'a [DigestLine],
    links: Links<'a>,
}

#[derive(Serialize)]
struct TestData<'a> {
    schema: u32,
    sequence: u32,
    channel: &'a ChannelId,
    code: &'a str,
}

#[derive(Serialize)]
struct Links<'a> {
    respond: Option<&'a str>,
}

/// Renders one notice as the body of its webhook: JSON in UTF-8, at most [`MAX_BODY_BYTES`] long.
///
/// `link` is where people answer it, null where nobody said. Personal data stands in the body only where the parcel has it *and* its
/// channel may have it. A body that would be too large is cut in its texts and lists, and at last loses its personal part; ids are
/// never cut, and a digest's `total` tells how many alarms there are whatever became of the list.
pub fn render(parcel: &Parcel, link: Option<&str>) -> Result<Vec<u8>, serde_json::Error> {
    let mut event = event(parcel, link);
    let whole = serde_json::to_vec(&event)?;
    if whole.len() <= MAX_BODY_BYTES {
        return Ok(whole);
    }
    let mut cut = cut_body(&event)?;
    while cut.len() > MAX_BODY_BYTES {
        let shortened = match &mut event.data {
            Data::Test(_) => false,
            Data::Alarm(data) => data.personal.take().is_some(),
            Data::Digest(data) => {
                let before = data.alarms.len();
                data.alarms = &data.alarms[..before / 2];
                before > 0
            }
        };
        if !shortened {
            break;
        }
        cut = cut_body(&event)?;
    }
    Ok(cut)
}

fn event<'a>(parcel: &'a Parcel, link: Option<&'a str>) -> Event<'a> {
    let (sequence, links) = (parcel.notice.number, Links { respond: link });
    let (site, subject, data) = match &parcel.content {
        Content::Alarm(told) => (
            &told.home.site,
            format!("homes/{}", told.home.id),
            Data::Alarm(AlarmData {
                schema: 1,
                sequence,
                alarm: &told.alarm,
                home: &told.home,
                rung: told.rung,
                r#loop: told.round,
                next: told.next.as_ref(),
                links,
                by: told.by.as_ref(),
                outcome: told.outcome,
                personal: told.personal.as_ref().filter(|_| parcel.channel.include_personal),
            }),
        ),
        Content::Digest(digest) => (
            &parcel.channel.site,
            format!("sites/{}", segment(parcel.channel.site.as_str())),
            Data::Digest(DigestData { schema: 1, sequence, total: digest.total, alarms: &digest.alarms, links }),
        ),
        Content::Test(code) => (
            &parcel.channel.site,
            format!("sites/{}", segment(parcel.channel.site.as_str())),
            Data::Test(TestData { schema: 1, sequence, channel: &parcel.channel.id, code }),
        ),
    };
    Event {
        specversion: "1.0",
        id: message_id(&parcel.notice),
        source: format!("/sites/{}", segment(site.as_str())),
        r#type: parcel.kind().name(),
        time: parcel.issued,
        subject,
        datacontenttype: "application/json",
        data,
    }
}

fn cut_body(event: &Event<'_>) -> Result<Vec<u8>, serde_json::Error> {
    let mut value = serde_json::to_value(event)?;
    // What may be long is what people and devices wrote, and all of it stands in `data`; ids and links there are short.
    for part in ["alarm", "home", "next", "personal"] {
        if let Some(value) = value.pointer_mut(&format!("/data/{part}")) {
            cut(value);
        }
    }
    // A digest's list is what it is there for: of its entries only the texts are cut.
    let alarms = value.pointer_mut("/data/alarms").and_then(Value::as_array_mut);
    alarms.into_iter().flatten().for_each(cut);
    serde_json::to_vec(&value)
}

fn cut(value: &mut Value) {
    match value {
        Value::String(text) => cut_text(text),
        Value::Array(entries) => {
            entries.truncate(CUT_ENTRIES);
            entries.iter_mut().for_each(cut);
        }
        Value::Object(fields) => fields.values_mut().for_each(cut),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Control characters go too: escaped, each would be six bytes long.
fn cut_text(text: &mut String) {
    text.retain(|c| !c.is_control());
    if let Some((end, _)) = text.char_indices().nth(CUT_CHARS) {
        text.truncate(end);
        text.push('…');
    }
}

/// `webhook-id`, and the id of the CloudEvent: the notice id in letters that a header may carry and that cannot be mistaken for
/// the dots of the signed text. Where the site is named in ASCII letters, digits, `-` and `_` it is the notice id as it stands;
/// other characters are percent-encoded.
pub fn message_id(notice: &NoticeId) -> String {
    percent_encoded(&notice.to_string(), b"-_~")
}

/// One segment of a URL's path.
pub(super) fn segment(text: &str) -> String {
    percent_encoded(text, b"-._~")
}

pub(super) fn percent_encoded(text: &str, kept: &[u8]) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || kept.contains(&byte) {
            out.push(byte.into());
        } else {
            // Writing to a String cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

/// Why a text holds no usable secrets. It never repeats any of the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BadSecret {
    Missing,
    /// More than [`Secrets::MAX`].
    TooMany,
    /// One does not begin with `whsec_`.
    Prefix,
    /// One is not base64 after its prefix.
    Encoding,
    /// One has fewer than 24 or more than 64 bytes.
    Length,
    /// The channel's dialect signs nothing.
    Unwanted,
}

impl fmt::Display for BadSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            BadSecret::Missing => "there is no secret in it",
            BadSecret::TooMany => "there are more than four secrets in it",
            BadSecret::Prefix => "a secret has to begin with whsec_",
            BadSecret::Encoding => "what follows whsec_ has to be base64",
            BadSecret::Length => "a secret has to have 24 to 64 bytes",
            BadSecret::Unwanted => "this dialect signs nothing: the key in its url is its secret; leave secret out",
        })
    }
}

impl std::error::Error for BadSecret {}

/// Signatures of one header that are looked at.
const MAX_SIGNATURES: usize = 8;

/// One signing secret. Its Debug shows nothing of it.
#[derive(Clone)]
struct Secret(hmac::Key);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl Secret {
    fn parse(text: &str) -> Result<Secret, BadSecret> {
        let encoded = text.strip_prefix("whsec_").ok_or(BadSecret::Prefix)?;
        let bytes = BASE64.decode(encoded).map_err(|_| BadSecret::Encoding)?;
        match bytes.len() {
            24..=64 => Ok(Secret(hmac::Key::new(hmac::HMAC_SHA256, &bytes))),
            _ => Err(BadSecret::Length),
        }
    }
}

/// The secrets of one channel: one, or several while they rotate.
#[derive(Debug, Clone)]
pub struct Secrets(Vec<Secret>);

impl Secrets {
    /// How many secrets a channel may have at once.
    pub const MAX: usize = 4;

    /// Takes `whsec_` followed by base64 of 24 to 64 bytes; while secrets rotate, up to [`Secrets::MAX`] of them between white
    /// space.
    pub fn parse(text: &str) -> Result<Secrets, BadSecret> {
        let words: Vec<&str> = text.split_whitespace().take(Secrets::MAX + 1).collect();
        match words.len() {
            0 => Err(BadSecret::Missing),
            n if n > Secrets::MAX => Err(BadSecret::TooMany),
            _ => words.into_iter().map(Secret::parse).collect::<Result<_, _>>().map(Secrets),
        }
    }

    /// `webhook-signature`: one signature for each secret, in their order, with spaces between. `id` is the value of
    /// `webhook-id`, `timestamp_s` that of `webhook-timestamp` (seconds since 1970), `body` what is sent, byte for byte.
    pub fn sign(&self, id: &str, timestamp_s: i64, body: &[u8]) -> String {
        let head = format!("{id}.{timestamp_s}.");
        let signature = |secret: &Secret| {
            let mut context = hmac::Context::with_key(&secret.0);
            context.update(head.as_bytes());
            context.update(body);
            format!("v1,{}", BASE64.encode(context.sign()))
        };
        self.0.iter().map(signature).collect::<Vec<_>>().join(" ")
    }

    /// Whether one of the signatures of a `webhook-signature` header is one of these secrets'. Takes as long for a wrong one as for a
    /// right one.
    pub fn verify(&self, id: &str, timestamp_s: i64, body: &[u8], signatures: &str) -> bool {
        let signed = [format!("{id}.{timestamp_s}.").as_bytes(), body].concat();
        let given = signatures.split(' ').take(MAX_SIGNATURES).filter_map(|one| one.strip_prefix("v1,"));
        let given: Vec<Vec<u8>> = given.filter_map(|one| BASE64.decode(one).ok()).collect();
        let right = |secret: &Secret| given.iter().filter(|tag| hmac::verify(&secret.0, &signed, tag).is_ok()).count();
        self.0.iter().map(right).sum::<usize>() > 0
    }
}

#[cfg(test)]
mod tests;
