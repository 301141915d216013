"use strict";
/* 朗读: this screen, read aloud sentence by sentence, for whoever cannot read it.
 *
 * Read is what is seen, in its order: headings and texts, then what can be touched ("可以点：…"). An element may say what
 * is to be said for it (data-aloud="…"), or that it is not to be read (data-aloud-skip). What has `data-aloud-now` is
 * said by itself as soon as it is seen, unless the hall wants silence. The server makes the sound (kiosk/aloud.py).
 * A touch of anything else ends it; while it reads, somebody is there (the event linli:active, see idle.js).
 */
(() => {
  // The frame's own words: a page that changes its language in its place (ask_see.js) changes them for all.
  const body = document.body, {words} = window.linliTouch;
  const button = document.querySelector("[data-aloud-button]"), told = document.querySelector("[data-aloud-told]");
  const CONTROL = "a[href], button, summary, [role=button], label:has(input)", BLOCK = /^(block|flex|grid|list-item|table|flow-root|table-row|table-cell)$/;
  const BUSY_AGAIN_MS = 400, TRIES = 12;
  const players = [new Audio(), new Audio()];
  for (const one of players) { one.preload = "auto"; one.dataset.aloudPlayer = ""; one.hidden = true; body.append(one); }
  let turn = 0, label = button.textContent;
  button.hidden = false;

  // ------------------------------------------------------------ what stands here
  const isSeen = (one) => one.checkVisibility({visibilityProperty: true}) && !one.closest("[aria-hidden=true]");
  function textOf(one) {
    if (one.dataset?.aloud) return one.dataset.aloud;
    return [...one.childNodes].map((node) => {
      if (node.nodeType === Node.TEXT_NODE) return node.data;
      if (node.nodeType !== Node.ELEMENT_NODE || node.matches("svg, script, style, template") || !isSeen(node)) return "";
      return " " + textOf(node) + " ";
    }).join("").replace(/\s+/g, " ").trim();
  }
  function gather(root) {
    const found = [];
    const add = (one, text, control = false) => { if (/[\p{L}\p{N}]/u.test(text)) found.push({one, text, control}); };
    function walk(one) {
      if (!isSeen(one) || one.matches("[data-aloud-skip], .skip, svg, script, style, template, input, select, textarea, audio")) return;
      if (one.dataset.aloud || one.matches(CONTROL)) return add(one, textOf(one), one.matches(CONTROL));
      const parts = [...one.children].filter((child) => BLOCK.test(getComputedStyle(child).display) || child.matches(CONTROL) || child.querySelector(CONTROL));
      if (!parts.length) return add(one, textOf(one));
      for (const node of one.childNodes) {
        if (node.nodeType === Node.ELEMENT_NODE) walk(node);
        else if (node.nodeType === Node.TEXT_NODE) add(one, node.data.replace(/\s+/g, " ").trim());
      }
    }
    for (const one of root) walk(one);
    found.forEach((part, at) => { if (part.control && !found[at - 1]?.control) part.text = `${words.js_aloud_choices}: ${part.text}`; });
    return found;
  }
  function screen() {
    const dialog = document.querySelector("dialog[open]");
    return dialog ? [dialog] : [...body.children].filter((one) => !one.matches("header, dialog"));
  }

  // ------------------------------------------------------------ saying it
  const active = () => document.dispatchEvent(new CustomEvent("linli:active"));
  const pause = (ms) => new Promise((wake) => { setTimeout(wake, ms); });
  function say(text) { told.textContent = text; told.hidden = !text; }
  function mark(one) {
    document.querySelectorAll(".aloud-now").forEach((other) => other.classList.remove("aloud-now"));
    one?.classList.add("aloud-now");
    one?.scrollIntoView({block: "nearest"});
  }
  function stop() {
    if (!turn || !reading) return;
    turn += 1;
    reading = false;
    for (const one of players) one.pause();
    mark(null);
    button.textContent = label;
    button.classList.remove("reading");
  }
  let reading = false;
  /** Have a player ready for an address; its promise says "" or why not. */
  async function load(player, url) {
    for (let tries = 0; tries < TRIES; tries += 1) {
      player.src = url;
      const how = await new Promise((done) => {
        player.oncanplaythrough = () => done("");
        player.onerror = () => done("error");
      });
      if (!how) return "";
      // An <audio> does not tell why: the server does.
      const answer = await fetch(url, {cache: "no-store", signal: AbortSignal.timeout(15000)}).catch(() => null);
      const code = answer && !answer.ok ? (await answer.json().catch(() => ({}))).error?.code : "";
      if (code && code !== "reading_busy") return code;
      await pause(BUSY_AGAIN_MS);
    }
    return "reading_failed";
  }
  function play(player) {
    return new Promise((done) => {
      player.onended = () => done("");
      player.onpause = () => { if (!player.ended) done("stopped"); };
      player.onerror = () => done("reading_failed");
      player.play().catch((wrong) => done(wrong.name === "NotAllowedError" ? "muted" : "stopped"));
    });
  }
  async function read(parts, byItself = false) {
    stop();
    const mine = turn += 1;
    reading = true;
    say("");
    if (!byItself) { button.textContent = words.js_aloud_stop; button.classList.add("reading"); }
    let why = "";
    try {
      const answer = await fetch("/api/read", {
        method: "POST", headers: {"Content-Type": "application/json"}, signal: AbortSignal.timeout(8000),
        body: JSON.stringify({page: location.pathname + location.search, lang: body.dataset.lang, texts: parts.map((part) => part.text)}),
      });
      if (!answer.ok) throw new Error(answer.statusText);
      const {said, volume, quiet} = await answer.json();
      if (byItself && quiet) return;
      for (const one of players) one.volume = volume;
      const line = said.flatMap((urls, at) => urls.map((url) => ({url, one: parts[at].one})));
      let ready = line.length ? load(players[0], line[0].url) : "";
      for (let at = 0; at < line.length && mine === turn; at += 1) {
        why = await ready;
        if (why || mine !== turn) break;
        if (at + 1 < line.length) ready = load(players[(at + 1) % 2], line[at + 1].url);
        if (!byItself) mark(line[at].one);
        active();
        why = await play(players[at % 2]);
        if (why) break;
      }
    } catch { why = "reading_failed"; }
    finally {
      if (mine === turn) {
        stop();
        if (why && why !== "stopped" && !byItself) say({reading_missing: words.js_aloud_missing, muted: words.js_aloud_muted}[why] ?? words.js_aloud_failed);
      }
    }
  }

  button.addEventListener("click", () => { if (reading) stop(); else read(gather(screen())); });
  addEventListener("pointerdown", (event) => { if (!button.contains(event.target)) { stop(); say(""); } }, {capture: true, passive: true});
  addEventListener("pagehide", stop);
  document.addEventListener("linli:idle", stop);
  document.addEventListener("linli:seen", () => { label = button.textContent; });

  // ------------------------------------------------------------ what is said by itself
  const saidNow = new WeakSet();
  function look() {
    for (const one of document.querySelectorAll("[data-aloud-now]")) {
      if (!isSeen(one)) saidNow.delete(one);
      else if (!saidNow.has(one)) { saidNow.add(one); read(gather([one]), true); }
    }
  }
  new MutationObserver(look).observe(body, {subtree: true, childList: true, attributeFilter: ["hidden", "open", "data-aloud-now"]});
  look();
  window.linliAloud = {stop, read: (one) => read(gather([one])), gather: () => gather(screen()).map((part) => part.text)};
})();
