//! Sparkplug B's payload: metrics with names or aliases, types and times.

use super::protobuf::{Field, fields};
use crate::engine::time::Wall;
use crate::wire::Rejected;
use crate::wire::scalar::Scalar;
use crate::wire::stated_time::stated_time;
use std::borrow::Cow;

/// The most metrics of one message.
const MAX_METRICS: usize = 4096;

/// The numbers of Sparkplug's types whose values need a look at the type.
const INT8: u32 = 1;
const INT16: u32 = 2;
const INT32: u32 = 3;
const INT64: u32 = 4;

/// One message.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Payload<'a> {
    pub time: Option<Wall>,
    pub metrics: Vec<Metric<'a>>,
}

/// One value.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Metric<'a> {
    pub name: Option<&'a str>,
    pub alias: Option<u64>,
    pub time: Option<Wall>,
    /// 0 where it is not told: it is as it was announced.
    pub datatype: u32,
    /// Kept while nobody was listening, and sent late.
    pub historical: bool,
    pub null: bool,
    value: Option<Raw<'a>>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Raw<'a> {
    Int(u32),
    Long(u64),
    Real(f64),
    Flag(bool),
    Text(&'a str),
    /// Bytes, a data set, a template.
    Other,
}

impl<'a> Payload<'a> {
    /// Reads a whole payload.
    ///
    /// # Errors
    /// What is broken, or has too many metrics.
    pub fn parse(bytes: &'a [u8]) -> Result<Payload<'a>, Rejected> {
        let mut payload = Payload::default();
        for field in fields(bytes) {
            match field? {
                (1, Field::Varint(ms)) => payload.time = time(ms),
                (2, Field::Bytes(_)) if payload.metrics.len() == MAX_METRICS => return Err(Rejected::TooMuch),
                (2, Field::Bytes(metric)) => payload.metrics.push(Metric::parse(metric)?),
                _ => {}
            }
        }
        Ok(payload)
    }
}

impl<'a> Metric<'a> {
    fn parse(bytes: &'a [u8]) -> Result<Metric<'a>, Rejected> {
        let mut metric = Metric::default();
        for field in fields(bytes) {
            let (number, field) = field?;
            match (number, field) {
                (1, Field::Bytes(_)) => metric.name = Some(field.text().ok_or(Rejected::NotUtf8)?),
                (2, Field::Varint(alias)) => metric.alias = Some(alias),
                (3, Field::Varint(ms)) => metric.time = time(ms),
                (4, Field::Varint(datatype)) => metric.datatype = u32::try_from(datatype).unwrap_or(0),
                (5, Field::Varint(flag)) => metric.historical = flag != 0,
                (7, Field::Varint(flag)) => metric.null = flag != 0,
                (10, Field::Varint(int)) => metric.value = Some(Raw::Int(int as u32)),
                (11, Field::Varint(long)) => metric.value = Some(Raw::Long(long)),
                (12, Field::Fixed32(real)) => metric.value = Some(Raw::Real(shortest(f32::from_le_bytes(real)))),
                (13, Field::Fixed64(real)) => metric.value = Some(Raw::Real(f64::from_le_bytes(real))),
                (14, Field::Varint(flag)) => metric.value = Some(Raw::Flag(flag != 0)),
                (15, Field::Bytes(_)) => metric.value = Some(Raw::Text(field.text().ok_or(Rejected::NotUtf8)?)),
                (16..=19, _) => metric.value = Some(Raw::Other),
                _ => {}
            }
        }
        Ok(metric)
    }

    /// The value, of the type that the metric has or was announced with. What is no value at all is null.
    pub fn scalar(&self, announced: u32) -> Scalar<'a> {
        let datatype = if self.datatype == 0 { announced } else { self.datatype };
        match self.value.filter(|_| !self.null) {
            // Signed values travel as two's complement.
            Some(Raw::Int(int)) => Scalar::Number(match datatype {
                INT8 => f64::from(int as i8),
                INT16 => f64::from(int as i16),
                INT32 => f64::from(int as i32),
                _ => f64::from(int),
            }),
            Some(Raw::Long(long)) if datatype == INT64 => Scalar::Number(long as i64 as f64),
            Some(Raw::Long(long)) => Scalar::Number(long as f64),
            Some(Raw::Real(real)) if real.is_finite() => Scalar::Number(real),
            Some(Raw::Flag(flag)) => Scalar::Bool(flag),
            Some(Raw::Text(text)) => Scalar::Text(Cow::Borrowed(text)),
            Some(Raw::Other) => Scalar::Nested,
            Some(Raw::Real(_)) | None => Scalar::Null,
        }
    }
}

/// The number that was meant: 21.4, and not the 21.399999618530273 that is nearest to it in four bytes.
fn shortest(real: f32) -> f64 {
    real.to_string().parse().unwrap_or(f64::NAN)
}

fn time(ms: u64) -> Option<Wall> {
    stated_time(&Scalar::Number(ms as f64))
}
