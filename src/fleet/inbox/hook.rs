//! Verifies a webhook as Standard Webhooks 1.0 asks of a receiver: signature over id, time and body, and a time that is now.

use axum::http::HeaderMap;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use ring::hmac;

/// How far the sender's clock may be off, in seconds.
const TOLERANCE_S: u64 = 300;
/// The longest webhook id kept, in bytes.
const MAX_ID_BYTES: usize = 256;

/// Knows the secret.
pub struct Verifier(hmac::Key);

impl Verifier {
    /// Takes `whsec_` and base64; none where it is not that.
    pub fn new(secret: &str) -> Option<Verifier> {
        let bytes = BASE64.decode(secret.strip_prefix("whsec_")?).ok().filter(|bytes| !bytes.is_empty())?;
        Some(Verifier(hmac::Key::new(hmac::HMAC_SHA256, &bytes)))
    }

    /// Gives the webhook's id where one of its signatures is right and its time is within five minutes of `now_s`.
    pub fn verify(&self, headers: &HeaderMap, body: &[u8], now_s: u64) -> Option<String> {
        let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
        let (id, time) = (text("webhook-id")?, text("webhook-timestamp")?);
        if id.len() > MAX_ID_BYTES || time.parse::<u64>().ok()?.abs_diff(now_s) > TOLERANCE_S {
            return None;
        }
        let signed = [format!("{id}.{time}.").as_bytes(), body].concat();
        let right = |signature: &str| {
            let tag = signature.strip_prefix("v1,").and_then(|text| BASE64.decode(text).ok());
            tag.is_some_and(|tag| hmac::verify(&self.0, &signed, &tag).is_ok())
        };
        text("webhook-signature")?.split(' ').any(right).then(|| id.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the Standard Webhooks specification's reference implementations.
    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const BODY: &[u8] = br#"{"test": 2432232314}"#;
    const TIME: u64 = 1_614_265_330;
    const SIGNATURE: &str = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";

    fn headers(time: &str, signature: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert("webhook-id", "msg_p5jXN8AQM9LWM0D4loKWxJek".parse().unwrap());
        headers.insert("webhook-timestamp", time.parse().unwrap());
        headers.insert("webhook-signature", signature.parse().unwrap());
        headers
    }

    #[test]
    fn a_webhook_counts_if_signature_and_time_are_right() {
        let verifier = Verifier::new(SECRET).unwrap();
        let time = TIME.to_string();
        let rotating = format!("v1,AAAA v2,{} {SIGNATURE}", "x".repeat(9));
        let table = [
            (headers(&time, SIGNATURE), BODY, TIME, true),
            (headers(&time, &rotating), BODY, TIME + 300, true),
            (headers(&time, SIGNATURE), BODY, TIME - 301, false),
            (headers(&time, SIGNATURE), BODY, TIME + 301, false),
            (headers(&time, SIGNATURE), b"{}".as_slice(), TIME, false),
            (headers(&(TIME + 1).to_string(), SIGNATURE), BODY, TIME, false),
            (headers("soon", SIGNATURE), BODY, TIME, false),
            (headers(&time, &SIGNATURE[3..]), BODY, TIME, false),
            (HeaderMap::new(), BODY, TIME, false),
        ];
        for (number, (headers, body, now, right)) in table.into_iter().enumerate() {
            assert_eq!(verifier.verify(&headers, body, now).is_some(), right, "row {number}");
        }
    }

    #[test]
    fn a_secret_is_whsec_and_base64() {
        assert!(
            ["", "whsec_", "whsec_%", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"].iter().all(|s| Verifier::new(s).is_none())
        );
    }
}
