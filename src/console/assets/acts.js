// What a person can do with an alarm, and how it is sent. A press of a button is sent until it is answered, under one key.

import { ask } from './feed.js';
import { t, tOr } from './dom.js';

/** In the order of a night's work. `choices` asks for one more word; nothing with choices happens by one key alone. */
export const ACTS = [
  { act: 'seen', key: 's' },
  { act: 'on-my-way', key: 'o', field: 'minutes', choices: [5, 10, 15, 20, 30, 45] },
  { act: 'on-site', key: 't' },
  { act: 'no-answer', key: 'n' },
  { act: 'safe', key: 'a', field: 'how', choices: ['seen', 'spoke', 'handed_to_120'] },
  {
    act: 'close',
    key: 'c',
    field: 'outcome',
    choices: ['helped', 'hospital', 'deceased', 'not_home', 'refused', 'no_access', 'accidental', 'sensor', 'test', 'technical'],
  },
];

/** Seldom needed; they stand in the detail. */
export const MORE = [{ act: 'no-access', key: 'd' }, { act: 'hold', key: 'h' }, { act: 'cannot', key: 'x' }, { act: 'reopen', key: 'r' }];

/** By what outcomes alarms of each site are closed. */
export const outcomes = new Map();

/** What an act leaves to choose for an alarm. */
export const choicesOf = ({ act, choices }, alarm) => (act === 'close' && choices.filter((one) => outcomes.get(alarm?.home.site)?.includes(one) ?? true)) || choices;

export const label = (act) => t(`act.${act}`);

export const choice = (field, value) => (field === 'minutes' ? t('minutes', { n: value }) : t(`${field}.${value}`));

function key() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

const pause = (ms) => new Promise((done) => { setTimeout(done, ms); });

/** Sends what a person orders, until it is answered. Gives `{answer}`, or `{reason, text, problem}`: why not, as a sentence. */
export async function sendTo(path, body, method = 'POST') {
  const options = {
    method,
    headers: { 'content-type': 'application/json', 'idempotency-key': key() },
    body: JSON.stringify(body),
  };
  for (const wait of [1_000, 3_000, 6_000, 0]) {
    try {
      const response = await ask(path, options);
      if (response.ok) return { answer: response.status === 204 ? true : await response.json() };
      const problem = await response.json();
      if (response.status < 500 || response.status === 507) return { reason: problem.reason, text: tOr(`refused.${problem.reason}`, problem.detail), problem };
    } catch {
      // The line is down: the same key makes sure that it happens once.
    }
    if (wait) await pause(wait);
  }
  return { reason: 'not_sent', text: t('refused.not_sent') };
}

/** Sends an act. Gives null where it came to pass, else why not. */
export async function send(alarm, act, more = {}) {
  // A note rests on nothing that could have changed meanwhile.
  const body = act === 'note' ? more : { revision: alarm.revision, ...more };
  const { answer, ...refused } = await sendTo(`/api/v1/alarms/${encodeURIComponent(alarm.id)}/${act}`, body);
  return answer ? null : refused;
}
