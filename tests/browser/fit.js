// What is wrong with a page on a phone, in words; nothing where it is fit. WIDTH is the phone's.
(() => {
  const wrong = [];
  const shown = (e) => e.getClientRects().length > 0 && getComputedStyle(e).visibility === 'visible';
  const named = (e) => `${e.tagName.toLowerCase()}.${e.getAttribute('class') ?? ''} "${e.textContent.trim().slice(0, 30)}"`;
  const all = [...document.body.querySelectorAll('*')].filter(shown);
  const up = (e) => { const way = []; for (let at = e; at; at = at.parentElement) way.push(at); return way; };

  const wide = document.documentElement.scrollWidth;
  if (wide > WIDTH || innerWidth > WIDTH) wrong.push(`scrolls sideways: ${wide} and ${innerWidth} px`);

  for (const e of all.filter((one) => one.matches('button:enabled, a[href], input'))) {
    const { height, left, right } = e.getBoundingClientRect();
    if (height < 44) wrong.push(`${named(e)} is ${height} px high`);
    if (left < 0 || right > WIDTH) wrong.push(`${named(e)} reaches from ${left} to ${right} px`);
    if (e.scrollWidth > e.clientWidth + 1) wrong.push(`${named(e)} is too narrow for its words`);
  }

  // A number that is read out stands in one line.
  for (const e of all.filter((one) => one.closest('a[href^="tel:"]'))) {
    for (const node of [...e.childNodes].filter((one) => one.nodeType === Node.TEXT_NODE)) {
      const number = /\d[\d -]+\d/.exec(node.data);
      const range = document.createRange();
      if (number) range.setStart(node, number.index);
      if (number) range.setEnd(node, number.index + number[0].length);
      const lines = new Set([...range.getClientRects()].map(({ top }) => Math.round(top)));
      if (lines.size > 1) wrong.push(`${named(e)} is broken over ${lines.size} lines`);
    }
  }

  // Scrolled to its end, the page shows its last line, and not under the buttons.
  const [end, bar] = [document.querySelector('#page > :last-child'), document.getElementById('bar')];
  const before = scrollY;
  scrollTo(0, document.documentElement.scrollHeight);
  const covered = end.getBoundingClientRect().bottom - (shown(bar) ? bar.getBoundingClientRect().top : innerHeight);
  if (covered > 0) wrong.push(`the last ${covered} px of the page lie under its buttons`);
  scrollTo(0, before);

  // A colour as red, green, blue and how opaque it is.
  const colour = (text) => {
    if (!/^rgba?\(/.test(text)) throw new Error(`no colour that is known here: ${text}`);
    const [r, g, b, a = 1] = text.match(/[\d.]+/g).map(Number);
    return { rgb: [r, g, b], a };
  };
  const light = (rgb) => {
    const [r, g, b] = rgb.map((c) => c / 255).map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const writes = (e) => e.matches('input') || [...e.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.data.trim());
  for (const e of all.filter((one) => writes(one) && !one.closest('button:disabled, svg'))) {
    const behind = up(e).map((one) => colour(getComputedStyle(one).backgroundColor)).find(({ a }) => a === 1)?.rgb ?? [255, 255, 255];
    const { rgb, a } = colour(getComputedStyle(e).color);
    const opaque = up(e).reduce((product, one) => product * getComputedStyle(one).opacity, a);
    const [x, y] = [light(rgb.map((c, i) => c * opaque + behind[i] * (1 - opaque))), light(behind)];
    const contrast = (Math.max(x, y) + 0.05) / (Math.min(x, y) + 0.05);
    if (contrast < 4.5) wrong.push(`${named(e)} has a contrast of ${contrast.toFixed(2)}`);
  }
  return wrong;
})()
