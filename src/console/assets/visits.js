// The visits of the day, for a caseworker and for whoever sees that none is forgotten: worst risk first, each with the phones and what came of it.

import { announce, clock, el, fill, me, now, symbol, t, two, until } from './dom.js';
import { sendTo } from './acts.js';
import { phonesOf } from './phones.js';
import { $, begin, cardsOf, poll, sure, when } from './place.js';

const EVERY_MS = 10_000;
const DAY_MS = 86_400_000;
/** How long a cold wave is entered for at first. */
const WAVE_DAYS = 3;
/** What an operator needs no second thought for; each can be undone. */
const OUTCOMES = [['fine', 'primary'], ['no_answer', 'plain'], ['refused', 'plain']];

const phones = phonesOf((home) => { redraw(); $('list').querySelector(`[data-home="${CSS.escape(home)}"] a.tel`)?.focus(); });
const cards = cardsOf('visits.none', 'visits.none.lead');
let last = null;
let refused = null;

/** Whose list, and which part of it; the address keeps the first, so that it can be kept as a bookmark. */
const wanted = { caseworker: new URLSearchParams(location.search).get('caseworker'), state: 'open' };

const path = (id) => `/api/v1/visits/${encodeURIComponent(id)}`;
const wavePath = (site) => `/api/v1/cold-waves/${encodeURIComponent(site)}`;
const isWanted = (one) => wanted.state === 'all' || (wanted.state === 'done') === (one.state === 'done');

/** Sends, shows what came of it at once, and leaves the keyboard where it was. */
async function order(one, method, body, said) {
  const { answer, text } = await sendTo(path(one.id), body, method);
  refused = answer ? null : { id: one.id, text };
  if (answer) {
    announce(said);
    touched.add(one.id);
    if (method === 'PUT') last = { ...last, visits: last.visits.map((other) => (other.id === one.id ? answer : other)) };
    else again();
  }
  redraw();
  cards.element(one.id)?.querySelector('.acts button')?.focus();
}

/** What was told just now stays on the list with the way back, whatever part of it is shown. */
const touched = new Set();

const tell = (one, outcome) => order(one, 'PUT', { outcome }, t('visits.told', { home: one.home, outcome: t(`visits.${outcome}`) }));
const undo = (one) => order(one, 'DELETE', undefined, t('visits.undone', { home: one.home }));

function acts(one) {
  if (one.state === 'done') {
    const own = one.today && one.last_kind === one.kind;
    return own && el('div', { class: 'acts' }, el('button', { type: 'button', class: 'plain', onclick: () => undo(one) }, t('visits.undo')));
  }
  return el('div', { class: 'acts outcomes' },
    OUTCOMES.map(([outcome, kind]) => el('button', { type: 'button', class: kind, onclick: () => tell(one, outcome) }, t(`visits.${outcome}`))),
    sure({ key: 'needs_help', kind: 'plain', label: t('visits.needs_help'), ask: t('visits.ask_help', { home: one.home }), yes: t('visits.sure_help'), doIt: () => tell(one, 'needs_help') }),
    phones.button(one.home));
}

/** Of a home, what makes it more urgent. */
function risks(one) {
  const degrees = one.temperature !== null && t('visits.degrees', { n: Math.round(one.temperature * 10) / 10 });
  return [
    !one.sos_cover && el('p', { class: 'tag-bare' }, symbol('stop'), t('health.bare')),
    one.frail && el('p', { class: 'tag-bare' }, symbol('person'), t('outages.frail')),
    degrees && (one.cold ? el('p', { class: 'tag-bare' }, symbol('temperature'), degrees) : waved(one.site) && el('p', { class: 'tag' }, degrees)),
    waved(one.site) && el('p', { class: one.co_cover ? 'tag' : 'tag warn' }, symbol('co'), t(one.co_cover ? 'visits.co' : 'visits.no_co')),
  ];
}

const waved = (site) => last?.sites.find((one) => one.site === site)?.cold_wave;

function due(one) {
  switch (one.state) {
    case 'missed': return el('p', { class: 'due bad' }, symbol('stop'), t('visits.missed', { at: clock(one.due) }));
    case 'due': return el('p', { class: 'due' }, t('outages.due', { at: clock(one.due) }), ' ', until(one.due));
    default: return el('p', { class: 'due yes' }, symbol('safe'), t('visits.done'));
  }
}

function came(one) {
  if (!one.last_at) return el('span', { class: 'soft' }, t('visits.never'));
  return el('span', { class: one.outcome === 'no_answer' && one.today ? 'warn' : 'soft' }, t('visits.came', { kind: t(`visits.${one.last_kind}`), outcome: t(`visits.${one.outcome}`) }), ' · ', one.by, ' · ', when(one.last_at));
}

const name = (id) => last?.caseworkers[id] ?? id;

function visit(one) {
  const place = [one.community, one.block].filter(Boolean).join(' · ');
  return el('article', { class: `visit look ${one.state === 'done' ? 'made' : one.state === 'missed' ? 'bare' : ''}`, dataset: { home: one.home } },
    el('header', {}, el('span', { class: 'box', 'aria-hidden': 'true' }), el('h2', {}, symbol(one.kind === 'online' ? 'phone' : 'house'), el('b', {}, t(`visits.${one.kind}`)), el('span', { class: 'code' }, one.home), el('span', { class: 'place' }, place)),
      risks(one), due(one)),
    el('p', { class: 'came' }, one.caseworker ? el('span', {}, symbol('person'), name(one.caseworker)) : el('span', { class: 'warn' }, t('visits.nobody')),
      came(one), one.alarm && one.state === 'missed' && el('a', { href: `/#${encodeURIComponent(one.alarm)}` }, t('visits.alarm'), ' ›')),
    phones.list(one.home),
    refused?.id === one.id && el('p', { class: 'refused', role: 'alert' }, symbol('stop'), refused.text),
    me.acts && acts(one));
}

/** What a card depends on. */
const shownOf = (one) => [one, waved(one.site) !== null, phones.known(one.home), refused?.id === one.id && refused.text];

function redraw() {
  if (last) show(last);
}

function summary(answer) {
  return [
    answer.missed > 0 && el('b', { class: 'no count-of' }, t('visits.sum_missed', { n: answer.missed })),
    el('b', { class: 'count-of' }, t('visits.sum_due', { n: answer.due })), el('span', { class: 'yes' }, t('visits.sum_done', { n: answer.done })),
    el('button', { type: 'button', class: 'print', onclick: () => { fill($('printed'), t('health.printed', { at: clock(now()) })); globalThis.print(); } }, t('health.print')),
    el('span', { id: 'printed', class: 'printed' })];
}

function show(answer) {
  last = answer;
  const rows = answer.visits.filter((one) => isWanted(one) || touched.has(one.id));
  fill($('sum'), summary(answer));
  banners(answer.sites);
  people(answer.caseworkers);
  cards.show(rows.map((one) => [one.id, shownOf(one), () => visit(one)]));
  fill($('rest'), answer.more && t('visits.more', { n: answer.visits.length }));
}

// ---- whose list

let listed = '';

function people(known) {
  const print = JSON.stringify(known);
  if (print === listed) return;
  listed = print;
  const options = Object.entries(known).map(([id, called]) => el('option', { value: id, selected: id === wanted.caseworker }, called ?? id));
  fill($('whose'), el('option', { value: '*', selected: wanted.caseworker === null }, t('visits.everybody')), options, el('option', { value: '', selected: wanted.caseworker === '' }, t('visits.nobody')));
}

function filters() {
  const whose = el('select', { id: 'whose', 'aria-label': t('visits.whose'), onchange: () => {
    wanted.caseworker = whose.value === '*' ? null : whose.value;
    history.replaceState(null, '', wanted.caseworker === null ? location.pathname : `?caseworker=${encodeURIComponent(wanted.caseworker)}`);
    touched.clear();
    again();
  } });
  const which = el('select', { id: 'which', 'aria-label': t('visits.which'), onchange: () => { wanted.state = which.value; touched.clear(); redraw(); } },
    ['open', 'done', 'all'].map((one) => el('option', { value: one }, t(`visits.show_${one}`))));
  return el('div', { class: 'filters' }, el('label', { for: 'whose' }, t('visits.whose')), whose, which);
}

// ---- the cold wave

let weather = '';

async function setWave(site, method, body) {
  const { answer, text } = await sendTo(wavePath(site), body, method);
  fill($('wave-said'), !answer && [symbol('stop'), text]);
  if (answer) announce(t(method === 'PUT' ? 'visits.wave_set' : 'visits.wave_ended'));
  weather = '';
  again();
}

function banners(sites) {
  const print = JSON.stringify(sites);
  if (print === weather) return;
  weather = print;
  const lying = sites.filter((one) => one.cold_wave);
  const clear = sites.filter((one) => !one.cold_wave);
  fill($('waves'), lying.map(banner), me.acts && clear.length > 0 && form(clear.map(({ site }) => site)));
}

function banner({ site, cold_wave: wave }) {
  return el('div', { class: 'wave', role: 'status' }, symbol('temperature'),
    el('p', {}, el('b', {}, t('visits.wave', { site, until: clock(wave.until) })), ' ', t('visits.wave_lead')),
    me.acts && sure({ key: 'end-wave', kind: 'plain', label: t('visits.wave_end'), ask: t('visits.ask_end'), yes: t('away.sure'), doIt: () => setWave(site, 'DELETE') }));
}

const local = (at) => `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}T${two(at.getHours())}:${two(at.getMinutes())}`;

function form(sites) {
  const site = el('select', { id: 'wave-site' }, sites.map((one) => el('option', { value: one }, one)));
  const end = el('input', { id: 'wave-until', type: 'datetime-local', required: true, value: local(new Date(now() + WAVE_DAYS * DAY_MS)), min: local(new Date(now())) });
  const whole = el('form', { class: 'claim' },
    sites.length > 1 && [el('label', { for: 'wave-site' }, t('visits.wave_site')), site],
    el('label', { for: 'wave-until' }, t('away.end')), end,
    el('p', { class: 'soft' }, t('visits.wave_when')),
    el('div', { class: 'acts' }, el('button', { type: 'submit', class: 'primary' }, t('visits.wave_start'))));
  whole.addEventListener('submit', (event) => {
    event.preventDefault();
    setWave(site.value, 'PUT', { until: new Date(end.value).toISOString() });
  });
  return el('details', { class: 'new' }, el('summary', {}, t('visits.wave_new')), whole);
}

fill($('place'), el('div', { id: 'waves' }), el('p', { id: 'wave-said', class: 'refused', role: 'alert' }), filters(),
  el('p', { id: 'sum', class: 'sum' }), el('div', { id: 'list', class: 'visits' }, el('p', { class: 'loading' }, t('loading'))), el('p', { id: 'rest', class: 'soft' }));
begin({ sounds: true });
const again = poll(() => `/api/v1/visits${wanted.caseworker === null ? '' : `?caseworker=${encodeURIComponent(wanted.caseworker)}`}`, EVERY_MS, show);
