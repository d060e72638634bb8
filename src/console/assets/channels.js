// The channels: what does not arrive, and what a person has seen arrive. A test message brings a code; whoever receives it says it to the desk.

import { clock, el, fill, me, symbol, t } from './dom.js';
import { ask } from './feed.js';
import { $, poll, when } from './place.js';

const EVERY_MS = 30_000;

/** What was refused last, by channel; and the code that is being typed. */
const refused = new Map();
const typed = new Map();

let answer = null;
let again = () => {};

async function order(id, what, body) {
  refused.delete(id);
  try {
    const response = await ask(`/api/v1/channels/${encodeURIComponent(id)}/${what}`, { method: 'POST', body, headers: body ? { 'content-type': 'application/json' } : {} });
    const said = await response.json();
    if (!response.ok) refused.set(id, said.reason);
    else if (what === 'confirm') typed.delete(id);
  } catch {
    refused.set(id, 'lost');
  }
  show();
  again();
}

/** What is known of a channel, the worst first. */
function known(channel) {
  if (channel.down_since) return el('p', { class: 'bad' }, symbol('stop'), t('duty.down', { at: clock(channel.down_since) }));
  if (channel.seen) return el('p', { class: 'yes' }, symbol('safe'), t('channel.seen', { by: channel.seen.by }), ' ', when(channel.seen.at));
  return el('p', { class: 'warn' }, t('channel.unseen'));
}

function confirming(channel) {
  const code = el('input', {
    name: 'code', id: `code-${channel.id}`, inputmode: 'numeric', autocomplete: 'off', maxlength: '4', size: '4', required: true, value: typed.get(channel.id) ?? '',
  });
  code.addEventListener('input', () => typed.set(channel.id, code.value));
  const form = el('form', { class: 'prove' }, el('label', { for: `code-${channel.id}` }, t('channel.code')), code,
    el('button', { type: 'submit', class: 'primary' }, t('channel.confirm')));
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    order(channel.id, 'confirm', JSON.stringify({ code: code.value }));
  });
  return [el('p', { class: 'soft' }, t('channel.asked', { at: clock(channel.asked_at) })), form];
}

function row(channel) {
  const test = el('button', { type: 'button' }, t(channel.asked_at ? 'channel.again' : 'channel.test'));
  test.addEventListener('click', () => order(channel.id, 'test'));
  return el('article', { class: `visit rota${channel.down_since ? ' bare' : channel.seen ? '' : ' unseen'}` },
    el('header', {}, el('h3', {}, el('span', { class: 'code' }, channel.id), ' ', el('span', { class: 'place' }, t(`medium.${channel.medium}`), ' · ', channel.dialect)),
      channel.waiting > 0 && el('span', { class: 'tag' }, t('channel.waiting', { n: channel.waiting }))),
    known(channel),
    me.acts && (channel.asked_at ? confirming(channel) : null),
    me.acts && el('div', { class: 'acts' }, test),
    refused.has(channel.id) && el('p', { class: 'refused', role: 'alert' }, symbol('stop'), refused.get(channel.id) === 'lost' ? t('lost') : t(`refused.${refused.get(channel.id)}`)));
}

let print = '';

function show() {
  const next = JSON.stringify([answer?.channels, [...refused]]);
  if (!answer || next === print) return;
  print = next;
  const focus = document.activeElement?.id;
  const all = answer.channels;
  fill($('channels'), el('h2', {}, t('channel.all')), el('p', { class: 'soft' }, t('channel.lead')),
    all.length ? el('div', { class: 'visits' }, all.map(row)) : el('p', { class: 'soft' }, t('channel.none')));
  if (focus?.startsWith('code-')) $(focus)?.focus();
}

/** Begins to show them where the page has a place for them. */
export function begin() {
  again = poll('/api/v1/channels', EVERY_MS, (next) => { answer = next; show(); });
}
