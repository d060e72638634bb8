// The panel beside the list: whom to call, how to get in, what to read to 120.

import { clock, el, fill, me, symbol, t, tOr } from './dom.js';
import { MORE } from './acts.js';
import { buttons, cases, reason } from './cases.js';
import { ask } from './feed.js';
import { card, code, entry, place, residents } from './home.js';

const loaded = { id: null, revision: null, home: null, alarm: null, failed: false };

/** Loads what the panel shows of an alarm, where it has not got it. */
async function load(alarm, done) {
  if (loaded.id === alarm.id && loaded.revision === alarm.revision) return;
  if (loaded.id !== alarm.id) Object.assign(loaded, { home: null, alarm: null, failed: false });
  Object.assign(loaded, { id: alarm.id, revision: alarm.revision });
  const get = async (path) => {
    const response = await ask(path);
    return response.ok ? response.json() : null;
  };
  try {
    const [home, story] = await Promise.all([
      loaded.home ?? get(`/api/v1/homes/${encodeURIComponent(alarm.home.id)}`),
      get(`/api/v1/alarms/${encodeURIComponent(alarm.id)}`),
    ]);
    if (loaded.id !== alarm.id) return;
    Object.assign(loaded, { home, alarm: story, failed: !home });
  } catch {
    Object.assign(loaded, { failed: true, revision: null });
  }
  done();
}

/** Forgets what was loaded, so that it is loaded anew. */
export const forget = () => Object.assign(loaded, { id: null });

const people = () => (loaded.home?.residents ?? []).map((resident) => resident.details).filter(Boolean);

function cover(home) {
  const { sos = true, weak = [] } = home?.cover ?? {};
  return [!sos && el('p', { class: 'tag no' }, t('cover.no_sos')), weak.map((why) => el('p', { class: 'tag' }, t(`cover.${why}`)))];
}

function told() {
  const list = loaded.alarm?.told ?? [];
  return list.length > 0 && el('section', {}, el('h3', {}, t('detail.told')),
    el('ul', { class: 'told' }, list.map((one) => el('li', { class: one.state }, symbol({ delivered: 'safe', failing: 'stop' }[one.state] ?? 'next'),
      el('b', {}, one.channel), ' ', t(`told.${one.state}`), el('span', { class: 'soft' }, ' ', t('told.rung', { n: one.rung }))))));
}

function story() {
  const list = (loaded.alarm?.timeline ?? []).filter((one) => `story.${one.what}` && tOr(`story.${one.what}`, null));
  return list.length > 0 && el('section', {}, el('h3', {}, t('detail.story')),
    el('ol', { class: 'story' }, list.slice(-40).reverse().map((one) => el('li', {}, el('time', {}, clock(one.at, true)), ' ',
      t(`story.${one.what}`, {
        by: one.by, rung: one.rung, channel: one.channel, home: one.home, outcome: tOr(`outcome.${one.outcome}`, one.outcome ?? ''),
        how: tOr(`how.${one.how}`, tOr(`progress.${one.how}`, one.how ?? '')),
      })))));
}

function more(alarm, desk) {
  if (!me.acts) return null;
  const mine = alarm.seen?.by === me.name;
  const acts = MORE.filter(({ act }) => (act === 'reopen') === Boolean(alarm.safe) && (act !== 'cannot' || mine));
  return el('section', { class: 'more' },
    el('form', { class: 'note', dataset: { note: alarm.id } },
      el('label', { for: 'note' }, t('act.note')),
      el('input', { id: 'note', name: 'text', maxlength: 2000, autocomplete: 'off', dataset: { focus: 'note' } }),
      el('button', { type: 'submit' }, t('save'))),
    acts.length > 0 && buttons(alarm, desk, acts),
    el('p', { class: 'soft' }, t('detail.id', { id: alarm.id, revision: alarm.revision })));
}

/** What to do: whoever has taken the call for help must know of the fire in the same home. */
const guides = (all) => [...new Set(all.map(({ kind, priority }) => tOr(`guide.${kind}`, t(`guide.${priority}`))))];

/** Brings the panel up to date with the chosen alarm. */
export function render(root, desk, again) {
  const alarm = desk.alarms.get(desk.selected);
  root.hidden = !alarm;
  if (!alarm) {
    delete root.dataset.print;
    fill(root);
    return;
  }
  load(alarm, again);
  // What is the same stays as it is: nobody's finger finds another button under it.
  const [first] = cases([...desk.alarms.values()].filter((other) => other.home.id === alarm.home.id));
  const all = first.alarms.filter((other) => other.id === alarm.id || other.priority === 'life');
  const print = JSON.stringify([alarm, all.map(({ kind }) => kind), loaded, desk.card === alarm.id, desk.busy.has(alarm.id)]);
  if (root.dataset.print === print) return;
  root.dataset.print = print;
  // Whoever is writing a note is not interrupted.
  const note = root.querySelector('#note');
  const draft = note && root.dataset.id === alarm.id ? note.value : '';
  const writing = note === document.activeElement && root.dataset.id === alarm.id;
  const scrolled = root.dataset.id === alarm.id ? root.scrollTop : 0;
  root.dataset.id = alarm.id;
  const home = loaded.home?.details;
  fill(root,
    el('button', { type: 'button', class: 'back', dataset: { back: '' } }, t('back')),
    el('h2', {}, el('span', { class: 'code' }, code(alarm.home)), el('span', { class: 'place' }, place(alarm.home))),
    el('p', { class: `head ${alarm.priority}` }, symbol(alarm.kind), el('b', {}, t(`kind.${alarm.kind}`)), ' ', reason(alarm)),
    desk.card === alarm.id && card(alarm, all, { home: home ?? {}, people: people(), where: place(alarm.home), why: reason(alarm) }),
    guides(all).map((guide) => el('p', { class: 'guide' }, guide)),
    loaded.failed && el('p', { class: 'refused' }, t('detail.failed')),
    el('p', { class: 'ways' }, alarm.home.claimed
      ? [el('a', { href: `/homes/${encodeURIComponent(alarm.home.id)}/walk-test` }, t('nav.walk'), ' ›'), ' ', el('a', { href: `/away#${encodeURIComponent(alarm.home.id)}` }, t('away.new'), ' ›')]
      : alarm.home.id.startsWith('unclaimed/') && el('a', { href: `/quarantine#${encodeURIComponent(alarm.home.id)}` }, t('detail.claim'), ' ›')),
    !home && !loaded.failed && el('p', { class: 'soft' }, loaded.home ? t('detail.none') : t('loading')),
    residents(people()),
    cover(loaded.home),
    home && entry(home),
    desk.card !== alarm.id && el('button', { type: 'button', class: 'show-card', dataset: { card: alarm.id } }, symbol('phone'), t('card.show')),
    told(), story(), more(alarm, desk));
  root.querySelectorAll('#note').forEach((input) => { input.value = draft; if (writing) input.focus(); });
  root.scrollTop = scrolled;
}
