"use strict";
/* A ticket on a phone: asks how it stands every 5 to 15 s, as often as the server says. Phones poll: a stream would hold
 * a thread for each of them. After one touch it rings and shakes when three are left, and again when it is called. */
(() => {
  const OFFLINE_AFTER = 2, SLOWEST_S = 15, PATIENCE_MS = 8000;
  const body = document.body, lang = body.dataset.lang, words = JSON.parse(body.dataset.words);
  const find = (what) => document.querySelector(what);
  let known = JSON.parse(body.dataset.now), tag = "", failed = 0, waiting = 0, sound = null;
  const fill = (key, values) => Object.entries(values).reduce((text, [name, value]) => text.replace(`{${name}}`, value), words[key]);

  // ------------------------------------------------------------ what is seen
  function put(what, text, shown = true) {
    const place = find(what);
    if (place.textContent.trim() !== text) place.textContent = text;
    place.hidden = !shown;
  }
  function show(now) {
    const here = now.state === "CALLED" || now.state === "SERVING" || now.state === "HELD";
    const key = now.soon ? (now.ahead ? "js_soon" : "js_next") : "js_state_" + now.state;
    put("[data-state]", words[key]);
    put("[data-where]", now.at ? now.at[lang] : "", here);
    find("[data-before]").hidden = now.state !== "WAITING";
    put("[data-ahead]", fill("js_people", {n: now.ahead}));
    put("[data-wait]", now.served_now ? (now.wait ? fill("js_wait_told", {told: now.wait[lang]}) : "") : words.js_none_serves, now.state === "WAITING");
    find("[data-windows]").hidden = now.state !== "WAITING";
    find("[data-how]").className = "how" + (now.state === "CALLED" ? " called" : now.soon ? " soon" : "");
    document.title = (now.state === "CALLED" ? words.js_now : now.state === "WAITING" ? `(${now.ahead}) ` : "") + now.number;
    if (find("[data-cancel]")) find("[data-cancel]").hidden = !now.can_cancel;
    if (find("[data-keep]")) find("[data-keep]").hidden = !now.after_s;
    if (remind) remind.hidden = now.state !== "WAITING" && !(sound && now.after_s);
  }

  // ------------------------------------------------------------ what is heard and felt
  const remind = find("[data-remind]");
  if (remind) remind.addEventListener("click", () => {
    // A browser lets a page sound only after a touch; from here on it may.
    sound = sound || new (window.AudioContext || window.webkitAudioContext)();
    sound.resume();
    remind.setAttribute("aria-pressed", "true");
    remind.classList.add("on");
    remind.textContent = words.js_remind_on;
    ring(1);
  });
  function ring(times) {
    if (!sound) return;
    if (navigator.vibrate) navigator.vibrate(Array(times).fill([400, 200]).flat());
    for (let number = 0; number < times; number += 1) {
      for (const [tone, after] of [[880, 0], [660, 0.25]]) {
        const from = sound.currentTime + number * 0.8 + after, voice = sound.createOscillator(), loud = sound.createGain();
        voice.frequency.value = tone;
        loud.gain.setValueAtTime(0.5, from);
        loud.gain.exponentialRampToValueAtTime(0.001, from + 0.5);
        voice.connect(loud).connect(sound.destination);
        voice.start(from);
        voice.stop(from + 0.5);
      }
    }
    body.dataset.rang = Number(body.dataset.rang || 0) + 1;
  }
  function tell(before, now) {
    if (now.state === "CALLED" && (before.state !== "CALLED" || now.calls > before.calls)) ring(5);
    else if (now.soon && !before.soon) ring(3);
  }

  // ------------------------------------------------------------ asking
  async function ask() {
    clearTimeout(waiting);
    try {
      const answer = await fetch(body.dataset.ask, {
        cache: "no-store", headers: tag ? {"If-None-Match": tag} : {}, signal: AbortSignal.timeout(PATIENCE_MS),
      });
      if (answer.status === 200) {
        const now = await answer.json();
        tell(known, now);
        known = now;
        show(now);
      } else if (answer.status !== 304) throw new Error(answer.status);
      tag = answer.headers.get("ETag") || "";
      failed = 0;
    } catch { failed += 1; }
    find("[data-offline]").hidden = failed < OFFLINE_AFTER;
    next();
  }
  function next() {
    clearTimeout(waiting);
    if (known.after_s) waiting = setTimeout(ask, 1000 * Math.min(SLOWEST_S, known.after_s + 2 * failed));
  }
  // A phone that slept has missed its turns: it looks at once when somebody looks at it.
  document.addEventListener("visibilitychange", () => { if (!document.hidden && known.after_s) ask(); });
  show(known);
  next();
})();
