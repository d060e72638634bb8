//! What a line says, as the machine hears it.

use crate::engine::input::Heard;
use crate::engine::kind::{Kind, Nature, Shape};
use crate::engine::reading::{Form, Reading, Value};

/// The kind of a line.
pub fn kind_of(name: &[u8]) -> Option<Kind> {
    match name {
        b"motion" => Some(Kind::Motion),
        b"contact" => Some(Kind::Contact),
        other => std::str::from_utf8(other).ok().and_then(Kind::parse),
    }
}

/// The value of a line, as its kind has it.
pub fn value_of(kind: Kind, text: &[u8]) -> Option<Value> {
    match (kind.shape(), text) {
        (Shape::Flag, b"true" | b"1") => Some(Value::Flag(true)),
        (Shape::Flag, b"false" | b"0") => Some(Value::Flag(false)),
        (Shape::Door, b"open") => Some(Value::Open(true)),
        (Shape::Door, b"closed") => Some(Value::Open(false)),
        (Shape::Number(_), number) => {
            let number: f64 = std::str::from_utf8(number).ok()?.trim().parse().ok()?;
            number.is_finite().then_some(Value::Number(number))
        }
        (Shape::Text, text) => std::str::from_utf8(text).ok().map(|t| Value::Text(t.into())),
        _ => None,
    }
}

/// Each line is an event: a person did it, or a detector said it then.
pub fn heard(device: u16, kind: Kind, value: Value) -> Heard {
    let event = kind.activity() || kind.alarm().is_some_and(|a| a.nature() == Nature::Press);
    let form = if event { Form::Event } else { Form::Edge };
    let readings = vec![Reading::new(kind, value, form)];
    Heard {
        device,
        readings,
        device_time: None,
        rest: 0,
        event: None,
        retained: false,
        echo: false,
        signal: None,
        history: false,
    }
}
