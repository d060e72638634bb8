// Who is on duty now and in the next two weeks, the hours with too few people, and who is told of a home's alarm.

import { clock, el, fill, span, symbol, t } from './dom.js';
import { ask } from './feed.js';
import * as channels from './channels.js';
import { $, begin, poll } from './place.js';

const EVERY_MS = 60_000;
/** What people ask about most; the first is chosen. */
const KINDS = ['sos', 'smoke', 'gas', 'co', 'fall', 'inactivity', 'welfare_check', 'bathroom', 'cold', 'leak', 'outage'];

/** Hours and homes that are named of a hole. */
const SHOWN = 5;

const list = (all) => all.join(t('list.and'));

// ---- gaps

function kinds(all) {
  const shown = all.slice(0, 3).map((kind) => t(`kind.${kind}`));
  return all.length > 3 ? `${list(shown)} … (${all.length})` : list(shown);
}

function hours(gap, answer) {
  const [from, to] = [clock(gap.from), clock(gap.to)];
  if (gap.to < answer.until) return t('duty.span', { from, to });
  return gap.from > answer.now ? t('duty.still', { from, to }) : t('duty.now_on', { to });
}

/** What comes again, each night or each Sunday, is one hole with its hours. */
function holes(answer) {
  const same = Map.groupBy(answer.gaps, ({ from, to, ...rest }) => JSON.stringify(rest));
  return [...same.values()].map((gaps) => hole(gaps, answer));
}

function hole(gaps, answer) {
  const [gap] = gaps;
  const rest = gaps.slice(SHOWN);
  return el('li', { class: 'hole' }, symbol('stop'),
    el('div', {}, el('p', { class: 'bad' }, list(gap.lacks.map((lack) => t(`lack.${lack}`)))),
      el('ul', {}, gaps.slice(0, SHOWN).map((one) => el('li', {}, el('b', {}, hours(one, answer))))),
      rest.length > 0 && el('p', {}, t('duty.rest', { n: rest.length })),
      el('p', { class: 'soft' }, gap.ladder ? t('duty.ladder', { ladder: gap.ladder }) : t('duty.no_ladder'), ' · ', kinds(gap.kinds), ' · ',
        t('duty.homes', { n: gap.home_count }), gap.home_count <= SHOWN && ` (${list(gap.homes)})`)));
}

// ---- rotas

const people = (who, names) => (who.length ? list(who.map((id) => names[id] ?? id)) : el('span', { class: 'bad' }, t('duty.nobody')));

/** A time by the clocks of the rota, which need not be this machine's: its day, and `HH:MM`. */
function local(iso, zone) {
  const [day, time] = new Intl.DateTimeFormat('sv-SE', { timeZone: zone, dateStyle: 'short', timeStyle: 'short' }).format(new Date(iso)).split(' ');
  const weekday = new Intl.DateTimeFormat(document.documentElement.lang, { timeZone: zone, weekday: 'short' }).format(new Date(iso));
  return { day: `${day.slice(5)} ${weekday}`, time };
}

function turn(one, names, zone) {
  const [from, to] = [local(one.from, zone), local(one.to, zone)];
  return el('li', { class: one.who.length ? null : 'hole' },
    el('span', { class: 'hours' }, `${from.day} ${from.time} – ${to.day === from.day ? '' : `${to.day} `}${to.time}`), el('span', {}, people(one.who, names)));
}

const opened = new Set();

function rota(one, names) {
  const [now, ...ahead] = one.stretches;
  const more = el('details', { open: opened.has(one.id) }, el('summary', {}, t('duty.ahead')), el('ul', { class: 'turns' }, ahead.map((next) => turn(next, names, one.timezone))));
  more.addEventListener('toggle', () => (more.open ? opened.add(one.id) : opened.delete(one.id)));
  return el('article', { class: `visit rota${now.who.length ? '' : ' bare'}` },
    el('header', {}, el('h2', {}, el('span', { class: 'code' }, one.id), el('span', { class: 'place' }, one.timezone))),
    el('p', { class: 'on-duty' }, symbol('person'), el('b', {}, people(now.who, names)), ' ', el('span', { class: 'soft' }, t('duty.until', { at: `${local(now.to, one.timezone).day} ${local(now.to, one.timezone).time}` }))),
    ahead.length > 0 && more);
}

let print = '';

function show(answer) {
  const next = JSON.stringify({ ...answer, now: answer.now.slice(0, 16), until: '' });
  if (next === print) return;
  print = next;
  fill($('gaps'), answer.gaps.length
    ? [el('h2', { class: 'bad' }, t('duty.gaps')), el('ul', { class: 'holes' }, holes(answer)), answer.more && el('p', { class: 'soft' }, t('duty.more'))]
    : el('p', { class: 'enough' }, symbol('safe'), t('duty.no_gaps')));
  fill($('list'), el('h2', {}, t('duty.rotas')), answer.rotas.length ? answer.rotas.map((one) => rota(one, answer.names)) : el('p', { class: 'soft' }, t('duty.none')));
}

// ---- who is told

function way(channel) {
  return el('span', { class: channel.down_since ? 'way bad' : 'way' }, t(`medium.${channel.medium}`), ' ', el('span', { class: 'soft' }, channel.id),
    channel.down_since && ` ${t('duty.down', { at: clock(channel.down_since) })}`);
}

function person(one) {
  return el('li', {}, el('b', {}, one.name || one.responder), ' ', one.channels.length ? one.channels.map(way) : el('span', { class: 'bad' }, t('duty.no_channel')));
}

function step(rung) {
  const after = rung.after_s ? t('duty.after', { span: span(rung.after_s * 1000) }) : t('duty.at_once');
  return el('li', { class: rung.skipped ? 'hole' : null }, el('span', { class: 'hours' }, el('b', {}, after), ' ', el('span', { class: 'soft' }, clock(rung.at))),
    el('div', {}, el('p', {}, `${rung.rung}. ${rung.name}`), rung.skipped ? el('p', { class: 'bad' }, t('duty.skipped')) : el('ul', { class: 'people' }, rung.people.map(person))));
}

function told(answer) {
  const again = answer.repeat.rung !== null && el('p', { class: 'soft' }, t('duty.repeat', { n: answer.repeat.rung, span: span(answer.repeat.every_s * 1000) }));
  return [answer.hidden_by && el('p', { class: 'warn' }, t('duty.hidden', { of: t(`away.${answer.hidden_by}`) })),
    again === false && el('p', { class: 'bad' }, symbol('stop'), t('duty.untold')),
    el('ol', { class: 'turns' }, answer.rungs.map(step)), again];
}

function form() {
  const home = el('input', { id: 'home', name: 'home', required: true, autocapitalize: 'none', spellcheck: 'false', autocomplete: 'off' });
  const kind = el('select', { id: 'kind', name: 'kind' }, KINDS.map((one) => el('option', { value: one }, t(`kind.${one}`))));
  const at = el('input', { id: 'at', name: 'at', type: 'datetime-local' });
  const answers = el('div', { class: 'told', role: 'status' });
  const whole = el('form', { class: 'claim' },
    el('label', { for: 'home' }, t('duty.home')), home, el('label', { for: 'kind' }, t('duty.kind')), kind, el('label', { for: 'at' }, t('duty.at')), at,
    el('div', { class: 'acts' }, el('button', { type: 'submit', class: 'primary' }, t('duty.show'))));
  whole.addEventListener('submit', async (event) => {
    event.preventDefault();
    fill(answers, t('loading'));
    const when = at.value ? `&at=${encodeURIComponent(new Date(at.value).toISOString())}` : '';
    try {
      const response = await ask(`/api/v1/homes/${encodeURIComponent(home.value.trim())}/who?kind=${kind.value}${when}`);
      const answer = await response.json();
      fill(answers, response.ok ? told(answer) : el('p', { class: 'refused' }, symbol('stop'), t(`refused.${answer.reason}`)));
    } catch {
      fill(answers, el('p', { class: 'refused' }, symbol('stop'), t('lost')));
    }
  });
  // Whoever comes from a home finds its code written already.
  try { home.value = decodeURIComponent(location.hash.slice(1)); } catch { /* Written by hand. */ }
  return el('details', { class: 'new', open: home.value !== '' }, el('summary', {}, t('duty.ask')), whole, answers);
}

fill($('place'), el('section', { id: 'gaps', class: 'gaps' }), form(), el('section', { id: 'list', class: 'visits' }, el('p', { class: 'loading' }, t('loading'))), el('section', { id: 'channels' }));
begin({ sounds: true });
poll('/api/v1/duty', EVERY_MS, show);
channels.begin();
