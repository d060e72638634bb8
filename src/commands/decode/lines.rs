//! Messages as JSON lines in, one answer per line out, in order, whatever stands in the line. Lines are one stream: what one teaches holds
//! for those after it.

use crate::engine::reading::{Reading, Report, Speaker, Value};
use crate::wire::envelope::Envelope;
use crate::wire::{Decoded, Ignored, Lore, Message, Outcome, Rejected, Source, decode, find_source, topic};
use serde::Serialize;
use std::io::{self, BufRead, Write};

/// The longest line: the largest payload in base64, its topic and a little more.
const MAX_LINE_BYTES: usize = 32 << 20;

/// Reads messages as JSON lines and answers each with one line. Errors are those of input and output only.
pub fn decode_lines(
    sources: &[Source],
    mut lore: Lore,
    mut input: impl BufRead,
    mut output: impl Write,
) -> io::Result<()> {
    let mut line = Vec::new();
    for number in 1.. {
        let whole = match next_line(&mut input, &mut line)? {
            None => break,
            Some(whole) => whole,
        };
        let mut answer =
            if whole { answer(sources, &mut lore, &line) } else { Answer::rejected("the line is too long") };
        answer.line = number;
        serde_json::to_writer(&mut output, &answer)?;
        output.write_all(b"\n")?;
        output.flush()?;
    }
    Ok(())
}

/// The next line without its end; None at the end of the input, Some(false) where it was longer than the limit and is passed over.
fn next_line(input: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<Option<bool>> {
    line.clear();
    let mut whole = true;
    let mut any = false;
    loop {
        let here = input.fill_buf()?;
        if here.is_empty() {
            return Ok(any.then_some(whole));
        }
        any = true;
        let end = here.iter().position(|byte| *byte == b'\n');
        let part = &here[..end.unwrap_or(here.len())];
        if line.len() + part.len() > MAX_LINE_BYTES {
            whole = false;
        } else {
            line.extend_from_slice(part);
        }
        let used = part.len() + usize::from(end.is_some());
        input.consume(used);
        if end.is_some() {
            return Ok(Some(whole));
        }
    }
}

#[derive(Serialize, Default)]
struct Answer {
    line: u64,
    outcome: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<String>,
    /// The time that the device states.
    #[serde(skip_serializing_if = "Option::is_none")]
    device_time: Option<String>,
    readings: Vec<Said>,
    /// How many items of the message could not be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    unread: Option<u32>,
}

#[derive(Serialize)]
struct Said {
    kind: &'static str,
    value: Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    channel: Option<String>,
}

impl Answer {
    fn rejected(reason: &'static str) -> Answer {
        Answer { outcome: "rejected", reason: Some(reason), ..Answer::default() }
    }

    fn ignored(reason: &'static str) -> Answer {
        Answer { outcome: "ignored", reason: Some(reason), ..Answer::default() }
    }
}

fn answer(sources: &[Source], lore: &mut Lore, line: &[u8]) -> Answer {
    let Ok(line) = serde_json::from_slice::<Envelope>(line) else {
        return Answer::rejected("the line is no JSON object with a topic and a payload");
    };
    let Some(payload) = line.payload() else {
        return Answer::rejected("the payload is not what its encoding says");
    };
    let Some(source) = find_source(sources, lore, &line.topic) else {
        return if topic::well_formed(&line.topic) {
            Answer::ignored(Ignored::NotOurs.text())
        } else {
            Answer::rejected(Rejected::Topic.text())
        };
    };
    let decoded = decode(lore, source, &Message { topic: &line.topic, payload: &payload, retain: line.retain });
    let answer = told(source, &decoded);
    for lesson in decoded.lessons {
        lore.learn(lesson);
    }
    answer
}

fn told(source: &Source, decoded: &Decoded) -> Answer {
    let answer = match &decoded.outcome {
        Outcome::Ignored(why) => Answer::ignored(why.text()),
        Outcome::Rejected(why) => Answer::rejected(why.text()),
        Outcome::Readings(reports) => understood(reports),
    };
    Answer { source: Some(source.name.to_string()), unread: Some(decoded.unread).filter(|n| *n > 0), ..answer }
}

fn understood(reports: &[Report]) -> Answer {
    let readings: Vec<Said> = reports.iter().flat_map(|report| &report.readings).map(said).collect();
    let answer = if readings.is_empty() {
        Answer::ignored(Ignored::NothingOfInterest.text())
    } else {
        Answer { outcome: "readings", ..Answer::default() }
    };
    let first = reports.first();
    let address = first.map(|report| match &report.speaker {
        Speaker::Device(address) => address.to_string(),
        Speaker::Bridge(prefix) => format!("{prefix}bridge"),
    });
    let device_time = first.and_then(|report| report.device_time).map(|time| time.utc());
    Answer { address, device_time, readings, ..answer }
}

fn said(reading: &Reading) -> Said {
    Said {
        kind: reading.kind.name(),
        value: reading.value.clone(),
        channel: reading.zone.as_ref().map(ToString::to_string),
    }
}
