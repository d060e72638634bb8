//! A notice in words, before a platform's dress is put on it; and how it is fitted into what a platform takes.

use crate::engine::registry::Language;

/// What stands behind a link, and where it leads.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Link {
    pub label: String,
    pub url: String,
}

/// How a message looks where colours can be had.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tone {
    Life,
    Welfare,
    Property,
    Technical,
    /// Somebody has it, or it is over.
    Calm,
}

/// One line, and how many alarms it stands for where it is one of a list.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Line {
    pub text: String,
    pub alarms: u32,
}

/// A notice in words. What devices and people wrote has been made harmless ([`plain`]) on its way in.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Message {
    pub language: Language,
    pub tone: Tone,
    /// Severity and household: what a locked screen shows. Without it a message says nothing, so it comes first.
    pub title: String,
    /// What may be cut: what happened, who does what, what happens otherwise; or the alarms of a digest.
    pub lines: Vec<Line>,
    /// Of a digest: the alarms that no line stands for.
    pub unlisted: u32,
    pub link: Option<Link>,
    /// Never cut, as the link: phone, number and repeat.
    pub tail: String,
    /// The phones of those it calls, for platforms that mention by phone. None but in a notice that calls.
    pub phones: Vec<String>,
    /// The names of those it calls.
    pub names: Vec<String>,
    /// It asks for somebody: whoever the channel wants mentioned is mentioned where it is about life.
    pub calls: bool,
}

/// What a platform makes of the parts.
pub(super) struct Dress {
    /// The most bytes of the whole text.
    pub most: usize,
    pub newline: &'static str,
    pub title: fn(&str) -> String,
    pub link: fn(&Link) -> String,
}

impl Message {
    /// The whole text in at most `dress.most` bytes. `also` is a last line, such as mentions, empty for none. Lines are left out from
    /// the end, and the last that fits in part is cut between characters; title, link, tail and `also` stay whole unless they alone
    /// are too long: then the title is cut.
    pub fn text(&self, dress: &Dress, also: &str) -> String {
        let link = self.link.as_ref().map(dress.link);
        let end: Vec<&str> =
            link.as_deref().into_iter().chain([self.tail.as_str(), also]).filter(|text| !text.is_empty()).collect();
        let end = end.join(dress.newline);
        let newline = dress.newline.len();
        let mut out = (dress.title)(&self.title);
        let room = dress.most.saturating_sub(end.len() + newline);
        if out.len() > room {
            let dressing = out.len() - self.title.len();
            out = (dress.title)(&cut(&self.title, room.saturating_sub(dressing)));
        }
        for (at, line) in self.lines.iter().enumerate() {
            let left_after: u32 = self.unlisted + self.lines[at + 1..].iter().map(|line| line.alarms).sum::<u32>();
            let reserve = if left_after > 0 { self.more(left_after).len() + newline } else { 0 };
            let fits = out.len() + newline + line.text.len() + reserve <= room;
            if !fits {
                let left_out = left_after + line.alarms;
                let rest = match left_out {
                    0 => cut(&line.text, room.saturating_sub(out.len() + newline)),
                    n => self.more(n),
                };
                if out.len() + newline + rest.len() <= room && !rest.is_empty() {
                    out = out + dress.newline + &rest;
                }
                return out + dress.newline + &end;
            }
            out = out + dress.newline + &line.text;
        }
        if self.unlisted > 0 {
            out = out + dress.newline + &self.more(self.unlisted);
        }
        out + dress.newline + &end
    }

    fn more(&self, alarms: u32) -> String {
        match self.language {
            Language::Zh => format!("…还有{alarms}起,见链接"),
            Language::En => format!("… and {alarms} more: see the link"),
        }
    }
}

/// As much of a text as fits into so many bytes, with an ellipsis where something is missing; empty where not even that fits.
pub(super) fn cut(text: &str, most: usize) -> String {
    const ELLIPSIS: &str = "…";
    if text.len() <= most {
        return text.to_owned();
    }
    let Some(room) = most.checked_sub(ELLIPSIS.len()) else { return String::new() };
    let end = (0..=room).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    format!("{}{ELLIPSIS}", &text[..end])
}

/// The most bytes of one text that people wrote; an id is shorter.
const MAX_PLAIN_BYTES: usize = 256;

/// What people and devices wrote, as it may stand in any platform's message: on one line, with nothing that a platform would take for
/// markup, a mention or a link, and nothing that hides or turns what follows. The look is kept: full-width forms stand in for what is
/// taken away. An underscore within a word, as ids have it, marks nothing up and stays.
pub(super) fn plain(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let word = |at: Option<usize>| at.and_then(|at| chars.get(at)).is_some_and(char::is_ascii_alphanumeric);
    let mut out = String::with_capacity(text.len());
    for (at, c) in chars.iter().copied().enumerate() {
        match c {
            '_' if word(at.checked_sub(1)) && word(Some(at + 1)) => out.push(c),
            // Half-width letters and signs have their full-width forms at one distance.
            '&' | '<' | '>' | '*' | '_' | '~' | '`' | '[' | ']' | '#' | '@' | '|' | '\\' => {
                out.extend(char::from_u32(c as u32 + 0xfee0));
            }
            ':' if chars[at + 1..].starts_with(&['/', '/']) => out.push('：'),
            c if is_invisible(c) => {}
            c if c.is_control() || c.is_whitespace() => out.push(' '),
            c => out.push(c),
        }
    }
    cut(out.trim(), MAX_PLAIN_BYTES)
}

/// Signs of no width, and those that turn the direction of writing.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_people_wrote_is_harmless_everywhere() {
        let table = [
            ("翠竹社区", "翠竹社区"),
            ("<@all> <!channel>", "＜＠all＞ ＜!channel＞"),
            ("<at user_id=\"all\">", "＜at user_id=\"all\"＞"),
            ("**3**幢 [x](https://evil.example)", "＊＊3＊＊幢 ［x］(https：//evil.example)"),
            ("a\r\n# b\tc", "a  ＃ b c"),
            ("h_0012", "h_0012"),
            ("_h_", "＿h＿"),
            ("a\u{202e}b\u{200b}c\u{7}", "abc"),
            ("{{ secret }}", "{{ secret }}"),
        ];
        for (text, expected) in table {
            assert_eq!(plain(text), expected, "{text:?}");
        }
        assert_eq!(plain(&"字".repeat(200)), "字".repeat(84) + "…");
    }

    fn message(title: &str, lines: &[(&str, u32)], unlisted: u32) -> Message {
        Message {
            language: Language::Zh,
            tone: Tone::Life,
            title: title.into(),
            lines: lines.iter().map(|(text, alarms)| Line { text: (*text).into(), alarms: *alarms }).collect(),
            unlisted,
            link: Some(Link { label: "接单".into(), url: "https://x.example/1".into() }),
            tail: "编号A184".into(),
            phones: vec![],
            names: vec![],
            calls: true,
        }
    }

    fn dress(most: usize) -> Dress {
        Dress {
            most,
            newline: "\n",
            title: |title| format!("*{title}*"),
            link: |link| format!("{}:{}", link.label, link.url),
        }
    }

    #[test]
    fn what_does_not_fit_is_left_out_from_the_end_of_the_lines() {
        let lines = [("一二三四", 0), ("五六七八", 0)];
        // "*标题*" 8, link "接单:https://x.example/1" 26, tail 10, and the line feeds between them.
        let table = [
            (1000, "*标题*\n一二三四\n五六七八\n接单:https://x.example/1\n编号A184"),
            (72, "*标题*\n一二三四\n五六七八\n接单:https://x.example/1\n编号A184"),
            (71, "*标题*\n一二三四\n五六…\n接单:https://x.example/1\n编号A184"),
            (58, "*标题*\n一二…\n接单:https://x.example/1\n编号A184"),
            (46, "*标题*\n接单:https://x.example/1\n编号A184"),
            (44, "*…*\n接单:https://x.example/1\n编号A184"),
        ];
        for (most, expected) in table {
            assert_eq!(message("标题", &lines, 0).text(&dress(most), ""), expected, "{most}");
        }
    }

    #[test]
    fn a_list_counts_what_it_leaves_out() {
        let lines = [("一", 1), ("二", 1), ("三", 3)];
        assert!(message("标题", &lines, 2).text(&dress(1000), "").contains("\n三\n…还有2起,见链接\n"));
        assert!(message("标题", &lines, 0).text(&dress(77), "").contains("\n一\n…还有4起,见链接\n"));
    }

    proptest! {
        #[test]
        fn title_link_and_tail_stay_whole_in_any_room(
            title in "[a字🏠]{0,40}", lines in prop::collection::vec("[a字🏠 ]{0,300}", 0..20), most in 200usize..3000,
        ) {
            let lines: Vec<(&str, u32)> = lines.iter().map(|line| (line.as_str(), 1)).collect();
            let text = message(&title, &lines, 3).text(&dress(most), "@13800000000");
            prop_assert!(text.len() <= most, "{} > {most}", text.len());
            prop_assert!(text.ends_with("\n接单:https://x.example/1\n编号A184\n@13800000000"));
        }

        #[test]
        fn nothing_plain_can_be_taken_for_markup(text in ".{0,400}") {
            let plain = plain(&text);
            prop_assert!(plain.len() <= MAX_PLAIN_BYTES);
            let markup = ['<', '>', '&', '*', '`', '[', ']', '@', '\n', '\r', '\u{202e}'];
            prop_assert!(!plain.contains(markup) && !plain.contains("://"), "{}", plain);
        }
    }
}
