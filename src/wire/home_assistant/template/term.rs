//! The tree that a template's expression is, and what it finds in a message.

use super::filter::Filter;
use super::{Fault, MAX_MADE, Payload, as_number};
use crate::wire::json::Json;
use crate::wire::scalar::Scalar;
use std::borrow::Cow;

/// A node of the tree.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Term {
    /// The payload's text.
    Value,
    /// The payload as JSON.
    ValueJson,
    /// What the entity said before. It is not known here; a template that falls back on it has no news.
    Past,
    Constant(Scalar<'static>),
    /// Constants that a value is looked for among.
    List(Vec<Scalar<'static>>),
    Member(Box<Term>, Box<str>),
    Item(Box<Term>, usize),
    Filter(Box<Term>, Filter),
    Not(Box<Term>),
    Both(Box<Term>, Box<Term>),
    Either(Box<Term>, Box<Term>),
    Compare(Box<Term>, Comparison, Box<Term>),
    Calculate(Box<Term>, Operator, Box<Term>),
    Within(Box<Term>, Box<Term>),
    IsDefined(Box<Term>),
    IsNone(Box<Term>),
    Choice {
        test: Box<Term>,
        yes: Box<Term>,
        no: Box<Term>,
    },
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Comparison {
    Equal,
    Unequal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Operator {
    Plus,
    Minus,
    Times,
    Over,
}

/// A value on its way through a template.
pub(super) enum Seen<'a> {
    Tree(&'a Json<'a>),
    List(&'a [Scalar<'static>]),
    Plain(Scalar<'a>),
}

/// A condition; what is not there does not hold.
pub(super) fn term_holds(test: &Term, payload: &Payload) -> Result<bool, Fault> {
    match test.see(payload) {
        Ok(seen) => Ok(seen.holds()),
        Err(Fault::Undefined) => Ok(false),
        Err(Fault::Wrong) => Err(Fault::Wrong),
    }
}

impl<'a> Seen<'a> {
    pub fn scalar(self) -> Scalar<'a> {
        match self {
            Seen::Tree(json) => json.scalar(),
            Seen::List(_) => Scalar::Nested,
            Seen::Plain(scalar) => scalar,
        }
    }

    pub fn holds(&self) -> bool {
        match self {
            Seen::Tree(Json::List(items)) => !items.is_empty(),
            Seen::Tree(Json::Object(members)) => !members.is_empty(),
            Seen::Tree(json) => truthy(&json.scalar()),
            Seen::List(items) => !items.is_empty(),
            Seen::Plain(scalar) => truthy(scalar),
        }
    }
}

fn truthy(value: &Scalar) -> bool {
    match value {
        Scalar::Null => false,
        Scalar::Bool(flag) => *flag,
        Scalar::Number(number) => *number != 0.0,
        Scalar::Text(text) => !text.is_empty(),
        Scalar::Nested => true,
    }
}

/// A constant, borrowed.
pub(super) fn constant<'a>(value: &'a Scalar<'static>) -> Scalar<'a> {
    match value {
        Scalar::Text(text) => Scalar::Text(Cow::Borrowed(text)),
        Scalar::Null => Scalar::Null,
        Scalar::Bool(flag) => Scalar::Bool(*flag),
        Scalar::Number(number) => Scalar::Number(*number),
        Scalar::Nested => Scalar::Nested,
    }
}

impl Term {
    pub fn scalar<'a>(&'a self, payload: &'a Payload<'a>) -> Result<Scalar<'a>, Fault> {
        self.see(payload).map(Seen::scalar)
    }

    fn see<'a>(&'a self, payload: &'a Payload<'a>) -> Result<Seen<'a>, Fault> {
        // Whatever is looked for inside of nothing is a mistake, and no default helps.
        let inside = |of: &'a Term| of.see(payload).map_err(|_| Fault::Wrong);
        let flag = |flag| Ok(Seen::Plain(Scalar::Bool(flag)));
        match self {
            Term::Value => Ok(Seen::Plain(Scalar::Text(Cow::Borrowed(payload.text)))),
            Term::ValueJson => payload.json.as_ref().map(Seen::Tree).map_err(|_| Fault::Undefined),
            Term::Past => Err(Fault::Wrong),
            Term::Constant(value) => Ok(Seen::Plain(constant(value))),
            Term::List(items) => Ok(Seen::List(items)),
            Term::Member(of, name) => match inside(of)? {
                Seen::Tree(json) => json.get(name).map(Seen::Tree).ok_or(Fault::Undefined),
                _ => Err(Fault::Undefined),
            },
            Term::Item(of, index) => match inside(of)? {
                Seen::Tree(json) => json.items().get(*index).map(Seen::Tree).ok_or(Fault::Undefined),
                _ => Err(Fault::Undefined),
            },
            Term::Filter(of, filter) => filter.apply(of.see(payload)),
            Term::Not(of) => flag(!term_holds(of, payload)?),
            Term::Both(one, other) => flag(term_holds(one, payload)? && term_holds(other, payload)?),
            Term::Either(one, other) => flag(term_holds(one, payload)? || term_holds(other, payload)?),
            Term::Compare(one, how, other) => how.holds(one.see(payload), other.see(payload)).and_then(flag),
            Term::Calculate(one, how, other) => {
                how.apply(&one.scalar(payload)?, &other.scalar(payload)?).map(|n| Seen::Plain(Scalar::Number(n)))
            }
            Term::Within(what, of) => flag(within(&what.scalar(payload)?, &inside(of)?).ok_or(Fault::Wrong)?),
            Term::IsDefined(of) => match of.see(payload) {
                Err(Fault::Wrong) => Err(Fault::Wrong),
                seen => flag(seen.is_ok()),
            },
            Term::IsNone(of) => match of.see(payload) {
                Ok(seen) => flag(seen.scalar() == Scalar::Null),
                Err(Fault::Undefined) => flag(false),
                Err(Fault::Wrong) => Err(Fault::Wrong),
            },
            Term::Choice { test, yes, no } => if term_holds(test, payload)? { yes } else { no }.see(payload),
        }
    }

    pub fn property(&self) -> Option<String> {
        match self {
            Term::Filter(of, _) | Term::Not(of) | Term::IsDefined(of) | Term::IsNone(of) => of.property(),
            Term::Compare(of, _, _) | Term::Calculate(of, _, _) | Term::Both(_, of) => of.property(),
            Term::Choice { test, .. } => test.property(),
            Term::Within(what, of) => match &**what {
                Term::Constant(_) => of.property(),
                what => what.property(),
            },
            Term::Member(of, name) if **of == Term::ValueJson => Some(name.to_string()),
            Term::Member(of, name) => Some(format!("{}.{name}", of.property()?)),
            Term::Item(of, index) => Some(format!("{}.{index}", of.property()?)),
            _ => None,
        }
    }
}

/// A key of an object, an item of a list, a part of a text.
fn within(what: &Scalar, of: &Seen) -> Option<bool> {
    let text = |text: &str| (text.len() <= MAX_MADE).then(|| Some(text.contains(what.as_text()?)))?;
    match of {
        Seen::Tree(json @ Json::Object(_)) => Some(json.get(what.as_text()?).is_some()),
        Seen::Tree(Json::List(items)) => Some(items.iter().any(|item| same(what, &item.scalar()))),
        Seen::Tree(Json::Text(whole)) => text(whole),
        Seen::Plain(Scalar::Text(whole)) => text(whole),
        Seen::List(items) => Some(items.iter().any(|item| same(what, item))),
        _ => None,
    }
}

/// Yes and no are one and zero to a template; a text is never a number.
fn same(one: &Scalar, other: &Scalar) -> bool {
    match (one, other) {
        (Scalar::Text(one), Scalar::Text(other)) => one == other,
        (Scalar::Bool(_) | Scalar::Number(_), Scalar::Bool(_) | Scalar::Number(_)) => {
            as_number(one) == as_number(other)
        }
        (Scalar::Null, Scalar::Null) => true,
        _ => false,
    }
}

impl Comparison {
    pub fn holds(self, one: Result<Seen, Fault>, other: Result<Seen, Fault>) -> Result<bool, Fault> {
        let pair = match (one, other) {
            (Ok(one), Ok(other)) => (one.scalar(), other.scalar()),
            (Err(Fault::Wrong), _) | (_, Err(Fault::Wrong)) => return Err(Fault::Wrong),
            // What is not there equals nothing.
            _ => return Ok(self == Comparison::Unequal),
        };
        let order = || match &pair {
            (Scalar::Number(one), Scalar::Number(other)) => one.partial_cmp(other).ok_or(Fault::Wrong),
            _ => Err(Fault::Wrong),
        };
        Ok(match self {
            Comparison::Equal => same(&pair.0, &pair.1),
            Comparison::Unequal => !same(&pair.0, &pair.1),
            Comparison::Less => order()?.is_lt(),
            Comparison::LessOrEqual => order()?.is_le(),
            Comparison::Greater => order()?.is_gt(),
            Comparison::GreaterOrEqual => order()?.is_ge(),
        })
    }
}

impl Operator {
    pub fn apply(self, one: &Scalar, other: &Scalar) -> Result<f64, Fault> {
        // A text would be put together, not added up.
        let (Scalar::Number(one), Scalar::Number(other)) = (one, other) else { return Err(Fault::Wrong) };
        let made = match self {
            Operator::Plus => one + other,
            Operator::Minus => one - other,
            Operator::Times => one * other,
            Operator::Over => one / other,
        };
        if made.is_finite() { Ok(made) } else { Err(Fault::Wrong) }
    }
}
