// The console: what is open, what is chosen, what a key or a touch does. The list lives in cases.js, the panel in detail.js.

import { announce, clock, el, fill, me, meta, now, symbol, t, tick, tOr } from './dom.js';
import { follow } from './feed.js';
import { ACTS, MORE, choicesOf, label, send } from './acts.js';
import * as bell from './bell.js';
import * as list from './cases.js';
import { code, place } from './home.js';
import * as detail from './detail.js';

const $ = (id) => document.getElementById(id);

/** How long after the list has moved a touch or a key is not believed to mean what is under it now. */
const SETTLE_MS = 450;
const RING_MS = 4_000;
const REFUSAL_MS = 30_000;

const desk = {
  alarms: new Map(),
  selected: decodeURIComponent(location.hash.slice(1)) || null,
  /** `{id, act}`: an act that waits for one more word. */
  chooser: null,
  refused: new Map(),
  busy: new Set(),
  /** The alarm whose card for 120 is shown. */
  card: null,
  live: false,
  lostAt: null,
  parts: [],
  /** When the list last moved under the pointer, and when something else was chosen than a person had. */
  moved: 0,
  rechosen: 0,
  warned: 0,
  loaded: false,
};

// ---- drawing

let drawing = false;

function draw() {
  if (drawing) return;
  drawing = true;
  requestAnimationFrame(() => {
    drawing = false;
    if (!desk.loaded) return;
    if (list.render($('cases'), desk)) desk.moved = performance.now();
    detail.render($('detail'), desk, draw);
    document.body.classList.toggle('quiet', desk.alarms.size === 0);
    counts();
    tick();
  });
}

function counts() {
  const all = [...desk.alarms.values()];
  fill($('counts'), meta.priorities.map((priority) => {
    const these = all.filter((alarm) => alarm.priority === priority);
    const waiting = these.filter((alarm) => list.attention(alarm) === 0).length;
    return these.length > 0 && el('button', { type: 'button', class: `tally ${priority}${waiting ? ' waiting' : ''}`, dataset: { first: priority } },
      symbol(`p-${priority}`), el('b', {}, String(these.length)), el('span', {}, t(`priority.${priority}`)));
  }));
  const life = all.filter((alarm) => alarm.priority === 'life' && list.attention(alarm) === 0).length;
  document.body.classList.toggle('life', life > 0);
  document.title = all.length ? `(${all.length})${life ? ' ‼' : ''} ${t('title')}` : t('title');
}

function parts() {
  // What is not known is not said to be well.
  const known = desk.live ? desk.parts : [];
  const bad = known.filter((part) => !part.ok);
  fill($('parts'), known.length > 0 && bad.length === 0 && el('span', { class: 'part ok' }, symbol('safe'), t('parts.ok')),
    bad.map((part) => el('span', { class: 'part bad' }, symbol('stop'), tOr(`part.${part.name}`, part.name), ': ', part.detail)));
}

function line(up) {
  if (desk.live !== up) {
    desk.live = up;
    if (!up || desk.lostAt) announce(up ? t('back_online') : t('lost.said'), !up);
    draw();
  }
  desk.lostAt = up ? null : desk.lostAt ?? now();
  parts();
  $('lost').hidden = up;
  document.body.classList.toggle('stale', !up);
  if (!up) fill($('lost'), symbol('stop'), el('b', {}, t('lost')), ' ', t('lost.since', { at: clock(desk.lostAt, true) }));
}

function sound() {
  const on = bell.wanted() && bell.ready();
  const text = !bell.wanted() ? 'sound.off' : on ? 'sound.on' : 'sound.touch';
  $('sound').setAttribute('aria-pressed', String(on));
  $('sound').classList.toggle('asks', bell.wanted() && !on);
  fill($('sound'), symbol(on ? 'bell' : 'mute'), t(text));
}

// ---- what comes in

function ensureChoice() {
  if (desk.selected && desk.alarms.has(desk.selected)) return;
  desk.selected = list.neediest(desk.alarms.values())?.id ?? null;
  desk.chooser = null;
  desk.rechosen = performance.now();
}

/** A life alarm that calls and did not before, or that somebody pressed again. */
function calls(before, alarm) {
  return list.attention(alarm) === 0 && (!before || list.attention(before) !== 0 || alarm.events > before.events);
}

function arrived(alarm) {
  const life = alarm.priority === 'life';
  if (!life && alarm.priority !== 'welfare') return;
  bell.ring(life);
  announce(`${t(`priority.${alarm.priority}`)}: ${t(`kind.${alarm.kind}`)}, ${code(alarm.home)} ${place(alarm.home)}. ${list.reason(alarm)}`, life);
}

function changed(alarm) {
  const before = desk.alarms.get(alarm.id);
  if (!alarm.open) {
    if (!before) return;
    desk.alarms.delete(alarm.id);
    for (const memory of [desk.refused, desk.busy]) memory.delete(alarm.id);
    announce(t('closed.said', { code: code(alarm.home), kind: t(`kind.${alarm.kind}`), outcome: tOr(`outcome.${alarm.outcome}`, '') }));
  } else {
    if (before && before.revision > alarm.revision) return;
    delete alarm.now;
    desk.alarms.set(alarm.id, alarm);
    if (calls(before, alarm)) arrived(alarm);
  }
  ensureChoice();
  draw();
}

function loaded(alarms) {
  const before = desk.alarms;
  desk.alarms = new Map(alarms.map((alarm) => [alarm.id, alarm]));
  const loudest = alarms.find((alarm) => calls(before.get(alarm.id), alarm));
  if (loudest) arrived(loudest);
  desk.loaded = true;
  ensureChoice();
  draw();
}

// ---- what a person does

function choose(id, { scroll = true, focus = true } = {}) {
  if (!desk.alarms.has(id)) return;
  if (desk.selected !== id) Object.assign(desk, { selected: id, chooser: null });
  history.replaceState(null, '', `#${encodeURIComponent(id)}`);
  draw();
  requestAnimationFrame(() => {
    const row = $(id);
    if (focus) row?.querySelector('.pick')?.focus({ preventScroll: true });
    if (scroll) row?.scrollIntoView({ block: 'nearest' });
  });
}

function step(by) {
  const ids = list.cases(desk.alarms.values()).flatMap((one) => one.alarms.map((alarm) => alarm.id));
  const at = ids.indexOf(desk.selected);
  choose(ids[Math.min(ids.length - 1, Math.max(0, at + by))]);
}

async function carryOut(id, act, more = {}) {
  const alarm = desk.alarms.get(id);
  if (!alarm || desk.busy.has(id) || !me.acts) return;
  desk.busy.add(id);
  desk.chooser = null;
  draw();
  const refused = await send(alarm, act, more);
  desk.busy.delete(id);
  if (!refused) {
    desk.refused.delete(id);
    announce(t('done.said', { act: label(act) }));
  } else {
    desk.refused.set(id, refused);
    if (refused.reason !== 'not_safe_yet') setTimeout(() => forget(id, refused), REFUSAL_MS);
    if (refused.reason === 'not_safe_yet') {
      Object.assign(desk, { card: id, selected: id });
      sheet(true);
      $('detail').scrollTop = 0;
    }
  }
  draw();
}

function forget(id, refused) {
  if (desk.refused.get(id) !== refused) return;
  desk.refused.delete(id);
  draw();
}

function begin(id, act) {
  const { choices } = [...ACTS, ...MORE].find((one) => one.act === act);
  if (!choices) return carryOut(id, act);
  const same = desk.chooser?.id === id && desk.chooser.act === act;
  desk.chooser = same ? null : { id, act };
  desk.selected = id;
  draw();
  if (!same) requestAnimationFrame(() => $(id)?.querySelector('.chooser button')?.focus());
}

function pick(id, act, value) {
  const one = ACTS.find((of) => of.act === act);
  const { field } = one;
  const chosen = choicesOf(one, desk.alarms.get(id)).find((word) => String(word) === String(value));
  if (chosen !== undefined) carryOut(id, act, { [field]: chosen });
}

/** Narrow screens show the detail as a sheet over the list. */
function sheet(open) {
  document.body.classList.toggle('sheet', open);
  if (open) $('detail').querySelector('.back')?.focus();
}

/** What is under the finger now may not be what was there when it set out: the first time it is asked to look again. */
function settling(id, changed) {
  const at = performance.now();
  if (at - changed > SETTLE_MS || at - desk.warned < 2_000) return false;
  desk.warned = at;
  const moved = { reason: 'moved', text: t('refused.moved') };
  desk.refused.set(id, moved);
  setTimeout(() => forget(id, moved), 4_000);
  draw();
  return true;
}

document.addEventListener('click', (event) => {
  const target = event.target.closest?.('[data-act],[data-pick],[data-cancel],[data-detail],[data-back],[data-card],[data-first]');
  if (!target) return;
  const { act, id, choice: value, pick: picked, cancel, detail: opened, card, first } = target.dataset;
  if (act) {
    if (settling(id, desk.moved)) return;
    if (value !== undefined) pick(id, act, value);
    else begin(id, act);
  } else if (cancel) Object.assign(desk, { chooser: null });
  else if (opened) sheet(true);
  else if (target.dataset.back !== undefined) sheet(false);
  else if (card) Object.assign(desk, { card });
  else if (first) choose(list.cases(desk.alarms.values()).flatMap((one) => one.alarms).find((alarm) => alarm.priority === first)?.id);
  else if (picked) choose(picked, { scroll: false, focus: false });
  draw();
});

document.addEventListener('submit', async (event) => {
  const id = event.target.dataset.note;
  if (!id) return;
  event.preventDefault();
  const input = event.target.elements.text;
  const text = input.value.trim();
  if (!text) return;
  input.value = '';
  await carryOut(id, 'note', { text });
  if (desk.refused.has(id) && !input.value) $('note').value = text;
  detail.forget();
  draw();
});

function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (event.target.closest?.('input, textarea, select')) {
    if (event.key === 'Escape') event.target.blur();
    return;
  }
  const key = event.key.toLowerCase();
  if (key === 'escape') {
    desk.refused.delete(desk.selected);
    Object.assign(desk, { chooser: null, card: null });
    sheet(false);
    return draw();
  }
  const move = { j: 1, arrowdown: 1, k: -1, arrowup: -1 }[key];
  if (move) {
    event.preventDefault();
    return step(move);
  }
  if (event.repeat || !desk.selected) return;
  const digit = desk.chooser && /^\d$/.test(key) && choicesOf(ACTS.find((one) => one.act === desk.chooser.act), desk.alarms.get(desk.chooser.id))[(Number(key) + 9) % 10];
  const act = [...ACTS, ...MORE].find((one) => one.key === key);
  if (!digit && !act) return;
  event.preventDefault();
  if (settling(desk.selected, desk.rechosen)) return;
  if (digit) pick(desk.chooser.id, desk.chooser.act, digit);
  else begin(desk.selected, act.act);
}

document.addEventListener('keydown', onKey);

for (const touch of ['pointerdown', 'keydown']) {
  document.addEventListener(touch, () => bell.wake().then(sound), { once: true });
}

$('sound').addEventListener('click', async () => {
  const ready = bell.ready();
  await bell.wake();
  bell.want(ready ? !bell.wanted() : true);
  bell.ring(false);
  sound();
});

// ---- the night

setInterval(() => {
  $('clock').textContent = clock(now(), true);
  tick();
}, 1_000);

setInterval(() => {
  const calling = [...desk.alarms.values()].some((alarm) => alarm.priority === 'life' && list.attention(alarm) === 0);
  if (calling) bell.ring(true);
}, RING_MS);

addEventListener('hashchange', () => choose(decodeURIComponent(location.hash.slice(1))));
sound();
follow({ loaded, changed, line, beat: (now) => { desk.parts = now; parts(); draw(); } });
