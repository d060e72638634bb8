//! The grammar of expressions. What is not in it makes the template unreadable.

use super::filter::Filter;
use super::term::{Comparison, Operator, Term};
use crate::wire::scalar::Scalar;

/// How deep parentheses and choices may lie in each other.
const MAX_DEPTH: u32 = 8;
/// How many words and signs may stand between two braces.
const MAX_TOKENS: usize = 64;

#[derive(Debug, Clone, PartialEq)]
enum Token<'s> {
    Name(&'s str),
    Number(f64),
    Text(String),
    Sign(&'s str),
}

fn tokens(body: &str) -> Option<Vec<Token<'_>>> {
    let mut tokens = Vec::new();
    let mut rest = body.trim_start();
    while let Some(first) = rest.chars().next() {
        let (token, length) = match first {
            '"' | '\'' => quoted(rest, first)?,
            '0'..='9' => {
                let length = number_length(rest);
                (Token::Number(rest[..length].parse().ok()?), length)
            }
            c if c.is_alphabetic() || c == '_' => {
                let length = rest.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(rest.len());
                (Token::Name(&rest[..length]), length)
            }
            _ => {
                let long = ["==", "!=", "<=", ">="].iter().any(|sign| rest.starts_with(sign));
                let length = if long { 2 } else { first.len_utf8() };
                (Token::Sign(&rest[..length]), length)
            }
        };
        tokens.push(token);
        if tokens.len() > MAX_TOKENS {
            return None;
        }
        rest = rest[length..].trim_start();
    }
    Some(tokens)
}

/// Digits, and a point with digits behind it.
fn number_length(text: &str) -> usize {
    let digits = |from: usize| text[from..].bytes().take_while(u8::is_ascii_digit).count();
    let whole = digits(0);
    match text[whole..].starts_with('.').then(|| digits(whole + 1)) {
        Some(fraction) if fraction > 0 => whole + 1 + fraction,
        _ => whole,
    }
}

fn quoted(text: &str, quote: char) -> Option<(Token<'_>, usize)> {
    let mut said = String::new();
    let mut chars = text.char_indices().skip(1);
    while let Some((at, c)) = chars.next() {
        match c {
            '\\' => said.push(match chars.next()?.1 {
                'n' => '\n',
                't' => '\t',
                other => other,
            }),
            c if c == quote => return Some((Token::Text(said), at + 1)),
            c => said.push(c),
        }
    }
    None
}

/// One expression, to its end.
pub(super) fn term(body: &str) -> Option<Term> {
    let tokens = tokens(body)?;
    let mut reader = Reader { tokens: &tokens, depth: MAX_DEPTH };
    let term = reader.choice()?;
    reader.tokens.is_empty().then_some(term)
}

struct Reader<'t> {
    tokens: &'t [Token<'t>],
    depth: u32,
}

impl<'t> Reader<'t> {
    fn take(&mut self) -> Option<&'t Token<'t>> {
        let (first, rest) = self.tokens.split_first()?;
        self.tokens = rest;
        Some(first)
    }

    /// Takes the token if it is this one.
    fn eat(&mut self, token: Token) -> bool {
        let is = self.tokens.first() == Some(&token);
        if is {
            self.tokens = &self.tokens[1..];
        }
        is
    }

    fn eat_word(&mut self, word: &str) -> bool {
        self.eat(Token::Name(word))
    }

    fn eat_sign(&mut self, sign: &str) -> bool {
        self.eat(Token::Sign(sign))
    }

    /// `YES if TEST else NO`
    fn choice(&mut self) -> Option<Term> {
        self.depth = self.depth.checked_sub(1)?;
        let yes = self.either()?;
        let term = if self.eat_word("if") {
            let test = self.either()?;
            let no = if self.eat_word("else") { self.choice()? } else { Term::Constant(Scalar::Text("".into())) };
            Term::Choice { test: test.into(), yes: yes.into(), no: no.into() }
        } else {
            yes
        };
        self.depth += 1;
        Some(term)
    }

    fn either(&mut self) -> Option<Term> {
        let mut term = self.both()?;
        while self.eat_word("or") {
            term = Term::Either(term.into(), self.both()?.into());
        }
        Some(term)
    }

    fn both(&mut self) -> Option<Term> {
        let mut term = self.negation()?;
        while self.eat_word("and") {
            term = Term::Both(term.into(), self.negation()?.into());
        }
        Some(term)
    }

    fn negation(&mut self) -> Option<Term> {
        let mut denied = false;
        while self.eat_word("not") {
            denied = !denied;
        }
        let term = self.comparison()?;
        Some(if denied { Term::Not(term.into()) } else { term })
    }

    fn comparison(&mut self) -> Option<Term> {
        let term = self.sum()?;
        let signs = [
            ("==", Comparison::Equal),
            ("!=", Comparison::Unequal),
            ("<=", Comparison::LessOrEqual),
            (">=", Comparison::GreaterOrEqual),
            ("<", Comparison::Less),
            (">", Comparison::Greater),
        ];
        if let Some((_, how)) = signs.into_iter().find(|(sign, _)| self.eat_sign(sign)) {
            return Some(Term::Compare(term.into(), how, self.sum()?.into()));
        }
        if self.eat_word("is") {
            let denied = self.eat_word("not");
            let term = match self.take()? {
                Token::Name("defined") => Term::IsDefined(term.into()),
                Token::Name("undefined") => Term::Not(Term::IsDefined(term.into()).into()),
                Token::Name("none" | "None") => Term::IsNone(term.into()),
                _ => return None,
            };
            return Some(if denied { Term::Not(term.into()) } else { term });
        }
        let denied = self.tokens.starts_with(&[Token::Name("not"), Token::Name("in")]) && self.eat_word("not");
        if self.eat_word("in") {
            let term = Term::Within(term.into(), self.sum()?.into());
            return Some(if denied { Term::Not(term.into()) } else { term });
        }
        Some(term)
    }

    fn sum(&mut self) -> Option<Term> {
        let mut term = self.product()?;
        loop {
            let how = match () {
                () if self.eat_sign("+") => Operator::Plus,
                () if self.eat_sign("-") => Operator::Minus,
                () => return Some(term),
            };
            term = Term::Calculate(term.into(), how, self.product()?.into());
        }
    }

    fn product(&mut self) -> Option<Term> {
        let mut term = self.signed()?;
        loop {
            let how = match () {
                () if self.eat_sign("*") => Operator::Times,
                () if self.eat_sign("/") => Operator::Over,
                () => return Some(term),
            };
            term = Term::Calculate(term.into(), how, self.signed()?.into());
        }
    }

    fn signed(&mut self) -> Option<Term> {
        match self.eat_sign("-") {
            true => Some(Term::Calculate(number(0.0).into(), Operator::Minus, self.path()?.into())),
            false => self.path(),
        }
    }

    /// A value, what lies inside of it, and the filters behind it.
    fn path(&mut self) -> Option<Term> {
        let mut term = self.value()?;
        loop {
            term = match () {
                () if self.eat_sign(".") => match self.take()? {
                    Token::Name("get") if self.eat_sign("(") => {
                        let mut arguments = self.arguments()?.into_iter();
                        let Scalar::Text(name) = arguments.next()? else { return None };
                        let instead = arguments.next().unwrap_or(Scalar::Null);
                        Term::Filter(Term::Member(term.into(), name.into()).into(), Filter::Default(instead, false))
                    }
                    Token::Name(name) => Term::Member(term.into(), (*name).into()),
                    Token::Number(index) => Term::Item(term.into(), whole(*index)?),
                    _ => return None,
                },
                () if self.eat_sign("[") => {
                    let inside = match self.take()? {
                        Token::Text(name) => Term::Member(term.into(), name.as_str().into()),
                        Token::Number(index) => Term::Item(term.into(), whole(*index)?),
                        _ => return None,
                    };
                    self.eat_sign("]").then_some(inside)?
                }
                () if self.eat_sign("|") => {
                    let Token::Name(name) = self.take()? else { return None };
                    let arguments = if self.eat_sign("(") { self.arguments()? } else { Vec::new() };
                    Term::Filter(term.into(), Filter::named(name, arguments)?)
                }
                () => return Some(term),
            }
        }
    }

    fn value(&mut self) -> Option<Term> {
        match self.take()? {
            Token::Name("value") => Some(Term::Value),
            Token::Name("value_json") => Some(Term::ValueJson),
            Token::Name("this") if self.eat_sign(".") && self.eat_word("state") => Some(Term::Past),
            Token::Name("states") if self.eat_sign("(") => self.arguments().map(|_| Term::Past),
            Token::Name(name @ ("float" | "int" | "bool")) if self.eat_sign("(") => {
                let of = self.choice()?;
                let instead = if self.eat_sign(",") { self.arguments()? } else { self.eat_sign(")").then(Vec::new)? };
                Some(Term::Filter(of.into(), Filter::named(name, instead)?))
            }
            Token::Name(word) => Some(Term::Constant(named(word)?)),
            Token::Number(value) => Some(number(*value)),
            Token::Text(text) => Some(Term::Constant(Scalar::Text(text.clone().into()))),
            Token::Sign("(") => {
                let term = self.choice()?;
                self.eat_sign(")").then_some(term)
            }
            Token::Sign("[") => self.constants("]").map(Term::List),
            Token::Sign(_) => None,
        }
    }

    /// Constants behind an opened parenthesis, up to the closing one.
    fn arguments(&mut self) -> Option<Vec<Scalar<'static>>> {
        self.constants(")")
    }

    fn constants(&mut self, close: &str) -> Option<Vec<Scalar<'static>>> {
        let mut found = Vec::new();
        while !self.eat_sign(close) {
            if !found.is_empty() && !self.eat_sign(",") {
                return None;
            }
            if self.eat_word("default") && !self.eat_sign("=") {
                return None;
            }
            let minus = self.eat_sign("-");
            found.push(match self.take()? {
                Token::Number(value) => Scalar::Number(if minus { -value } else { *value }),
                _ if minus => return None,
                Token::Text(text) => Scalar::Text(text.clone().into()),
                Token::Name(word) => named(word)?,
                Token::Sign(_) => return None,
            });
        }
        Some(found)
    }
}

fn number(value: f64) -> Term {
    Term::Constant(Scalar::Number(value))
}

/// A place in a list, or a number of places.
pub(super) fn whole(index: f64) -> Option<usize> {
    (index.fract() == 0.0 && (0.0..1e6).contains(&index)).then_some(index as usize)
}

fn named(word: &str) -> Option<Scalar<'static>> {
    match word {
        "true" | "True" => Some(Scalar::Bool(true)),
        "false" | "False" => Some(Scalar::Bool(false)),
        "none" | "None" => Some(Scalar::Null),
        _ => None,
    }
}
