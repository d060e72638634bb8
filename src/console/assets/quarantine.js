// Unclaimed devices: what nobody registered, each with a form that gives it its home; and what nobody could read.

import { announce, arrange, clock, el, fill, me, meta, symbol, t, tOr } from './dom.js';
import { ask } from './feed.js';
import { sendTo } from './acts.js';
import { $, begin, nothing, picture, poll, short, value, when } from './place.js';

const EVERY_MS = 5_000;
const ROOMS = ['entrance', 'bedroom', 'bathroom', 'kitchen', 'living_room', 'hall'];
const LIFE = meta.kinds.filter(([, priority]) => priority === 'life').map(([kind]) => kind);

/** By id: the row, its element, and what was claimed. */
const cards = new Map();
let homes = [];

// ---- what a device says

const kindsOf = (device) => [...new Set(device.readings.map(({ kind }) => kind))];
const calls = (device) => device.open_alarms.length > 0;

function says(device) {
  const said = device.readings.map((reading) => el('li', {}, el('span', { class: 'soft' }, tOr(`reading.${reading.kind}`, reading.kind), reading.channel && ` ${reading.channel}`), ' ', el('b', {}, value(reading))));
  return el('div', { class: 'says' }, el('span', { class: 'soft' }, t('quarantine.says')),
    said.length ? el('ul', {}, said) : el('span', {}, t('quarantine.says_nothing')));
}

const raw = (message) => el('pre', {}, message.text ?? message.base64, message.cut && t('quarantine.cut'), message.text === undefined && ` ${t('quarantine.binary')}`);

function messages(device) {
  if (!device.messages.length) return null;
  return el('details', { class: 'raw' }, el('summary', {}, t('quarantine.messages', { n: device.messages.length })),
    el('ol', {}, [...device.messages].reverse().map((message) => el('li', {}, el('time', {}, clock(message.at, true)), ' ', el('code', {}, message.topic), raw(message)))));
}

function facts(device) {
  return [
    calls(device) && el('p', { class: 'alarm-line', role: 'alert' }, symbol('p-life'), el('b', {}, t('quarantine.calls')),
      device.open_alarms.map((id) => el('a', { href: `/#${encodeURIComponent(id)}` }, t('quarantine.to_alarm', { id }), ' ›'))),
    el('h2', {}, picture(device, kindsOf(device)), el('span', { class: 'code' }, short(device.address)),
      short(device.address) !== device.address && el('span', { class: 'place' }, device.address)),
    el('p', { class: 'soft' }, [t('quarantine.source', { source: device.source }), device.claimed && t('quarantine.in_home', { home: device.home })].filter(Boolean).join(' · ')),
    says(device),
    el('p', {}, device.called_at && [el('b', { class: 'called' }, t('quarantine.called', { at: '' }), when(device.called_at)), ' · '],
      device.count ? t('quarantine.heard', { n: device.count, at: '' }) : t('quarantine.heard_before', { at: '' }), device.last_at && when(device.last_at)),
    messages(device),
  ];
}

// ---- the form

const homeOf = (id) => homes.find((home) => home.id === id.trim());
const placeOf = (home) => [home.community, home.block].filter(Boolean).join(' · ');

/** What its name suggests; nothing where it suggests nothing. */
function guess(device) {
  const [first] = device.address.split('/');
  const named = short(device.address).toLowerCase();
  return {
    home: device.claimed ? device.home : homeOf(first) ? first : '',
    room: ROOMS.find((name) => named.includes(name)) ?? (named.includes('living') ? 'living_room' : ''),
    life: calls(device) || device.called_at !== null || kindsOf(device).some((kind) => LIFE.includes(kind)),
  };
}

function form(card) {
  const { device } = card;
  const first = guess(device);
  const id = `claim-${device.id}`;
  const home = el('input', { id: `${id}-home`, name: 'home', list: 'homes', value: first.home, required: true, autocomplete: 'off', autocapitalize: 'none', spellcheck: 'false', placeholder: t('quarantine.home_hint') });
  const which = el('p', { class: 'which', 'aria-live': 'polite' });
  const other = el('input', { name: 'other', maxlength: 64, autocomplete: 'off', hidden: true, 'aria-label': t('quarantine.room_name'), placeholder: t('quarantine.room_name') });
  const room = el('select', { id: `${id}-room`, name: 'room', required: true },
    el('option', { value: '' }, t('quarantine.room_none')),
    ROOMS.map((name) => el('option', { value: name, selected: name === first.room }, t(`room.${name}`))),
    el('option', { value: '*' }, t('quarantine.room_other')));
  const go = el('button', { type: 'submit', class: 'primary' });
  const problem = el('p', { class: 'refused', role: 'alert', hidden: true });
  const look = () => {
    const found = homeOf(home.value);
    const elsewhere = found && found.site !== device.site;
    which.className = `which ${found && !elsewhere ? 'yes' : 'no'}`;
    fill(which, found && !elsewhere ? [symbol('safe'), placeOf(found) || found.id] : home.value.trim() ? t('quarantine.no_home') : '');
    go.disabled = !found || elsewhere;
    fill(go, found && !elsewhere ? t('quarantine.claim_to', { home: found.id }) : t('quarantine.claim'));
  };
  home.addEventListener('input', look);
  room.addEventListener('change', () => { other.hidden = room.value !== '*'; other.required = !other.hidden; if (!other.hidden) other.focus(); });
  look();
  const life = el('input', { type: 'checkbox', name: 'life', checked: first.life });
  const whole = el('form', { class: 'claim' },
    el('label', { for: home.id }, t('quarantine.home')), home, which,
    el('label', { for: room.id }, t('quarantine.room')), room, other,
    el('label', { class: 'check' }, life, el('span', {}, t('quarantine.life'))),
    el('p', { class: 'soft' }, t('quarantine.after')), problem,
    el('div', { class: 'acts' }, go, el('button', { type: 'button', class: 'quiet', onclick: () => close(card) }, t('cancel'))));
  whole.addEventListener('submit', async (event) => {
    event.preventDefault();
    go.disabled = true;
    fill(go, t('sending'));
    const body = { home: home.value.trim(), room: room.value === '*' ? other.value.trim() : room.value, life: life.checked };
    const { answer, text } = await sendTo(`/api/v1/quarantine/${device.id}/claim`, body);
    if (answer) return claimed(card, answer);
    look();
    problem.hidden = false;
    fill(problem, symbol('stop'), text);
  });
  whole.addEventListener('keydown', (event) => { if (event.key === 'Escape') close(card); });
  return whole;
}

function open(card) {
  fill(card.claim, form(card));
  card.claim.querySelector('input').focus();
}

function close(card) {
  fill(card.claim, button(card));
  card.claim.querySelector('button').focus();
}

const button = (card) => (me.acts
  ? el('button', { type: 'button', class: 'primary', onclick: () => open(card) }, t('quarantine.claim'))
  : el('p', { class: 'soft' }, t('viewer')));

function claimed(card, { device, messages: held, alarms }) {
  card.done = true;
  card.node.className = 'stranger done';
  const walk = el('a', { class: 'go', href: `/homes/${encodeURIComponent(device.home)}/walk-test` }, t('quarantine.to_walk'), ' ›');
  fill(card.facts, el('h2', {}, symbol('safe'), el('span', { class: 'code' }, short(device.address)), el('span', { class: 'yes' }, t('quarantine.done', { home: device.home }))),
    el('p', {}, t('quarantine.done_more', { device: device.id, n: held })),
    alarms.map((id) => el('p', {}, el('a', { href: `/#${encodeURIComponent(id)}` }, t(card.device.home === device.home ? 'quarantine.to_alarm' : 'quarantine.done_alarm', { id }), ' ›'))));
  fill(card.claim, walk);
  walk.focus();
  announce(t('quarantine.done', { home: device.home }));
}

// ---- the list

/** In an order that does not move while somebody reads: who calls stands above, then whoever came last for the first time. */
function order(a, b) {
  const rank = ({ device }) => [calls(device) ? 0 : 1, -(Date.parse(device.first_at) || 0), device.id];
  const [x, y] = [rank(a), rank(b)];
  const i = x.findIndex((one, n) => one !== y[n]);
  return i < 0 ? 0 : x[i] < y[i] ? -1 : 1;
}

function take(device) {
  let card = cards.get(device.id);
  if (!card) {
    const node = el('article', { id: device.id, dataset: { home: device.home } }, el('div', { class: 'facts-of' }), el('div', { class: 'claim-of' }));
    card = { node, facts: node.firstChild, claim: node.lastChild };
    cards.set(device.id, card);
    card.device = device;
    fill(card.claim, button(card));
  }
  if (card.done) return;
  const print = JSON.stringify(device);
  if (card.print === print) return;
  // What is open stays open.
  const opened = card.facts.querySelector('details')?.open;
  Object.assign(card, { device, print });
  card.node.className = `stranger${calls(device) ? ' calls' : ''}`;
  fill(card.facts, facts(device));
  if (opened) card.facts.querySelector('details').open = true;
}

function unreadable(rows) {
  return rows.length > 0 && el('section', { class: 'unreadable' }, el('h2', {}, t('quarantine.unreadable')), el('p', { class: 'soft' }, t('quarantine.unreadable.lead')),
    el('ul', {}, rows.map((row) => el('li', {},
      el('p', { class: 'reason' }, symbol('stop'), el('b', {}, tOr(`unread.${row.reason}`, row.reason))),
      el('p', {}, el('code', {}, row.topic), ' ', el('span', { class: 'soft' }, t('quarantine.source', { source: row.source }))),
      el('p', { class: 'soft' }, t('quarantine.heard', { n: row.count, at: '' }), when(row.last_at)),
      row.messages.length > 0 && raw(row.messages.at(-1))))));
}

let unread = '';

function show(answer) {
  const here = new Set(answer.devices.map((device) => device.id));
  answer.devices.forEach(take);
  for (const [id, card] of cards) {
    if (here.has(id) || card.done) continue;
    card.node.remove();
    cards.delete(id);
  }
  const list = [...cards.values()].sort(order);
  fill($('notes'), answer.more && el('p', {}, t('quarantine.more')), Object.entries(answer.beyond).map(([source, n]) => el('p', {}, t('quarantine.beyond', { source, n }))));
  if (!list.length) fill($('list'), nothing('quarantine.none', 'quarantine.none.lead'));
  else {
    $('list').querySelector('.empty, .loading')?.remove();
    arrange($('list'), list.map(({ node }) => node));
  }
  const print = JSON.stringify(answer.unreadable);
  if (print !== unread) fill($('unreadable'), unreadable(answer.unreadable));
  unread = print;
  arrive();
}

/** Whoever comes from an alarm finds its device, open. */
function arrive() {
  const wanted = decodeURIComponent(location.hash.slice(1));
  if (!wanted) return;
  const card = [...cards.values()].find(({ device }) => device.home === wanted || device.id === wanted);
  if (!card) return;
  history.replaceState(null, '', location.pathname);
  card.node.scrollIntoView({ block: 'start' });
  if (me.acts) open(card);
}

async function loadHomes() {
  let cursor = null;
  const all = [];
  do {
    const query = cursor ? `&cursor=${encodeURIComponent(cursor)}` : '';
    const response = await ask(`/api/v1/homes?brief=true${query}`);
    if (!response.ok) return;
    const page = await response.json();
    all.push(...page.homes);
    cursor = page.next;
  } while (cursor);
  homes = all;
  fill($('homes'), homes.map((home) => el('option', { value: home.id, label: `${home.id} ${placeOf(home)}` })));
}

fill($('place'), el('div', { id: 'notes', class: 'notes' }), el('div', { id: 'list', class: 'strangers' }, el('p', { class: 'loading' }, t('loading'))), el('div', { id: 'unreadable' }), el('datalist', { id: 'homes' }));
begin({ sounds: true });
// Without the homes to choose from the form is of no use.
loadHomes().catch(() => {}).then(() => poll('/api/v1/quarantine?limit=100', EVERY_MS, show));
