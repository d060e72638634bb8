// Homes to look after once nobody could hear them: worst risk first, each with the phones and a way to say that all is well.

import { announce, clock, el, fill, me, symbol, t, until } from './dom.js';
import { sendTo } from './acts.js';
import { phonesOf } from './phones.js';
import { $, begin, cardsOf, poll, sure, when } from './place.js';

const EVERY_MS = 10_000;
const HOW = ['spoke', 'seen'];

const phones = phonesOf((home) => { redraw(); cards.element(home)?.querySelector('a.tel')?.focus(); });
const cards = cardsOf('outages.none', 'outages.none.lead');
let refused = null;

function outage(one) {
  return el('li', { class: 'outage' }, symbol('stop'),
    el('b', {}, one.deaf ? t('outages.deaf') : t('outages.unheard', { n: one.unheard, all: one.homes })), ' ', t('outages.since', { at: '' }), when(one.since));
}

async function looked(home, how) {
  const { answer, text } = await sendTo(`/api/v1/homes/${encodeURIComponent(home)}/looked`, { how });
  refused = answer ? null : { home, text };
  if (answer) {
    announce(t('outages.done', { home }));
    if (last) last = { ...last, total: last.total - 1, homes: last.homes.filter((one) => one.home !== home) };
  }
  redraw();
  again();
}

function missing(home) {
  const place = [home.community, home.block].filter(Boolean).join(' · ');
  return el('article', { class: `visit look${home.alarm ? ' bare' : ''}` },
    el('header', {}, el('h2', {}, el('span', { class: 'code' }, home.home), el('span', { class: 'place' }, place)),
      home.frail && el('p', { class: 'tag-bare' }, symbol('person'), t('outages.frail')),
      !home.sos_cover && el('p', { class: 'tag-bare' }, symbol('stop'), t('health.bare')),
      el('p', { class: 'due' }, home.alarm ? el('a', { href: `/#${encodeURIComponent(home.alarm)}` }, t('outages.asked'), ' ›') : [t('outages.due', { at: clock(home.due) }), ' ', until(home.due)])),
    el('p', {}, home.until ? t('outages.span', { from: clock(home.since), to: clock(home.until) }) : t('outages.still', { from: clock(home.since) }),
      ' · ', home.last_activity ? [t('outages.last', { at: '' }), when(home.last_activity)] : t('outages.never')),
    phones.list(home.home),
    refused?.home === home.home && el('p', { class: 'refused', role: 'alert' }, symbol('stop'), refused.text),
    me.acts && el('div', { class: 'acts' },
      phones.button(home.home),
      HOW.map((how) => sure({
      key: how, kind: 'plain', label: t(`outages.${how}`), ask: t('outages.ask', { home: home.home }), yes: t('outages.sure'), doIt: () => looked(home.home, how),
    }))));
}

/** What a card depends on; to the minute: nothing that a person sees changes within it. */
const shownOf = (home) => [{ ...home, due: home.due.slice(0, 16) }, phones.known(home.home), refused?.home === home.home && refused.text];

let last = null;

function redraw() {
  if (last) show(last);
}

function show(answer) {
  last = answer;
  fill($('sum'), answer.total > 0 && el('b', { class: 'count-of' }, t('outages.sum', { n: answer.total })));
  fill($('now'), answer.outages.map(outage));
  cards.show(answer.homes.map((home) => [home.home, shownOf(home), () => missing(home)]));
  fill($('rest'), answer.more && t('health.more', { n: answer.homes.length }));
}

fill($('place'), el('ul', { id: 'now', class: 'now' }), el('p', { id: 'sum', class: 'sum' }), el('div', { id: 'list', class: 'visits' }, el('p', { class: 'loading' }, t('loading'))), el('p', { id: 'rest', class: 'soft' }));
begin({ sounds: true });
const again = poll('/api/v1/outages', EVERY_MS, show);
