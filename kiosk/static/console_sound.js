/* The ring: two tones made here, no file. It goes on until somebody takes the call; a locked screen rings too. */
import { t } from "./console_view.js";

/* Hz and seconds. An emergency is three quick high pairs; any other call one soft pair (our choice: the two can be
 * told apart from the next room, and both lie in 500-1000 Hz, which ageing ears hear best). */
const EMERGENCY = { tones: [[880, 0], [660, 0.16], [880, 0.32], [660, 0.48], [880, 0.64], [660, 0.8]], length: 0.14, volume: 0.5, everyMs: 2000 };
const OTHER = { tones: [[660, 0], [523, 0.3]], length: 0.26, volume: 0.35, everyMs: 4000 };
/* A meal or a visit: one soft low tone now and then, so that it is heard and disturbs nobody. */
const QUIET = { tones: [[523, 0]], length: 0.3, volume: 0.2, everyMs: 20000 };
/* Nobody is signed in any more: three falling tones a minute, unlike any call, until somebody signs in. */
const ENDED = { tones: [[660, 0], [587, 0.45], [523, 0.9]], length: 0.4, volume: 0.45, everyMs: 60000 };
const PATTERNS = { emergency: EMERGENCY, other: OTHER, quiet: QUIET, ended: ENDED };

let context = null;
let timer = 0;
let what = null; // a word of PATTERNS, or null
let asked = 0;

function begin() {
  context ??= new AudioContext();
  context.onstatechange = show;
  return context;
}

function once(pattern) {
  asked += 1;
  document.documentElement.dataset.rings = String(asked); // how often it rang; a test listens here
  if (begin().state !== "running") return;
  for (const [hz, after] of pattern.tones) {
    const at = context.currentTime + after;
    const tone = new OscillatorNode(context, { frequency: hz, type: "triangle" });
    const loud = new GainNode(context, { gain: 0 });
    loud.gain.setValueAtTime(0, at);
    loud.gain.linearRampToValueAtTime(pattern.volume, at + 0.015);
    loud.gain.setValueAtTime(pattern.volume, at + pattern.length - 0.03);
    loud.gain.linearRampToValueAtTime(0, at + pattern.length);
    tone.connect(loud).connect(context.destination);
    tone.start(at);
    tone.stop(at + pattern.length);
  }
}

/** Ring for "emergency", "other", "quiet" or "ended", again and again; null is silence. */
export function ring(wanted) {
  document.documentElement.dataset.ringing = wanted ?? "no";
  if (wanted === what) return;
  what = wanted;
  clearInterval(timer);
  if (!what) return;
  const pattern = PATTERNS[what];
  const turn = () => { once(pattern); if (navigator.userActivation?.hasBeenActive) navigator.vibrate?.([300, 120, 300]); };
  turn();
  timer = setInterval(turn, pattern.everyMs);
}

/** A person touched the page: browsers allow sound from now on. */
export async function allow() {
  if (begin().state === "suspended") await context.resume();
  show();
}

export function test() { once(OTHER); }

/** One soft tone: something that wants a look, and nobody's help. */
export function softly() { once(QUIET); }

/** The button in the bar: either "sound is on", or a plain demand for one tap. */
export function show() {
  const element = document.getElementById("sound");
  const on = begin().state === "running";
  element.classList.toggle("demand", !on);
  element.textContent = on ? `🔔 ${t("sound_on")}` : `🔇 ${t("sound_tap")}`;
  element.title = on ? t("sound_test") : t("sound_why");
}
