// What every page beside the desk does: it says whether what it shows is the present, and never hides that somebody calls meanwhile.

import { announce, arrange, clock, el, fill, meta, now, setClock, span, symbol, t, tick, tOr } from './dom.js';
import { ask, follow } from './feed.js';
import * as bell from './bell.js';

export const $ = (id) => document.getElementById(id);

const RING_MS = 4_000;

const state = { alarms: new Map(), line: true, asked: true, freshAt: null };

const waiting = () => [...state.alarms.values()].filter((alarm) => alarm.priority === 'life' && !alarm.seen && !alarm.safe);

function calling(sounds) {
  const life = waiting();
  const text = life.length ? t('calling', { n: life.length }) : '';
  const shown = $('calling').dataset.text ?? '';
  $('calling').hidden = !life.length;
  document.body.classList.toggle('life', life.length > 0);
  if (shown === text) return;
  $('calling').dataset.text = text;
  fill($('calling'), symbol('p-life'), el('b', {}, text), ' ', t('calling.go'), ' ›');
  if (text && sounds) {
    announce(text, true);
    bell.ring(true);
  }
}

function fresh() {
  const stale = !(state.line && state.asked);
  document.body.classList.toggle('stale', stale);
  $('lost').hidden = !stale;
  if (stale) fill($('lost'), symbol('stop'), el('b', {}, t('lost')), ' ', state.freshAt && t('stale.since', { at: clock(state.freshAt, true) }));
}

/** Begins what every page does. With `sounds` it rings for a life alarm that nobody has, as the desk does. */
export function begin({ sounds }) {
  follow({
    loaded: (alarms) => { state.alarms = new Map(alarms.map((alarm) => [alarm.id, alarm])); calling(sounds); },
    changed: (alarm) => { if (alarm.open) state.alarms.set(alarm.id, alarm); else state.alarms.delete(alarm.id); calling(sounds); },
    line: (up) => { state.line = up; fresh(); },
    beat: () => {},
  });
  if (sounds) {
    bell.wake();
    for (const touch of ['pointerdown', 'keydown']) document.addEventListener(touch, () => bell.wake(), { once: true });
    setInterval(() => { if (waiting().length) bell.ring(true); }, RING_MS);
  }
  setInterval(() => {
    $('clock').textContent = clock(now());
    tick();
    for (const e of document.querySelectorAll('[data-ago]')) write(e, ago(Number(e.dataset.ago)));
  }, 1_000);
}

/** Asks for a path, or for what gives one, now and every `ms`, while somebody looks. `show` gets each answer, `missing` a 404. Gives a function that asks at once. */
export function poll(path, ms, show, missing = () => {}) {
  let timer = null;
  let asking = false;
  async function once() {
    clearTimeout(timer);
    if (asking) return;
    asking = true;
    try {
      const response = await ask(typeof path === 'function' ? path() : path);
      const answer = await response.json();
      if (response.ok) {
        setClock(answer.now);
        state.freshAt = answer.now;
        show(answer);
      } else if (response.status === 404) missing();
      state.asked = response.ok || response.status === 404;
    } catch {
      state.asked = false;
    }
    asking = false;
    fresh();
    if (!document.hidden) timer = setTimeout(once, ms);
  }
  document.addEventListener('visibilitychange', () => { if (!document.hidden) once(); });
  once();
  return once;
}

function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** A span as one says it: the largest unit is enough. */
export function about(ms) {
  const s = Math.max(0, Math.floor(ms / 1000));
  const [unit, size] = s < 90 ? ['seconds', 1] : s < 5400 ? ['minutes', 60] : s < 129600 ? ['hours', 3600] : ['days', 86400];
  return t(`spans.${unit}`, { n: Math.round(s / size) });
}

const ago = (at) => t('ago', { span: about(now() - at) });

/** A time with how long ago that was. */
export const when = (iso) => el('span', { class: 'when' }, clock(iso), ' ', el('span', { class: 'soft', dataset: { ago: Date.parse(iso) } }, ago(Date.parse(iso))));

/** What a person calls a room, and a device: its room, and the last part of its address. */
export const room = (name) => (name ? tOr(`room.${name}`, name) : '');
export const short = (address) => address.split('/').pop() || address;

/** A symbol for what a device mostly is. */
export function picture(device, kinds = []) {
  const known = ['smoke', 'gas', 'co', 'fall', 'sos', 'water_leak', 'motion', 'presence', 'contact', 'temperature', 'bed'];
  const words = { water_leak: /leak|water/, contact: /door|window|contact/, motion: /motion|pir/, sos: /sos|button|pendant|call/, smoke: /smoke/, gas: /gas/, co: /(^|_)co($|_)/, temperature: /climate|temp/, bed: /bed_?pad/ };
  const kind = known.find((one) => kinds.includes(one)) ?? known.find((one) => words[one]?.test(short(device.address))) ?? (device.life ? 'sos' : 'other');
  return symbol({ water_leak: 'leak', presence: 'motion' }[kind] ?? kind);
}

/** A value as a person reads it. */
export function value({ kind, value: said }) {
  if (said === true || said === false) return t(said ? 'value.yes' : 'value.no');
  if (said === 'open' || said === 'closed') return t(`value.${said}`);
  const unit = meta.units[kind];
  return unit ? `${said} ${unit}` : String(said);
}

/** What stands where there is nothing to do. */
export const nothing = (title, lead) => el('div', { class: 'empty' }, symbol('house'), el('h2', {}, t(title)), el('p', {}, t(lead)));

/** The cards of the list, by id: one that shows what it showed keeps its element, and so its buttons. `none` and `lead` stand where there is none. */
export function cardsOf(none, lead) {
  let known = new Map();
  return {
    element: (id) => known.get(id)?.element,
    /** Shows these: of each its id, what its card depends on, and how to make it. */
    show(all) {
      known = new Map(all.map(([id, shown, make]) => {
        const print = JSON.stringify(shown);
        const before = known.get(id);
        return [id, before?.print === print ? before : { print, element: make() }];
      }));
      const wanted = [...known.values()].map(({ element }) => element);
      if (!wanted.length) return fill($('list'), nothing(none, lead));
      for (const child of [...$('list').children]) if (!wanted.includes(child)) child.remove();
      return arrange($('list'), wanted);
    },
  };
}

/** What a person has to decide twice: the first press asks, the second does it. */
export function sure({ label, ask: question, yes, kind, key, doIt }) {
  const place = el('div', { class: `sure ${key}` });
  const first = () => fill(place, el('button', { type: 'button', class: kind, onclick: second }, label));
  const second = () => {
    fill(place, el('p', {}, question), el('button', { type: 'button', class: kind, onclick: async () => { fill(place, el('p', {}, t('sending'))); await doIt(); first(); } }, yes),
      el('button', { type: 'button', class: 'quiet', onclick: first }, t('cancel')));
    place.querySelector('button').focus();
  };
  first();
  return place;
}

export const lasting = (ms) => span(ms, 'long');
