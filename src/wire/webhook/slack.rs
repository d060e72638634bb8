//! An incoming webhook of Slack: one section of its own markup, and the title for the notification.
//! <https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks>

use super::message::{Dress, Link, Message, Tone};
use serde_json::{Value, json};

/// 3,000 characters are the most of a section, and no character is less than a byte.
const MRKDWN: Dress = Dress { most: 3_000, newline: "\n", title: |title| format!("*{title}*"), link };

/// Three signs have a meaning of their own, and a bar ends the address. The texts hold none of them, see `message::plain`.
fn link(link: &Link) -> String {
    let url = link.url.replace('&', "&amp;").replace('<', "%3C").replace('>', "%3E").replace('|', "%7C");
    format!("<{url}|{}>", link.label)
}

pub(super) fn body(message: &Message, mention: &[Box<str>]) -> Value {
    let grave = message.calls && message.tone == Tone::Life;
    let mentioned: Vec<String> = mention.iter().filter(|_| grave).map(|id| mentioned(id)).collect();
    let text = message.text(&MRKDWN, &mentioned.join(" "));
    json!({"text": message.title, "blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": text}}]})
}

fn mentioned(id: &str) -> String {
    match id {
        "all" => "<!channel>".to_owned(),
        "here" => "<!here>".to_owned(),
        // Groups have ids of their own.
        id if id.starts_with('S') => format!("<!subteam^{id}>"),
        id => format!("<@{id}>"),
    }
}
