// The walk test: the installer stands in the flat with a phone in one hand.

import { announce, clock, el, fill, me, meta, symbol, t, until } from './dom.js';
import { sendTo } from './acts.js';
import { $, begin, picture, poll, room, short, sure, when } from './place.js';

const EVERY_MS = 2_000;
const MINUTES = 10;
const home = meta.home;
const path = `/api/v1/homes/${encodeURIComponent(home)}/walk-test`;

const walk = { presses: 1, test: null, refused: null, was: false, print: '', works: new Set() };
let again = () => {};

async function order(body) {
  const { answer, text, reason } = await sendTo(path, body);
  walk.refused = answer || reason === 'window_open' ? null : text;
  if (answer) walk.test = answer;
  if (answer && body.order !== 'open') walk.was = false;
  draw(true);
  // What came of it stands at the top.
  if (answer) scrollTo({ top: 0 });
  again();
}

/** The one press of the usual test is said in plainer words than several. */
const calls = (key, n) => (n === 1 ? t(`${key}_one`) : t(key, { n }));

// ---- the parts of the page

const name = (device) => [room(device.room), short(device.address)].filter(Boolean);

function meters(device) {
  const low = device.needs.some(({ need }) => need === 'battery_low');
  const weak = device.needs.some(({ need }) => need === 'weak_signal');
  return el('p', { class: 'meters' },
    device.signal !== null && el('span', { class: weak ? 'bad' : null }, t('walk.signal', { n: device.signal })),
    device.battery !== null && el('span', { class: low ? 'bad' : null }, t('walk.battery', { n: Math.round(device.battery) })),
    device.calls > 0 && el('span', {}, t('walk.calls', { n: device.calls })),
    el('span', {}, device.heard ? [t('walk.last_heard', { at: '' }), when(device.heard)] : t('walk.never')));
}

function row(device, open) {
  const word = device.works ? t('walk.works') : !open ? '' : !device.life ? t('walk.waits') : device.seen_at ? t('walk.heard_only') : t('walk.press_it');
  const [first, ...rest] = name(device);
  return el('li', { class: `tested${device.works ? ' works' : ''}${device.life ? ' for-life' : ''}` },
    device.works ? symbol('safe') : picture(device),
    el('div', {}, el('h3', {}, first, rest.length > 0 && el('span', { class: 'soft' }, ' ', rest.join(' '))), meters(device)),
    el('b', { class: 'state-of' }, word, device.works && device.seen_at && el('span', {}, ' ', clock(device.seen_at))));
}

function list(title, devices, open) {
  const done = devices.filter((device) => device.works).length;
  return devices.length > 0 && el('section', {}, el('h2', {}, t(title), open && el('span', { class: 'done-of' }, `${done} / ${devices.length}`)),
    el('ul', { class: 'tests' }, devices.map((device) => row(device, open))));
}

/** While a real alarm is open a press is none of the test. */
const real = (alarms) => alarms.length > 0 && el('p', { class: 'real', role: 'alert' }, symbol('p-life'),
  t('walk.real', { kinds: alarms.map(({ kind }) => t(`kind.${kind}`)).join(' · ') }));

function top({ window: open, signed, sos_cover: cover, open_alarms: alarms }) {
  if (open) {
    return el('section', { class: 'window open' }, el('p', { class: 'running' }, symbol('bell'), t('walk.running')),
      el('p', { class: 'left' }, until(open.until)), el('p', {}, calls('walk.announced', open.presses)),
      el('p', { class: 'soft' }, t('walk.by', { by: open.by, at: clock(open.opened_at) })), real(alarms));
  }
  return el('section', { class: 'window' },
    walk.was && el('p', { class: 'over', role: 'alert' }, el('b', {}, t('walk.over')), ' ', t('walk.over.lead')),
    signed ? el('p', { class: 'signed' }, symbol('safe'), el('b', {}, t('walk.signed')), el('span', {}, t('walk.signed.by', { by: signed.by, at: clock(signed.at), n: signed.devices.length }))) : el('p', { class: 'soft' }, t('walk.never_signed')),
    el('p', { class: cover ? 'yes' : 'no' }, symbol(cover ? 'safe' : 'stop'), ' ', t(cover ? 'walk.cover.yes' : 'walk.cover.no')),
    real(alarms),
    me.acts ? el('p', { class: 'lead' }, calls('walk.lead', walk.presses)) : el('p', {}, t('viewer')),
    me.acts && el('div', { class: 'presses', role: 'group', 'aria-label': t('walk.presses') }, el('span', {}, t('walk.presses')),
      el('span', {}, [1, 2, 3].map((n) => el('button', { type: 'button', 'aria-pressed': String(walk.presses === n), onclick: () => { walk.presses = n; draw(true); } }, String(n))))),
    me.acts && el('button', { type: 'button', class: 'primary huge', onclick: (event) => { event.target.disabled = true; order({ order: 'open', minutes: MINUTES, presses: walk.presses }); } }, t('walk.open', { n: MINUTES })));
}

/** What is missing for the signature, in plain words; and the two ways out. */
function end(test) {
  if (!test.window || !me.acts) return null;
  const named = (address) => test.devices.find((device) => device.address === address);
  const silent = test.devices.filter((device) => device.registered && !device.life && !device.works).length;
  const ready = !test.unproven.length && !silent;
  return el('section', { class: 'end' },
    test.unproven.length > 0 && el('div', { class: 'missing' }, el('p', {}, symbol('stop'), ' ', t('walk.missing')),
      el('ul', {}, test.unproven.map((address) => el('li', {}, named(address) ? name(named(address)).join(' · ') : address)))),
    !test.devices.some((device) => device.life) && el('p', { class: 'no' }, t('walk.no_life')),
    silent > 0 && el('p', { class: 'warn' }, t('walk.silent', { n: silent })),
    ready && el('p', { class: 'yes' }, symbol('safe'), ' ', t('walk.ready')),
    !test.unproven.length && sure({ key: 'sign', kind: 'primary huge', label: t('walk.sign'), ask: t('walk.sign_ask'), yes: t('walk.sign_sure'), doIt: () => order({ order: 'sign' }) }),
    sure({ key: 'close', kind: 'plain', label: t('walk.close'), ask: t('walk.close_ask'), yes: t('walk.close_sure'), doIt: () => order({ order: 'close' }) }));
}

// ---- drawing

/** What a person is deciding just now is not taken from under the finger: while the question stands, its part stays as it is. */
function draw(anew = false) {
  const { test } = walk;
  if (!test) return;
  if (test.window) walk.was = true;
  const { now: _, ...rest } = test;
  const print = JSON.stringify([rest, walk.presses, walk.refused]);
  if (print === walk.print && !anew) return;
  walk.print = print;
  for (const device of test.devices.filter((one) => one.works && !walk.works.has(one.address))) {
    walk.works.add(device.address);
    announce(`${name(device).join(' ')}: ${t('walk.works')}`);
    if (navigator.userActivation?.hasBeenActive) navigator.vibrate?.(80);
  }
  if (!test.window) walk.works.clear();
  const mine = test.devices.filter((device) => device.registered);
  const strangers = test.devices.length - mine.length;
  fill($('where'), [test.community, test.block].filter(Boolean).join(' · '));
  fill($('window'), top(test));
  fill($('tests'), walk.refused && el('p', { class: 'refused', role: 'alert' }, symbol('stop'), walk.refused),
    list('walk.life', mine.filter((device) => device.life), test.window),
    list('walk.others', mine.filter((device) => !device.life), test.window),
    mine.length === 0 && el('p', {}, t('walk.no_devices')),
    strangers > 0 && el('p', { class: 'warn' }, t('walk.strangers'), el('a', { class: 'go', href: `/quarantine#${encodeURIComponent(home)}` }, t('walk.to_quarantine'), ' ›')));
  const need = JSON.stringify([test.window?.opened_at, test.unproven, mine.map((device) => device.works)]);
  if (anew || need !== $('end').dataset.need) fill($('end'), end(test));
  $('end').dataset.need = need;
}

fill($('place'), el('div', { id: 'window' }, el('p', { class: 'loading' }, t('loading'))), el('div', { id: 'tests' }), el('div', { id: 'end' }));
// In the flat a siren from the phone would only frighten; the red bar says it too.
begin({ sounds: false });
again = poll(path, EVERY_MS, (answer) => { walk.test = answer; draw(); }, () => fill($('place'), el('p', { class: 'refused' }, symbol('stop'), t('walk.no_such_home', { home }))));
