// The phones of a home, asked for when somebody wants to call: not every list that is looked at is a list of phone numbers.

import { el, phone, symbol, t } from './dom.js';
import { ask } from './feed.js';

/** The phones of the homes on a page; `shown(home)` is called when what is known of one has changed. */
export function phonesOf(shown) {
  /** What was asked of a home: null while it is on its way, false where it did not come. */
  const people = new Map();

  async function call(home) {
    people.set(home, null);
    shown(home);
    try {
      const response = await ask(`/api/v1/homes/${encodeURIComponent(home)}`);
      people.set(home, response.ok && await response.json());
    } catch {
      people.set(home, false);
    }
    shown(home);
  }

  function list(home) {
    const known = people.get(home);
    if (known === undefined) return null;
    if (known === null) return el('p', { class: 'loading' }, t('loading'));
    if (known === false) return el('p', { class: 'refused', role: 'alert' }, symbol('stop'), t('outages.no_answer'));
    const details = known.details ?? {};
    const one = (name, number) => number && el('li', {}, el('span', {}, name), ' ', phone(number));
    const all = [
      (known.residents ?? []).map((resident) => one(resident.details?.name ?? t('outages.resident'), resident.details?.phone)),
      one(`${details.contact1_name ?? ''} ${details.contact1_relation ?? ''}`.trim(), details.contact1_phone),
      one(`${details.contact2_name ?? ''} ${details.contact2_relation ?? ''}`.trim(), details.contact2_phone),
      one(t('outages.keyholder'), details.keyholder_phone),
    ].flat().filter(Boolean);
    return el('ul', { class: 'numbers' }, all.length ? all : el('li', {}, t('outages.no_phone')));
  }

  return {
    known: (home) => people.get(home),
    list,
    button: (home) => !people.get(home) && people.get(home) !== null
      && el('button', { type: 'button', class: 'plain', onclick: () => call(home) }, symbol('phone'), t('outages.call')),
  };
}
