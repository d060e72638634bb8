//! What a platform's answer means. A robot says in the body whether it took a message, inside a 200 as well: only its own word of success
//! counts, and whatever is not that word proves nothing.

use crate::engine::delivery::{Failure, Outcome};
use crate::engine::registry::{Channel, ChannelDialect, Template};
use crate::engine::time::Millis;
use serde_json::Value;

/// What an answer came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verdict {
    pub outcome: Outcome,
    /// The signature was refused: another key may be the one.
    pub another_key: bool,
}

/// Whether the body of a refusal (4xx, 5xx) says more than its status.
pub fn reads_refusals(dialect: ChannelDialect) -> bool {
    dialect.is_robot()
}

/// Judges the whole body of an answer. None where the status alone says it: always of `standard`.
pub fn judge(channel: &Channel, status: u16, body: &[u8]) -> Option<Verdict> {
    use ChannelDialect::*;
    let taken = (200..300).contains(&status);
    let failure = match channel.dialect {
        Standard => return None,
        Wecom => coded(taken, body, "errcode", "errmsg", wecom)?,
        Dingtalk => coded(taken, body, "errcode", "errmsg", dingtalk)?,
        Feishu => coded(taken, body, "code", "msg", feishu)?,
        Slack => slack(taken, body)?,
        Template => channel.template.as_deref().filter(|t| taken && !t.pointer.is_empty()).map(|t| worded(t, body))?,
    };
    let outcome = match failure {
        None => Outcome::Delivered,
        Some(failure) => Outcome::Failed { failure, retry_after: wait(channel.dialect, failure) },
    };
    Some(Verdict { outcome, another_key: failure == Some(Failure::KeyRefused) })
}

/// How long a platform refuses whoever was too fast, where it says so nowhere. Slack says so in a header.
fn wait(dialect: ChannelDialect, failure: Failure) -> Option<Millis> {
    match (failure, dialect) {
        (Failure::RateLimited, ChannelDialect::Wecom) => Some(Millis::from_secs(60)),
        // It blocks for ten minutes.
        (Failure::RateLimited, ChannelDialect::Dingtalk) => Some(Millis::from_mins(10)),
        // Five a second, or its own load at the full hour.
        (Failure::RateLimited, ChannelDialect::Feishu) => Some(Millis::from_secs(10)),
        _ => None,
    }
}

/// The inner None is a success; the outer one leaves the verdict to the status.
fn coded(
    taken: bool,
    body: &[u8],
    code: &str,
    text: &str,
    failure: impl Fn(i64, &str) -> Failure,
) -> Option<Option<Failure>> {
    let answer: Option<Value> = serde_json::from_slice(body).ok();
    let number = |value: &Value| value.as_i64().or_else(|| value.as_str()?.parse().ok());
    let found = answer.as_ref().and_then(|answer| answer.get(code)).and_then(number);
    let text = answer.as_ref().and_then(|answer| answer.get(text)).and_then(Value::as_str).unwrap_or_default();
    match (taken, found) {
        (true, Some(0)) => Some(None),
        (true, None) => Some(Some(Failure::Unproven)),
        (false, Some(0) | None) => None,
        (_, Some(code)) => Some(Some(failure(code, &text.to_lowercase()))),
    }
}

fn has(text: &str, words: &[&str]) -> bool {
    words.iter().any(|word| text.contains(word))
}

/// <https://developer.work.weixin.qq.com/document/path/90313>
fn wecom(code: i64, text: &str) -> Failure {
    match code {
        -1 => Failure::Busy(code),
        // More than 20 a minute, or too many at once.
        45009 | 45033 => Failure::RateLimited,
        // Any parameter that is not as it should be; the text tells whether it was the length.
        40058 if has(text, &["max", "exceed", "length", "size"]) => Failure::TooLong,
        // No such robot, or it was taken out of its group.
        93000 | 93004 | 93008 => Failure::KeyRefused,
        60020 => Failure::Barred,
        _ => Failure::Declined(code),
    }
}

/// <https://open.dingtalk.com/document/orgapp/custom-bot-send-message-type>. One number stands for all that security settings refuse.
fn dingtalk(code: i64, text: &str) -> Failure {
    match code {
        -1 => Failure::Busy(code),
        130101 | 410100 => Failure::RateLimited,
        460101 => Failure::TooLong,
        310000 if has(text, &["keyword", "whitelist", "ip "]) => Failure::Barred,
        310000 => Failure::KeyRefused,
        // No such token; the group is gone, the robot stopped or gone.
        300001 | 300005 | 400101 | 400013 | 400102 | 400106 => Failure::KeyRefused,
        _ => Failure::Declined(code),
    }
}

/// <https://open.feishu.cn/document/client-docs/bot-v3/add-custom-bot>
fn feishu(code: i64, text: &str) -> Failure {
    match code {
        11232 => Failure::RateLimited,
        9499 if has(text, &["frequency", "too many", "limit"]) => Failure::RateLimited,
        // No such robot; signature or time.
        19001 | 19021 => Failure::KeyRefused,
        19022 | 19024 => Failure::Barred,
        _ => Failure::Declined(code),
    }
}

/// A word, not JSON. <https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks>
fn slack(taken: bool, body: &[u8]) -> Option<Option<Failure>> {
    let word = std::str::from_utf8(body).unwrap_or_default().trim();
    match (taken, word) {
        (true, "ok") => Some(None),
        (true, _) => Some(Some(Failure::Unproven)),
        (
            false,
            "invalid_token"
            | "no_service"
            | "no_service_id"
            | "no_team"
            | "team_disabled"
            | "no_active_hooks"
            | "channel_not_found"
            | "action_prohibited"
            | "posting_to_general_channel_denied",
        ) => Some(Some(Failure::KeyRefused)),
        _ => None,
    }
}

/// What a template says of the word at its pointer. None is a success.
fn worded(template: &Template, body: &[u8]) -> Option<Failure> {
    let answer: Option<Value> = serde_json::from_slice(body).ok();
    let word = match answer.as_ref().and_then(|answer| answer.pointer(&template.pointer)) {
        Some(Value::String(text)) => text.clone(),
        Some(value @ (Value::Number(_) | Value::Bool(_))) => value.to_string(),
        _ => return Some(Failure::Unproven),
    };
    let code = word.parse().unwrap_or_default();
    let is = |words: &[Box<str>]| words.iter().any(|known| **known == *word);
    match () {
        () if *template.delivered == *word => None,
        () if is(&template.busy) => Some(Failure::Busy(code)),
        () if is(&template.broken) => Some(Failure::Declined(code)),
        () => Some(Failure::Unproven),
    }
}
