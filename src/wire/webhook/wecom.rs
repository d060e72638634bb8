//! A group robot of WeCom. Only its `text` can mention people by phone, so what calls for a life is text; the rest is Markdown.
//! <https://developer.work.weixin.qq.com/document/path/91770>

use super::message::{Dress, Link, Message, Tone};
use super::words::WHOLE;
use serde_json::{Value, json};

/// 4,096 bytes are the most of a Markdown text; a plain one may have 2,048.
const MARKDOWN: Dress =
    Dress { most: 4_096, newline: "\n", title: |title| format!("**{title}**"), link: markdown_link };

/// A Markdown link. The platforms end it at the first bracket.
pub(super) fn markdown_link(link: &Link) -> String {
    format!("[{}]({})", link.label, link.url.replace('(', "%28").replace(')', "%29"))
}

pub(super) fn body(message: &Message, mention: &[Box<str>]) -> Value {
    if !(message.calls && message.tone == Tone::Life) {
        return json!({"msgtype": "markdown", "markdown": {"content": message.text(&MARKDOWN, "")}});
    }
    let ids: Vec<&str> = mention.iter().map(|id| if &**id == "all" { "@all" } else { id }).collect();
    let mut text = json!({"content": message.text(&WHOLE, ""), "mentioned_mobile_list": message.phones});
    if !ids.is_empty() {
        text["mentioned_list"] = json!(ids);
    }
    json!({"msgtype": "text", "text": text})
}
