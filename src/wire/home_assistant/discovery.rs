//! What a discovery message tells: an entity, or all those of a device.

use super::class::{self, Described};
use super::entity::{Availability, Entity, Mode, Sense};
use super::template::{Template, printed};
use crate::engine::id::Address;
use crate::wire::json::Json;
use crate::wire::lore::{Lesson, Meaning};
use crate::wire::scalar::Scalar;
use crate::wire::topic::Place;
use crate::wire::{Decoded, Heard, Ignored, MAX_TEXT_BYTES, Rejected, text, zigbee2mqtt};
use std::borrow::Cow;

/// The most entities of one device in one message.
const MAX_COMPONENTS: usize = 256;
/// The most topics that tell of one entity whether it is there.
const MAX_AVAILABILITY: usize = 8;
/// The longest topic that is listened on.
const MAX_TOPIC_BYTES: usize = 512;

/// An option's name, and how it is abbreviated.
type Name = (&'static str, &'static str);

const AVAILABILITY: Name = ("availability", "avty");
const AVAILABILITY_MODE: Name = ("availability_mode", "avty_mode");
const AVAILABILITY_TEMPLATE: Name = ("availability_template", "avty_tpl");
const AVAILABILITY_TOPIC: Name = ("availability_topic", "avty_t");
const COMPONENTS: Name = ("components", "cmps");
const CONNECTIONS: Name = ("connections", "cns");
const DEVICE: Name = ("device", "dev");
const DEVICE_CLASS: Name = ("device_class", "dev_cla");
const ENTITY_CATEGORY: Name = ("entity_category", "ent_cat");
const IDENTIFIERS: Name = ("identifiers", "ids");
const MODEL: Name = ("model", "mdl");
const MODEL_ID: Name = ("model_id", "mdl_id");
const NAME: Name = ("name", "name");
const OFF_DELAY: Name = ("off_delay", "off_dly");
const ORIGIN: Name = ("origin", "o");
const PAYLOAD: Name = ("payload", "pl");
const PAYLOAD_AVAILABLE: Name = ("payload_available", "pl_avail");
const PAYLOAD_NOT_AVAILABLE: Name = ("payload_not_available", "pl_not_avail");
const PAYLOAD_OFF: Name = ("payload_off", "pl_off");
const PAYLOAD_ON: Name = ("payload_on", "pl_on");
const PLATFORM: Name = ("platform", "p");
const STATE_TOPIC: Name = ("state_topic", "stat_t");
const SUBTYPE: Name = ("subtype", "stype");
const TOPIC: Name = ("topic", "t");
const TYPE: Name = ("type", "type");
const UNIQUE_ID: Name = ("unique_id", "uniq_id");
const UNIT: Name = ("unit_of_measurement", "unit_of_meas");
const VALUE_TEMPLATE: Name = ("value_template", "val_tpl");

/// What the topic of a discovery message says: `<component>/[<node>/]<object>/config`.
#[derive(Debug, PartialEq)]
pub(super) struct About<'t> {
    component: &'t str,
    node: Option<&'t str>,
    object: &'t str,
}

impl<'t> About<'t> {
    /// None where the topic is another.
    pub fn parse(place: &Place<'t>) -> Option<About<'t>> {
        let levels: Vec<&str> = place.address.split('/').skip(place.levels_before_device).take(5).collect();
        match levels[..] {
            [component, object, "config"] => Some(About { component, node: None, object }),
            [component, node, object, "config"] => Some(About { component, node: Some(node), object }),
            _ => None,
        }
    }
}

pub(super) fn decode(heard: &Heard, place: &Place, about: &About) -> Decoded {
    let told = match text(heard.message) {
        Ok(payload) if payload.trim().is_empty() => Ok((Vec::new(), Ignored::Empty)),
        Ok(_) => Json::object(heard)
            .and_then(|config| entities(place, about, &config))
            .map(|entities| (entities, Ignored::Discovery)),
        Err(why) => Err(why),
    };
    match told {
        Ok((entities, why)) => {
            let source = heard.source.name.clone();
            let lesson = Lesson::Discovered { source, message: heard.message.topic.into(), entities };
            Decoded { lessons: vec![lesson], ..why.into() }
        }
        // As Home Assistant does: what was known stays.
        Err(why) => why.into(),
    }
}

fn entities(place: &Place, about: &About, config: &Json) -> Result<Vec<Entity>, Rejected> {
    let device = Device::of(place, about, config)?;
    if about.component != "device" {
        let options = Options { own: config, shared: None };
        return Ok(entity(&device, about.component, about.object, &options).into_iter().collect());
    }
    let components = option(config, COMPONENTS).map_or(&[][..], Json::members);
    if components.len() > MAX_COMPONENTS {
        return Err(Rejected::TooMuch);
    }
    let entities = components.iter().filter_map(|(name, own)| {
        let platform = option(own, PLATFORM)?.as_text()?;
        // The platform alone: the component is gone.
        (own.members().len() > 1).then(|| entity(&device, platform, name, &Options { own, shared: Some(config) }))?
    });
    Ok(entities.collect())
}

/// The device that a message speaks of.
struct Device<'c> {
    address: String,
    home: bool,
    model: Cow<'c, str>,
    /// One of Zigbee2MQTT's, under whatever base topic.
    zigbee: bool,
    senses_presence: bool,
}

impl<'c> Device<'c> {
    fn of(place: &Place, about: &About, config: &'c Json) -> Result<Device<'c>, Rejected> {
        let nothing = &Json::Null;
        let device = option(config, DEVICE).unwrap_or(nothing);
        let unique = option(config, UNIQUE_ID).and_then(word);
        let own = identifier(device)
            .or_else(|| about.node.map(Cow::Borrowed))
            .or(unique)
            .unwrap_or(Cow::Borrowed(about.object));
        let (home, address) = match place.home_of(place.address) {
            Some(home) => (true, format!("{home}/{own}")),
            None => (false, own.to_string()),
        };
        Address::new(&address).map_err(|_| Rejected::Address)?;
        let described = option(device, MODEL).and_then(word).unwrap_or_default();
        let origin = option(config, ORIGIN).and_then(|origin| option(origin, NAME)?.as_text());
        let zigbee = origin == Some("Zigbee2MQTT") || own.starts_with("zigbee2mqtt_");
        Ok(Device {
            address,
            home,
            // Its bridge speaks of itself, and no state of it is a device's.
            zigbee: zigbee && !own.starts_with("zigbee2mqtt_bridge"),
            senses_presence: zigbee2mqtt::senses_presence(&described),
            model: option(device, MODEL_ID).and_then(word).unwrap_or(described),
        })
    }
}

/// The first name that the device gives itself, or the first connection.
fn identifier<'c>(device: &'c Json) -> Option<Cow<'c, str>> {
    let first = |json: &'c Json| match json {
        Json::List(items) => items.first(),
        Json::Null => None,
        one => Some(one),
    };
    if let Some(name) = option(device, IDENTIFIERS).and_then(first).and_then(word).filter(|name| !name.is_empty()) {
        return Some(name);
    }
    match option(device, CONNECTIONS).and_then(first)?.items() {
        [kind, name, ..] => Some(Cow::Owned(format!("{}:{}", kind.as_text()?, name.as_text()?))),
        _ => None,
    }
}

fn entity(device: &Device, component: &str, name: &str, options: &Options) -> Option<Entity> {
    let topic = match component {
        "device_automation" => options.topic(options.own(TOPIC)),
        _ => options.topic(options.shared(STATE_TOPIC)),
    };
    let availability = options.availability();
    if topic.is_none() && availability.is_empty() {
        return None;
    }
    let template = options.template(VALUE_TEMPLATE);
    let property = template.property().filter(|property| property.len() <= MAX_TEXT_BYTES).map(Box::from);
    Some(Entity {
        address: device.address.as_str().into(),
        home: device.home,
        model: cut(&device.model).into(),
        name: cut(name).into(),
        sense: sense(device, component, name, property.as_deref(), options),
        property,
        topic,
        template,
        availability,
        mode: match options.shared(AVAILABILITY_MODE).and_then(Json::as_text) {
            Some("all") => Mode::All,
            Some("any") => Mode::Any,
            _ => Mode::Latest,
        },
    })
}

fn sense(device: &Device, component: &str, name: &str, property: Option<&str>, options: &Options) -> Sense {
    if device.zigbee && component != "device_automation" {
        let meaning = property.and_then(|property| zigbee_meaning(component, property, options));
        return Sense::Zigbee { meaning, senses_presence: device.senses_presence };
    }
    match component {
        "binary_sensor" => Sense::Binary {
            kind: class::binary(options.text(DEVICE_CLASS)),
            on: options.word(options.own(PAYLOAD_ON), "ON"),
            off: options.word(options.own(PAYLOAD_OFF), "OFF"),
            ends_untold: options.own(OFF_DELAY).and_then(Json::as_number).is_some(),
        },
        "sensor" => class::sensor(&Described {
            class: options.text(DEVICE_CLASS),
            unit: options.text(UNIT),
            category: options.text(ENTITY_CATEGORY),
            names: [name, options.text(NAME)],
        }),
        "event" => Sense::Event(class::event(options.text(DEVICE_CLASS))),
        "device_automation" => {
            let (kind, of) = (options.text(TYPE), options.text(SUBTYPE));
            let called = [of, kind].iter().filter(|part| !part.is_empty()).copied().collect::<Vec<_>>().join(" ");
            Sense::Trigger {
                payload: options.own(PAYLOAD).and_then(word).map(|payload| cut(&payload).into()),
                called: cut(&called).into(),
                echoes: device.zigbee,
            }
        }
        _ => Sense::Unknown,
    }
}

/// What the discovery adds to the name of a Zigbee2MQTT property, as its own list of devices would.
fn zigbee_meaning(component: &str, property: &str, options: &Options) -> Option<Meaning> {
    let scalar = |name| options.own(name).map_or(Scalar::Null, Json::scalar);
    zigbee2mqtt::meaning(&zigbee2mqtt::Expose {
        kind: Scalar::Text(if component == "binary_sensor" { "binary" } else { "numeric" }.into()),
        property: Some(property.into()),
        access: if matches!(component, "binary_sensor" | "sensor") { 0 } else { zigbee2mqtt::CAN_BE_SET },
        unit: scalar(UNIT),
        value_on: scalar(PAYLOAD_ON),
        value_off: scalar(PAYLOAD_OFF),
    })
}

/// The options of an entity.
struct Options<'c> {
    own: &'c Json<'c>,
    /// Where a device tells all its entities at once, what it says for all of them.
    shared: Option<&'c Json<'c>>,
}

impl<'c> Options<'c> {
    fn own(&self, name: Name) -> Option<&'c Json<'c>> {
        option(self.own, name)
    }

    fn shared(&self, name: Name) -> Option<&'c Json<'c>> {
        self.own(name).or_else(|| option(self.shared?, name))
    }

    /// An option's text; empty where there is none.
    fn text(&self, name: Name) -> &'c str {
        self.own(name).and_then(Json::as_text).unwrap_or_default()
    }

    fn template(&self, name: Name) -> Template {
        self.own(name).and_then(Json::as_text).map_or(Template::WHOLE, Template::parse)
    }

    /// A payload that is compared with, as a template prints it.
    fn word(&self, option: Option<&Json>, otherwise: &str) -> Box<str> {
        let said = option.and_then(word);
        cut(said.as_deref().unwrap_or(otherwise)).into()
    }

    /// A topic, with `~` at its beginning or end replaced.
    fn topic(&self, option: Option<&Json>) -> Option<Box<str>> {
        let said = option?.as_text()?;
        let base = || self.shared(("~", "~")).and_then(Json::as_text);
        let topic = match (said.strip_prefix('~'), said.strip_suffix('~')) {
            (Some(rest), _) => Cow::Owned(format!("{}{rest}", base()?)),
            (None, Some(rest)) => Cow::Owned(format!("{rest}{}", base()?)),
            (None, None) => Cow::Borrowed(said),
        };
        can_be_heard(&topic).then(|| topic.as_ref().into())
    }

    fn availability(&self) -> Vec<Availability> {
        let (there, gone) = (self.shared(PAYLOAD_AVAILABLE), self.shared(PAYLOAD_NOT_AVAILABLE));
        let one = |topic, template: Option<&Json>, there, gone| {
            Some(Availability {
                topic: self.topic(topic)?,
                template: template.and_then(Json::as_text).map_or(Template::WHOLE, Template::parse),
                there: self.word(there, "online"),
                gone: self.word(gone, "offline"),
            })
        };
        let listed = match self.shared(AVAILABILITY) {
            Some(Json::List(items)) => &items[..],
            Some(item) => std::slice::from_ref(item),
            None => &[],
        };
        let alone = one(self.shared(AVAILABILITY_TOPIC), self.shared(AVAILABILITY_TEMPLATE), there, gone);
        let listed = listed.iter().filter_map(|item| {
            let template = option(item, VALUE_TEMPLATE);
            one(option(item, TOPIC), template, option(item, PAYLOAD_AVAILABLE), option(item, PAYLOAD_NOT_AVAILABLE))
        });
        alone.into_iter().chain(listed).take(MAX_AVAILABILITY).collect()
    }
}

fn option<'c>(config: &'c Json<'c>, (long, short): Name) -> Option<&'c Json<'c>> {
    config.get(long).or_else(|| config.get(short)).filter(|value| **value != Json::Null)
}

/// A text, number or flag as Home Assistant writes it.
fn word<'c>(value: &'c Json) -> Option<Cow<'c, str>> {
    match value {
        Json::Text(text) => Some(Cow::Borrowed(text)),
        other => Some(Cow::Owned(printed(&other.scalar())?.into_owned())),
    }
}

/// Whether the topic is one to listen on: `+` may stand for levels, as long as a level is named.
fn can_be_heard(topic: &str) -> bool {
    let plus = |level: &str| level == "+";
    topic.len() <= MAX_TOPIC_BYTES
        && !topic.contains(|c: char| c == '#' || c.is_control())
        && topic.split('/').all(|level| !level.is_empty() && (plus(level) || !level.contains('+')))
        && !topic.split('/').all(plus)
}

/// No longer than texts may be.
fn cut(text: &str) -> &str {
    let mut end = text.len().min(MAX_TEXT_BYTES);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}
