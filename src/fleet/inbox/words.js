// What the phones say, in both languages. Wording follows what a notice must say, in this order: severity; where; what, when,
// how often; who does what by when; what happens otherwise; number and repeat. No names, rooms or habits of the residents.

const zh = {
  locale: "zh-CN", comma: "，", name: "守望", subtitle: "值班手机", console: "控制台", other_language: "English",
  connected: "已连接", connecting: "正在连接…", calm: "一切平安", calm_more: "有人需要帮助时，消息会出现在这里",
  on_duty: "值班中", answering: "待处理 {n}", household: "{no}户", unclaimed: "未登记的设备",
  priority: { life: "危急", welfare: "关注", property: "财产", technical: "设备" },
  kind: {
    sos: "紧急求助", fall: "跌倒", smoke: "烟雾报警", gas: "燃气泄漏", co: "一氧化碳", possible_sos: "可能求助",
    possible_press: "疑似再次求助", inactivity: "长时间无活动", inactivity_check: "活动偏少", welfare_check: "请上门查看",
    leak: "漏水", tamper: "设备被拆动", battery_low: "电量低", channel_down: "通知通道中断", engine_fault: "系统故障",
    store_rebuilt: "查询库已重建", home_unheard: "全户失联", coverage_gap: "值守人手不足",
  },
  role: { caseworker: "主班", deputy: "副班", lead: "带班", family: "家属", operator: "值班台", console: "值班台" },
  pressed_once: "{first} 按下求助按钮", pressed: "{first}、{last} 按钮共按{n}次", pressed_over: "{first}–{last} 按钮共按{n}次",
  condition: "{first} {kind}", condition_again: "{first}–{last} {kind}共{n}次",
  silent: "最后活动 {last}；{first} 已达 {time}，超过本户上限", unknown_age: "接通时已在报警，开始时间不明",
  nobody: "无人接单", taken_by: "{by}已接单", way_by: "{by}在路上", site_by: "{by}已到场", over: "报警状态已解除", late: "迟到 {time}：恢复通信后补报",
  do_now: "@{who} 马上：",
  todo: {
    sos: ["打老人电话", "不接，立即上门", "危急先打 120"], smoke: ["先打 119", "打老人电话，让其离开", "不要冒险进入"],
    gas: ["先打 119", "不开关电器，不进入", "电话通知老人离开"], co: ["先打 120、119", "电话让老人开窗离开", "通风前不要进入"],
    inactivity: ["打老人电话", "不接，上门敲门并回复", "敲门不应，打 110 并联系家属"], leak: ["打老人电话", "关闭水阀"], other: ["查看并回复"],
  },
  otherwise: "{at} 前未接单，自动呼叫{to}", otherwise_taken: "{at} 前未确认安全，重新呼叫{to}", again: "再次呼叫", escalated: "升级呼叫",
  relation: { resident: "老人", keyholder: "钥匙" }, call: "拨打 {phone}",
  number: "编号 {id}", notice: "第{n}次", rung: "第{n}级", loop: "第{n}轮重复", twice: "已收到{n}遍",
  step: { seen: "接单", "on-my-way": "在路上", "on-site": "到场", safe: "已确认安全", close: "关闭" },
  how_ask: "怎样确认的？", how: { seen: "见到本人", spoke: "与本人通话", handed_to_120: "已移交 120" },
  outcome_ask: "结果？",
  outcome: {
    helped: "已帮助", hospital: "已送医", accidental: "误触", not_home: "不在家", sensor: "传感器误报", test: "测试",
    refused: "本人拒绝", no_access: "无法进入", deceased: "已故", technical: "技术原因",
  },
  said: { seen: "接单", "on-my-way": "在路上，{at} 前到", "on-site": "已到场", safe: "已确认安全：{how}", close: "关闭：{outcome}" },
  taken: "{by}接单了", taken_way: "{by}在路上，{at} 前到", taken_site: "{by}已到场", safe_by: "{by}已确认安全：{how}",
  closed: "已关闭：{outcome}", closed_by: "{by}已关闭：{outcome}",
  safe_first: "先确认老人安全，才能关闭",
  refusal: {
    not_safe_yet: "还没有人确认老人安全（见到、通话或移交 120），不能关闭。联系不上请打 120。", stale_revision: "警情刚有变化，请再看一眼。",
    closed: "警情已关闭。", no_such_alarm: "没有这条警情。", not_yours: "别人已接单。", gateway_unreachable: "网关没有回应，请直接打电话。",
  },
  respond: "接单（看地址、电话、钥匙）· 演示密码 {pin}", failed: "没有成功：{why}", hours: "{h}小时{m}分", minutes: "{m}分钟", seconds: "{s}秒",
  day: "{month}月{day}日 ",
};

const en = {
  locale: "en", comma: ", ", name: "Hearthwatch", subtitle: "phones on duty", console: "Console", other_language: "中文",
  connected: "connected", connecting: "connecting…", calm: "All is well", calm_more: "When somebody needs help, it appears here",
  on_duty: "on duty", answering: "{n} open", household: "household {no}", unclaimed: "unregistered device",
  priority: { life: "LIFE", welfare: "WELFARE", property: "PROPERTY", technical: "DEVICE" },
  kind: {
    sos: "Call for help", fall: "Fall", smoke: "Smoke", gas: "Gas leak", co: "Carbon monoxide", possible_sos: "Possible call for help",
    possible_press: "Possible second press", inactivity: "No activity", inactivity_check: "Little activity",
    welfare_check: "Please look in", leak: "Water leak", tamper: "Device tampered with", battery_low: "Battery low",
    channel_down: "Notices cannot be sent", engine_fault: "System fault", store_rebuilt: "Store rebuilt", home_unheard: "Home unheard",
    coverage_gap: "Too few people to be told",
  },
  role: { caseworker: "caseworker", deputy: "deputy", lead: "lead", family: "family", operator: "desk", console: "desk" },
  pressed_once: "Button pressed at {first}", pressed: "Button pressed {n} times, {first} and {last}",
  pressed_over: "Button pressed {n} times, {first}–{last}",
  condition: "{kind} since {first}", condition_again: "{kind} {n} times, {first}–{last}",
  silent: "Last activity {last}; {first} = {time}, over this home's limit", unknown_age: "was already true when we connected; start unknown",
  nobody: "nobody has taken it", taken_by: "{by} has taken it", way_by: "{by} is on the way", site_by: "{by} is there",
  over: "the condition has ended", late: "{time} late: reported after the connection came back",
  do_now: "@{who} now:",
  todo: {
    sos: ["call the resident", "no answer: go there at once", "in danger: 120 first"],
    smoke: ["call 119 first", "call the resident: leave", "do not enter at your own risk"],
    gas: ["call 119 first", "no switches, no entry", "call the resident: leave"],
    co: ["call 120 and 119 first", "call the resident: windows, leave", "do not enter before it is aired"],
    inactivity: ["call the resident", "no answer: knock and reply", "no answer at the door: 110 and the family"],
    leak: ["call the resident", "shut the water off"], other: ["look and reply"],
  },
  otherwise: "Not taken by {at}: {to} is called", otherwise_taken: "Not safe by {at}: {to} is called again", again: "again", escalated: "escalated",
  relation: { resident: "resident", keyholder: "keys" }, call: "call {phone}",
  number: "No. {id}", notice: "notice {n}", rung: "rung {n}", loop: "repeat {n}", twice: "delivered {n} times",
  step: { seen: "Seen", "on-my-way": "On my way", "on-site": "On site", safe: "Safe", close: "Close" },
  how_ask: "How do you know?", how: { seen: "saw them", spoke: "spoke to them", handed_to_120: "handed to 120" },
  outcome_ask: "What was it?",
  outcome: {
    helped: "helped", hospital: "hospital", accidental: "accidental", not_home: "not home", sensor: "false alarm", test: "test",
    refused: "refused help", no_access: "no access", deceased: "deceased", technical: "technical",
  },
  said: { seen: "I have it", "on-my-way": "On my way, there by {at}", "on-site": "On site", safe: "Safe: {how}", close: "Closed: {outcome}" },
  taken: "{by} has taken it", taken_way: "{by} is on the way, there by {at}", taken_site: "{by} is on site",
  safe_by: "{by} says safe: {how}", closed: "Closed: {outcome}", closed_by: "{by} closed it: {outcome}",
  safe_first: "First confirm that the resident is safe",
  refusal: {
    not_safe_yet: "Nobody has confirmed that the resident is safe (seen, spoke, or handed to 120). No answer? Call 120.",
    stale_revision: "The alarm has just changed: look again.", closed: "The alarm is closed.", no_such_alarm: "There is no such alarm.",
    not_yours: "Somebody else has it.", gateway_unreachable: "The gateway does not answer: use the phone.",
  },
  respond: "Take it (address, phones, keys) · demo PIN {pin}", failed: "That did not work: {why}", hours: "{h} h {m} min", minutes: "{m} min", seconds: "{s} s",
  day: "{month}/{day} ",
};

/** Gives the words of `?lang=`; Chinese unless it says `en`. */
export function words(search) {
  return new URLSearchParams(search).get("lang") === "en" ? en : zh;
}

/** Fills `{name}` in a text. */
export function fill(text, values) {
  return text.replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
}

/** A length of time in words. */
export function span(w, seconds) {
  if (seconds < 60) return fill(w.seconds, { s: Math.round(seconds) });
  const minutes = Math.floor(seconds / 60);
  return minutes < 60 ? fill(w.minutes, { m: minutes }) : fill(w.hours, { h: Math.floor(minutes / 60), m: minutes % 60 });
}

/** A function that gives the local time of day of an RFC 3339 text or of milliseconds, with the date where it is another day. */
export function clock(w, offsetMinutes) {
  const local = (when) => new Date((typeof when === "number" ? when : Date.parse(when)) + offsetMinutes * 60000);
  return (when, seconds) => {
    const time = local(when), today = local(Date.now());
    if (Number.isNaN(time.getTime())) return "";
    const iso = time.toISOString();
    const day = iso.slice(0, 10) === today.toISOString().slice(0, 10)
      ? "" : fill(w.day, { month: time.getUTCMonth() + 1, day: time.getUTCDate() });
    return day + iso.slice(11, seconds ? 19 : 16);
  };
}
