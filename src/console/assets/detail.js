// The panel beside the list: whom to call, how to get in, what to read to 120.

import { clock, el, fill, me, now, phone, symbol, t, tOr } from './dom.js';
import { MORE } from './acts.js';
import { buttons, cases, code, place, reason } from './cases.js';
import { ask } from './feed.js';

const FIRE = ['smoke', 'co', 'gas'];
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

const age = (person) => (person.birth_year ? new Date(now()).getFullYear() - person.birth_year : null);

const fact = (word, ...value) => {
  const some = value.flat().filter((part) => part !== null && part !== undefined && part !== '' && part !== false);
  return some.length ? [el('dt', {}, t(word)), el('dd', {}, some)] : [];
};

const people = () => (loaded.home?.residents ?? []).map((resident) => resident.details).filter(Boolean);

const described = (person) => [
  age(person) !== null && t('age', { n: age(person) }),
  person.mobility && tOr(`mobility.${person.mobility}`, person.mobility),
  ...['dementia', 'disabled', 'hard_of_hearing', 'child'].filter((trait) => person[trait]).map((trait) => t(`trait.${trait}`)),
].filter(Boolean);

/** The card to read aloud. Smoke, gas and carbon monoxide are the fire brigade's first. */
function card(alarm, all) {
  const home = loaded.home?.details ?? {};
  const fire = all.some(({ kind }) => FIRE.includes(kind));
  const numbers = fire ? ['119', '120', '110'] : ['120', '119', '110'];
  return el('section', { class: 'card120', 'aria-label': t('card') },
    el('h3', {}, symbol('phone'), t(fire ? 'card.119' : 'card')),
    el('p', { class: 'calls' }, numbers.map((number, i) => el('a', { class: i === 0 ? 'tel big' : 'tel', href: `tel:${number}` }, symbol('phone'), t(`call.${number}`)))),
    el('dl', {},
      fact('card.where', [home.address || place(alarm.home), home.floor && t('floor', { n: home.floor })].filter(Boolean).join(' · ')),
      people().map((person) => fact('card.who', [person.name, ...described(person)].join(' · '))),
      fact('card.what', `${t(`kind.${alarm.kind}`)} · ${clock(alarm.happened_at)} · ${reason(alarm)}`),
      people().map((person) => fact('card.ill', person.diagnoses)),
      fact('card.ask', t('card.conscious')),
      fact('card.entry', [home.gate_code && t('gate_code', { code: home.gate_code }), home.keyholder && t('keyholder', { who: home.keyholder })].filter(Boolean).join(' · ')),
      fact('card.callback', people().map((person) => person.phone).find(Boolean)),
      fact('card.reference', alarm.id)));
}

function residents() {
  return people().map((person) => el('section', { class: 'person' },
    el('h3', {}, person.name, el('span', { class: 'soft' }, ' ', described(person).join(' · '))),
    person.diagnoses && el('p', { class: 'soft' }, person.diagnoses),
    phone(person.phone, t('call', { number: person.phone }))));
}

const consent = (date) => (date ? el('span', { class: 'yes' }, t('consent.yes', { date })) : el('span', { class: 'no' }, t('consent.none')));

function entry(home) {
  return el('dl', { class: 'facts' },
    fact('detail.address', home.address, home.floor && el('span', {}, t('floor', { n: home.floor }))),
    fact('detail.gate_code', home.gate_code && el('b', { class: 'gate' }, home.gate_code)),
    fact('detail.keyholder', home.keyholder && el('span', {}, home.keyholder), phone(home.keyholder_phone)),
    fact('detail.entry', consent(home.forced_entry_consent)),
    fact('detail.care', home.inner_bolt && el('span', { class: 'tag' }, t('inner_bolt')), home.dog && el('span', { class: 'tag' }, t('dog'))),
    [1, 2].flatMap((n) => fact('detail.contact', home[`contact${n}_name`] && el('span', {}, home[`contact${n}_name`], ' ', el('span', { class: 'soft' }, home[`contact${n}_relation`])), phone(home[`contact${n}_phone`]))),
    fact('detail.monitoring', consent(home.monitoring_consent)),
    fact('detail.notes', home.notes));
}

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
  const acts = MORE.filter(({ act }) => !alarm.safe && (act === 'hold' || mine));
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
    desk.card === alarm.id && card(alarm, all),
    guides(all).map((guide) => el('p', { class: 'guide' }, guide)),
    loaded.failed && el('p', { class: 'refused' }, t('detail.failed')),
    el('p', { class: 'ways' }, alarm.home.claimed
      ? [el('a', { href: `/homes/${encodeURIComponent(alarm.home.id)}/walk-test` }, t('nav.walk'), ' ›'), ' ', el('a', { href: `/away#${encodeURIComponent(alarm.home.id)}` }, t('away.new'), ' ›')]
      : alarm.home.id.startsWith('unclaimed/') && el('a', { href: `/quarantine#${encodeURIComponent(alarm.home.id)}` }, t('detail.claim'), ' ›')),
    !home && !loaded.failed && el('p', { class: 'soft' }, loaded.home ? t('detail.none') : t('loading')),
    residents(),
    cover(loaded.home),
    home && entry(home),
    desk.card !== alarm.id && el('button', { type: 'button', class: 'show-card', dataset: { card: alarm.id } }, symbol('phone'), t('card.show')),
    told(), story(), more(alarm, desk));
  root.querySelectorAll('#note').forEach((input) => { input.value = draft; if (writing) input.focus(); });
  root.scrollTop = scrolled;
}
