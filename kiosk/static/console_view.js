/* How the console draws: elements from text (never from HTML), a patch that keeps focus, words, times.
 *
 * A hostile name ("<img onerror=…>") is only ever a text node or a value of an attribute on the short list of
 * `h`, so it is shown as it is written and cannot run. The page's policy forbids innerHTML besides
 * (require-trusted-types-for 'script').
 */
const told = document.getElementById("facts");
export const facts = JSON.parse(told.textContent);
told.remove(); // a desk's facts name people: a screen that locks later must not hold them in its page
let lang = facts.lang;
let aheadMs = 0; // the server's clock minus ours

export const language = () => lang;
export const setLanguage = (to) => { lang = to; };
export const setClock = (nowMs) => { if (nowMs) aheadMs = nowMs - Date.now(); };
export const nowMs = () => Date.now() + aheadMs;

/** The text of `key`, with {name} filled in as text. */
export function t(key, filled = {}) {
  const pair = facts.words[key];
  if (!pair) return key;
  return pair[lang === "zh" ? 0 : 1].replace(/\{(\w+)\}/g, (whole, name) => (name in filled ? String(filled[name]) : whole));
}
export const has = (key) => key in facts.words;
/** thing.name_zh or thing.name_en, whichever is there, in the language of the page. */
export const inLang = (thing, stem) => thing[`${stem}_${lang}`] || thing[`${stem}_zh`] || thing[`${stem}_en`] || "";

/** An element. Children are elements or text; `false` and null are left out. Attributes are set, never parsed. */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === false || value == null) continue;
    if (/^on/i.test(name)) throw new Error(`no inline handlers: ${name}`);
    element.setAttribute(name, value === true ? "" : String(value));
  }
  for (const child of children.flat(3)) if (child !== false && child != null) element.append(child);
  return element;
}

/** Make `old` look like `fresh`, keeping the nodes that are the same: focus and a finger already down survive. */
export function patch(old, fresh) {
  for (const { name } of [...old.attributes]) {
    if (!fresh.hasAttribute(name) && name !== "open") old.removeAttribute(name);
  }
  for (const { name, value } of fresh.attributes) if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  patchChildren(old, [...fresh.childNodes]);
}

export function patchChildren(parent, wanted) {
  const keyed = new Map();
  const staying = new Set(wanted.map((one) => one.dataset?.key));
  // What goes, goes first: what stays is then where it belongs, and need not be moved (moving takes the focus away).
  for (const one of [...parent.children]) if (one.dataset.key) staying.has(one.dataset.key) ? keyed.set(one.dataset.key, one) : one.remove();
  let at = parent.firstChild;
  for (const fresh of wanted) {
    const key = fresh.dataset?.key;
    let old = key ? keyed.get(key) : at;
    if (key && old && old !== at) parent.insertBefore(old, at);
    const same = old && old.nodeType === fresh.nodeType && old.nodeName === fresh.nodeName && old.dataset?.key === key;
    if (!same) { parent.insertBefore(fresh, at); continue; }
    if (old.nodeType === Node.TEXT_NODE) { if (old.data !== fresh.data) old.data = fresh.data; } else patch(old, fresh);
    at = old.nextSibling;
  }
  while (at) { const next = at.nextSibling; at.remove(); at = next; }
}

export const draw = (id, ...children) => patchChildren(document.getElementById(id), children.flat(3).filter((one) => one !== false && one != null).map((one) => (typeof one === "string" ? document.createTextNode(one) : one)));

/* ---------------------------------------------------------------- times */

export function spell(ms) {
  const s = Math.max(0, Math.floor(ms / 1000));
  if (s < 60) return t("seconds", { n: s });
  if (s < 3600) return t("minutes", { n: Math.floor(s / 60) }) + (s < 600 ? " " + t("seconds", { n: s % 60 }) : "");
  if (s < 86400) return t("hours", { n: Math.floor(s / 3600) });
  return t("days", { n: Math.floor(s / 86400) });
}
const ago = (ms) => (nowMs() - ms < 10000 ? t("just_now") : t("ago", { time: spell(nowMs() - ms) }));

/** A time that `tick` keeps true: `word` holds {time}. `as` is "since" (12 s), "ago" (12 s ago) or "left" (12 s to go). */
export function since(ms, word, as = "since") {
  const element = h("span", { class: "time", "data-since": ms, "data-word": word, "data-as": as });
  element.append(sinceText(element));
  return element;
}
function sinceText(element) {
  const ms = Number(element.dataset.since);
  const as = element.dataset.as;
  return t(element.dataset.word, { time: as === "ago" ? ago(ms) : spell(as === "left" ? ms - nowMs() : nowMs() - ms) });
}
export function tick() {
  for (const one of document.querySelectorAll("[data-since]")) {
    const text = sinceText(one);
    if (one.textContent !== text) one.textContent = text;
  }
}
export const clock = (ms) => new Intl.DateTimeFormat(lang === "zh" ? "zh-CN" : "en-GB", {
  hour: "2-digit", minute: "2-digit", timeZone: facts.timezone, hour12: false }).format(ms);

/** With the day, for what is long past. */
export const dayClock = (ms) => new Intl.DateTimeFormat(lang === "zh" ? "zh-CN" : "en-GB", {
  year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", timeZone: facts.timezone, hour12: false }).format(ms);
export const secondClock = (ms) => new Intl.DateTimeFormat(lang === "zh" ? "zh-CN" : "en-GB", {
  hour: "2-digit", minute: "2-digit", second: "2-digit", timeZone: facts.timezone, hour12: false }).format(ms);

/* ---------------------------------------------------------------- small pieces */

export const button = (act, text, attributes = {}) => h("button", { type: "button", "data-act": act, ...attributes }, text);
export const chip = (text, kind = "") => h("span", { class: `chip ${kind}` }, text);
export const heading = (id, text, ...more) => h("header", { class: "head" }, h("h2", { id: `${id}-head` }, text), ...more);
export const empty = (...texts) => h("p", { class: "empty" }, ...texts);
