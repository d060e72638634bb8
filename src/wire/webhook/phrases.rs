//! The words of every kind of alarm, in both languages. What a group may not read stands in none of them: no room, no habit, no illness,
//! and nothing that says a flat is empty (PRACTICE, "Must not").

use crate::engine::alarm::{CloseCode, Progress, SafeHow};
use crate::engine::kind::{AlarmKind, Priority};
use crate::engine::registry::Language;

/// What is to be done, and so how it is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Duty {
    /// Call, go there, 120.
    Rescue,
    Fire,
    Monoxide,
    Explosive,
    /// Call, knock, report.
    Visit,
    /// Call and report.
    Ask,
    /// Make the visit that is owed.
    Care,
    Water,
    /// Look at the equipment.
    Mend,
}

/// How one kind of alarm is spoken of in one language.
pub(super) struct Phrase {
    /// In the title.
    pub name: &'static str,
    /// What happened, behind its time.
    pub what: &'static str,
    pub duty: Duty,
}

pub(super) fn phrase(kind: AlarmKind, language: Language) -> Phrase {
    use AlarmKind::*;
    use Duty::*;
    let (duty, zh, en) = match kind {
        Smoke => (Fire, ("烟雾报警", "烟感报警"), ("smoke", "smoke detector")),
        Co => (Monoxide, ("一氧化碳报警", "一氧化碳报警器报警"), ("carbon monoxide", "carbon monoxide detector")),
        Gas => (Duty::Explosive, ("燃气泄漏", "燃气报警器报警"), ("gas leak", "gas detector")),
        Sos => (Rescue, ("紧急求助", "按下求助"), ("call for help", "help button pressed")),
        Fall => (Rescue, ("跌倒", "检测到跌倒"), ("fall", "a fall was detected")),
        FallStill => {
            (Rescue, ("跌倒未起", "疑似跌倒后没有动静"), ("fall, no movement", "a likely fall, and no movement since"))
        }
        PossibleSos => (
            Rescue,
            ("可能求助", "收到无法读取的消息,可能是求助"),
            ("possible call for help", "an unreadable message, perhaps a call"),
        ),
        PossiblePress => (
            Visit,
            ("可能再次求助", "可能又按了求助"),
            ("possible repeat call", "the button may have been pressed again"),
        ),
        Inactivity => (Visit, ("长时间无活动", "长时间没有活动"), ("no activity", "no activity for long")),
        Bathroom => (Visit, ("停留过久", "在一处停留过久"), ("long stay", "stayed in one place too long")),
        Wandering => {
            (Visit, ("夜间走动异常", "夜间走动异常"), ("unusual movement at night", "unusual movement at night"))
        }
        BedLeft => {
            (Visit, ("夜间无动静", "夜间起身后没有动静"), ("still at night", "up at night, and no movement since"))
        }
        Cold => (Visit, ("室温过低", "室温过低"), ("too cold indoors", "too cold indoors")),
        Heat => (Visit, ("室温过高", "室温过高"), ("too hot indoors", "too hot indoors")),
        DoorOpen => (Visit, ("门窗需查看", "门窗状态异常"), ("door needs a look", "the door needs a look")),
        NoWater => (Visit, ("久未用水", "长时间没有用水"), ("no water used", "no water used for long")),
        VitalSigns => (Visit, ("监测数值异常", "监测数值异常"), ("readings out of range", "readings out of range")),
        WelfareCheck => (Visit, ("需要探望", "需要有人去看一看"), ("welfare check", "somebody has to look in")),
        InactivityCheck => (Ask, ("活动偏少", "活动比平时少"), ("little activity", "less activity than usual")),
        FallCheck => (Ask, ("疑似跌倒", "疑似跌倒"), ("likely fall", "a likely fall")),
        NotUpCheck => (Ask, ("早间无动静", "早间还没有动静"), ("still this morning", "no movement yet this morning")),
        BathroomCheck => (Ask, ("停留偏久", "在一处停留偏久"), ("longish stay", "stayed in one place for long")),
        ColdCheck => (Ask, ("室温偏低", "室温偏低"), ("cool indoors", "cool indoors")),
        HeatCheck => (Ask, ("室温偏高", "室温偏高"), ("warm indoors", "warm indoors")),
        NoWaterCheck => (Ask, ("用水偏少", "用水偏少"), ("little water used", "little water used")),
        BackCheck | SuppressionCheck => {
            (Ask, ("登记待核实", "登记情况需要核实"), ("entry to confirm", "an entry has to be confirmed"))
        }
        VisitDue => (Care, ("今日探访", "今天的探访还没有做"), ("visit today", "today's visit is not made yet")),
        VisitMissed => (Visit, ("探访超时", "探访没有按时完成"), ("visit missed", "a visit was not made in time")),
        Leak => (Water, ("漏水", "漏水报警"), ("water leak", "water detector")),
        WaterRunning => (Water, ("长流水", "水一直在流"), ("water running", "water has run for long")),
        EngineFault => (Mend, ("系统故障", "本户监测中断"), ("system fault", "this home is not watched")),
        Tamper => (Mend, ("设备被拆动", "设备被拆动"), ("tamper", "a device was tampered with")),
        BatteryLow => (Mend, ("电池电量低", "设备电池电量低"), ("low battery", "a device's battery is low")),
        ChannelDown => (Mend, ("通知渠道不通", "通知发不出去"), ("channel down", "notices do not arrive")),
        CoverageGap => (Mend, ("值守人手不足", "可通知的人手不足"), ("too few on duty", "too few people can be told")),
        StoreRebuilt => {
            (Mend, ("存储已重建", "存储已移开并重建"), ("store rebuilt", "the store was moved aside and built anew"))
        }
        HomeUnheard => (Mend, ("本户失联", "收不到本户设备消息"), ("home unheard", "nothing is heard of its devices")),
        Outage => (Mend, ("片区失联", "收不到多户设备消息"), ("outage", "nothing is heard of several homes")),
    };
    let (name, what) = if language == Language::Zh { zh } else { en };
    Phrase { name, what, duty }
}

pub(super) fn severity(kind: AlarmKind, language: Language) -> &'static str {
    match (kind.is_check(), kind.priority(), language) {
        (true, _, Language::Zh) => "询问",
        (true, _, Language::En) => "CHECK",
        (_, Priority::Life, Language::Zh) => "危急",
        (_, Priority::Life, Language::En) => "LIFE",
        (_, Priority::Welfare, Language::Zh) => "关注",
        (_, Priority::Welfare, Language::En) => "WELFARE",
        (_, Priority::Property, Language::Zh) => "财产",
        (_, Priority::Property, Language::En) => "PROPERTY",
        (_, Priority::Technical, Language::Zh) => "设备",
        (_, Priority::Technical, Language::En) => "TECHNICAL",
    }
}

/// What one person is to do; `who` is empty where nobody is named, `by` where there is no deadline.
pub(super) fn duty(duty: Duty, who: &str, by: &str, language: Language) -> String {
    use Duty::*;
    let zh = language == Language::Zh;
    let who = match (who, zh) {
        ("", true) => "请值班员".to_owned(),
        ("", false) => "Desk:".to_owned(),
        (who, _) => format!("@{who}"),
    };
    let what = match (duty, zh) {
        (Rescue, true) => "马上:①打老人电话 ②不接,立即上门 ③危急先打120",
        (Rescue, false) => "now: ① call the resident ② no answer: go there at once ③ in danger: 120 first",
        (Fire, true) => "马上:①先打119 ②打老人电话,叫人出屋 ③在屋外等消防,不要进屋",
        (Fire, false) => {
            "now: ① 119 first ② call the resident: get out ③ wait outside for the fire brigade, do not enter"
        }
        (Monoxide, true) => "马上:①先打119 ②打老人电话,开窗、出屋 ③有人不适打120,不要进屋",
        (Monoxide, false) => {
            "now: ① 119 first ② call the resident: open windows, get out ③ anyone unwell: 120; do not enter"
        }
        (Explosive, true) => "马上:①先打119 ②打老人电话:不碰开关、不点火、出屋 ③不按门铃,不要进屋",
        (Explosive, false) => {
            "now: ① 119 first ② call the resident: touch no switch, no flame, get out ③ no doorbell, do not enter"
        }
        (Visit, true) => "打老人电话,不接就上门敲门,并回复",
        (Visit, false) => "call the resident, else knock, and reply",
        (Ask, true) => "打电话问一声,并回复",
        (Ask, false) => "call and ask, and reply",
        (Care, true) => "完成探访,并登记结果",
        (Care, false) => "make the visit, and enter what came of it",
        (Water, true) => "打老人电话请其关阀,不接就上门,并回复",
        (Water, false) => "call the resident to shut the valve, else go there, and reply",
        (Mend, true) => "查看并处理,完成后回复",
        (Mend, false) => "look and mend, then reply",
    };
    // What is for now has no later deadline; what happens otherwise states it.
    match (matches!(duty, Rescue | Fire | Monoxide | Explosive), by, zh) {
        (true, ..) | (_, "", _) => format!("{who} {what}"),
        (_, by, true) => format!("{who} {by}前{what}"),
        (_, by, false) => format!("{who} {what} by {by}"),
    }
}

pub(super) fn progress(progress: Progress, language: Language) -> &'static str {
    match (progress, language) {
        (Progress::Seen, Language::Zh) => "已接单",
        (Progress::Seen, Language::En) => "has taken it",
        (Progress::OnMyWay, Language::Zh) => "已出发",
        (Progress::OnMyWay, Language::En) => "is on the way",
        (Progress::OnSite, Language::Zh) => "已到现场",
        (Progress::OnSite, Language::En) => "is on site",
    }
}

pub(super) fn safe(how: SafeHow, language: Language) -> &'static str {
    match (how, language) {
        (SafeHow::Seen, Language::Zh) => "见到本人,平安",
        (SafeHow::Seen, Language::En) => "safe, seen in person",
        (SafeHow::Spoke, Language::Zh) => "通过话,平安",
        (SafeHow::Spoke, Language::En) => "safe, spoken to",
        (SafeHow::HandedTo120, Language::Zh) => "已交给120",
        (SafeHow::HandedTo120, Language::En) => "handed to 120",
    }
}

/// The outcome of a closed alarm, as far as a group may read it: where somebody is now stands behind the link.
pub(super) fn outcome(code: &str, language: Language) -> &'static str {
    use CloseCode::*;
    let is = |codes: &[CloseCode]| codes.iter().any(|known| known.name() == code);
    match language {
        Language::Zh if is(&[Accidental]) => "误触",
        Language::Zh if is(&[Sensor, Technical]) => "设备原因",
        Language::Zh if is(&[Test]) => "测试",
        Language::Zh => "已处理",
        Language::En if is(&[Accidental]) => "accidental",
        Language::En if is(&[Sensor, Technical]) => "equipment",
        Language::En if is(&[Test]) => "test",
        Language::En => "dealt with",
    }
}
