// The sound. A browser lets a page sound only after somebody has touched it, so the page asks for that touch.

let audio = null;
let on = localStorage.getItem('sound') !== 'off';

export const ready = () => audio?.state === 'running';
export const wanted = () => on;

/** After a first touch or key: from now on the page may sound. */
export async function wake() {
  try {
    audio ??= new AudioContext();
    if (audio.state === 'suspended') await audio.resume();
  } catch {
    audio = null;
  }
}

export function want(yes) {
  on = yes;
  localStorage.setItem('sound', yes ? 'on' : 'off');
}

function tone(at, frequency, length) {
  const oscillator = audio.createOscillator();
  const gain = audio.createGain();
  oscillator.type = 'triangle';
  oscillator.frequency.value = frequency;
  gain.gain.setValueAtTime(0.0001, at);
  gain.gain.exponentialRampToValueAtTime(0.35, at + 0.02);
  gain.gain.exponentialRampToValueAtTime(0.0001, at + length);
  oscillator.connect(gain).connect(audio.destination);
  oscillator.start(at);
  oscillator.stop(at + length);
}

/** Three rising tones for life, one soft one for anything else. */
export function ring(life) {
  if (!on || !ready()) return;
  const at = audio.currentTime;
  if (life) [659, 880, 1175].forEach((frequency, i) => tone(at + i * 0.17, frequency, 0.3));
  else tone(at, 523, 0.5);
}
