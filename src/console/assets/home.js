// Who lives there and how one gets in, and the card to read aloud: on the desk and on the page behind a notice's link.

import { clock, el, now, phone, symbol, t, tOr } from './dom.js';

const FIRE = ['smoke', 'co', 'gas'];

/** Whether the fire brigade comes first. */
export const isFire = (alarms) => alarms.some(({ kind }) => FIRE.includes(kind));

/** What a home is called in a group, and where it is as far as a group may read it. */
export const code = (home) => (home.claimed ? home.id : t(/^(gateway|channel|staff)\//.test(home.id) ? 'gateway' : home.id.startsWith('outage/') ? 'several_homes' : 'unclaimed'));
export const place = (home) => (home.claimed
  ? [home.community, home.block].filter(Boolean).join(' · ')
  : home.id.replace(/^(unclaimed|gateway|outage|channel|staff)\//, ''));

const age = (person) => (person.birth_year ? new Date(now()).getFullYear() - person.birth_year : null);

const fact = (word, ...value) => {
  const some = value.flat().filter((part) => part !== null && part !== undefined && part !== '' && part !== false);
  return some.length ? [el('dt', {}, t(word)), el('dd', {}, some)] : [];
};

const described = (person) => [
  age(person) !== null && t('age', { n: age(person) }),
  person.mobility && tOr(`mobility.${person.mobility}`, person.mobility),
  ...['dementia', 'disabled', 'hard_of_hearing', 'child'].filter((trait) => person[trait]).map((trait) => t(`trait.${trait}`)),
].filter(Boolean);

/** The card to read aloud. Smoke, gas and carbon monoxide are the fire brigade's first. `facts`: the home's `details` and `people`, a `where` for want of an address, `why`, and who calls. */
export function card(alarm, all, { home, people, where, why, caller }) {
  const fire = isFire(all);
  const numbers = fire ? ['119', '120', '110'] : ['120', '119', '110'];
  return el('section', { class: 'card120', 'aria-label': t('card') },
    el('h3', {}, symbol('phone'), t(fire ? 'card.119' : 'card')),
    el('p', { class: 'calls' }, numbers.map((number, i) => el('a', { class: i === 0 ? 'tel big' : 'tel', href: `tel:${number}` }, symbol('phone'), t(`call.${number}`)))),
    el('dl', {},
      fact('card.where', [home.address || where, home.floor && t('floor', { n: home.floor })].filter(Boolean).join(' · ')),
      people.map((person) => fact('card.who', [person.name, ...described(person)].join(' · '))),
      fact('card.what', [t(`kind.${alarm.kind}`), clock(alarm.happened_at), why].filter(Boolean).join(' · ')),
      people.map((person) => fact('card.ill', person.diagnoses)),
      fact('card.ask', t('card.conscious')),
      fact('card.entry', [home.gate_code && t('gate_code', { code: home.gate_code }), home.keyholder && t('keyholder', { who: home.keyholder })].filter(Boolean).join(' · ')),
      fact('card.callback', caller || people.map((person) => person.phone).find(Boolean)),
      fact('card.reference', alarm.number ?? alarm.id)));
}

/** Each person with the phone to call first. */
export function residents(people) {
  return people.map((person) => el('section', { class: 'person' },
    el('h3', {}, person.name, el('span', { class: 'soft' }, ' ', described(person).join(' · '))),
    phone(person.phone, t('call', { number: person.phone })),
    person.diagnoses && el('p', { class: 'soft' }, person.diagnoses)));
}

const consent = (date) => (date ? el('span', { class: 'yes' }, t('consent.yes', { date })) : el('span', { class: 'no' }, t('consent.none')));

/** How one gets in, and who else can be called. */
export function entry(home) {
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
