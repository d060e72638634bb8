// The list: the open alarms of one home stand together under the gravest; what nobody has taken stands above what somebody has.

import { clock, el, fill, me, meta, now, since, span, symbol, t, tOr, until } from './dom.js';
import { ACTS, choice, choicesOf, label } from './acts.js';
import { code, place } from './home.js';

const PRIORITIES = new Map(meta.priorities.map((name, i) => [name, i]));
const KINDS = new Map(meta.kinds.map(([name], i) => [name, i]));

/** 0 nobody has it, 1 somebody has, 2 the person is safe. */
export const attention = (alarm) => (alarm.safe ? 2 : alarm.seen ? 1 : 0);

const gravity = (alarm) => [PRIORITIES.get(alarm.priority) ?? 9, KINDS.get(alarm.kind) ?? 99, alarm.raised_at, alarm.id];

/** Of a case: as grave as its gravest, as much in need as the neediest of that priority. */
function need({ alarms }) {
  const [priority, ...rest] = gravity(alarms[0]);
  return [priority, waits(alarms), ...rest];
}

const waits = (alarms) => Math.min(...alarms.filter((alarm) => alarm.priority === alarms[0].priority).map(attention));

const by = (rank) => (a, b) => {
  const [x, y] = [rank(a), rank(b)];
  const i = x.findIndex((value, n) => value !== y[n]);
  return i < 0 ? 0 : x[i] < y[i] ? -1 : 1;
};

/** The cases in the order of the page: each a list of alarms of one home, the gravest first. */
export function cases(alarms) {
  const homes = new Map();
  for (const alarm of alarms) {
    const key = `${alarm.home.site}/${alarm.home.id}`;
    if (!homes.has(key)) homes.set(key, []);
    homes.get(key).push(alarm);
  }
  return [...homes].map(([home, list]) => ({ home, alarms: list.sort(by(gravity)) })).sort(by(need));
}

/** The alarm that wants somebody most. */
export function neediest(alarms) {
  const [first] = cases(alarms);
  return first?.alarms.find((alarm) => attention(alarm) === waits(first.alarms)) ?? null;
}

const deviceName = (device) => {
  const name = device?.split('/').pop();
  return name ? t('by_device', { device: tOr(`room.${name}`, name) }) : '';
};

/** Why there is an alarm, as a sentence. */
export function reason(alarm) {
  const why = alarm.reason;
  const kind = tOr(`reading.${why.kind}`, why.kind ?? '');
  const device = deviceName(why.device);
  switch (why.why) {
    case 'said':
      if (why.kind === 'sos') return alarm.events > 1
        ? t('why.pressed', { n: alarm.events, device, at: clock(alarm.last_event_at) })
        : t('why.pressed_once', { device });
      return alarm.events > 1 ? t('why.said', { kind, n: alarm.events, device }) : t('why.said_once', { kind, device });
    case 'found_true':
      return t('why.found_true', { kind, device });
    case 'latched_repeat':
      return t('why.latched_repeat', { device });
    case 'silent':
      return t('why.silent', {
        silent: span(why.silent_s * 1000, 'long'),
        at: clock(why.last_activity),
        what: [why.last_room && tOr(`room.${why.last_room}`, why.last_room), why.last_kind && tOr(`reading.${why.last_kind}`, why.last_kind)].filter(Boolean).join(' '),
        limit: span(why.limit_s * 1000, 'long'),
      });
    case 'lasting':
      return t('why.lasting', { at: clock(why.since), lasted: span(why.lasted_s * 1000, 'long'), limit: span(why.limit_s * 1000, 'long'), value: (why.value === null ? '' : t('why.lasting.value', { n: why.value })) + (why.more_c ? t('why.lasting.more', { n: why.more_c }) : '') });
    case 'unheard':
      return t(why.deaf ? 'why.deaf' : why.homes > 1 ? 'why.unheard' : 'why.unheard_one', { at: clock(why.since), n: why.homes });
    case 'unwatched': {
      const at = why.last_activity ? clock(why.last_activity) : '-';
      return why.until ? t('why.unwatched', { from: clock(why.since), to: clock(why.until), at }) : t('why.unwatched_still', { from: clock(why.since), at });
    }
    case 'suppressed': {
      const args = { of: t(`away.${why.of}`), at: clock(why.since), until: clock(why.until) };
      return t(alarm.kind === 'back_check' ? 'why.back' : 'why.suppressed', args);
    }
    case 'visit': {
      const visits = why.visits.map((kind) => t(`visits.${kind}`)).join(t('and'));
      return why.outcome ? t(`why.visit_${why.outcome}`, { visits }) : t('why.visit', { visits, at: clock(why.due) });
    }
    case 'channel_down':
      return t('why.channel_down', { channel: why.channel, at: clock(why.since), failure: tOr(`failure.${why.failure}`, why.failure) });
    case 'coverage_gap':
      return t('why.coverage_gap', {
        at: clock(why.from), n: why.homes, ladder: why.ladder ? t('duty.ladder', { ladder: why.ladder }) : t('duty.no_ladder'),
        lacks: why.lacks.map((lack) => t(`lack.${lack}`)).join(t('list.and')),
      });
    case 'engine_fault':
      return t('why.engine_fault', { fault: why.fault });
    case 'unreadable':
      return t('why.unreadable', { topic: why.topic });
    case 'own':
      return why.what;
    default:
      return '';
  }
}

function who(alarm) {
  if (alarm.safe) {
    return el('p', { class: 'who safe' }, symbol('safe'), t('who.safe', { by: alarm.safe.by, how: t(`how.${alarm.safe.how}`), at: clock(alarm.safe.at) }));
  }
  if (alarm.seen) {
    const by = alarm.seen.by === me.name ? t('you', { name: alarm.seen.by }) : alarm.seen.by;
    return el('p', { class: 'who taken' }, symbol('person'), el('b', {}, by), ` ${t(`progress.${alarm.seen.how}`)} `,
      el('span', { class: 'soft' }, t('who.until', { at: clock(alarm.seen.until) }), ' ', until(alarm.seen.until)));
  }
  const rung = alarm.rung > 0 ? t('who.rung', { n: alarm.rung }) : t('who.untold');
  return el('p', { class: 'who nobody' }, symbol('bell'), el('b', {}, t('who.nobody')), el('span', { class: 'soft' }, rung));
}

function next(alarm) {
  if (alarm.safe) return el('p', { class: 'next' }, t('next.close'));
  if (!alarm.next) return null;
  const to = alarm.next.to === 'console' ? t('next.console') : alarm.next.to;
  const what = alarm.seen ? 'next.again' : 'next.rung';
  return el('p', { class: 'next' }, symbol('next'), t(what, { to }), ' ', until(alarm.next.at));
}

function marks(alarm) {
  const found = [];
  if (alarm.over) found.push(t('mark.over', { at: clock(alarm.over.at) }));
  if (alarm.unanswered > 0) found.push(t('mark.unanswered', { n: alarm.unanswered }));
  if (alarm.no_access > 0) found.push(t('mark.no_access'));
  const arrival = alarm.arrival;
  const breached = arrival?.breach_at && Date.parse(arrival.breach_at) <= now();
  if (breached) found.push(t('mark.breach', { at: clock(arrival.breach_at) }));
  else if (arrival?.goal_at) found.push(t('mark.goal', { at: clock(arrival.goal_at) }));
  if (alarm.age_unknown) found.push(t('mark.age_unknown'));
  if (alarm.late_by_s >= 60) found.push(t('mark.late', { by: span(alarm.late_by_s * 1000, 'long') }));
  if (!alarm.seen && alarm.last_taker && !alarm.safe) found.push(t('mark.last_taker', { by: alarm.last_taker }));
  return found.length ? el('p', { class: 'marks' }, found.map((text) => el('span', {}, text))) : null;
}

const hint = (key) => el('kbd', { 'aria-hidden': 'true' }, key.toUpperCase());

/** The buttons of an alarm; the one that comes next in a night's work stands out. */
export function buttons(alarm, desk, acts) {
  const first = alarm.safe ? 'close' : !alarm.seen ? 'seen' : alarm.seen.by !== me.name ? 'safe' : { seen: 'on-my-way', on_my_way: 'on-site', on_site: 'safe' }[alarm.seen.how];
  return el('div', { class: 'acts' }, acts.map(({ act, key }) => el('button', {
    type: 'button',
    class: act === first ? 'primary' : null,
    'aria-keyshortcuts': key,
    'aria-expanded': ACTS.find((a) => a.act === act)?.choices ? String(desk.chooser?.id === alarm.id && desk.chooser.act === act) : null,
    disabled: desk.busy.has(alarm.id),
    dataset: { act, id: alarm.id, focus: `${alarm.id} ${act}` },
  }, label(act), desk.selected === alarm.id && hint(key))));
}

function chooser(alarm, desk) {
  if (desk.chooser?.id !== alarm.id) return null;
  const one = ACTS.find((a) => a.act === desk.chooser.act);
  const { act, field } = one;
  const choices = choicesOf(one, alarm);
  return el('div', { class: 'chooser', role: 'group', 'aria-label': t(`choose.${field}`) },
    el('p', {}, t(`choose.${field}`)),
    choices.map((value, i) => el('button', {
      type: 'button',
      dataset: { act, id: alarm.id, choice: value, focus: `${alarm.id} ${act} ${value}` },
    }, choice(field, value), hint(String((i + 1) % 10)))),
    el('button', { type: 'button', class: 'quiet', dataset: { cancel: alarm.id } }, t('cancel'), hint('Esc')));
}

function row(alarm, desk, lead) {
  const selected = desk.selected === alarm.id;
  const refused = desk.refused.get(alarm.id);
  return el('div', { class: `alarm ${alarm.priority} a${attention(alarm)}${selected ? ' selected' : ''}`, id: alarm.id, dataset: { pick: alarm.id } },
    el('div', { class: 'line' },
      el('button', { type: 'button', class: 'pick', 'aria-current': selected ? 'true' : null, dataset: { pick: alarm.id, focus: alarm.id } },
        symbol(alarm.kind), t(`kind.${alarm.kind}`)),
      el('p', { class: 'why' }, reason(alarm)),
      !lead && el('span', { class: 'badge' }, t(`priority.${alarm.priority}`), ' ', since(alarm.happened_at))),
    marks(alarm),
    el('div', { class: 'state' }, who(alarm), next(alarm)),
    refused && el('p', { class: 'refused', role: 'alert' }, symbol('stop'), refused.text),
    desk.busy.has(alarm.id) && el('p', { class: 'sending' }, t('sending')),
    me.acts && (selected ? buttons(alarm, desk, ACTS) : attention(alarm) === 0 && buttons(alarm, desk, ACTS.slice(0, 1))),
    me.acts && selected && chooser(alarm, desk),
    selected && el('button', { type: 'button', class: 'open-detail', dataset: { detail: alarm.id } }, t('detail.open')));
}

function card({ home, alarms }, desk) {
  const [lead] = alarms;
  return el('li', { class: `case ${lead.priority} a${waits(alarms)}`, dataset: { home } },
    el('div', { class: 'band' }, el('span', { class: 'word' }, symbol(`p-${lead.priority}`), t(`priority.${lead.priority}`)),
      el('span', { class: 'age' }, since(lead.happened_at)), el('span', { class: 'at' }, clock(lead.happened_at))),
    el('div', { class: 'body' },
      el('h2', {}, el('span', { class: 'code' }, code(lead.home)), el('span', { class: 'place' }, place(lead.home)),
        alarms.length > 1 && el('span', { class: 'several' }, t('several', { n: alarms.length }))),
      alarms.map((alarm, i) => row(alarm, desk, i === 0))));
}

const nodes = new Map();

/** Brings the list up to date. A card whose contents are the same keeps its element, and so its buttons. True where the order changed. */
export function render(root, desk) {
  const shown = cases(desk.alarms.values());
  if (shown.length === 0) {
    nodes.clear();
    fill(root, empty(desk));
    return false;
  }
  let list = root.querySelector('ul.list');
  if (!list) fill(root, list = el('ul', { class: 'list' }));
  const before = [...list.children].map((node) => node.dataset.home).join('\n');
  const focused = document.activeElement?.dataset?.focus;
  const gone = new Set(nodes.keys());
  shown.forEach((shownCase, i) => {
    const of = (map) => shownCase.alarms.map((alarm) => map(alarm.id) ?? null);
    const print = JSON.stringify([shownCase, of((id) => desk.selected === id), of((id) => desk.chooser?.id === id && desk.chooser.act), of((id) => desk.refused.get(id)), of((id) => desk.busy.has(id))]);
    gone.delete(shownCase.home);
    let known = nodes.get(shownCase.home);
    if (known?.print !== print) {
      const node = card(shownCase, desk);
      known?.node.replaceWith(node);
      known = { print, node };
      nodes.set(shownCase.home, known);
    }
    if (list.children[i] !== known.node) list.insertBefore(known.node, list.children[i] ?? null);
  });
  for (const home of gone) {
    nodes.get(home).node.remove();
    nodes.delete(home);
  }
  if (focused && document.activeElement?.dataset?.focus !== focused) {
    list.querySelector(`[data-focus="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
  }
  return before !== '' && before !== shown.map(({ home }) => home).join('\n');
}

function empty(desk) {
  return el('div', { class: 'empty' }, symbol('house'), el('h2', {}, t('empty')), el('p', {}, desk.live ? t('empty.live') : t('empty.lost')),
    el('ul', { class: 'parts' }, (desk.live ? desk.parts : []).map((part) => el('li', { class: part.ok ? 'ok' : 'bad' },
      symbol(part.ok ? 'safe' : 'stop'), tOr(`part.${part.name}`, part.name), !part.ok && el('span', {}, ' ', part.detail)))));
}
