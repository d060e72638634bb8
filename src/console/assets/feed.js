// What the service says, as it says it. A line that is dead without knowing it is found by the beat that does not come.

import { outcomes } from './acts.js';
import { setClock } from './dom.js';

const BEAT_MISSED_MS = 40_000;
const RELOAD_MS = 60_000;
const AGAIN_MS = 2_000;

const number = (id) => [id?.slice(0, id.lastIndexOf('-')), Number(id?.slice(id.lastIndexOf('-') + 1))];

/** A request to the service. A session that ended leads to the sign-in page, and from there back. */
export async function ask(path, options = {}) {
  const response = await fetch(path, { ...options, headers: { accept: 'application/json', ...options.headers } });
  if (response.status === 401) location.assign(location.pathname === '/' ? '/sign-in' : `/sign-in?next=${encodeURIComponent(location.pathname)}`);
  return response;
}

/** What nobody is to be told of, and whether that still holds, stands on the page of those who are away; what somebody has taken, here too. The day's visits have a page, too. */
const isForTheDesk = (alarm) => alarm.open && !ELSEWHERE.includes(alarm.kind) && (!alarm.hidden_by || alarm.seen || alarm.safe);
const ELSEWHERE = ['suppression_check', 'visit_due'];

/** How many alarms of a kind are open, on the way to their page. */
const asking = { suppression_check: new Set(), visit_missed: new Set() };
const PAGES = { suppression_check: '/away', visit_missed: '/visits' };

function badge() {
  for (const [kind, page] of Object.entries(PAGES)) {
    for (const link of document.querySelectorAll(`.places a[href="${page}"]`)) link.dataset.asking = asking[kind].size || '';
  }
}

async function loadAll() {
  const alarms = [];
  let first = null;
  let cursor = null;
  do {
    const query = cursor ? `?cursor=${encodeURIComponent(cursor)}` : '';
    const response = await ask(`/api/v1/alarms${query}`);
    if (!response.ok) throw new Error(`alarms: ${response.status}`);
    const page = await response.json();
    first ??= page;
    alarms.push(...page.alarms);
    for (const [site, words] of Object.entries(page.outcomes ?? {})) outcomes.set(site, words);
    cursor = page.next;
  } while (cursor);
  return { alarms, event: first.event, now: first.now };
}

/**
 * Follows the service for ever. `on.loaded(alarms)` gives the whole list, `on.changed(alarm)` one alarm as it stands now,
 * `on.beat(parts)` the state of the service's parts, `on.line(up)` whether what the page shows is the present.
 */
export function follow(on) {
  let source = null;
  let heard = Date.now();
  let loading = false;
  let held = [];

  const up = () => { heard = Date.now(); };

  function changed(alarm) {
    if (asking[alarm.kind]) {
      asking[alarm.kind][alarm.open ? 'add' : 'delete'](alarm.id);
      badge();
    }
    on.changed(isForTheDesk(alarm) ? alarm : { ...alarm, open: false });
  }

  // Changes that come while the list is on its way are held, and put on top of it.
  async function load() {
    if (loading) return;
    loading = true;
    try {
      const list = await loadAll();
      setClock(list.now);
      Object.values(asking).forEach((ids) => ids.clear());
      list.alarms.forEach((alarm) => asking[alarm.kind]?.add(alarm.id));
      badge();
      on.loaded(list.alarms.filter(isForTheDesk));
      const [mark, upTo] = number(list.event);
      for (const event of held) {
        const [itsMark, n] = number(event.lastEventId);
        if (itsMark !== mark || n > upTo) changed(JSON.parse(event.data));
      }
      if (source?.readyState === EventSource.OPEN) on.line(true);
    } catch {
      on.line(false);
      setTimeout(load, AGAIN_MS);
    } finally {
      held = [];
      loading = false;
    }
  }

  function open() {
    source?.close();
    source = new EventSource('/api/v1/events');
    source.addEventListener('hello', () => { up(); load(); });
    source.addEventListener('resync', () => { up(); load(); });
    source.addEventListener('beat', (event) => {
      up();
      const beat = JSON.parse(event.data);
      setClock(beat.now);
      on.beat(beat.parts);
    });
    source.addEventListener('alarm', (event) => {
      up();
      if (loading) held.push(event);
      else {
        const alarm = JSON.parse(event.data);
        setClock(alarm.now);
        changed(alarm);
      }
    });
    // After a short break the browser returns by itself with the last event's id, and gets what it missed.
    source.addEventListener('open', () => { up(); if (!loading) load(); });
    source.addEventListener('error', () => {
      on.line(false);
      if (source.readyState === EventSource.CLOSED) {
        setTimeout(open, AGAIN_MS);
        // Tells whether the session has ended.
        load();
      }
    });
  }

  setInterval(() => {
    if (Date.now() - heard > BEAT_MISSED_MS) {
      on.line(false);
      up();
      open();
    }
  }, 5_000);
  setInterval(load, RELOAD_MS);
  open();
}
