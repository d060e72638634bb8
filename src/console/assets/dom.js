// Elements, words and times. Text from outside only ever becomes text: nothing here parses HTML.

const given = (name) => JSON.parse(document.body.dataset[name]);
export const words = given('words');
export const me = given('me');
export const meta = given('meta');

/** The text of a key in the page's language; `{name}` is filled in from `args`. */
export const t = (key, args = {}) => (words[key] ?? key).replace(/\{(\w+)\}/g, (_, name) => args[name] ?? '');

/** The text of a key, or `otherwise` where there is none: for names that the service may learn later. */
export const tOr = (key, otherwise, args) => (key in words ? t(key, args) : otherwise);

/** An element. `class`, `dataset` and listeners (`onclick`) are understood; null, false and undefined are left out. */
export function el(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else if (name === 'dataset') Object.assign(element.dataset, value);
    else element.setAttribute(name, value === true ? '' : value);
  }
  element.append(...some(children));
  return element;
}

const some = (children) => children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false && child !== '');

/** Puts these in place of what an element holds. */
export const fill = (element, ...children) => element.replaceChildren(...some(children));

/** Puts these into a list in their order. What stands right stays untouched, and so does whatever a person is about to do there. */
export function arrange(list, wanted) {
  wanted.forEach((element, i) => { if (list.children[i] !== element) list.insertBefore(element, list.children[i] ?? null); });
}

/** A symbol of the page's set. Symbols only repeat what a word beside them says. */
export function symbol(name) {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  svg.setAttribute('class', 'symbol');
  svg.setAttribute('aria-hidden', 'true');
  const use = document.createElementNS('http://www.w3.org/2000/svg', 'use');
  use.setAttribute('href', document.getElementById(`i-${name}`) ? `#i-${name}` : '#i-other');
  svg.append(use);
  return svg;
}

// The service's clock, not this machine's: a desk whose clock is wrong must not show a wrong age.
let ahead = 0;
export const setClock = (iso) => { ahead = Date.parse(iso) - Date.now(); };
export const now = () => Date.now() + ahead;

export const two = (n) => String(n).padStart(2, '0');

/** A span of milliseconds as a person reads it at a glance: 4:07, then hours and minutes, then days. */
export function span(ms, form = 'short') {
  const s = Math.max(0, Math.floor(ms / 1000));
  if (s < 3600) return `${Math.floor(s / 60)}:${two(s % 60)}`;
  if (s < 86400) return t(`hours.${form}`, { h: Math.floor(s / 3600), m: two(Math.floor(s / 60) % 60) });
  return t(`days.${form}`, { d: Math.floor(s / 86400), h: Math.floor(s / 3600) % 24 });
}

/** A time of day; with the date where it is not today. */
export function clock(iso, seconds = false) {
  const at = new Date(iso);
  const time = `${two(at.getHours())}:${two(at.getMinutes())}${seconds ? `:${two(at.getSeconds())}` : ''}`;
  const today = new Date(now()).toDateString() === at.toDateString();
  return today ? time : `${two(at.getMonth() + 1)}-${two(at.getDate())} ${time}`;
}

/** Counts up from a time. */
export const since = (iso) => el('span', { class: 'count', dataset: { since: Date.parse(iso) } }, span(now() - Date.parse(iso)));

/** Counts down to a time. */
export const until = (iso) => el('span', { class: 'count', dataset: { until: Date.parse(iso) } }, left(Date.parse(iso)));

const left = (at) => (at > now() ? span(at - now() + 999) : t('due'));

/** Moves every count on the page. */
export function tick() {
  for (const e of document.querySelectorAll('[data-since]')) write(e, span(now() - Number(e.dataset.since)));
  for (const e of document.querySelectorAll('[data-until]')) {
    write(e, left(Number(e.dataset.until)));
    e.classList.toggle('soon', Number(e.dataset.until) - now() < 60_000);
  }
}

function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** Says something to whoever listens instead of looking. */
export function announce(text, urgent = false) {
  const place = document.getElementById(urgent ? 'urgent' : 'polite');
  place.textContent = '';
  setTimeout(() => { place.textContent = text; }, 50);
}

/** A phone number that can be called by a touch. It stands in one line: who has no other phone at hand reads it out. */
export function phone(number, label = number) {
  if (!number) return null;
  const [before, ...after] = label.split(number);
  return el('a', { class: 'tel', href: `tel:${number.replace(/[^\d+*#]/g, '')}` }, symbol('phone'),
    el('span', {}, before, el('span', { class: 'number' }, number), after.join(number)));
}
