//! A notice said in Chinese or English. The order is what a tired person needs: how grave and where; what, when, how often; who does
//! what; what happens otherwise; the link; whom to ring where the link fails; number and repeat (PRACTICE, "What a notice must say").

use super::Desk;
use super::message::{Dress, Line, Link, Message, Tone, plain};
use super::phrases::{self, Duty};
use crate::engine::alarm::Reason;
use crate::engine::home::care::VisitKind;
use crate::engine::kind::{AlarmKind, Priority};
use crate::engine::parcel::{AlarmNotice, Content, Digest, DigestLine, NoticeType, Parcel};
use crate::engine::registry::Language;
use crate::engine::time::Wall;
use crate::engine::view::HomeView;
use std::collections::BTreeMap;

/// As many people of a rung are mentioned at most.
const MAX_MENTIONED: usize = 10;

/// How late a notice has to be for it to say so, in seconds.
const LATE_S: u64 = 60;

/// A text that nothing is put on, for whoever takes one: in at most so many bytes as the shortest platform takes.
pub(super) const WHOLE: Dress =
    Dress { most: 2_048, newline: "\n", title: str::to_owned, link: |link| format!("{}:{}", link.label, link.url) };

/// Words a parcel in its channel's language.
pub(super) fn message(parcel: &Parcel, desk: &Desk) -> Message {
    let teller = Teller { language: parcel.channel.language, desk, issued: parcel.issued };
    let url = desk.link(parcel);
    match &parcel.content {
        Content::Alarm(told) => teller.alarm(told, url),
        Content::Digest(digest) => teller.digest(digest, url),
        Content::Test(code) => teller.test(code),
    }
}

struct Teller<'a> {
    language: Language,
    desk: &'a Desk,
    issued: Wall,
}

impl Teller<'_> {
    /// One of two texts.
    fn say(&self, zh: impl Into<String>, en: impl Into<String>) -> String {
        if self.language == Language::Zh { zh.into() } else { en.into() }
    }

    fn alarm(&self, told: &AlarmNotice, url: Option<String>) -> Message {
        let lines = match told.kind {
            NoticeType::Taken => self.taken(told),
            NoticeType::Closed => self.closed(told),
            _ => self.call(told),
        };
        let calls = told.kind == NoticeType::Notice;
        let tone = match (calls, told.alarm.priority) {
            (false, _) => Tone::Calm,
            (_, Priority::Life) => Tone::Life,
            (_, Priority::Welfare) => Tone::Welfare,
            (_, Priority::Property) => Tone::Property,
            (_, Priority::Technical) => Tone::Technical,
        };
        let label = match calls {
            true => self.say("接单(看地址、电话、钥匙)", "Take it (address, phones, key)"),
            false => self.say("查看", "See it"),
        };
        let people = told.people.iter().filter(|_| calls).take(MAX_MENTIONED);
        let (phones, names) = people.map(|p| (phone(&p.phone), plain(&p.name))).unzip::<_, _, Vec<_>, Vec<_>>();
        Message {
            language: self.language,
            tone,
            title: format!("{}{}", self.heading(told), self.place(told.alarm.kind, &told.home)),
            lines: lines.into_iter().filter(|text| !text.is_empty()).map(|text| Line { text, alarms: 0 }).collect(),
            unlisted: 0,
            tail: self.tail(told, url.is_some()),
            link: url.map(|url| Link { label, url }),
            phones: phones.into_iter().filter(|phone| !phone.is_empty()).collect(),
            names: names.into_iter().filter(|name| !name.is_empty()).collect(),
            calls,
        }
    }

    fn heading(&self, told: &AlarmNotice) -> String {
        let kind = told.alarm.kind;
        let name = phrases::phrase(kind, self.language).name;
        let word = match told.kind {
            NoticeType::Taken => self.say("已接单", "TAKEN"),
            NoticeType::Closed => self.say("已结束", "CLOSED"),
            _ => phrases::severity(kind, self.language).to_owned(),
        };
        self.say(format!("【{word}·{name}】"), format!("[{word} · {name}] "))
    }

    /// Household code, community and block; an alarm of the site's own has no household.
    fn place(&self, kind: AlarmKind, home: &HomeView) -> String {
        use AlarmKind::{ChannelDown, CoverageGap, Outage, StoreRebuilt};
        let of_the_site = matches!(kind, Outage | ChannelDown | CoverageGap | StoreRebuilt);
        let id = plain(home.id.as_str());
        if of_the_site {
            let site = plain(home.site.as_str());
            return self.say(format!("片区{site}"), format!("district {site}"));
        }
        if !home.claimed {
            return self.say(format!("未登记设备{id}"), format!("unregistered device {id}"));
        }
        let community = home.community.as_deref().map(plain);
        // A bare number needs its unit.
        let block = home.block.as_deref().map(plain).map(|block| match block.bytes().all(|b| b.is_ascii_digit()) {
            true => self.say(format!("{block}幢"), format!("block {block}")),
            false => block,
        });
        let household = self.say(format!("{id}户"), format!("household {id}"));
        let parts: Vec<String> = community.into_iter().chain(block).filter(|part| !part.is_empty()).collect();
        parts.into_iter().chain([household]).collect::<Vec<_>>().join(&self.say(" ", ", "))
    }

    fn call(&self, told: &AlarmNotice) -> Vec<String> {
        let duty = phrases::phrase(told.alarm.kind, self.language).duty;
        let who = told.people.first().map(|person| plain(&person.name)).unwrap_or_default();
        let deadline = told.next.as_ref().map(|next| self.clock(next.at)).unwrap_or_default();
        let otherwise = told.next.as_ref().map(|next| {
            let (at, to) = (&deadline, plain(&next.to));
            self.say(format!("{at}前未接单,自动通知{to}"), format!("Not taken by {at}: {to} is told"))
        });
        let door = (duty == Duty::Visit).then(|| {
            self.say(
                "无人应门:不要离开,按“无法进入”,值班台联系家属和110",
                "No answer at the door: stay, press “no access”; the desk calls family and 110",
            )
        });
        let act = phrases::duty(duty, &who, &deadline, self.language);
        [Some(self.what(told)), Some(act), otherwise, door].into_iter().flatten().collect()
    }

    /// What, when, how often; and how it stands.
    fn what(&self, told: &AlarmNotice) -> String {
        let alarm = &told.alarm;
        let mut text = self.event(told);
        if alarm.events > 1 {
            let n = alarm.events;
            text += &self.say(format!(",共{n}次"), format!(", {n} times"));
        }
        if alarm.age_unknown {
            text += &self.say(",发生时间不明", ", nobody knows since when");
        } else if alarm.late_by_s >= LATE_S {
            let late = self.duration(alarm.late_by_s);
            text += &self.say(format!("(迟到{late})"), format!(" (late by {late})"));
        }
        if alarm.unanswered > 0 {
            let n = alarm.unanswered;
            text += &self.say(format!(",{n}次电话无人接"), format!("; {n} calls unanswered"));
        }
        text += &match (&alarm.seen, &alarm.last_taker) {
            (Some(_), _) => String::new(),
            (None, Some(_)) => self.say(",有人接单但未办结", "; taken, but not finished"),
            (None, None) => self.say(",无人接单", "; nobody has taken it"),
        };
        text
    }

    fn event(&self, told: &AlarmNotice) -> String {
        let alarm = &told.alarm;
        let what = phrases::phrase(alarm.kind, self.language).what;
        let (first, last) = (self.clock(alarm.happened_at), self.clock(alarm.last_event_at));
        let at = match alarm.events > 1 && first != last {
            true => self.say(format!("{first}、{last}"), format!("{first}, {last}")),
            false => first.clone(),
        };
        let since = |since: Wall| {
            let since = self.clock(since);
            self.say(format!("{since}起{what}"), format!("since {since} {what}"))
        };
        // Only what may stand in a group: where in the home it was stays behind the link.
        match alarm.reason.clone().without_whereabouts() {
            Reason::Silent { last_activity, silent_s, .. } => {
                let (then, silent) = (self.clock(last_activity), self.duration(silent_s));
                self.say(
                    format!("最后活动{then},到{first}已{silent},超过本户限值"),
                    format!("Last activity {then}; {first} = {silent}, over this home's limit"),
                )
            }
            Reason::Lasting { since: from, value: Some(value), .. } => format!("{} ({value:.1} °C)", since(from)),
            Reason::Lasting { since: from, .. } | Reason::Unwatched { since: from, .. } => since(from),
            Reason::Unheard { since: from, homes, deaf: false } => {
                format!("{} ({})", since(from), self.say(format!("{homes}户"), format!("{homes} homes")))
            }
            Reason::Unheard { since: from, .. } => {
                let from = self.clock(from);
                self.say(format!("{from}起本系统收不到任何消息"), format!("since {from} the gateway heard nothing"))
            }
            Reason::Visit { visits, due, outcome: None } => {
                let kind = |kind: &VisitKind| match kind {
                    VisitKind::Online => self.say("通话", "a call"),
                    VisitKind::Home => self.say("上门", "at the door"),
                };
                let kinds = visits.iter().map(kind).collect::<Vec<_>>().join(&self.say("、", " and "));
                let due = self.clock(due);
                self.say(format!("{what}({kinds}),应在{due}前"), format!("{what} ({kinds}), due by {due}"))
            }
            Reason::ChannelDown { channel, failure, since: from } => {
                format!("{} ({}: {})", since(from), plain(channel.as_str()), plain(&failure))
            }
            _ => format!("{at} {what}"),
        }
    }

    fn taken(&self, told: &AlarmNotice) -> Vec<String> {
        let who = self.doer(told);
        let how = told.alarm.seen.as_ref().map(|seen| {
            let how = phrases::progress(seen.how, self.language);
            let (at, until) = (self.clock(seen.at), self.clock(seen.until));
            self.say(format!("{who} {at} {how},办到{until}"), format!("{who} {how} since {at}, until {until}"))
        });
        let how = how.unwrap_or_else(|| self.say(format!("{who}已接单"), format!("{who} has taken it")));
        let rest = self
            .say("其他人请等候;到时未办结,会再通知", "Others stand by; if it is not finished then, you are told again");
        vec![how, rest]
    }

    fn closed(&self, told: &AlarmNotice) -> Vec<String> {
        let who = self.doer(told);
        let outcome = match told.outcome {
            Some(code) => {
                let outcome = phrases::outcome(code, self.language);
                self.say(format!("{who}办结:{outcome}"), format!("{who}: {outcome}"))
            }
            None => self.say("情况已自行解除", "It ended by itself"),
        };
        let safe = told.alarm.safe.as_ref().map(|safe| phrases::safe(safe.how, self.language).to_owned());
        [Some(outcome), safe].into_iter().flatten().collect()
    }

    /// Who did it: the name, else the id.
    fn doer(&self, told: &AlarmNotice) -> String {
        let name = told.by_name.as_deref().filter(|name| !name.is_empty()).map(plain);
        let name = name.or_else(|| told.by.as_ref().map(|by| plain(by.as_str())));
        name.unwrap_or_else(|| self.say("系统", "The gateway"))
    }

    /// Phone if the link fails; number and repeat.
    fn tail(&self, told: &AlarmNotice, has_link: bool) -> String {
        let number = told.alarm.id.short();
        let number = match told.rung + told.round {
            0 => self.say(format!("编号{number}"), format!("No. {number}")),
            times => self.say(format!("编号{number} 第{times}次"), format!("No. {number}, notice {times}")),
        };
        let home = plain(told.home.id.as_str());
        match (self.desk.phone.as_str(), has_link) {
            ("", _) => number,
            (phone, true) => self.say(
                format!("打不开:{phone} 报\"{home}\" {number}"),
                format!("Link dead: {phone}, say \"{home}\". {number}"),
            ),
            (phone, false) => self
                .say(format!("电话:{phone} 报\"{home}\" {number}"), format!("Ring {phone}, say \"{home}\". {number}")),
        }
    }

    /// Life first, each home by its name; the rest by kinds, gravest first, with one to begin with.
    fn digest(&self, digest: &Digest, url: Option<String>) -> Message {
        let (mut alarms, ended): (Vec<&DigestLine>, Vec<&DigestLine>) =
            digest.alarms.iter().partition(|line| line.r#type == NoticeType::Notice);
        alarms.sort_by_key(|line| (line.alarm.priority, line.alarm.kind, line.alarm.raised_at, line.alarm.id.number));
        let life = alarms.iter().take_while(|line| line.alarm.priority == Priority::Life).count();
        let (life, others) = alarms.split_at(life);
        let mut lines: Vec<Line> = life.iter().map(|line| Line { text: self.named(line), alarms: 1 }).collect();
        let mut counts: BTreeMap<(Priority, AlarmKind), u32> = BTreeMap::new();
        others.iter().for_each(|line| *counts.entry((line.alarm.priority, line.alarm.kind)).or_default() += 1);
        lines.extend(counts.into_iter().map(|((_, kind), n)| {
            let (severity, name) = (phrases::severity(kind, self.language), phrases::phrase(kind, self.language).name);
            Line {
                text: self.say(format!("· {severity} {name} {n}起"), format!("· {severity} {name}: {n}")),
                alarms: n,
            }
        }));
        if let (true, Some(first)) = (life.is_empty(), others.first()) {
            let text = self.say(format!("先看{}", self.named(first)), format!("First {}", self.named(first)));
            lines.insert(0, Line { text, alarms: 0 });
        }
        lines.extend(self.ended(NoticeType::Taken, &ended));
        lines.extend(self.ended(NoticeType::Closed, &ended));
        let total = digest.total.max(digest.alarms.len() as u32);
        let title = match life.len() {
            0 => self.say(format!("【汇总】共{total}起"), format!("[DIGEST] {total} alarms")),
            n => self.say(
                format!("【危急·汇总】{n}户危急,共{total}起"),
                format!("[LIFE · digest] {n} about life, {total} in all"),
            ),
        };
        Message {
            language: self.language,
            tone: if life.is_empty() { Tone::Technical } else { Tone::Life },
            title,
            lines,
            unlisted: total - digest.alarms.len() as u32,
            link: url.map(|url| Link { label: self.say("打开值班台", "Open the desk"), url }),
            tail: self.desk_phone(),
            phones: Vec::new(),
            names: Vec::new(),
            calls: !life.is_empty(),
        }
    }

    /// Nobody has to go anywhere: that stands first.
    fn test(&self, code: &str) -> Message {
        let lines = [
            self.say("这是渠道测试,没有人需要帮助", "This tests the channel: nobody needs help"),
            self.say(format!("请告诉值班台代码:{code}"), format!("Tell the desk this code: {code}")),
        ];
        Message {
            language: self.language,
            tone: Tone::Calm,
            title: self.say(format!("【测试】代码{code}"), format!("[TEST] code {code}")),
            lines: lines.into_iter().map(|text| Line { text, alarms: 0 }).collect(),
            unlisted: 0,
            link: None,
            tail: self.desk_phone(),
            phones: Vec::new(),
            names: Vec::new(),
            calls: false,
        }
    }

    fn desk_phone(&self) -> String {
        match self.desk.phone.as_str() {
            "" => String::new(),
            phone => self.say(format!("值班台:{phone}"), format!("Desk: {phone}")),
        }
    }

    /// The homes to which somebody goes, or of which an alarm was closed.
    fn ended(&self, how: NoticeType, of: &[&DigestLine]) -> Option<Line> {
        const NAMED: usize = 10;
        let homes: Vec<String> =
            of.iter().filter(|line| line.r#type == how).map(|line| plain(line.home.id.as_str())).collect();
        let more = if homes.len() > NAMED { self.say("等", ", …") } else { String::new() };
        let (named, n) = (homes[..homes.len().min(NAMED)].join(&self.say("、", ", ")), homes.len());
        let text = match how {
            NoticeType::Taken => {
                self.say(format!("· 已有人接 {n}起:{named}{more}"), format!("· taken, {n}: {named}{more}"))
            }
            _ => self.say(format!("· 已结束 {n}起:{named}{more}"), format!("· closed, {n}: {named}{more}")),
        };
        (n > 0).then_some(Line { text, alarms: n as u32 })
    }

    fn named(&self, line: &DigestLine) -> String {
        let (kind, number) = (line.alarm.kind, line.alarm.id.short());
        let (severity, name) = (phrases::severity(kind, self.language), phrases::phrase(kind, self.language).name);
        let (place, at) = (self.place(kind, &line.home), self.clock(line.alarm.happened_at));
        self.say(
            format!("· {severity} {name} {place} {at} 编号{number}"),
            format!("· {severity} {name}, {place}, {at}, No. {number}"),
        )
    }

    /// The local time; with the date where that is not the notice's.
    fn clock(&self, at: Wall) -> String {
        let local = at.zoned(&self.desk.zone);
        let time = format!("{:02}:{:02}", local.hour(), local.minute());
        if local.date() == self.issued.zoned(&self.desk.zone).date() {
            return time;
        }
        const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
        let (month, day) = (local.month(), local.day());
        let name = MONTHS.get(month as usize - 1).copied().unwrap_or_default();
        self.say(format!("{month}月{day}日{time}"), format!("{day} {name} {time}"))
    }

    fn duration(&self, seconds: u64) -> String {
        let (days, hours, minutes) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60);
        match (days, hours, minutes) {
            (0, 0, 0) => self.say(format!("{seconds}秒"), format!("{seconds} s")),
            (0, 0, m) => self.say(format!("{m}分钟"), format!("{m} min")),
            (0, h, 0) => self.say(format!("{h}小时"), format!("{h} h")),
            (0, h, m) => self.say(format!("{h}小时{m}分"), format!("{h} h {m} min")),
            (d, h, _) => self.say(format!("{d}天{h}小时"), format!("{d} d {h} h")),
        }
    }
}

/// A phone as platforms know it: digits alone, and a plus before them; empty for what is none.
fn phone(text: &str) -> String {
    let kept: String = text.chars().filter(|c| c.is_ascii_digit() || *c == '+').collect();
    let digits = kept.bytes().filter(u8::is_ascii_digit).count();
    let fits = (7..=15).contains(&digits) && !kept[1..].contains('+');
    if fits { kept } else { String::new() }
}
