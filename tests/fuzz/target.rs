//! One input of a fuzzer: what it is made of, and what must hold whatever it is. Shared by the fuzz targets and the bounded run.

use hearthwatch::engine::dialect::Dialect;
use hearthwatch::engine::id::MAX_ID_BYTES;
use hearthwatch::engine::reading::{Report, Speaker, Value};
use hearthwatch::wire::envelope::Envelope;
use hearthwatch::wire::topic::TopicTemplate;
use hearthwatch::wire::{Lore, MAX_TEXT_BYTES, Message, Outcome, Source, decode, default_sources};

/// More readings than any device has to say at once.
const MOST_READINGS: usize = 4_096;

/// Messages that the inputs begin with: topic and payload.
pub fn seeds(text: &str) -> Vec<(String, Vec<u8>)> {
    let seed = |line: &str| {
        let envelope: Envelope = serde_json::from_str(line).expect("a seed is an envelope");
        (envelope.topic.to_string(), envelope.payload().expect("a payload").into_owned())
    };
    text.lines().map(seed).collect()
}

/// A dialect under test, with what it has learnt so far. What one message taught holds for the next, as in operation; it begins anew now
/// and then, so that an input is not lost among the lessons of all before it.
pub struct Target {
    source: Source,
    lore: Lore,
    seen: u32,
}

/// Messages after which the lore begins anew.
const FORGETS: u32 = 4_096;

impl Target {
    pub fn new(dialect: Dialect) -> Target {
        let source = default_sources().into_iter().find(|source| source.dialect == dialect).expect("a source");
        Target { source, lore: Lore::default(), seen: 0 }
    }

    /// Decodes one message, and looks at what came of it.
    pub fn hear(&mut self, topic: &str, payload: &[u8], retain: bool) {
        self.seen += 1;
        if self.seen.is_multiple_of(FORGETS) {
            self.lore = Lore::default();
        }
        let decoded = decode(&self.lore, &self.source, &Message { topic, payload, retain });
        if let Outcome::Readings(reports) = &decoded.outcome {
            let readings: usize = reports.iter().map(|report| report.readings.len()).sum();
            assert!(readings <= MOST_READINGS && reports.len() <= MOST_READINGS, "{readings} readings of one message");
            reports.iter().for_each(check);
        }
        for lesson in decoded.lessons {
            self.lore.learn(lesson);
        }
    }
}

/// What goes on to journals, pages and logs is bounded and clean.
fn check(report: &Report) {
    if let Speaker::Device(address) = &report.speaker {
        assert!(!address.as_str().is_empty() && address.as_str().len() <= MAX_ID_BYTES);
    }
    assert!(report.event_id.as_ref().is_none_or(|id| id.len() <= 2 * MAX_TEXT_BYTES), "{:?}", report.event_id);
    for reading in &report.readings {
        match &reading.value {
            Value::Number(number) => assert!(number.is_finite(), "{reading:?}"),
            Value::Text(text) => {
                assert!(
                    !text.is_empty() && text.len() <= MAX_TEXT_BYTES && !text.chars().any(char::is_control),
                    "{text:?}"
                )
            }
            Value::Flag(_) | Value::Open(_) => {}
        }
    }
}

/// A template that was accepted says of itself what was written, and never loses its way in a topic.
pub fn template(text: &str, topic: &str) {
    let Ok(template) = TopicTemplate::parse(text) else { return };
    assert_eq!(TopicTemplate::parse(&template.to_string()).as_ref(), Ok(&template), "{text:?}");
    if let Some(place) = template.place(topic) {
        assert!(topic.contains(place.address), "{text:?} in {topic:?}");
        let _ = (place.home_of(place.address), template.device_filter(place.address));
    }
    assert!(template.filter().len() <= text.len() + 1);
}
