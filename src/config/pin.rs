//! The PINs by which responders say who they are: what is taken for one, and what is kept of it.
//!
//! A PIN of few digits is soon found by whoever has its hash, however slow that is to make: the hash is kept under the seal of the
//! responder's other details, and counting wrong tries is what protects a PIN.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD as BASE64;
use ring::pbkdf2::{self, PBKDF2_HMAC_SHA256};
use ring::rand::{SecureRandom, SystemRandom};
use std::fmt;
use std::num::NonZeroU32;

/// Rounds of the hash: the OWASP Password Storage Cheat Sheet's figure for PBKDF2 with HMAC-SHA256.
const ROUNDS: u32 = 600_000;
/// The most rounds that are taken from a kept hash, so that none makes a check endless.
const MAX_ROUNDS: u32 = 2_000_000;
const SALT_BYTES: usize = 16;
const HASH_BYTES: usize = 32;
const NAME: &str = "pbkdf2-sha256";

/// Why a text is no PIN. None of it is repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BadPin {
    /// Not 4 to 8 digits.
    Form,
    /// All digits alike, or each the next of the one before: what is tried first.
    Easy,
    /// The system gives no randomness for its salt.
    NoRandomness,
}

impl fmt::Display for BadPin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            BadPin::Form => "is no PIN of 4 to 8 digits",
            BadPin::Easy => "is a PIN that is tried first",
            BadPin::NoRandomness => "cannot be hashed: the system gives no randomness",
        })
    }
}

impl std::error::Error for BadPin {}

/// Makes what is kept of a PIN: the way it is hashed, the rounds, the salt and the hash, with `$` between. It takes a tenth of a
/// second or more.
///
/// # Errors
/// Where the text is no PIN.
pub fn hash(pin: &str) -> Result<String, BadPin> {
    if !(4..=8).contains(&pin.len()) || !pin.bytes().all(|b| b.is_ascii_digit()) {
        return Err(BadPin::Form);
    }
    let steps: Vec<i16> = pin.as_bytes().windows(2).map(|two| i16::from(two[1]) - i16::from(two[0])).collect();
    if steps.iter().all(|step| *step == steps[0]) && (-1..=1).contains(&steps[0]) {
        return Err(BadPin::Easy);
    }
    let mut salt = [0; SALT_BYTES];
    SystemRandom::new().fill(&mut salt).map_err(|_| BadPin::NoRandomness)?;
    Ok(hash_with(pin, &salt, NonZeroU32::new(ROUNDS).unwrap_or(NonZeroU32::MIN)))
}

fn hash_with(pin: &str, salt: &[u8], rounds: NonZeroU32) -> String {
    let mut hash = [0; HASH_BYTES];
    pbkdf2::derive(PBKDF2_HMAC_SHA256, rounds, salt, pin.as_bytes(), &mut hash);
    format!("{NAME}${rounds}${}${}", BASE64.encode(salt), BASE64.encode(hash))
}

/// Whether a PIN is the one of which this was kept. False where nothing was. It takes as long as [`hash`].
pub fn fits(pin: &str, kept: &str) -> bool {
    let parts: Vec<&str> = kept.split('$').collect();
    let [NAME, rounds, salt, hash] = parts[..] else { return false };
    let rounds = rounds.parse().ok().filter(|rounds: &NonZeroU32| rounds.get() <= MAX_ROUNDS);
    let (Some(rounds), Ok(salt), Ok(hash)) = (rounds, BASE64.decode(salt), BASE64.decode(hash)) else { return false };
    hash.len() == HASH_BYTES && pbkdf2::verify(PBKDF2_HMAC_SHA256, rounds, &salt, pin.as_bytes(), &hash).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pin_has_four_to_eight_digits_and_is_none_that_is_tried_first() {
        let cases = [
            ("2580", None),
            ("20260318", None),
            ("1357", None),
            ("1122", None),
            ("", Some(BadPin::Form)),
            ("123", Some(BadPin::Form)),
            ("123456789", Some(BadPin::Form)),
            ("12a4", Some(BadPin::Form)),
            ("１２５８", Some(BadPin::Form)),
            ("0000", Some(BadPin::Easy)),
            ("1234", Some(BadPin::Easy)),
            ("87654321", Some(BadPin::Easy)),
        ];
        for (pin, wrong) in cases {
            assert_eq!(hash(pin).err(), wrong, "{pin}");
        }
    }

    #[test]
    fn only_the_pin_itself_fits_and_nothing_of_it_can_be_read() {
        let (one, two) = (hash("2580").unwrap(), hash("2580").unwrap());
        assert_ne!(one, two, "each has a salt of its own");
        assert!(!one.contains("2580"));
        assert!(fits("2580", &one) && fits("2580", &two));
        for wrong in ["2581", "", "25800", "258"] {
            assert!(!fits(wrong, &one), "{wrong}");
        }
        for kept in
            ["", "2580", "pbkdf2-sha256$0$$", "pbkdf2-sha256$4000000000$AA$AA", "md5$1$AA$AA", &one[..one.len() - 4]]
        {
            assert!(!fits("2580", kept), "{kept}");
        }
    }

    /// RFC 7914, section 11, has the first 64 bytes of this hash; the first 32 are these.
    #[test]
    fn the_hash_is_the_documented_one() {
        let kept = hash_with("passwd", b"salt", NonZeroU32::MIN);
        let hash = BASE64.decode(kept.rsplit('$').next().unwrap()).unwrap();
        let hex: String = hash.iter().map(|b| format!("{b:02x}")).collect();
        assert_eq!(hex, "55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc");
    }
}
