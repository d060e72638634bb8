//! The filters of templates: a few words behind a value that change it.

use super::grammar::whole;
use super::term::{Operator, Seen, constant};
use super::{Fault, MAX_MADE, as_number, printed};
use crate::wire::scalar::Scalar;
use std::borrow::Cow;

/// What stands behind a `|`.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Filter {
    /// Where there is nothing; or, when asked to, also where there is zero, false or an empty text.
    Default(Scalar<'static>, bool),
    Float(Option<f64>),
    Int(Option<f64>),
    Bool(Option<bool>),
    Round(i32),
    Abs,
    Multiply(f64),
    Add(f64),
    Lower,
    Upper,
    Trim,
    Text,
    IsDefined,
    Iif(Scalar<'static>, Scalar<'static>),
}

impl Filter {
    /// The filter of a name and its arguments, if it is one that we know.
    pub fn named(name: &str, arguments: Vec<Scalar<'static>>) -> Option<Filter> {
        let mut arguments = arguments.into_iter();
        let (first, second) = (arguments.next(), arguments.next());
        let a_number = |argument: &Option<Scalar>| match argument {
            None => Some(None),
            Some(Scalar::Number(number)) => Some(Some(*number)),
            Some(_) => None,
        };
        Some(match (name, &first) {
            ("default" | "d", _) => {
                Filter::Default(first.unwrap_or(Scalar::Text("".into())), second == Some(Scalar::Bool(true)))
            }
            ("float", _) if second.is_none() => Filter::Float(a_number(&first)?),
            // With a second one it would be another base.
            ("int", _) if second.is_none() => Filter::Int(a_number(&first)?),
            ("bool", None) => Filter::Bool(None),
            ("bool", Some(Scalar::Bool(instead))) => Filter::Bool(Some(*instead)),
            // Rounding up or down is another thing.
            ("round", _) if second.as_ref().is_none_or(|how| how.as_text() == Some("common")) => {
                let places = a_number(&first)?.unwrap_or(0.0);
                Filter::Round(whole(places).filter(|places| *places <= 12)? as i32)
            }
            ("abs", None) => Filter::Abs,
            ("multiply", Some(Scalar::Number(by))) => Filter::Multiply(*by),
            ("add", Some(Scalar::Number(by))) => Filter::Add(*by),
            ("lower", None) => Filter::Lower,
            ("upper", None) => Filter::Upper,
            ("trim", None) => Filter::Trim,
            ("string", None) => Filter::Text,
            ("is_defined", None) => Filter::IsDefined,
            ("iif", _) => Filter::Iif(first.unwrap_or(Scalar::Bool(true)), second.unwrap_or(Scalar::Bool(false))),
            _ => return None,
        })
    }

    /// The value as the filter leaves it.
    pub fn apply<'a>(&'a self, of: Result<Seen<'a>, Fault>) -> Result<Seen<'a>, Fault> {
        let said = |value: &'a Scalar<'static>| Ok(Seen::Plain(constant(value)));
        match (self, of) {
            (Filter::Default(instead, _), Err(Fault::Undefined)) => said(instead),
            (Filter::Default(instead, true), Ok(value)) if !value.holds() => said(instead),
            (Filter::Default(..) | Filter::IsDefined, of) => of,
            (Filter::Iif(_, no), Err(Fault::Undefined)) => said(no),
            (Filter::Iif(yes, no), of) => said(if of?.holds() { yes } else { no }),
            (Filter::Float(Some(instead)) | Filter::Int(Some(instead)), Err(Fault::Undefined)) => {
                Ok(Seen::Plain(Scalar::Number(*instead)))
            }
            (_, of) => self.change(&of?.scalar()).map(Seen::Plain),
        }
    }

    fn change(&self, value: &Scalar) -> Result<Scalar<'static>, Fault> {
        let number = |instead: Option<f64>| as_number(value).or(instead).ok_or(Fault::Wrong);
        let calculated =
            |how: Operator, by: f64| how.apply(&Scalar::Number(number(None)?), &Scalar::Number(by)).map(Scalar::Number);
        let changed = |change: fn(&str) -> String| {
            let text = printed(value).filter(|text| text.len() <= MAX_MADE).ok_or(Fault::Wrong)?;
            Ok(Scalar::Text(Cow::Owned(change(&text))))
        };
        match self {
            // Done above: they do not change what there is.
            Filter::Default(..) | Filter::IsDefined | Filter::Iif(..) => Err(Fault::Wrong),
            Filter::Float(instead) => number(*instead).map(Scalar::Number),
            Filter::Int(instead) => number(*instead).map(|n| Scalar::Number(n.trunc())),
            Filter::Bool(instead) => truth(value).or(*instead).map(Scalar::Bool).ok_or(Fault::Wrong),
            Filter::Round(places) => number(None).map(|n| Scalar::Number(rounded(n, *places))),
            Filter::Abs => number(None).map(|n| Scalar::Number(n.abs())),
            Filter::Multiply(by) => calculated(Operator::Times, *by),
            Filter::Add(by) => calculated(Operator::Plus, *by),
            Filter::Lower => changed(str::to_lowercase),
            Filter::Upper => changed(str::to_uppercase),
            Filter::Trim => changed(|text| text.trim().to_owned()),
            Filter::Text => changed(str::to_owned),
        }
    }
}

/// The words that Home Assistant takes for yes and no.
fn truth(value: &Scalar) -> Option<bool> {
    match value {
        Scalar::Bool(flag) => Some(*flag),
        Scalar::Number(number) => Some(*number != 0.0),
        Scalar::Text(text) => match text.trim().to_lowercase().as_str() {
            "1" | "true" | "yes" | "on" | "enable" => Some(true),
            "0" | "false" | "no" | "off" | "disable" => Some(false),
            _ => None,
        },
        Scalar::Null | Scalar::Nested => None,
    }
}

fn rounded(number: f64, places: i32) -> f64 {
    let scale = 10f64.powi(places);
    let made = (number * scale).round() / scale;
    if made.is_finite() { made } else { number }
}
