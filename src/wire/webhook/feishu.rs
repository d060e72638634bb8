//! A custom robot of Feishu: a card whose texts are plain, so that nothing in them can be taken for markup.
//! <https://open.feishu.cn/document/client-docs/bot-v3/add-custom-bot>

use super::message::{Dress, Message, Tone};
use crate::engine::time::Wall;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use ring::hmac;
use serde_json::{Value, json};

/// 20 KB are the most of a whole request; what stands around the text, and its escapes, have the rest. The title is the card's, and the
/// text begins without it; it holds the link too, for whom the button fails.
const PLAIN: Dress = Dress {
    most: 16_000,
    newline: "\n",
    title: |_| String::new(),
    link: |link| format!("{}:{}", link.label, link.url),
};

/// The longest title of a card in characters.
const MAX_TITLE: usize = 150;

pub(super) fn body(message: &Message, mention: &[Box<str>], key: Option<&str>, now: Wall) -> Value {
    let colour = match message.tone {
        Tone::Life => "red",
        Tone::Welfare => "orange",
        Tone::Property => "blue",
        Tone::Technical => "grey",
        Tone::Calm => "green",
    };
    let title: String = message.title.chars().take(MAX_TITLE).collect();
    let text = message.text(&PLAIN, "");
    let mut elements = vec![json!({"tag": "div", "text": {"tag": "plain_text", "content": text.trim_start()}})];
    if message.calls && message.tone == Tone::Life && !mention.is_empty() {
        let mentioned: String = mention.iter().map(|id| format!("<at id={id}></at>")).collect();
        elements.push(json!({"tag": "div", "text": {"tag": "lark_md", "content": mentioned}}));
    }
    if let Some(link) = &message.link {
        let label = json!({"tag": "plain_text", "content": link.label});
        let button = json!({"tag": "button", "text": label, "url": link.url, "type": "primary"});
        elements.push(json!({"tag": "action", "actions": [button]}));
    }
    let header = json!({"template": colour, "title": {"tag": "plain_text", "content": title}});
    let mut body = json!({"msg_type": "interactive", "card": {"header": header, "elements": elements}});
    if let Some(key) = key {
        let timestamp_s = now.0.div_euclid(1000);
        body["timestamp"] = json!(timestamp_s.to_string());
        body["sign"] = json!(signature(key, timestamp_s));
    }
    body
}

/// HMAC-SHA256 over nothing under `time\nkey`, in base64; the time in seconds.
pub(super) fn signature(key: &str, timestamp_s: i64) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, format!("{timestamp_s}\n{key}").as_bytes());
    BASE64.encode(hmac::sign(&key, b""))
}
