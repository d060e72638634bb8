//! The words of presses.

use crate::engine::kind::Kind;
use crate::engine::reading::{Form, Reading, Value};
use crate::wire::scalar::presentable;

/// Words of which one makes a text a press, whatever button or gesture stands beside it.
const PRESSES: &[&str] = &[
    "press",
    "pressed",
    "click",
    "clicked",
    "tap",
    "tapped",
    "push",
    "pushed",
    "single",
    "double",
    "triple",
    "quadruple",
    "quintuple",
    "many",
    "multi",
    "multiple",
    "long",
    "short",
    "hold",
    "held",
    "holding",
    "release",
    "released",
];

/// What a button for calling help is called.
const CALLS: &[&str] = &["sos", "emergency", "panic"];

/// What may stand beside such a word without making it another thing: `sos_cancel` and `no_emergency` are none.
const BESIDE_CALLS: &[&str] = &["button", "btn", "key", "alarm", "call", "action", "activated", "triggered"];

fn words(text: &str) -> impl Iterator<Item = String> {
    text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_lowercase)
}

fn is_one_of(word: &str, list: &[&str]) -> bool {
    list.contains(&word)
}

/// Whether a text is the call of a button for help.
pub(super) fn is_call(text: &str) -> bool {
    let is_number = |word: &str| word.bytes().all(|b| b.is_ascii_digit());
    words(text).any(|word| is_one_of(&word, CALLS))
        && words(text)
            .all(|word| is_number(&word) || [CALLS, PRESSES, BESIDE_CALLS].iter().any(|list| is_one_of(&word, list)))
}

/// Whether a text speaks of a press.
pub(super) fn is_press(text: &str) -> bool {
    words(text).any(|word| is_one_of(&word, PRESSES))
}

/// The reading of a press that is called so. The word "none" is no press.
pub(super) fn press(called: &str) -> Option<Reading> {
    match called {
        "none" | "None" => None,
        call if is_call(call) => Some(Reading::new(Kind::Sos, Value::Flag(true), Form::Event)),
        action if presentable(action) => Some(Reading::new(Kind::Button, Value::Text(action.into()), Form::Event)),
        _ => None,
    }
}
