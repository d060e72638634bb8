//! Every text of the pages, in both languages, in one table (that of the desk here, the others' beside it). `{name}` is filled in where the text is used.

mod guide;
mod places;
mod respond;
mod visits;

/// A key, Chinese, English.
type Word = (&'static str, &'static str, &'static str);

/// A language of the pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lang {
    Zh,
    En,
}

impl Lang {
    /// As cookies and addresses say it.
    pub fn parse(code: &str) -> Option<Lang> {
        match code {
            "zh" => Some(Lang::Zh),
            "en" => Some(Lang::En),
            _ => None,
        }
    }

    /// The first of our languages that a browser asks for; Chinese where it asks for neither.
    pub fn accepted(header: &str) -> Lang {
        let wanted =
            |part: &str| part.split([';', '-']).next().and_then(|code| Lang::parse(&code.trim().to_ascii_lowercase()));
        header.split(',').find_map(wanted).unwrap_or(Lang::Zh)
    }

    pub fn code(self) -> &'static str {
        match self {
            Lang::Zh => "zh",
            Lang::En => "en",
        }
    }

    /// As HTML says it.
    pub fn tag(self) -> &'static str {
        match self {
            Lang::Zh => "zh-CN",
            Lang::En => "en",
        }
    }

    /// Its own name.
    pub fn name(self) -> &'static str {
        match self {
            Lang::Zh => "中文",
            Lang::En => "English",
        }
    }

    pub fn other(self) -> Lang {
        match self {
            Lang::Zh => Lang::En,
            Lang::En => Lang::Zh,
        }
    }
}

/// The text of a key. A key that is not in the table stands for itself; a test sees to it that there is none.
pub(super) fn say(lang: Lang, key: &'static str) -> &'static str {
    let Some((_, zh, en)) = all().find(|(k, ..)| *k == key) else { return key };
    match lang {
        Lang::Zh => zh,
        Lang::En => en,
    }
}

/// All of them.
pub(super) fn all() -> impl Iterator<Item = &'static Word> {
    let beside = guide::GUIDE.iter().chain(places::PLACES).chain(respond::RESPOND).chain(visits::VISITS);
    WORDS.iter().chain(beside)
}

/// Those of the desk and the door.
const WORDS: &[Word] = &[
    // The frame and the door
    ("title", "守望 · 值守台", "Hearthwatch console"),
    ("motto", "有人按下按钮，就一定有人去。", "When somebody calls, somebody comes."),
    ("account", "账号", "Account"),
    ("token", "口令", "Token"),
    ("sign_in", "登录", "Sign in"),
    ("sign_out", "退出", "Sign out"),
    ("wrong.sign_in", "账号或口令不对。", "The account or the token is wrong."),
    ("wrong.often", "失败次数过多，请稍候半分钟再试。", "Too many failed attempts: wait half a minute."),
    ("wrong.origin", "请从本页面登录。", "Sign in from this page itself."),
    ("wrong.form", "表单不完整，请重新填写。", "The form was incomplete; fill it in again."),
    ("skip", "跳到警报列表", "Skip to the alarms"),
    ("open_alarms", "未处理警报", "Open alarms"),
    ("detail", "住户详情", "Household details"),
    ("loading", "正在载入…", "Loading…"),
    (
        "no_script",
        "本页面需要启用 JavaScript；没有它就看不到警报。",
        "This page needs JavaScript; without it no alarm is shown.",
    ),
    (
        "keys",
        "J / K 选择 · S 接单 · O 在路上 · T 到场 · N 无人应答 · A 确认安全 · C 关闭 · 数字键选项 · Esc 取消",
        "J / K choose · S seen · O on my way · T on site · N no answer · A safe · C close · digits pick · Esc cancels",
    ),
    // The line and the sound
    ("lost", "与服务器的连接已断开！", "The connection to the service is lost!"),
    (
        "lost.since",
        "下面是 {at} 的情况，可能已经过时。正在重新连接；新的警报请以电话通知为准。",
        "What you see is from {at} and may be out of date. Reconnecting; until then rely on the phones for new alarms.",
    ),
    (
        "lost.said",
        "注意：连接已断开，页面内容可能过时。",
        "Attention: the connection is lost, the page may be out of date.",
    ),
    ("back_online", "连接已恢复，内容为最新。", "The connection is back; the page is up to date."),
    ("sound.on", "声音开", "Sound on"),
    ("sound.off", "已静音", "Muted"),
    ("sound.touch", "点此开启声音", "Enable sound"),
    ("parts.ok", "系统正常", "All well"),
    ("part.subscribed", "设备接入", "Broker link"),
    ("part.broker", "设备接入", "Broker link"),
    ("part.journal", "日志写入", "Journal"),
    ("part.keeper", "告警引擎", "Keeper"),
    ("part.store", "历史库", "Store"),
    ("empty", "目前无未处理警报", "No open alarms"),
    (
        "empty.live",
        "连接正常。有新警报时，本页面会立即显示并响铃。",
        "The line is live. A new alarm appears here at once, and rings.",
    ),
    (
        "empty.lost",
        "连接已断开：此刻无法知道是否有新警报。",
        "The connection is lost: whether there are new alarms is not known right now.",
    ),
    // Times
    ("hours.short", "{h}时{m}分", "{h}h {m}m"),
    ("hours.long", "{h} 小时 {m} 分", "{h} h {m} min"),
    ("days.short", "{d}天{h}时", "{d}d {h}h"),
    ("days.long", "{d} 天 {h} 小时", "{d} days {h} h"),
    ("due", "已到时", "due now"),
    ("minutes", "{n} 分钟", "{n} min"),
    // Gravity and kinds
    ("priority.life", "危急", "Life"),
    ("priority.welfare", "关怀", "Welfare"),
    ("priority.property", "财产", "Property"),
    ("priority.technical", "设备", "Technical"),
    ("kind.smoke", "烟雾报警", "Smoke"),
    ("kind.co", "一氧化碳报警", "Carbon monoxide"),
    ("kind.gas", "燃气泄漏", "Gas"),
    ("kind.sos", "紧急求助", "Call for help"),
    ("kind.fall", "跌倒", "Fall"),
    ("kind.possible_sos", "疑似求助", "Possible call for help"),
    ("kind.possible_press", "疑似再次按下", "Possible further press"),
    ("kind.inactivity", "长时间无活动", "No activity"),
    ("kind.welfare_check", "需要上门看望", "Welfare check"),
    ("kind.inactivity_check", "活动偏少，请留意", "Quiet check: little activity"),
    ("kind.leak", "漏水", "Water leak"),
    ("kind.engine_fault", "该户判断程序故障", "This home's engine failed"),
    ("kind.tamper", "设备被拆动", "Device tampered with"),
    ("kind.battery_low", "电池电量低", "Battery low"),
    ("kind.channel_down", "通知渠道中断", "Channel down"),
    ("kind.store_rebuilt", "历史库已重建", "Store rebuilt"),
    ("kind.home_unheard", "收不到该户信号", "Home unheard"),
    ("kind.outage", "大范围失联", "Outage"),
    ("kind.bathroom", "卫生间停留过久", "Long in the bathroom"),
    ("kind.bathroom_check", "卫生间停留核实", "Bathroom check"),
    ("kind.wandering", "夜间外出未归", "Out at night"),
    ("kind.bed_left", "夜间离床未归", "Bed left at night"),
    ("kind.door_open", "入户门未关", "Entrance door open"),
    ("kind.not_up_check", "未按时起床", "Not up yet"),
    ("kind.cold", "室温过低", "Cold"),
    ("kind.cold_check", "室温偏低", "Cold check"),
    ("kind.heat", "室温过高", "Heat"),
    ("kind.heat_check", "室温偏高", "Heat check"),
    ("kind.fall_still", "跌倒后无动静", "Fallen, not moving"),
    ("kind.fall_check", "疑似跌倒核实", "Fall check"),
    ("kind.no_water", "长时间未用水且无活动", "No water used, no activity"),
    ("kind.no_water_check", "一天未用水核实", "No water check"),
    ("kind.back_check", "外出期间有动静", "Stirring while away"),
    ("kind.suppression_check", "外出登记待确认", "Absence to confirm"),
    ("kind.visit_due", "今日探访未完成", "Visit due today"),
    ("kind.visit_missed", "探访超时未完成", "Visit missed"),
    ("kind.vital_signs", "心率或呼吸异常", "Vital signs"),
    ("kind.water_running", "持续流水", "Water running"),
    ("reading.motion", "人体移动", "motion"),
    ("reading.presence", "有人", "presence"),
    ("reading.contact", "门窗", "door"),
    ("reading.sos", "求助按钮", "SOS button"),
    ("reading.button", "按键", "button"),
    ("reading.water_leak", "漏水", "water leak"),
    ("reading.smoke", "烟雾", "smoke"),
    ("reading.gas", "燃气", "gas"),
    ("reading.co", "一氧化碳", "carbon monoxide"),
    ("reading.fall", "跌倒", "fall"),
    ("reading.fall_warning", "跌倒预警", "fall warning"),
    ("reading.vibration", "震动", "vibration"),
    ("reading.tamper", "拆动", "tampering"),
    ("reading.battery", "电量", "battery"),
    ("reading.battery_low", "低电量", "low battery"),
    ("reading.temperature", "温度", "temperature"),
    ("reading.humidity", "湿度", "humidity"),
    ("reading.illuminance", "光照", "light"),
    ("reading.respiratory_rate", "呼吸率", "breathing"),
    ("reading.heart_rate", "心率", "heart rate"),
    ("reading.online", "在线", "online"),
    ("reading.bed", "床", "bed"),
    ("reading.water_volume", "用水", "water"),
    ("reading.power", "用电", "power"),
    ("reading.weight", "重量", "weight"),
    ("reading.mains", "市电", "mains"),
    ("room.entrance", "入户门", "entrance"),
    ("room.bedroom", "卧室", "bedroom"),
    ("room.bathroom", "卫生间", "bathroom"),
    ("room.kitchen", "厨房", "kitchen"),
    ("room.living", "客厅", "living room"),
    ("room.living_room", "客厅", "living room"),
    ("room.hall", "过道", "hall"),
    // Why
    ("by_device", "（{device}）", " ({device})"),
    ("why.pressed_once", "按钮求助{device}", "Help button pressed{device}"),
    ("why.pressed", "按钮求助 {n} 次，最近 {at}{device}", "Help button pressed {n} times, last {at}{device}"),
    ("why.said_once", "探测器报告：{kind}{device}", "Detector reports {kind}{device}"),
    ("why.said", "探测器 {n} 次报告：{kind}{device}", "Detector reports {kind}, {n} times{device}"),
    (
        "why.found_true",
        "接通时已在报警：{kind}{device}，何时开始不明",
        "Already true when first heard: {kind}{device}; since when is unknown",
    ),
    (
        "why.latched_repeat",
        "按钮信号重复{device}，可能又按了一次，请核实",
        "The button's signal came again{device}: it may have been pressed once more",
    ),
    (
        "why.silent",
        "{silent}无活动，上次活动 {at} {what}；本户上限 {limit}",
        "No activity for {silent}; last {at}, {what}. Limit of this home: {limit}",
    ),
    (
        "why.engine_fault",
        "该户暂停自动判断（{fault}），请人工看望",
        "This home is not judged any more ({fault}): somebody has to look",
    ),
    (
        "why.unreadable",
        "收到无法读取的消息（{topic}），按可能求助处理",
        "A message that cannot be read ({topic}) is taken for a call for help",
    ),
    ("why.lasting", "{at} 起，已 {lasted}；上限 {limit}{value}", "Since {at}, for {lasted}; limit {limit}{value}"),
    ("why.lasting.value", "；现在 {n} 度", "; now {n} degrees"),
    ("why.lasting.more", "；一天内比周围住户多降 {n} 度", "; cooled {n} degrees more than its neighbours"),
    ("why.unheard_one", "{at} 起收不到该户的任何信号", "Nothing is heard of this home since {at}"),
    ("why.unheard", "{at} 起同时收不到 {n} 户的信号", "{n} homes are unheard since {at}, all for one cause"),
    (
        "why.deaf",
        "{at} 起网关收不到任何信号，涉及 {n} 户",
        "The gateway hears nothing since {at}; that concerns {n} homes",
    ),
    (
        "why.unwatched",
        "{from} 起收不到信号，{to} 恢复；此后无人活动，也无人看望。上次活动 {at}",
        "Unheard from {from} to {to}; nobody has stirred or looked since. Last activity {at}",
    ),
    (
        "why.unwatched_still",
        "{from} 起收不到信号，至今未恢复，也无人看望。上次活动 {at}",
        "Unheard since {from}, and nobody has looked. Last activity {at}",
    ),
    (
        "why.back",
        "{at} 起登记为{of}（至 {until}），但屋内有动静：打电话问是本人回来还是他人在家",
        "{of} since {at} (until {until}), and somebody stirs there: call and ask whether they are back",
    ),
    (
        "why.suppressed",
        "{at} 起登记为{of}，至 {until}：请确认是否仍然有效",
        "{of} since {at}, until {until}: confirm that it still holds",
    ),
    (
        "why.channel_down",
        "{at} 起经 {channel} 发不出通知（{failure}）：检查地址、密钥和对方服务，改用其他渠道",
        "Nothing arrives by {channel} since {at} ({failure}): look after its address, secret and receiver; use another channel",
    ),
    ("unclaimed", "未登记设备", "Unregistered device"),
    ("gateway", "网关", "Gateway"),
    ("several_homes", "多户", "Several homes"),
    ("several", "本户共 {n} 个警报", "{n} alarms in this home"),
    // Who has it, and what comes
    ("who.nobody", "无人接单", "Nobody has it"),
    ("who.rung", "已通知到第 {n} 级", "rung {n} told"),
    ("who.untold", "尚未通知任何人", "nobody told yet"),
    ("who.until", "{at} 前，剩", "until {at},"),
    ("who.safe", "{by} 已确认安全：{how}，{at}", "{by} confirmed safe: {how}, {at}"),
    ("you", "{name}（您）", "{name} (you)"),
    ("progress.seen", "已接单", "has seen it"),
    ("progress.on_my_way", "在路上", "is on the way"),
    ("progress.on_site", "已到场", "is on site"),
    ("next.rung", "下一步通知 {to}：", "Next: {to} in"),
    ("next.again", "到时无结果，重新通知 {to}：", "Without an outcome {to} is told again in"),
    ("next.console", "值守台", "this console"),
    ("next.close", "只差关闭：请选择结果", "Only closing is left: choose the outcome"),
    ("mark.over", "信号已于 {at} 恢复，仍须有人看过", "ended by itself at {at}; somebody still has to look"),
    ("mark.unanswered", "电话无人应答 {n} 次", "calls unanswered: {n}"),
    ("mark.no_access", "进不了门", "no access"),
    ("mark.goal", "{at} 前应有人到场", "somebody has to be there by {at}"),
    ("mark.breach", "{at} 仍无人到场，已重新通知所有人", "nobody there by {at}: everybody was told again"),
    ("mark.age_unknown", "开始时间不明", "begin unknown"),
    ("mark.late", "迟到 {by}", "late by {by}"),
    ("mark.last_taker", "{by} 曾接单，未完成", "{by} had it and did not finish"),
    // Acts
    ("act.seen", "接单", "Seen"),
    ("act.on-my-way", "在路上", "On my way"),
    ("act.on-site", "到场", "On site"),
    ("act.no-answer", "无人应答", "No answer"),
    ("act.reopen", "还没安全，重新呼叫", "Not safe: call again"),
    ("act.no-access", "进不了门", "No access"),
    ("act.safe", "确认安全", "Safe"),
    ("act.close", "关闭", "Close"),
    ("act.hold", "稍等 1 分钟", "Hold one minute"),
    ("act.cannot", "我去不了", "I cannot come"),
    ("act.note", "备注（加密保存）", "Note (kept sealed)"),
    ("save", "保存", "Save"),
    ("cancel", "取消", "Cancel"),
    ("sending", "正在发送…", "Sending…"),
    ("choose.minutes", "多久能到？", "How long until you are there?"),
    (
        "choose.how",
        "您怎么知道老人安全？（听人说的不算）",
        "How do you know the resident is safe? (Hearsay does not count.)",
    ),
    ("choose.outcome", "结果是什么？选择后关闭警报。", "What was it? Choosing closes the alarm."),
    ("how.seen", "亲眼见到", "seen in person"),
    ("how.spoke", "通话确认", "spoke to the person"),
    ("how.handed_to_120", "已交给 120", "handed to 120"),
    ("outcome.helped", "已帮助", "Helped"),
    ("outcome.hospital", "已送医", "To hospital"),
    ("outcome.deceased", "已去世", "Deceased"),
    ("outcome.not_home", "人不在家", "Not at home"),
    ("outcome.refused", "本人拒绝帮助", "Refused help"),
    ("outcome.no_access", "无法进门", "No access"),
    ("outcome.accidental", "误按", "Pressed by accident"),
    ("outcome.sensor", "设备误报", "Sensor error"),
    ("outcome.test", "测试", "Test"),
    ("outcome.technical", "设备问题", "Technical"),
    ("outcome.by_itself", "自行结束", "Ended by itself"),
    ("done.said", "已完成：{act}", "Done: {act}"),
    ("closed.said", "已关闭：{code} {kind}，{outcome}", "Closed: {code} {kind}, {outcome}"),
    // Why not
    ("refused.no_such_alarm", "没有这个警报。", "There is no such alarm."),
    ("refused.closed", "这个警报已经关闭，不能再操作。", "The alarm is closed; nothing more can be done with it."),
    (
        "refused.stale_revision",
        "警报刚刚有变化，请看清后再按一次。",
        "The alarm has just changed: look again, then decide anew.",
    ),
    (
        "refused.not_safe_yet",
        "还没有人确认老人安全，不能关闭。请先确认：亲眼见到、通话，或已交给 120。没有回应，立即打 120。",
        "Nobody has confirmed that the resident is safe, so it cannot be closed. First: seen, spoke, or handed to 120. No answer? Call 120 now.",
    ),
    ("refused.moved", "列表刚刚变动，请看清后再按一次。", "The list has just moved: look, and press again."),
    ("refused.held_before", "每个警报只能稍等一次。", "An alarm can be held once only."),
    (
        "refused.still_open",
        "这个警报还没有确认安全，不需要重新打开。",
        "Nobody has said that the resident is safe: there is nothing to reopen.",
    ),
    (
        "refused.raised_again",
        "这一户已有同类的新警报，请处理新的那个。",
        "Another alarm of this kind is open here: act on that one.",
    ),
    ("refused.not_yours", "别人已经接了这个警报。", "Somebody else has taken this alarm."),
    (
        "refused.not_sealed",
        "备注无法加密保存：该户的密钥已销毁或无法写入。",
        "The note cannot be sealed: this home's keys are gone or cannot be written.",
    ),
    ("refused.not_an_operator", "此账号只能查看，不能操作。", "This account may look, but not act."),
    (
        "refused.not_sent",
        "没有发送成功。请再按一次；仍不行，用电话处理。",
        "It could not be sent. Press again; if that fails too, work by phone.",
    ),
    // The panel
    ("detail.open", "地址、电话、钥匙 ›", "Address, phones, keys ›"),
    ("back", "‹ 返回列表", "‹ Back to the list"),
    ("detail.address", "地址", "Address"),
    ("detail.gate_code", "门禁密码", "Gate code"),
    ("detail.keyholder", "钥匙", "Key"),
    ("detail.entry", "破门授权", "Forced entry"),
    ("detail.care", "注意", "Mind"),
    ("detail.contact", "联系人", "Contact"),
    ("detail.monitoring", "监护同意", "Monitoring"),
    ("detail.notes", "备注", "Notes"),
    ("detail.told", "已通知", "Who was told"),
    ("detail.story", "经过", "What happened"),
    (
        "detail.failed",
        "住户详情暂时取不到；警报操作不受影响。",
        "The household's details cannot be loaded just now; acting on the alarm works.",
    ),
    ("detail.claim", "认领这台设备", "Claim this device"),
    ("detail.none", "没有登记住户资料。", "Nothing is registered about this household."),
    ("detail.id", "编号 {id} · 版本 {revision}", "No. {id} · revision {revision}"),
    ("floor", "{n} 层", "floor {n}"),
    ("age", "约 {n} 岁", "about {n}"),
    ("call", "打给老人 {number}", "Call resident {number}"),
    ("inner_bolt", "门内有插销", "bolted from inside"),
    ("dog", "有狗", "dog"),
    ("consent.yes", "已同意 {date}", "given {date}"),
    ("consent.none", "没有授权", "not given"),
    ("gate_code", "门禁 {code}", "gate code {code}"),
    ("keyholder", "钥匙在 {who}", "key with {who}"),
    ("mobility.walks", "行走自如", "walks"),
    ("mobility.stick", "拄拐", "stick"),
    ("mobility.walker", "助行器", "walker"),
    ("mobility.wheelchair", "轮椅", "wheelchair"),
    ("mobility.bed", "卧床", "bed-bound"),
    ("trait.dementia", "失智", "dementia"),
    ("trait.disabled", "残疾", "disabled"),
    ("trait.hard_of_hearing", "听力不好", "hard of hearing"),
    ("trait.child", "儿童", "child"),
    ("told.pending", "发送中", "being told"),
    ("told.delivered", "已送达", "delivered"),
    ("told.failing", "送不到，继续重试", "failing, tried on"),
    ("told.withdrawn", "已撤回", "taken back"),
    ("told.rung", "第 {n} 级", "rung {n}"),
    ("story.raised", "警报产生", "raised"),
    ("story.moved", "设备已登记，转到 {home}", "its device was registered: moved to {home}"),
    ("story.counted", "再次触发", "once more"),
    ("story.over", "信号恢复", "ended by itself"),
    ("story.rung", "通知第 {rung} 级", "rung {rung} told"),
    ("story.taken", "{by}：{how}", "{by}: {how}"),
    ("story.safe", "{by} 确认安全：{how}", "{by} confirmed safe: {how}"),
    ("story.safe_cleared", "又有呼叫，安全确认作废", "called again: no longer safe"),
    ("story.act_no_answer", "{by}：电话无人应答", "{by}: no answer"),
    ("story.act_no_access", "{by}：到了门口，进不去", "{by}: at the door, no access"),
    ("story.act_note", "{by} 写了备注", "{by} wrote a note"),
    ("story.act_hold", "{by}：稍等", "{by}: hold"),
    ("story.act_cannot", "{by}：去不了", "{by}: cannot come"),
    ("story.act_reopen", "{by}：重新打开", "{by} reopened it"),
    ("story.reopened", "关闭有误，重新呼叫", "closed by mistake: calling again"),
    ("story.closed", "{by} 关闭：{outcome}", "{by} closed it: {outcome}"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::alarm::Refusal;
    use crate::engine::home::suppression::SuppressionKind;
    use crate::engine::kind::{AlarmKind, Kind, Priority};
    use crate::wire::Rejected;
    use std::collections::BTreeSet;

    const SCRIPTS: &str = concat!(
        include_str!("assets/console.js"),
        include_str!("assets/cases.js"),
        include_str!("assets/detail.js"),
        include_str!("assets/acts.js"),
        include_str!("assets/dom.js"),
        include_str!("assets/place.js"),
        include_str!("assets/quarantine.js"),
        include_str!("assets/walk.js"),
        include_str!("assets/visits.js"),
        include_str!("assets/outages.js"),
        include_str!("assets/away.js"),
        include_str!("assets/home.js"),
        include_str!("assets/respond.js"),
    );

    fn keys() -> BTreeSet<&'static str> {
        all().map(|(key, ..)| *key).collect()
    }

    /// The names in braces, each once.
    fn places(text: &str) -> BTreeSet<&str> {
        text.split('{').skip(1).filter_map(|rest| rest.split('}').next()).collect()
    }

    #[test]
    fn every_text_has_both_languages_and_the_same_places() {
        assert_eq!(keys().len(), all().count(), "a key stands twice");
        for (key, zh, en) in all() {
            assert!(!zh.trim().is_empty() && !en.trim().is_empty(), "{key}");
            assert!(en.is_ascii() || en.chars().all(|c| c.is_ascii() || "‹›…·°".contains(c)), "{key}: {en}");
            assert_eq!(places(zh), places(en), "{key}");
        }
    }

    /// The keys that a script names outright: `t('…')`, and anything else in quotes that begins like one of ours.
    fn named() -> BTreeSet<&'static str> {
        let calls = SCRIPTS.match_indices("t('").map(|(at, _)| SCRIPTS.split_at(at));
        let calls = calls.filter(|(before, _)| !before.ends_with(|c: char| c.is_alphanumeric()));
        let quoted = calls.filter_map(|(_, rest)| rest.split('\'').nth(1));
        let word = |text: &&str| text.chars().all(|c| c.is_ascii_lowercase() || "._-0123456789".contains(c));
        let of_a_page = |text: &&str| {
            let families = ["walk", "quarantine", "health", "need", "outages", "away", "refused", "respond"];
            text.split_once('.').is_some_and(|(family, _)| families.contains(&family))
        };
        quoted.filter(word).chain(SCRIPTS.split('\'').filter(word).filter(of_a_page)).collect()
    }

    #[test]
    fn every_text_that_is_asked_for_is_there() {
        let known = keys();
        let mut wanted: BTreeSet<String> = named().into_iter().filter(|k| k.len() > 1).map(str::to_owned).collect();
        let of = |prefix: &str, words: &[&str]| words.iter().map(|w| format!("{prefix}.{w}")).collect::<Vec<_>>();
        wanted.extend(AlarmKind::ALL.iter().map(|kind| format!("kind.{kind}")));
        wanted.extend(Kind::ALL.iter().map(|kind| format!("reading.{kind}")));
        wanted.extend(Rejected::ALL.iter().map(|reason| format!("unread.{reason}")));
        wanted.extend(Priority::ALL.iter().flat_map(|p| [format!("priority.{p}"), format!("guide.{p}")]));
        let refusals = [
            Refusal::NoSuchAlarm,
            Refusal::Closed,
            Refusal::Stale { revision: 1 },
            Refusal::NotSafeYet,
            Refusal::HeldBefore,
            Refusal::NotYours,
        ];
        wanted.extend(refusals.map(|refusal| format!("refused.{}", refusal.name())));
        wanted.extend(of(
            "act",
            &[
                "seen",
                "on-my-way",
                "on-site",
                "no-answer",
                "no-access",
                "safe",
                "close",
                "hold",
                "cannot",
                "reopen",
                "note",
            ],
        ));
        wanted.extend(of("how", &["seen", "spoke", "handed_to_120"]));
        wanted.extend(["progress", "respond.mine"].map(|axis| of(axis, &["seen", "on_my_way", "on_site"])).concat());
        wanted.extend(of("told", &["pending", "delivered", "failing", "withdrawn"]));
        wanted.extend(of("choose", &["minutes", "how", "outcome"]));
        wanted.extend(of("call", &["120", "119", "110"]));
        wanted.extend(of("sound", &["on", "off", "touch"]));
        wanted.extend(of("spans", &["seconds", "minutes", "hours", "days"]));
        wanted.extend(of("walk", &["lead_one", "announced_one"]));
        wanted.extend(of("outages", &["spoke", "seen"]));
        wanted.extend(of("cover", &["only_door", "few_signs", "second_person", "bed_bound"]));
        wanted.extend(SuppressionKind::ALL.map(|kind| format!("away.{}", kind.name())));
        wanted.extend(of("value", &["yes", "no", "open", "closed"]));
        wanted.extend(of("hours", &["short", "long"]).into_iter().chain(of("days", &["short", "long"])));
        wanted.extend(of("next", &["rung", "again"]));
        for code in [
            "helped",
            "hospital",
            "deceased",
            "not_home",
            "refused",
            "no_access",
            "accidental",
            "sensor",
            "test",
            "technical",
            "by_itself",
        ] {
            wanted.insert(format!("outcome.{code}"));
        }
        let missing: Vec<_> = wanted.iter().filter(|key| !known.contains(key.as_str())).collect();
        assert!(missing.is_empty(), "{missing:?}");
    }
}
