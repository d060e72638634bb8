// The phones: loads the messages, follows the news, draws each message as a bubble, and hands answers to the server.
// Nothing here is ever taken as HTML: all texts are set as text.

import { clock, fill, span, words } from "./words.js";

const w = words(location.search);
const NOTICE = "hearthwatch.alarm.notice", CLOSED = "hearthwatch.alarm.closed", ANSWER = "inbox.answer";
const STEPS = ["seen", "on-my-way", "on-site", "safe", "close"];
const PROGRESS = { seen: 1, on_my_way: 2, on_site: 3 };
const OUTCOMES = ["helped", "hospital", "accidental", "not_home", "sensor", "test"];

let pin = "";
let phones = [];
let time = clock(w, 480);
/** Messages by number. */
const messages = new Map();
/** What is known of each alarm: the view of its latest revision, what is next, and how it was closed. */
const alarms = new Map();
/** Bubbles by message number: the element, and what it was drawn from. */
const drawn = new Map();
/** The question that is open: a phone, an alarm and a step. */
let asking = null;
/** The phone in front, where only one fits. */
let front = null;
let loaded = false;
/** Which inbox the messages came from. */
let run = null;

function make(tag, className, text) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text !== undefined) element.textContent = text;
  return element;
}

function name(id) {
  return phones.find((phone) => phone.id === id)?.name ?? id;
}

/** A rung by the word of its role and the name of who stands there; a rung may be called after either. */
function role(rung) {
  const who = phones.find((phone) => phone.role === rung || phone.name === rung);
  return who ? `${w.role[who.role] ?? who.role} ${who.name}` : w.role[rung] ?? rung;
}

// What is known

function learn(message) {
  messages.set(message.number, message);
  const { alarm, next, by, outcome } = message.event.data ?? {};
  if (!alarm?.kind) return;
  const known = alarms.get(alarm.id) ?? { view: alarm, next, closed: null };
  if (alarm.revision >= known.view.revision) Object.assign(known, { view: alarm, next });
  if (message.event.type === CLOSED) known.closed = { by, outcome };
  alarms.set(alarm.id, known);
}

/** How many steps of the five are done. */
function progress(known) {
  if (known.closed) return 5;
  if (known.view.safe) return 4;
  return PROGRESS[known.view.seen?.how] ?? 0;
}

/** The messages of a phone, and of each alarm the last one that asks for something. What one said oneself is not told again. */
function chat(phone) {
  const all = [...messages.values()].sort((a, b) => a.number - b.number).filter((m) => m.phone === phone.id && alarms.has(m.event.data?.alarm?.id));
  const said = new Set(all.filter((m) => m.event.type === ANSWER).map((m) => m.event.data.alarm.id));
  const list = all.filter((m) => m.event.type === NOTICE || m.event.type === ANSWER || m.event.data.by !== phone.id
    || !said.has(m.event.data.alarm.id));
  const last = new Map();
  for (const m of list) if (m.event.type === NOTICE) last.set(m.event.data.alarm.id, m.number);
  return { list, last };
}

function waiting(phone) {
  const { last } = chat(phone);
  return [...last.keys()].filter((id) => progress(alarms.get(id)) === 0);
}

// What is drawn

function where(home) {
  const number = home.id.replace(/^\D+/, "") || home.id;
  const parts = [home.community, home.block, fill(w.household, { no: number })].filter(Boolean);
  return parts.join(" ") + (home.claimed === false ? ` · ${w.unclaimed}` : "");
}

function what(alarm) {
  const values = {
    first: time(alarm.happened_at ?? alarm.raised_at), last: time(alarm.last_event_at), n: alarm.events,
    kind: w.kind[alarm.kind] ?? alarm.kind,
  };
  const reason = alarm.reason ?? {};
  if (reason.why === "silent") {
    return fill(w.silent, { last: time(reason.last_activity), first: time(alarm.raised_at), time: span(w, reason.silent_s) });
  }
  if (alarm.kind === "sos" || alarm.kind === "possible_press") {
    if (alarm.events < 2) return fill(w.pressed_once, values);
    return fill(alarm.events === 2 && values.first !== values.last ? w.pressed : w.pressed_over, values);
  }
  const text = fill(alarm.events > 1 ? w.condition_again : w.condition, values);
  return alarm.age_unknown ? `${text} · ${w.unknown_age}` : text;
}

function standing(alarm) {
  if (alarm.safe) return fill(w.safe_by, { by: name(alarm.safe.by), how: w.how[alarm.safe.how] ?? alarm.safe.how });
  const by = { seen: w.taken_by, on_my_way: w.way_by, on_site: w.site_by }[alarm.seen?.how];
  return by ? fill(by, { by: name(alarm.seen.by) }) : w.nobody;
}

/** What happens if nobody acts, counting down while that is soon. */
function otherwise(next, alarm) {
  const line = make("p", "otherwise");
  const text = alarm.seen ? w.otherwise_taken : w.otherwise;
  line.append(make("span", "", fill(text, { at: time(next.at), to: role(next.to) })));
  const left = make("b", "left");
  left.dataset.until = Date.parse(next.at);
  line.append(left);
  return line;
}

function notice(message, phone, current) {
  const { alarm: then, home, rung, loop, sequence } = message.event.data;
  const known = alarms.get(then.id);
  const alarm = current ? known.view : then;
  const done = progress(known);
  const mine = !alarm.seen || alarm.seen.by === phone.id;
  const stage = known.closed ? "taken closed" : done ? "taken" : "calling";
  const bubble = make("article", `bubble ${alarm.priority} ${stage} ${current ? "current" : "old"}`);
  const head = make("header");
  head.append(make("span", "badge", w.priority[alarm.priority] ?? alarm.priority), make("strong", "", w.kind[alarm.kind] ?? alarm.kind));
  if (loop > 0 || rung > 1) head.append(make("em", "", loop > 0 ? w.again : w.escalated));
  head.append(make("time", "", time(message.received_ms, true)));
  bubble.append(head, make("p", "where", where(home)));
  const facts = make("p", "what", `${what(alarm)}${w.comma}`);
  facts.append(make("b", "", known.closed ? fill(w.closed, { outcome: w.outcome[known.closed.outcome] ?? known.closed.outcome }) : standing(alarm)));
  bubble.append(facts);
  if (alarm.late_by_s >= 60) bubble.append(make("p", "late", fill(w.late, { time: span(w, alarm.late_by_s) })));
  if (alarm.over) bubble.append(make("p", "late", w.over));
  if (current && !known.closed) {
    if (done < 3 && mine) bubble.append(todo(alarm, phone));
    const personal = message.event.data.personal;
    if (personal && done > 0 && mine) bubble.append(card(personal));
    if (known.next && done < 4) bubble.append(otherwise(known.next, alarm));
    const link = message.event.data.links?.respond;
    if (/^https?:/.test(link ?? "")) {
      const open = make("a", "respond", fill(w.respond, { pin }));
      Object.assign(open, { href: link, target: "_blank", rel: "noopener noreferrer" });
      bubble.append(open);
    }
    bubble.append(steps(alarm, phone, done, mine));
    if (asking?.phone === phone.id && asking.alarm === alarm.id) bubble.append(question(alarm, phone));
  }
  const foot = [fill(w.number, { id: alarm.id }), fill(w.notice, { n: sequence }), fill(w.rung, { n: rung })];
  if (loop > 0) foot.push(fill(w.loop, { n: loop }));
  if (message.deliveries > 1) foot.push(fill(w.twice, { n: message.deliveries }));
  bubble.append(make("footer", "", foot.join(" · ")));
  return bubble;
}

function todo(alarm, phone) {
  const box = make("div", "todo");
  box.append(make("b", "", fill(w.do_now, { who: phone.name })));
  const list = make("ol");
  for (const line of w.todo[alarm.kind] ?? (alarm.priority === "life" ? w.todo.sos : w.todo.other)) list.append(make("li", "", line));
  box.append(list);
  return box;
}

/** Where it is and whom to call: shown to who has taken it, where the channel may carry it at all. */
function card(personal) {
  const box = make("div", "card");
  box.append(make("b", "", personal.address));
  for (const { name, phone, role } of [...personal.residents ?? [], ...personal.contacts ?? []]) {
    const line = make("p", "", `${w.relation[role] ?? role} ${name} `);
    if (/^[+\d -]{3,20}$/.test(phone)) {
      const call = make("a", "", phone);
      call.href = `tel:${phone.replace(/[^+\d]/g, "")}`;
      call.setAttribute("aria-label", fill(w.call, { phone }));
      line.append(call);
    }
    box.append(line);
  }
  return box;
}

/** The five answers: what is done is ticked; what comes next stands out, unless it is somebody else's turn. */
function steps(alarm, phone, done, mine) {
  const row = make("div", "steps");
  STEPS.forEach((step, index) => {
    const button = make("button", index < done ? "done" : index === done && mine ? "next" : "", w.step[step]);
    button.type = "button";
    const early = step === "close" && done < 4 && ["life", "welfare"].includes(alarm.priority);
    button.disabled = index < done;
    if (early) button.title = w.safe_first;
    button.addEventListener("click", () => choose(phone, alarm, step));
    row.append(button);
  });
  return row;
}

function question(alarm, phone) {
  const safe = asking.step === "safe";
  const box = make("div", "question");
  box.append(make("b", "", safe ? w.how_ask : w.outcome_ask));
  for (const answer of safe ? Object.keys(w.how) : OUTCOMES) {
    const button = make("button", "", safe ? w.how[answer] : w.outcome[answer]);
    button.type = "button";
    button.addEventListener("click", () => send(phone, alarm, asking.step, safe ? { how: answer } : { outcome: answer }));
    box.append(button);
  }
  return box;
}

/** One's own answer, on the right. */
function said(message) {
  const { alarm, action, how, outcome } = message.event.data;
  const values = { at: time(alarm.seen?.until), how: w.how[how] ?? how, outcome: w.outcome[outcome] ?? outcome };
  return reply("mine", fill(w.said[action] ?? action, values), message);
}

/** *Taken* and *closed*, as the gateway tells everybody. */
function told(message, phone) {
  const { alarm, by, outcome } = message.event.data;
  const values = {
    by: `${name(by ?? "")} `, at: time(alarm.seen?.until), how: w.how[alarm.safe?.how], outcome: w.outcome[outcome] ?? outcome,
  };
  const taken = { on_my_way: w.taken_way, on_site: w.taken_site }[alarm.seen?.how] ?? w.taken;
  const text = message.event.type === CLOSED ? (by ? w.closed_by : w.closed) : alarm.safe ? w.safe_by : taken;
  return reply(by === phone.id ? "mine" : "", fill(text, values), message);
}

function reply(side, text, message) {
  const bubble = make("article", `reply ${side}`);
  bubble.append(make("p", "", text), make("footer", "", `${message.event.data.alarm.id} · ${time(message.received_ms)}`));
  return bubble;
}

function bubble(message, phone, last) {
  const id = message.event.data.alarm.id;
  const current = last.get(id) === message.number;
  const isNotice = message.event.type === NOTICE;
  const known = alarms.get(id);
  const from = JSON.stringify([message.deliveries, current && [known, asking], !isNotice || progress(known)]);
  const before = drawn.get(message.number);
  if (before?.from === from) return before.element;
  const element = isNotice ? notice(message, phone, current)
    : message.event.type === ANSWER ? said(message) : told(message, phone);
  if (loaded && !before) element.classList.add("new");
  drawn.set(message.number, { from, element });
  return element;
}

function draw() {
  for (const phone of phones) {
    const section = document.getElementById(`phone-${phone.id}`);
    const log = section.querySelector(".chat");
    const atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 80;
    const { list, last } = chat(phone);
    const bubbles = list.map((m) => bubble(m, phone, last));
    bubbles.forEach((b, i) => { if (log.children[i] !== b) log.insertBefore(b, log.children[i] ?? null); });
    while (log.children.length > bubbles.length) log.lastChild.remove();
    if (atEnd) log.scrollTop = log.scrollHeight;
    const open = waiting(phone);
    const alarm = open.some((id) => alarms.get(id).view.priority === "life");
    section.classList.toggle("empty", list.length === 0);
    section.classList.toggle("alarm", alarm);
    section.querySelector(".person p").textContent =
      `${w.role[phone.role] ?? phone.role} · ${open.length ? fill(w.answering, { n: open.length }) : w.on_duty}`;
    const tab = document.getElementById(`tab-${phone.id}`);
    tab.classList.toggle("alarm", alarm);
    tab.querySelector("i").textContent = open.length || "";
  }
  const open = phones.flatMap(waiting).length;
  document.title = (open ? `(${open}) ` : "") + `${w.name} · ${w.subtitle}`;
  tick();
}

/** Once a second: the clocks, and the seconds that are left. */
function tick() {
  for (const element of document.querySelectorAll(".clock")) element.textContent = time(Date.now());
  for (const element of document.querySelectorAll(".left")) {
    const left = (Number(element.dataset.until) - Date.now()) / 1000;
    const seconds = String(Math.floor(left % 60)).padStart(2, "0");
    element.textContent = left > 0 && left < 3600 ? `${Math.floor(left / 60)}:${seconds}` : "";
  }
}

// What people do

function choose(phone, alarm, step) {
  if (step === "safe" || step === "close") {
    const same = asking?.phone === phone.id && asking.alarm === alarm.id && asking.step === step;
    asking = same ? null : { phone: phone.id, alarm: alarm.id, step };
    draw();
    document.querySelector(`#phone-${CSS.escape(phone.id)} .question`)?.scrollIntoView({ block: "nearest" });
  } else {
    send(phone, alarm, step, {});
  }
}

async function send(phone, alarm, step, answer) {
  asking = null;
  document.getElementById("toast").hidden = true;
  const path = ["act", phone.id, alarm.id, step].map(encodeURIComponent).join("/");
  try {
    const options = { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(answer) };
    const response = await fetch(path, options);
    if (!response.ok) complain(await response.text());
  } catch {
    complain("gateway_unreachable");
  }
  draw();
}

function complain(text) {
  const word = Object.keys(w.refusal).find((name) => text.includes(`${name}`) && name !== "closed");
  let why = w.refusal[word];
  if (!why) {
    try { const problem = JSON.parse(text); why = problem.detail ?? problem.title; } catch { why = ""; }
  }
  const toast = document.getElementById("toast");
  toast.textContent = word ? why : fill(w.failed, { why: why ?? "" });
  toast.hidden = false;
  clearTimeout(complain.timer);
  complain.timer = setTimeout(() => { toast.hidden = true; }, 6000);
}

function bringToFront(id) {
  front = id;
  for (const phone of phones) {
    document.getElementById(`phone-${phone.id}`).classList.toggle("front", phone.id === id);
    document.getElementById(`tab-${phone.id}`).setAttribute("aria-pressed", String(phone.id === id));
  }
  const log = document.querySelector(`#phone-${CSS.escape(id)} .chat`);
  log.scrollTop = log.scrollHeight;
}

// The beginning

function build() {
  const main = document.getElementById("phones"), tabs = document.getElementById("tabs");
  main.replaceChildren();
  tabs.replaceChildren();
  phones.forEach((phone, index) => {
    const section = document.getElementById("phone").content.cloneNode(true).querySelector("section");
    section.id = `phone-${phone.id}`;
    section.querySelector(".avatar").textContent = [...phone.name][0] ?? "";
    section.querySelector(".avatar").classList.add(`tone${index % 3}`);
    section.querySelector("h2").textContent = phone.name;
    main.append(section);
    const tab = make("button", "", phone.name);
    tab.id = `tab-${phone.id}`;
    tab.type = "button";
    tab.append(make("i"));
    tab.addEventListener("click", () => bringToFront(phone.id));
    tabs.append(tab);
  });
  say(main);
  if (phones.length) bringToFront(phones.some((p) => p.id === front) ? front : phones[0].id);
}

/** Puts the words into everything that names one. */
function say(root) {
  for (const element of root.querySelectorAll("[data-word]")) element.textContent = w[element.dataset.word];
}

async function load() {
  const state = await (await fetch("messages", { cache: "no-store" })).json();
  phones = state.phones;
  pin = state.pin;
  time = clock(w, state.utc_offset_min);
  const link = document.getElementById("console");
  link.hidden = !/^https?:/.test(state.console);
  if (!link.hidden) link.href = state.console;
  // What came while this was on its way stays, unless it came from an inbox that is gone.
  if (state.run !== run) for (const known of [messages, alarms]) known.clear();
  run = state.run;
  drawn.clear();
  state.messages.forEach(learn);
  loaded = false;
  build();
  draw();
  for (const log of document.querySelectorAll(".chat")) log.scrollTop = log.scrollHeight;
  loaded = true;
}

function follow() {
  const link = document.getElementById("link");
  const show = (up) => { link.textContent = up ? w.connected : w.connecting; link.className = up ? "up" : ""; };
  const events = new EventSource("events");
  show(false);
  // Whatever was missed while the connection was away is in the list.
  events.addEventListener("open", () => load().then(() => show(true), () => show(false)));
  events.addEventListener("error", () => show(false));
  events.addEventListener("resync", load);
  events.addEventListener("message", (event) => {
    learn(JSON.parse(event.data));
    draw();
  });
}

document.documentElement.lang = w.locale;
const query = new URLSearchParams(location.search);
const dark = matchMedia("(prefers-color-scheme: dark)");
const dress = () => document.documentElement.classList.toggle("dark", (query.get("theme") ?? (dark.matches ? "dark" : "")) === "dark");
dark.addEventListener("change", dress);
dress();
front = query.get("phone");
query.set("lang", w.locale === "en" ? "zh" : "en");
document.getElementById("language").href = `?${query}`;
say(document);
setInterval(tick, 1000);
follow();
