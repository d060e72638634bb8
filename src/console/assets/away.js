// Who is away or in hospital, and where devices are under repair: what asks for an answer first. One form for one home or many.

import { announce, clock, el, fill, me, now, symbol, t, two } from './dom.js';
import { sendTo } from './acts.js';
import { $, begin, cardsOf, poll, sure, when } from './place.js';

const EVERY_MS = 10_000;
const KINDS = ['away', 'hospital', 'repair'];
const DAY_MS = 86_400_000;
/** How long it is set for at first, and how much longer a press makes it. */
const DAYS = 3;

const cards = cardsOf('away.none', 'away.none.lead');
let last = null;
let refused = null;

const path = (id) => `/api/v1/suppressions/${encodeURIComponent(id)}`;

async function order(one, body, method, said) {
  const { answer, text } = await sendTo(path(one.id), body, method);
  refused = answer ? null : { id: one.id, text };
  if (answer) announce(said);
  if (answer && method === 'DELETE' && last) last = { ...last, total: last.total - 1, suppressions: last.suppressions.filter(({ id }) => id !== one.id) };
  redraw();
  again();
}

const holds = (one) => order(one, { until: one.until, reason: one.reason ?? '' }, 'PUT', t('away.confirmed', { home: one.home }));

function longer(one) {
  const until = new Date(Math.max(Date.parse(one.until), now()) + DAYS * DAY_MS).toISOString();
  return order(one, { until, reason: one.reason ?? '' }, 'PUT', t('away.confirmed', { home: one.home }));
}

function hidden(one) {
  if (!one.hidden) return t('away.hid_nothing');
  const kinds = [...new Set(one.hid.map(({ kind }) => t(`kind.${kind}`)))].join(', ');
  return t('away.hid', { n: one.hidden, kinds });
}

function acts(one) {
  return el('div', { class: 'acts' },
    el('button', { type: 'button', class: one.asks ? 'primary' : 'plain', onclick: () => holds(one) }, t('away.holds')),
    el('button', { type: 'button', class: 'plain', onclick: () => longer(one) }, t('away.longer', { n: DAYS })),
    sure({
      key: 'back', kind: 'plain', label: t(one.kind === 'repair' ? 'away.done' : 'away.back'), ask: t(one.kind === 'repair' ? 'away.ask_done' : 'away.ask_back', { home: one.home }),
      yes: t('away.sure'), doIt: () => order(one, undefined, 'DELETE', t('away.ended', { home: one.home })),
    }));
}

function absence(one) {
  const asks = one.stirs || one.asks;
  return el('article', { class: `visit look${asks ? ' bare' : ''}` },
    el('header', {}, el('h2', {}, symbol(one.kind === 'repair' ? 'tamper' : 'away'), el('span', { class: 'code' }, one.home), el('span', { class: 'place' }, [one.community, one.block].filter(Boolean).join(' · '))),
      el('p', { class: 'tag' }, t(`away.${one.kind}`)),
      el('p', { class: 'due' }, t('away.until', { at: clock(one.until) }))),
    one.stirs && el('p', { class: 'bad' }, el('a', { href: `/#${encodeURIComponent(one.stirs)}` }, t('away.stirs'), ' ›')),
    one.asks && el('p', { class: 'warn' }, t('away.asks')),
    one.reason && el('p', {}, one.reason),
    one.open.length > 0 && el('p', {}, t('away.open', { kinds: one.open.map((kind) => t(`kind.${kind}`)).join(', ') })),
    el('p', { class: 'soft' }, t('away.by', { by: one.by, at: '' }), when(one.confirmed_at), ' · ', hidden(one)),
    refused?.id === one.id && el('p', { class: 'refused', role: 'alert' }, symbol('stop'), refused.text),
    me.acts && acts(one));
}

function redraw() {
  if (last) show(last);
}

function show(answer) {
  last = answer;
  const asking = answer.suppressions.filter((one) => one.asks || one.stirs).length;
  fill($('sum'), answer.total > 0 && el('b', { class: 'count-of' }, t('away.sum', { n: answer.total })), asking > 0 && el('span', { class: 'no' }, t('away.sum_asks', { n: asking })));
  cards.show(answer.suppressions.map((one) => [one.id, [one, refused?.id === one.id && refused.text], () => absence(one)]));
  fill($('rest'), answer.more && t('health.more', { n: answer.suppressions.length }));
}

// ---- the form

// Whoever comes from a home's alarm finds its code written already.
let from = '';
try { from = decodeURIComponent(location.hash.slice(1)); } catch { /* Written by hand. */ }

const local = (at) => `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}T${two(at.getHours())}:${two(at.getMinutes())}`;

function form() {
  const homes = el('textarea', { id: 'homes', name: 'homes', rows: 2, required: true, autocapitalize: 'none', spellcheck: 'false', placeholder: t('away.homes_hint') }, from);
  const kind = el('select', { id: 'kind', name: 'kind' }, KINDS.map((one) => el('option', { value: one }, t(`away.${one}`))));
  const until = el('input', { id: 'until', name: 'until', type: 'datetime-local', required: true, value: local(new Date(now() + DAYS * DAY_MS)), min: local(new Date(now())) });
  const reason = el('input', { id: 'reason', name: 'reason', maxlength: 150, autocomplete: 'off', placeholder: t('away.reason_hint') });
  const go = el('button', { type: 'submit', class: 'primary' }, t('away.set'));
  const answers = el('ul', { class: 'answers', role: 'status' });
  const whole = el('form', { class: 'claim away' },
    el('label', { for: 'homes' }, t('away.homes')), homes,
    el('label', { for: 'kind' }, t('away.kind')), kind,
    el('label', { for: 'until' }, t('away.end')), until,
    el('label', { for: 'reason' }, t('away.reason')), reason,
    el('p', { class: 'soft' }, t('away.after')),
    el('div', { class: 'acts' }, go), answers);
  whole.addEventListener('submit', async (event) => {
    event.preventDefault();
    go.disabled = true;
    fill(answers);
    const named = [...new Set(homes.value.split(/[\s,，、;；]+/).filter(Boolean))];
    const left = [];
    for (const home of named) {
      const { answer, text } = await sendTo(path(`${kind.value}:${home}`), { until: new Date(until.value).toISOString(), reason: reason.value }, 'PUT');
      if (!answer) left.push(home);
      answers.append(el('li', { class: answer ? 'yes' : 'refused' }, symbol(answer ? 'safe' : 'stop'), el('b', {}, home), ' ', answer ? t('away.is_set', { at: clock(answer.until) }) : text));
    }
    homes.value = left.join(' ');
    go.disabled = false;
    again();
  });
  return whole;
}

fill($('place'), me.acts && el('details', { class: 'new', open: from !== '' }, el('summary', {}, t('away.new')), form()),
  el('p', { id: 'sum', class: 'sum' }), el('div', { id: 'list', class: 'visits' }, el('p', { class: 'loading' }, t('loading'))), el('p', { id: 'rest', class: 'soft' }));
begin({ sounds: true });
const again = poll('/api/v1/suppressions', EVERY_MS, show);
