//! A message as a JSON object, for ways in that are not MQTT: `{"topic": …, "payload": …, "retain": false}`.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;

/// One message. Bytes that are no JSON come as `"payload": {"base64": "…"}, "encoding": "base64"`.
#[derive(Debug, Deserialize)]
pub struct Envelope<'a> {
    #[serde(borrow)]
    pub topic: Cow<'a, str>,
    /// Untouched: what stands twice or out of range is to be judged as it came.
    #[serde(borrow)]
    payload: &'a RawValue,
    #[serde(default)]
    pub retain: bool,
    #[serde(borrow, default)]
    encoding: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct Encoded<'a> {
    #[serde(borrow)]
    base64: Cow<'a, str>,
}

impl<'a> Envelope<'a> {
    /// The payload's bytes as published; None where it is not what its encoding says. A text stands for itself, since that is how tools
    /// print a payload that is no JSON.
    pub fn payload(&self) -> Option<Cow<'a, [u8]>> {
        let raw = self.payload.get();
        match self.encoding.as_deref() {
            Some("base64") => {
                let encoded = serde_json::from_str::<Encoded>(raw).ok()?;
                STANDARD.decode(encoded.base64.as_bytes()).ok().map(Cow::Owned)
            }
            Some(_) => None,
            None if raw.starts_with('"') => {
                serde_json::from_str::<String>(raw).ok().map(|text| Cow::Owned(text.into_bytes()))
            }
            None => Some(Cow::Borrowed(raw.as_bytes())),
        }
    }
}
