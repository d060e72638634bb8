//! Topic filters of MQTT: what is one, and which topics it catches.

use std::collections::HashSet;
use std::sync::Arc;

/// A topic filter. Shared, since thousands of them stand in several sets at once.
pub type Filter = Arc<str>;

/// The longest filter that is asked for, in bytes. MQTT would allow 65,535; no dialect comes near this.
pub const MAX_FILTER_BYTES: usize = 1024;

/// Whether a text is a topic filter: 1 to [`MAX_FILTER_BYTES`] bytes without control characters, `+` alone in its level, `#` alone in the last.
pub fn is_filter(text: &str) -> bool {
    if text.is_empty() || text.len() > MAX_FILTER_BYTES || text.chars().any(char::is_control) {
        return false;
    }
    let mut levels = text.split('/').peekable();
    while let Some(level) = levels.next() {
        match level {
            "+" => {}
            "#" if levels.peek().is_none() => {}
            level if level.contains(['+', '#']) => return false,
            _ => {}
        }
    }
    true
}

/// Whether `filter` catches `topic`. A wildcard in the first level does not catch topics that begin with `$`.
fn catches(filter: &str, topic: &str) -> bool {
    if topic.starts_with('$') && filter.starts_with(['+', '#']) {
        return false;
    }
    let mut topic = topic.split('/');
    for level in filter.split('/') {
        match (level, topic.next()) {
            // `a/#` catches `a` as well.
            ("#", _) => return true,
            ("+", Some(_)) => {}
            (level, Some(t)) if level == t => {}
            _ => return false,
        }
    }
    topic.next().is_none()
}

/// Filters to look topics up in. Thousands of exact ones cost one hash, thousands of the form `a/b/#` one for each level of the topic;
/// the few others are tried one by one.
#[derive(Debug, Default)]
pub struct FilterSet {
    exact: HashSet<Filter>,
    /// Those that end with `/#` and have no other wildcard, without that end.
    trees: HashSet<Filter>,
    others: Vec<Filter>,
}

impl FilterSet {
    /// Whether one of the filters catches `topic`.
    pub fn catch(&self, topic: &str) -> bool {
        self.exact.contains(topic)
            || (!self.trees.is_empty() && levels(topic).any(|level| self.trees.contains(level)))
            || self.others.iter().any(|filter| catches(filter, topic))
    }
}

/// A topic cut behind each of its levels: `a/b/c` gives `a`, `a/b` and itself.
fn levels(topic: &str) -> impl Iterator<Item = &str> {
    let ends = topic.bytes().enumerate().filter(|(_, byte)| *byte == b'/').map(|(at, _)| at);
    ends.chain([topic.len()]).map(|end| &topic[..end])
}

impl FromIterator<Filter> for FilterSet {
    fn from_iter<I: IntoIterator<Item = Filter>>(filters: I) -> Self {
        let mut set = FilterSet::default();
        for filter in filters {
            let tree = filter.strip_suffix("/#").filter(|tree| !tree.contains(['+', '#']));
            if let Some(tree) = tree {
                set.trees.insert(tree.into());
            } else if filter.contains(['+', '#']) {
                set.others.push(filter);
            } else {
                set.exact.insert(filter);
            }
        }
        set
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_is_one_or_it_is_not() {
        for good in ["a", "a/b", "+", "#", "a/+/b", "a/#", "/", "a//b", "+/+", "守望/+"] {
            assert!(is_filter(good), "{good}");
        }
        for bad in ["", "a#", "a/#/b", "a+", "a/b+/c", "#/", "a\nb", "a\0"] {
            assert!(!is_filter(bad), "{bad}");
        }
        assert!(!is_filter(&"a".repeat(MAX_FILTER_BYTES + 1)));
    }

    #[test]
    fn a_filter_catches_what_the_standard_says() {
        let table = [
            ("a/b", "a/b", true),
            ("a/b", "a/b/c", false),
            ("a/b", "a", false),
            ("a/+", "a/b", true),
            ("a/+", "a/b/c", false),
            ("a/+", "a/", true),
            ("a/+", "a", false),
            ("+/b", "/b", true),
            ("a/#", "a", true),
            ("a/#", "a/b/c", true),
            ("#", "a/b", true),
            ("#", "$SYS/x", false),
            ("+/x", "$SYS/x", false),
            ("a/b/#", "a/b", true),
            ("a/b/#", "a/b/c/d", true),
            ("a/b/#", "a/bc", false),
            ("a/b/#", "a", false),
            ("/#", "/a", true),
            ("/#", "a", false),
            ("+/b/#", "a/b/c", true),
            ("a/#", "$SYS/a", false),
            ("$SYS/#", "$SYS/x", true),
        ];
        for (filter, topic, expected) in table {
            let set: FilterSet = [Filter::from(filter)].into_iter().collect();
            assert_eq!(set.catch(topic), expected, "{filter} on {topic}");
        }
        assert!(!FilterSet::default().catch("a"));
    }
}
