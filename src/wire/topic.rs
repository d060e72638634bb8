//! Topic templates: where in a topic the home and the device stand.

use std::fmt;

/// A topic with placeholders: `zigbee2mqtt/{home}/{device}`.
///
/// A placeholder stands for one level; `{device}` at the end stands for all that follows, since friendly names hold slashes.
/// A device's address begins at `{home}` where there is one, so that the same name in two homes is two devices.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopicTemplate {
    levels: Vec<Level>,
    /// Where `{home}` stands, or else `{device}`.
    address_level: usize,
    device_level: usize,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Level {
    Literal(Box<str>),
    Site,
    Home,
    Device,
    /// One level that the dialect looks at or nobody.
    Any(Box<str>),
}

/// Why a text is no template, and what to write instead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BadTemplate {
    Empty,
    EmptyLevel,
    Wildcard,
    ControlCharacter,
    Placeholder(String),
    NoDevice,
    Twice(String),
    HomeAfterDevice,
}

impl fmt::Display for BadTemplate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BadTemplate::Empty => f.write_str("the topic is empty; write for example zigbee2mqtt/{home}/{device}"),
            BadTemplate::EmptyLevel => {
                f.write_str("the topic has an empty level; take out the doubled, first or last slash")
            }
            BadTemplate::Wildcard => f.write_str(
                "the topic holds + or #; write {device} for the device and {any} for a level of no interest",
            ),
            BadTemplate::ControlCharacter => f.write_str("the topic holds a control character; take it out"),
            BadTemplate::Placeholder(level) => {
                write!(
                    f,
                    "{level:?} is no placeholder; one is a whole level of small letters in braces, like {{device}}"
                )
            }
            BadTemplate::NoDevice => f.write_str("the topic names no device; put {device} where its name stands"),
            BadTemplate::Twice(name) => write!(f, "{{{name}}} stands twice; keep one and write {{any}} for the other"),
            BadTemplate::HomeAfterDevice => {
                f.write_str("{home} stands after {device}; only a home before the device can be told")
            }
        }
    }
}

impl std::error::Error for BadTemplate {}

/// Where a topic leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place<'t> {
    /// The part that tells devices apart: from the home, or else from the device's name. May still end in what the dialect puts
    /// behind the name.
    pub address: &'t str,
    /// How many levels of it stand before the device's name.
    pub levels_before_device: usize,
    /// Whether the first level of an address is a home.
    pub home: bool,
}

impl<'t> Place<'t> {
    /// The home that an address of this place names. One level alone is a device without a home.
    pub fn home_of<'a>(&self, address: &'a str) -> Option<&'a str> {
        address.split_once('/').filter(|_| self.home).map(|(home, _)| home)
    }
}

impl TopicTemplate {
    /// Takes levels divided by slashes, each a plain text or one placeholder: `{device}` (once), `{home}` and `{site}` (at most once), or
    /// any other name for a level of no interest.
    pub fn parse(text: &str) -> Result<TopicTemplate, BadTemplate> {
        if text.is_empty() {
            return Err(BadTemplate::Empty);
        }
        // Alibaba's topics begin with a slash.
        let (first, rest) = match text.strip_prefix('/') {
            Some(rest) => (Some(Level::Literal("".into())), rest),
            None => (None, text),
        };
        let levels = rest.split('/').map(level);
        let levels = first.map(Ok).into_iter().chain(levels).collect::<Result<Vec<_>, _>>()?;
        let at = |wanted: &Level| levels.iter().position(|l| l == wanted);
        for (one, name) in [(Level::Site, "site"), (Level::Home, "home"), (Level::Device, "device")] {
            if levels.iter().filter(|l| **l == one).count() > 1 {
                return Err(BadTemplate::Twice(name.into()));
            }
        }
        let device_level = at(&Level::Device).ok_or(BadTemplate::NoDevice)?;
        let address_level = at(&Level::Home).unwrap_or(device_level);
        if address_level > device_level {
            return Err(BadTemplate::HomeAfterDevice);
        }
        Ok(TopicTemplate { levels, address_level, device_level })
    }

    /// The template with `{site}` replaced.
    pub fn of_site(mut self, site: &str) -> TopicTemplate {
        for level in self.levels.iter_mut().filter(|l| **l == Level::Site) {
            *level = Level::Literal(site.into());
        }
        self
    }

    /// Where the topic leads; None where it does not fit. A template that ends in `{home}/{device}` also fits a topic with the device
    /// alone, since one bridge may serve all homes and hold a device that nobody has given to one yet.
    pub fn place<'t>(&self, topic: &'t str) -> Option<Place<'t>> {
        let home = self.levels[self.address_level] == Level::Home;
        let levels_before_device = self.device_level - self.address_level;
        let found = |address| Some(Place { address, levels_before_device, home });
        let last = self.levels.len() - 1;
        let (mut from, mut begin, mut end) = (0, 0, topic.len());
        for (i, level) in self.levels.iter().enumerate() {
            let rest = topic.get(from..)?;
            let here = rest.split('/').next().unwrap_or(rest);
            if i == self.address_level {
                begin = from;
            }
            let alone = *level == Level::Home && i + 1 == last && self.device_level == last && here == rest;
            if alone || (i == last && *level == Level::Device) {
                return found(&topic[begin..]);
            }
            if matches!(level, Level::Literal(text) if **text != *here) {
                return None;
            }
            if i == self.device_level {
                end = from + here.len();
            }
            from += here.len() + 1;
        }
        if from == topic.len() + 1 { found(&topic[begin..end]) } else { None }
    }

    /// The MQTT filter that covers all topics that fit.
    pub fn filter(&self) -> String {
        let last = self.levels.len() - 1;
        let levels = self.levels.iter().enumerate().map(|(i, level)| match level {
            Level::Literal(text) => text,
            Level::Device if i == last => "#",
            _ => "+",
        });
        levels.collect::<Vec<_>>().join("/")
    }

    /// The filter for one device and whatever the dialect publishes below its name. None where the address holds a wildcard.
    pub fn device_filter(&self, address: &str) -> Option<String> {
        if address.contains(['+', '#']) {
            return None;
        }
        let plain = |level: &Level| match level {
            Level::Literal(text) => text.to_string(),
            _ => "+".to_owned(),
        };
        let mut levels: Vec<String> = self.levels[..self.address_level].iter().map(plain).collect();
        levels.push(address.to_owned());
        levels.extend(self.levels[self.device_level + 1..].iter().map(plain));
        if self.device_level + 1 == self.levels.len() {
            levels.push("#".to_owned());
        }
        Some(levels.join("/"))
    }
}

impl fmt::Display for TopicTemplate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, level) in self.levels.iter().enumerate() {
            f.write_str(if i == 0 { "" } else { "/" })?;
            match level {
                Level::Literal(text) => f.write_str(text)?,
                Level::Site => f.write_str("{site}")?,
                Level::Home => f.write_str("{home}")?,
                Level::Device => f.write_str("{device}")?,
                Level::Any(name) => write!(f, "{{{name}}}")?,
            }
        }
        Ok(())
    }
}

fn level(text: &str) -> Result<Level, BadTemplate> {
    if text.is_empty() {
        return Err(BadTemplate::EmptyLevel);
    }
    if text.contains(['+', '#']) {
        return Err(BadTemplate::Wildcard);
    }
    if text.chars().any(char::is_control) {
        return Err(BadTemplate::ControlCharacter);
    }
    if !text.contains(['{', '}']) {
        return Ok(Level::Literal(text.into()));
    }
    let name = text.strip_prefix('{').and_then(|t| t.strip_suffix('}'));
    match name {
        Some("site") => Ok(Level::Site),
        Some("home") => Ok(Level::Home),
        Some("device") => Ok(Level::Device),
        Some(name) if !name.is_empty() && name.bytes().all(|b| b.is_ascii_lowercase()) => Ok(Level::Any(name.into())),
        _ => Err(BadTemplate::Placeholder(text.to_owned())),
    }
}

/// Whether a topic is one that a client may publish to and that names something on each level.
pub fn well_formed(topic: &str) -> bool {
    !topic.split('/').any(str::is_empty) && !topic.contains(|c: char| matches!(c, '+' | '#') || c.is_control())
}

/// Whether a topic that a device told covers another: the same, or with any level where a `+` stands.
pub fn covers(told: &str, topic: &str) -> bool {
    if !told.contains('+') {
        return told == topic;
    }
    let (mut told, mut topic) = (told.split('/'), topic.split('/'));
    loop {
        match (told.next(), topic.next()) {
            (None, None) => return true,
            (Some(one), Some(other)) if one == "+" || one == other => {}
            _ => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn told_topics_cover() {
        for (told, topic, covered) in [
            ("a/b", "a/b", true),
            ("a/b", "a/b/c", false),
            ("+/+/x/c4", "home/omg/x/c4", true),
            ("+/+/x/c4", "home/x/c4", false),
            ("+/b", "a/b/c", false),
            ("a/+", "a", false),
            ("a/+", "a/b", true),
            ("a+/b", "ab/b", false),
        ] {
            assert_eq!(covers(told, topic), covered, "{told} {topic}");
        }
    }

    fn place(template: &str, topic: &str) -> Option<(String, usize)> {
        let template = TopicTemplate::parse(template).unwrap();
        template.place(topic).map(|p| (p.address.to_owned(), p.levels_before_device))
    }

    #[test]
    fn places() {
        let table = [
            ("z/{device}", "z/hall", Some(("hall", 0))),
            ("z/{device}", "z/h1/hall/left", Some(("h1/hall/left", 0))),
            ("z/{device}", "z", None),
            ("z/{device}", "/z/hall", None),
            ("z/{device}", "zz/hall", None),
            ("z/{home}/{device}", "z/h1/hall/left", Some(("h1/hall/left", 1))),
            ("z/{home}/{device}", "z/hall", Some(("hall", 1))),
            ("{home}/z/{device}", "h1/z/hall", Some(("h1/z/hall", 2))),
            ("{home}/z/{device}", "h1/y/hall", None),
            ("{home}/z/{device}", "h1/z", None),
            ("w/{site}/{home}/{device}", "w/s1/h1/sos", Some(("h1/sos", 1))),
            ("a/{app}/device/{device}/event/{event}", "a/7/device/70b3/event/up", Some(("70b3", 0))),
            ("a/{app}/device/{device}/event/{event}", "a/7/device/70b3/event", None),
            ("a/{app}/device/{device}/event/{event}", "a/7/device/70b3/event/up/x", None),
            ("a/{home}/{device}/up", "a/h1/70b3/up", Some(("h1/70b3", 1))),
        ];
        for (template, topic, expected) in table {
            let expected = expected.map(|(address, before): (&str, usize)| (address.to_owned(), before));
            assert_eq!(place(template, topic), expected, "{template} on {topic}");
        }
    }

    #[test]
    fn a_site_is_pinned() {
        let template = TopicTemplate::parse("w/{site}/{home}/{device}").unwrap().of_site("s1");
        assert!(template.place("w/s1/h1/sos").is_some());
        assert!(template.place("w/s2/h1/sos").is_none());
        assert_eq!(template.filter(), "w/s1/+/#");
        assert_eq!(template.device_filter("h1/sos").as_deref(), Some("w/s1/h1/sos/#"));
        assert_eq!(template.device_filter("h1/#").as_deref(), None);
    }

    #[test]
    fn filters_and_display() {
        for (text, filter) in [
            ("z/{device}", "z/#"),
            ("z/{home}/{device}", "z/+/#"),
            ("a/{app}/device/{device}/event/{event}", "a/+/device/+/event/+"),
        ] {
            let template = TopicTemplate::parse(text).unwrap();
            assert_eq!(template.filter(), filter);
            assert_eq!(template.to_string(), text);
        }
    }

    #[test]
    fn mistakes_are_named() {
        for (text, bad) in [
            ("", BadTemplate::Empty),
            ("z//{device}", BadTemplate::EmptyLevel),
            ("z/#", BadTemplate::Wildcard),
            ("z/+/{device}", BadTemplate::Wildcard),
            ("z\u{7}/{device}", BadTemplate::ControlCharacter),
            ("z/x{device}", BadTemplate::Placeholder("x{device}".into())),
            ("z/{}", BadTemplate::Placeholder("{}".into())),
            ("z/hall", BadTemplate::NoDevice),
            ("{home}/{home}/{device}", BadTemplate::Twice("home".into())),
            ("z/{device}/{home}", BadTemplate::HomeAfterDevice),
        ] {
            assert_eq!(TopicTemplate::parse(text), Err(bad.clone()), "{text}: {bad}");
        }
    }
}
