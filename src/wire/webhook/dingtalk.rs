//! A custom robot of DingTalk. Who is to be mentioned has to stand in the text as well: `@` and the phone, or the id.
//! <https://open.dingtalk.com/document/robots/custom-robot-access>, <https://open.dingtalk.com/document/robots/customize-robot-security-settings>

use super::message::{Dress, Message, Tone};
use super::wecom::markdown_link;
use crate::engine::time::Wall;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use ring::hmac;
use serde_json::{Value, json};

/// 20,000 bytes are the most of a whole message; what stands around the text, and its escapes, have the rest.
const MARKDOWN: Dress =
    Dress { most: 18_000, newline: "\n\n", title: |title| format!("### {title}"), link: markdown_link };

/// The longest title in characters: it is what the notification shows.
const MAX_TITLE: usize = 100;

pub(super) fn body(message: &Message, mention: &[Box<str>]) -> Value {
    let grave = message.calls && message.tone == Tone::Life;
    let mention = if grave { mention } else { &[] };
    let ids: Vec<&str> = mention.iter().map(|id| &**id).filter(|id| *id != "all").collect();
    let all = ids.len() < mention.len();
    let mentioned: Vec<String> =
        message.phones.iter().map(String::as_str).chain(ids.iter().copied()).map(|who| format!("@{who}")).collect();
    let title: String = message.title.chars().take(MAX_TITLE).collect();
    json!({
        "msgtype": "markdown",
        "markdown": {"title": title, "text": message.text(&MARKDOWN, &mentioned.join(" "))},
        "at": {"atMobiles": message.phones, "atUserIds": ids, "isAtAll": all},
    })
}

/// The two parts of the query that sign a request: the time in ms, and HMAC-SHA256 under the key over `time\nkey`, in base64.
pub(super) fn signature(key: &str, now: Wall) -> Vec<(&'static str, String)> {
    let timestamp_ms = now.0;
    let signed = format!("{timestamp_ms}\n{key}");
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key.as_bytes()), signed.as_bytes());
    vec![("timestamp", timestamp_ms.to_string()), ("sign", BASE64.encode(tag))]
}
