// The page behind a notice's link: what is the matter, who are you, whom to call, how to get in, what is done about it.

import { clock, el, fill, now, phone, setClock, since, span, symbol, t, tick, tOr } from './dom.js';
import { card, code, entry, isFire, place, residents } from './home.js';

const $ = (id) => document.getElementById(id);
const POLL_MS = 10_000;
const PATIENCE_MS = 10_000;
const MINUTES = [5, 10, 20, 35];
const HOWS = ['seen', 'spoke', 'handed_to_120'];

const state = {
  shown: null, // what the service says
  personal: null, // who lives there; given once
  problem: null, // why the link opens nothing
  lost: false,
  who: null, // the name that was chosen
  wrong: null, // why a PIN was refused
  chosen: null, // the alarm that the buttons are for
  choosing: null, // the button that asks for one more word
  pending: null, // what is on its way
  stale: null, // what was pressed on what had changed
  refused: null,
  said: null, // what came of the last press
};

const token = () => location.hash.slice(1);
const pause = (ms) => new Promise((done) => { setTimeout(done, ms); });
const key = () => Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('');

/** Posts to the service. The token goes along in the body, and nowhere else. */
async function send(path, body, idempotencyKey) {
  const headers = { 'content-type': 'application/json' };
  if (idempotencyKey) headers['idempotency-key'] = idempotencyKey;
  const response = await fetch(`/r/${path}`, {
    method: 'POST', headers, body: JSON.stringify({ token: token(), ...body }), cache: 'no-store', signal: AbortSignal.timeout?.(PATIENCE_MS),
  });
  return { ok: response.ok, status: response.status, answer: response.status === 204 ? null : await response.json() };
}

/** Whether the same may be answered otherwise in a moment. */
const passing = ({ status, answer }) => (status >= 500 && status !== 507) || answer?.reason === 'too_many_visits';

function take(answer) {
  setClock(answer.now);
  if (answer.personal) state.personal = answer.personal;
  if (!answer.known) state.personal = null;
  Object.assign(state, { shown: answer, problem: null, lost: false });
  if (!answer.case.some(({ id }) => id === state.chosen)) Object.assign(state, { chosen: answer.case[0].id, choosing: null, stale: null });
  if (answer.people.length === 1) state.who ??= answer.people[0].id;
}

/** Asks how things stand. */
async function look() {
  try {
    const reply = await send('look', { personal: !state.personal });
    if (reply.ok) take(reply.answer);
    else if (passing(reply)) state.lost = true;
    // What is closed or expired shows nothing any more.
    else Object.assign(state, { problem: reply.answer, shown: null, personal: null, pending: null });
  } catch {
    state.lost = true;
  }
  draw();
}

const alarm = () => state.shown.case.find(({ id }) => id === state.chosen);
const known = (id = state.chosen) => state.shown.known?.acts[id];

// ---- what is said of an alarm

const house = ({ home }) => [
  el('b', { class: 'code' }, code(home)), ' ', el('span', { class: 'place' }, place(home)),
];

function standing(one) {
  const more = known(one.id);
  if (one.confirmed_safe) return el('p', { class: 'stands safe' }, symbol('safe'), more ? t('respond.safe_by', { by: more.safe.by, how: t(`how.${more.safe.how}`), at: clock(more.safe.at) }) : t('respond.safe'));
  if (!one.taken) return el('p', { class: 'stands nobody' }, symbol('bell'), t('respond.nobody'));
  if (!more) return el('p', { class: 'stands' }, symbol('person'), t('respond.taken'));
  const words = { by: more.seen.by, how: t(`progress.${more.seen.how}`), until: clock(more.seen.until) };
  return el('p', { class: 'stands' }, symbol('person'), t(more.seen.mine ? `respond.mine.${more.seen.how}` : 'respond.taken_by', words));
}

function head(one) {
  const more = known(one.id);
  const marks = [
    one.late_by_s >= 60 && t('respond.late', { span: span(one.late_by_s * 1000) }),
    one.over && t('respond.over'),
    more?.unanswered > 0 && t('mark.unanswered', { n: more.unanswered }),
    more?.no_access > 0 && t('mark.no_access'),
    more?.last_taker && !one.taken && !one.confirmed_safe && t('respond.before', { by: more.last_taker }),
  ].filter(Boolean);
  return el('section', { class: `what ${one.priority}` },
    el('p', { class: 'grave' }, symbol(`p-${one.priority}`), el('b', {}, t(`priority.${one.priority}`)), since(one.happened_at)),
    el('h1', {}, symbol(one.kind), t(`kind.${one.kind}`)),
    el('p', { class: 'house' }, house(state.shown)),
    el('p', {}, t('respond.happened', { at: clock(one.happened_at) }), one.events > 1 && el('b', {}, ' · ', t('respond.pressed', { n: one.events, at: clock(one.last_event_at) }))),
    marks.length > 0 && el('p', { class: 'marks' }, marks.map((mark) => el('span', {}, mark))),
    standing(one),
    one.next && !one.taken && !one.confirmed_safe && el('p', { class: 'soft' }, t('respond.next', { at: clock(one.next.at, true), to: one.next.to })));
}

/** The other alarms of the home: each is acted on by itself. */
function others() {
  const all = state.shown.case;
  if (all.length < 2) return null;
  return el('section', { class: 'others' }, el('p', {}, t('respond.several', { n: all.length - 1 })),
    all.map((one) => el('button', { type: 'button', class: one.priority, 'aria-pressed': String(one.id === state.chosen), onclick: () => { Object.assign(state, { chosen: one.id, choosing: null, stale: null, refused: null, said: null }); draw(); } },
      symbol(one.kind), el('b', {}, t(`kind.${one.kind}`)), el('span', {}, t(one.confirmed_safe ? 'respond.safe' : one.taken ? 'respond.taken' : 'respond.nobody')))));
}

const desk = (to, number) => el('footer', { class: 'desk' },
  to && phone(to, t('respond.desk', { phone: to })),
  number && el('p', {}, t('respond.say', { number })));

// ---- who it is

function whoIs() {
  const { people } = state.shown;
  if (!people.length) return el('p', { class: 'refused' }, t('respond.nobody_here'));
  const person = people.find(({ id }) => id === state.who);
  return el('section', { class: 'identity' },
    el('h2', {}, t('respond.who')), el('p', { class: 'soft' }, t('respond.who.lead')),
    el('div', { class: 'names' }, people.map(({ id, name, pin }) => el('button', {
      type: 'button', 'aria-pressed': String(id === state.who), disabled: !pin, onclick: () => { Object.assign(state, { who: id, wrong: null }); draw(); $('pin')?.focus(); },
    }, name, !pin && el('small', {}, ' · ', t('respond.no_pin'))))),
    person?.pin && el('form', { onsubmit: identify },
      el('label', { for: 'pin' }, t('respond.pin', { name: person.name })),
      el('div', {}, el('input', { id: 'pin', type: 'password', inputmode: 'numeric', pattern: '[0-9]{4,8}', minlength: 4, maxlength: 8, required: true, autocomplete: 'off' }),
        el('button', { type: 'submit', class: 'primary' }, t('respond.enter')))),
    state.wrong && el('p', { class: 'refused', role: 'alert' }, state.wrong));
}

async function identify(event) {
  event.preventDefault();
  const input = $('pin');
  const button = event.target.querySelector('button');
  const pin = input.value;
  button.disabled = true;
  try {
    const { ok, answer } = await send('identify', { who: state.who, pin });
    state.wrong = ok ? null : tOr(`refused.${answer.reason}`, answer.detail);
    if (ok) {
      take(answer);
      scrollTo(0, 0);
    }
  } catch {
    state.wrong = t('respond.lost.first');
  }
  button.disabled = false;
  if (state.wrong) input.value = '';
  draw();
  if (state.wrong) $('pin')?.focus();
}

async function leave() {
  try {
    await send('leave', {});
  } catch {
    // Without the service nothing can be done with the badge either.
  }
  Object.assign(state, { personal: null, who: null, said: null, choosing: null });
  if (state.shown) delete state.shown.known;
  await look();
}

// ---- the home

function call(people, fire) {
  const able = !alarm().confirmed_safe;
  return el('section', { class: 'call' },
    el('h2', {}, t(fire ? 'respond.call_later' : 'respond.call_first')),
    people.some((person) => person.phone) ? residents(people) : [el('p', { class: 'refused' }, t('respond.no_phone')), residents(people)],
    able && el('p', { class: 'soft' }, t('respond.outcome')),
    able && el('div', { class: 'outcomes' },
      // *Fine* ends the calling: a slip of the thumb must not, so it asks how one knows.
      asks('safe', 'respond.fine', 'fine'), button('needs-help', 'respond.needs-help', 'help'), button('no-answer', 'respond.no-answer', 'none')));
}

function inside() {
  const { known: all, personal } = { ...state.shown, personal: state.personal };
  const one = alarm();
  const fire = isFire(state.shown.case.filter((other) => !other.confirmed_safe));
  const home = personal?.home;
  const people = personal?.residents ?? [];
  const aloud = card(one, fire ? state.shown.case : [one], { home: home ?? {}, people, where: place(state.shown.home), caller: all.me.phone });
  return [
    // Of the gateway's own trouble there is nobody to call.
    ...(one.priority === 'technical' && !state.shown.home.claimed ? [] : [
      fire && aloud,
      call(people, fire),
      !fire && aloud,
      home ? entry(home) : el('p', { class: 'soft' }, t('respond.nothing')),
    ]),
    el('p', { class: 'me' }, symbol('person'), el('b', {}, all.me.name), el('button', { type: 'button', class: 'chip', onclick: leave }, t('respond.leave'))),
  ];
}

// ---- the buttons

function press(act, what, more = {}) {
  const { revision, seen } = known();
  Object.assign(state, { choosing: null, stale: null, refused: null, said: null });
  state.pending = { act, what, more, had: Boolean(seen?.mine), alarm: state.chosen, key: key(), body: { alarm: state.chosen, revision, ...more }, failed: false };
  deliver(state.pending);
  draw();
}

/** Sends an order until it is answered, under one key: so it happens once. */
async function deliver(order) {
  for (let wait = 1_000; state.pending === order; wait = Math.min(wait * 2, 8_000)) {
    try {
      const reply = await send(`act/${order.act}`, order.body, order.key);
      if (state.pending !== order) return;
      if (!passing(reply)) return answered(order, reply);
    } catch {
      // The line is down.
    }
    order.failed = true;
    draw();
    await pause(wait);
  }
}

async function answered(order, { ok, answer }) {
  state.pending = null;
  await look();
  if (!state.shown) return;
  if (ok) {
    const until = known(order.alarm)?.seen?.until;
    const then = order.act === 'cannot' && !order.had ? 'cannot_noted' : order.act;
    state.said = { at: new Date(now()).toISOString(), what: order.what, then: t(`respond.then.${then}`, { until: until ? clock(until) : '' }) };
  } else if (answer.reason === 'stale_revision') {
    state.stale = order;
  } else {
    state.refused = tOr(`refused.${answer.reason}`, answer.detail);
  }
  draw();
}

const button = (act, word, kind = '') => el('button', { type: 'button', class: kind, onclick: () => press(act, t(word)) }, t(word));
const asks = (act, word, kind = '') => el('button', { type: 'button', class: kind, onclick: () => { state.choosing = act; draw(); } }, t(word));

function choices() {
  const way = state.choosing === 'on-my-way';
  const label = (value) => (way ? t('respond.minute', { n: value }) : t(`how.${value}`));
  return [
    el('p', {}, t(way ? 'respond.minutes' : 'respond.how')),
    el('div', { class: way ? 'grid four' : 'grid one' }, (way ? MINUTES : HOWS).map((value) => el('button', {
      type: 'button', class: way ? 'primary' : 'fine', onclick: () => press(state.choosing, way ? `${t('respond.on-my-way')} · ${label(value)}` : label(value), way ? { minutes: value } : { how: value }),
    }, label(value)))),
    el('button', { type: 'button', class: 'quiet', onclick: () => { state.choosing = null; draw(); } }, t('respond.back')),
  ];
}

function bar() {
  const { pending, stale, said, refused } = state;
  if (pending) {
    return pending.failed
      ? [el('p', { class: 'failed', role: 'alert' }, symbol('stop'), t('respond.not_sent', { what: pending.what })), el('button', { type: 'button', class: 'quiet', onclick: () => { state.pending = null; look(); } }, t('respond.give_up'))]
      : el('p', { class: 'sending' }, t('respond.sending', { what: pending.what }));
  }
  if (stale) {
    return [el('p', { class: 'failed', role: 'alert' }, t('respond.stale', { what: stale.what })),
      el('div', { class: 'grid two' },
        el('button', { type: 'button', class: 'primary', onclick: () => press(stale.act, stale.what, stale.more) }, t('respond.again', { what: stale.what })),
        el('button', { type: 'button', onclick: () => { state.stale = null; draw(); } }, t('respond.drop')))];
  }
  const one = alarm();
  return [
    refused && el('p', { class: 'failed', role: 'alert' }, refused),
    said && !state.choosing && el('p', { class: 'said-now' }, symbol('safe'), el('b', {}, t('respond.done', { at: clock(said.at), what: said.what })), ' ', said.then),
    state.shown.case.length > 1 && el('p', { class: 'for' }, t('respond.acts_on', { kind: t(`kind.${one.kind}`) })),
    state.choosing ? choices() : !one.confirmed_safe && el('div', { class: 'grid three' },
      asks('on-my-way', 'respond.on-my-way', 'primary'), button('on-site', 'respond.on-site', 'primary'), asks('safe', 'respond.safe-now', 'fine'),
      button('no-answer', 'respond.no-answer'), button('no-access', 'respond.no-access'), button('cannot', 'respond.cannot')),
  ];
}

// ---- the page

function dead({ reason, detail, desk_phone: phoneNumber, number }) {
  return [
    el('section', { class: `dead ${reason === 'link_used_up' ? 'over' : ''}` }, symbol(reason === 'link_used_up' ? 'safe' : 'stop'),
      el('h1', {}, tOr(`respond.${reason}`, detail)), el('p', {}, tOr(`respond.${reason}.do`, ''))),
    desk(phoneNumber, number),
  ];
}

/** What not to do there: for whoever comes by the link, also before they have said who they are. */
const dangers = () => [...new Set(state.shown.case.map(({ kind }) => kind))].map((kind) => tOr(`respond.danger.${kind}`, null)).filter(Boolean)
  .map((danger) => el('p', { class: 'danger' }, symbol('stop'), danger));

function page() {
  const { shown } = state;
  return [head(alarm()), others(), dangers(), shown.known ? inside() : whoIs(), desk(shown.desk_phone, shown.number)];
}

/** Brings an element up to date where what it shows has changed: nobody's finger finds another button under it. */
function part(element, shown, make) {
  const print = JSON.stringify(shown);
  if (element.dataset.print === print) return;
  element.dataset.print = print;
  const pin = $('pin');
  const [draft, writing] = [pin?.value, pin && pin === document.activeElement];
  fill(element, make());
  if (draft && $('pin')) $('pin').value = draft;
  if (writing) $('pin')?.focus();
}

function draw() {
  const { shown, problem, lost } = state;
  $('line').hidden = !lost;
  part($('line'), [lost, shown?.now], () => (lost ? [symbol('stop'), shown ? t('respond.lost', { at: clock(shown.now, true) }) : t('respond.lost.first')] : []));
  if (!shown && !problem) return;
  const { now: _, ...lasting } = shown ?? {};
  part($('page'), [lasting, problem, state.personal, state.who, state.wrong, state.chosen], () => (problem ? dead(problem) : page()));
  $('bar').hidden = !shown?.known;
  part($('bar'), shown?.known ? [state.pending, state.stale, state.said, state.refused, state.choosing, state.chosen, lasting.case, lasting.known] : null, () => (shown?.known ? bar() : []));
}

async function follow() {
  for (;;) {
    if (!document.hidden && !state.problem && !state.pending) await look();
    await pause(state.lost ? 3_000 : POLL_MS);
  }
}

// The other language is another page, of the same link.
for (const link of document.querySelectorAll('.lang')) link.addEventListener('click', () => { link.href = link.getAttribute('href').split('#')[0] + location.hash; });
addEventListener('hashchange', () => location.reload());
document.addEventListener('visibilitychange', () => { if (!document.hidden && !state.problem && !state.pending) look(); });
setInterval(tick, 1_000);
follow();
