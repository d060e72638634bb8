//! Takes a template's text apart: plain text, values and conditions.

use super::Part;
use super::grammar::term;
use super::term::Term;

/// The longest template that is looked at. The templates of decoders that pick frames apart are longer.
const MAX_BYTES: usize = 2048;
/// How deep conditions may lie in each other.
const MAX_DEPTH: u32 = 8;

/// The parts of a template; None where it is not one that we read.
pub(super) fn parts(source: &str) -> Option<Vec<Part>> {
    let mut pieces = if source.len() <= MAX_BYTES { pieces(source)? } else { return None }.into_iter();
    let (parts, end) = block(&mut pieces, MAX_DEPTH)?;
    (end == Stop::Source).then_some(parts)
}

/// A stretch of a template.
enum Piece<'s> {
    Text(&'s str),
    Print(&'s str),
    Statement(&'s str),
}

fn pieces(source: &str) -> Option<Vec<Piece<'_>>> {
    let mut pieces = Vec::new();
    let mut rest = source;
    while !rest.is_empty() {
        let Some(open) = ["{{", "{%", "{#"].iter().filter_map(|mark| rest.find(mark)).min() else {
            pieces.push(Piece::Text(rest));
            break;
        };
        pieces.push(Piece::Text(&rest[..open]));
        let (kind, inner) = (rest.as_bytes()[open + 1], &rest[open + 2..]);
        let close = match kind {
            b'{' => "}}",
            b'%' => "%}",
            _ => "#}",
        };
        let end = if kind == b'#' { inner.find(close)? } else { outside_quotes(inner, close)? };
        let body = inner[..end].trim_start_matches(['-', '+']).trim_end_matches('-').trim();
        match kind {
            b'{' => pieces.push(Piece::Print(body)),
            b'%' => pieces.push(Piece::Statement(body)),
            _ => {}
        }
        rest = &inner[end + close.len()..];
    }
    Some(pieces)
}

/// Where a mark stands that is no part of a quoted text.
fn outside_quotes(text: &str, mark: &str) -> Option<usize> {
    let mut quote = None;
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        match quote {
            None if text[at..].starts_with(mark) => return Some(at),
            None if c == '"' || c == '\'' => quote = Some(c),
            Some(_) if escaped => escaped = false,
            Some(_) if c == '\\' => escaped = true,
            Some(open) if c == open => quote = None,
            _ => {}
        }
    }
    None
}

/// What a block stopped at.
#[derive(PartialEq)]
enum Stop {
    Source,
    ElseIf(Term),
    Else,
    Closed,
}

fn block<'s>(pieces: &mut impl Iterator<Item = Piece<'s>>, depth: u32) -> Option<(Vec<Part>, Stop)> {
    let mut parts = Vec::new();
    while let Some(piece) = pieces.next() {
        match piece {
            Piece::Text(text) => parts.push(Part::Text(text.into())),
            Piece::Print(body) => parts.push(Part::Print(term(body)?)),
            Piece::Statement(body) => {
                let (word, condition) = body.split_once(char::is_whitespace).unwrap_or((body, ""));
                match word {
                    "if" => parts.push(conditions(pieces, term(condition)?, depth.checked_sub(1)?)?),
                    "elif" => return Some((parts, Stop::ElseIf(term(condition)?))),
                    "else" => return Some((parts, Stop::Else)),
                    "endif" => return Some((parts, Stop::Closed)),
                    _ => return None,
                }
            }
        }
    }
    Some((parts, Stop::Source))
}

fn conditions<'s>(pieces: &mut impl Iterator<Item = Piece<'s>>, first: Term, depth: u32) -> Option<Part> {
    let mut branches = Vec::new();
    let mut test = first;
    loop {
        let (parts, end) = block(pieces, depth)?;
        branches.push((test, parts));
        match end {
            Stop::ElseIf(next) => test = next,
            Stop::Closed => return Some(Part::If(branches, Vec::new())),
            Stop::Else => {
                let (otherwise, end) = block(pieces, depth)?;
                return (end == Stop::Closed).then_some(Part::If(branches, otherwise));
            }
            Stop::Source => return None,
        }
    }
}
