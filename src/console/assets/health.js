// Device health: the list that a visit takes along, worst home first.

import { clock, el, fill, now, symbol, t } from './dom.js';
import { $, begin, lasting, nothing, picture, poll, room, short } from './place.js';

const EVERY_MS = 60_000;

function need(one) {
  switch (one.need) {
    case 'lost': return t('need.lost', { span: lasting(one.silent_s * 1000) });
    case 'unproven': return one.since ? t('need.unproven_since', { at: clock(one.since) }) : t('need.unproven');
    case 'battery_low':
      if (one.percent === null) return t('need.battery_flag');
      return t(one.days_left === null ? 'need.battery' : 'need.battery_days', { n: Math.round(one.percent), days: one.days_left });
    case 'weak_signal': return t('need.weak_signal', { n: one.percent });
    default: return t('need.never_heard');
  }
}

const GRAVE = ['never_heard', 'lost', 'unproven'];

function device(one) {
  const grave = one.needs.some(({ need: word }) => GRAVE.includes(word));
  return el('li', { class: one.life && grave ? 'grave' : null }, el('span', { class: 'box', 'aria-hidden': 'true' }), picture(one),
    el('span', { class: 'what' }, el('b', {}, room(one.room) || short(one.address)), ' ', el('span', { class: 'soft' }, room(one.room) ? short(one.address) : '')),
    el('span', { class: 'needs' }, one.needs.map((word) => el('span', { class: GRAVE.includes(word.need) ? 'bad' : 'warn' }, need(word)))));
}

function visit(home) {
  // Where a button is there, its own line says what it lacks.
  const bare = !home.sos_cover && !home.devices.some((one) => one.life);
  return el('article', { class: `visit${home.sos_cover ? '' : ' bare'}` },
    el('header', {}, el('h2', {}, el('span', { class: 'code' }, home.home), el('span', { class: 'place' }, [home.community, home.block].filter(Boolean).join(' · '))),
      !home.sos_cover && el('p', { class: 'tag-bare' }, symbol('stop'), t('health.bare')),
      el('a', { class: 'go', href: `/homes/${encodeURIComponent(home.home)}/walk-test` }, t('nav.walk'), ' ›')),
    el('ul', {}, bare && el('li', { class: 'grave' }, el('span', { class: 'box', 'aria-hidden': 'true' }), symbol('sos'), el('span', { class: 'what' }, t('health.no_button'))), home.devices.map(device)));
}

let print = '';

function show(answer) {
  const { now: _, ...rest } = answer;
  const next = JSON.stringify(rest);
  if (next === print) return;
  print = next;
  fill($('sum'), answer.total > 0 && [
    el('b', { class: 'count-of' }, t('health.sum', { n: answer.total })),
    answer.without_sos_cover > 0 && el('span', { class: 'no' }, t('health.sum_bare', { n: answer.without_sos_cover })),
    el('button', { type: 'button', class: 'print', onclick: () => { fill($('printed'), t('health.printed', { at: clock(now()) })); print_(); } }, t('health.print')),
    el('span', { id: 'printed', class: 'printed' })]);
  fill($('list'), answer.total === 0 ? nothing('health.none', 'health.none.lead') : answer.homes.map(visit));
  fill($('rest'), answer.more && t('health.more', { n: answer.homes.length }));
}

const print_ = () => globalThis.print();

fill($('place'), el('p', { id: 'sum', class: 'sum' }), el('div', { id: 'list', class: 'visits' }, el('p', { class: 'loading' }, t('loading'))), el('p', { id: 'rest', class: 'soft' }));
begin({ sounds: true });
poll('/api/v1/health', EVERY_MS, show);
