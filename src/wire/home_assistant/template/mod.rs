//! Value templates, as far as they are a path into the message and a few words about it.
//!
//! **Nothing is executed.** A template is taken apart once, when it is learnt, into a small tree that knows no loops, no variables and
//! no names but `value` and `value_json`. What does not fit into it is unreadable, and so is what its entity says.

mod filter;
mod grammar;
mod parse;
mod term;
#[cfg(test)]
mod tests;

use crate::wire::Rejected;
use crate::wire::json::Json;
use crate::wire::scalar::Scalar;
use std::borrow::Cow;
use term::{Term, term_holds};

/// The longest text that a template may put together, change or search letter by letter.
const MAX_MADE: usize = 4096;

/// How an entity's value stands in a message.
#[derive(Debug, Clone, PartialEq)]
pub struct Template {
    form: Form,
    /// How long its text was.
    length: usize,
}

#[derive(Debug, Clone, PartialEq)]
enum Form {
    /// The whole payload.
    Whole,
    Parts(Vec<Part>),
    Unreadable,
}

/// A piece of a template.
#[derive(Debug, Clone, PartialEq)]
enum Part {
    Text(Box<str>),
    Print(Term),
    /// The first whose condition holds, or else the last.
    If(Vec<(Term, Vec<Part>)>, Vec<Part>),
}

/// A message's payload, as templates see it.
pub(super) struct Payload<'a> {
    pub text: &'a str,
    pub json: Result<Json<'a>, Rejected>,
}

impl<'a> Payload<'a> {
    pub fn new(text: &'a str) -> Payload<'a> {
        Payload { text, json: Json::parse(text) }
    }
}

/// What a template finds in a message.
#[derive(Debug, PartialEq)]
pub(super) enum Found<'a> {
    Value(Scalar<'a>),
    Nothing,
    /// The template is not one that we read.
    Unreadable,
}

impl Template {
    /// Without a template, the payload is the value.
    pub const WHOLE: Template = Template { form: Form::Whole, length: 0 };

    /// Takes a template apart.
    pub fn parse(source: &str) -> Template {
        match parse::parts(source) {
            Some(parts) => Template { form: Form::Parts(parts), length: source.len() },
            None => Template { form: Form::Unreadable, length: 0 },
        }
    }

    pub fn is_unreadable(&self) -> bool {
        self.form == Form::Unreadable
    }

    /// About how much room it takes beside itself: each word of it becomes a node of the tree.
    pub fn bytes(&self) -> usize {
        self.length * 8
    }

    /// The property that it reads, nested parts joined with dots, where it reads no more than one.
    pub fn property(&self) -> Option<String> {
        let Form::Parts(parts) = &self.form else { return None };
        let mut parts = parts.iter().filter(|part| !matches!(part, Part::Text(text) if text.trim().is_empty()));
        match (parts.next()?, parts.next()) {
            (Part::Print(term), None) => term.property(),
            (Part::If(branches, _), None) => branches.first()?.0.property(),
            _ => None,
        }
    }

    pub(super) fn read<'a>(&'a self, payload: &'a Payload<'a>) -> Found<'a> {
        let found = match &self.form {
            Form::Whole => Ok(Scalar::Text(Cow::Borrowed(payload.text))),
            Form::Unreadable => return Found::Unreadable,
            Form::Parts(parts) => render(parts, payload),
        };
        match found {
            Ok(Scalar::Text(text)) if text.trim().is_empty() => Found::Nothing,
            Ok(value) => Found::Value(value),
            Err(_) => Found::Nothing,
        }
    }
}

/// The text that a template writes for a value.
pub(super) fn printed<'a>(value: &'a Scalar) -> Option<Cow<'a, str>> {
    match value {
        Scalar::Null => Some(Cow::Borrowed("None")),
        Scalar::Bool(flag) => Some(Cow::Borrowed(if *flag { "True" } else { "False" })),
        Scalar::Number(number) => Some(Cow::Owned(number.to_string())),
        Scalar::Text(text) => Some(Cow::Borrowed(text)),
        Scalar::Nested => None,
    }
}

/// A number as filters and sensors take it: also where it stands as text.
pub(super) fn as_number(value: &Scalar) -> Option<f64> {
    match value {
        Scalar::Bool(flag) => Some(f64::from(*flag)),
        Scalar::Number(number) => Some(*number),
        Scalar::Text(text) => text.trim().parse().ok().filter(|number: &f64| number.is_finite()),
        Scalar::Null | Scalar::Nested => None,
    }
}

/// Why there is no value.
enum Fault {
    /// There is nothing at that place; a default may stand in for it.
    Undefined,
    /// It cannot be done.
    Wrong,
}

/// What parts say together. One part alone keeps what it is; several become a text.
fn render<'a>(parts: &'a [Part], payload: &'a Payload<'a>) -> Result<Scalar<'a>, Fault> {
    let mut whole: Option<Scalar> = None;
    for part in parts {
        let piece = match part {
            Part::Text(text) if text.trim().is_empty() => continue,
            Part::Text(text) => Scalar::Text(Cow::Borrowed(text)),
            Part::Print(term) => term.scalar(payload)?,
            Part::If(branches, otherwise) => {
                let mut chosen = otherwise;
                for (test, then) in branches {
                    if term_holds(test, payload)? {
                        chosen = then;
                        break;
                    }
                }
                render(chosen, payload)?
            }
        };
        whole = Some(match whole {
            None => piece,
            Some(before) => {
                let made = printed(&before).zip(printed(&piece)).map(|(before, piece)| format!("{before}{piece}"));
                Scalar::Text(Cow::Owned(made.filter(|made| made.len() <= MAX_MADE).ok_or(Fault::Wrong)?))
            }
        });
    }
    Ok(match whole.unwrap_or(Scalar::Text(Cow::Borrowed(""))) {
        Scalar::Text(Cow::Borrowed(text)) => Scalar::Text(Cow::Borrowed(text.trim())),
        Scalar::Text(Cow::Owned(text)) => Scalar::Text(Cow::Owned(text.trim().to_owned())),
        other => other,
    })
}
