"use strict";
/* The touchscreen while nobody is there (idle.js brings it after a minute at home). Any touch ends it. */
(() => {
  const find = (what) => document.querySelector(what), page = find("[data-attract]");
  const {go, home} = window.linliTouch, HOUR_MS = 3600000;
  const ASK_MS = 30000, SOON_MS = 1500, SHIFT_MS = 60000, STEP_MS = 2000, STILL_BEATS = 5, SLIDE_MS = 400, PAGE_FOR_MS = 6 * HOUR_MS, CALLED = 3;
  const calm = matchMedia("(prefers-reduced-motion: reduce)");

  // ------------------------------------------------------------ a touch
  // At the finger's end, so that the home page that comes is not pressed by the same touch (idle.js sees to the second).
  document.addEventListener("click", (event) => {
    if (event.target.closest("a, button, dialog")) return;
    find("[data-begin]").setAttribute("aria-busy", "true");
    go(home);
  });
  document.addEventListener("keydown", (event) => { if (event.key.length === 1 || event.key === "Escape") go(home); });

  // ------------------------------------------------------------ the line
  function line(one, title, english) {
    const item = document.createElement("li"), zh = document.createElement("span"), en = document.createElement("small");
    zh.textContent = title;
    en.textContent = english;
    en.lang = "en";
    if (one) { const b = document.createElement("b"); b.textContent = one; item.append(b, " "); }
    item.append(zh, " ", en);
    return item;
  }
  let shown = [];
  function called(list) {
    shown = list.slice(0, CALLED);
    find("[data-called-box]").hidden = !shown.length;
    find("[data-called]").replaceChildren(...shown.map((one) => {
      const item = line(one.number, `${one.window_sign ?? ""} ${one.window_zh}`.trim(), one.window_en);
      item.className = one.category;
      return item;
    }));
  }
  function state(told) {
    if (!told) return;
    called(told.called);
    for (const [name, count] of Object.entries(told.waiting.categories)) {
      const one = find(`[data-category="${CSS.escape(name)}"]`);
      if (one) one.textContent = count;
    }
  }
  function now(told) {
    if (told.boot !== boot) { go(location.href); return; }
    if (told.closed) {
      find("[data-closed]").hidden = !told.closed.zh;
      find("[data-closed-zh]").textContent = told.closed.zh;
      find("[data-closed-en]").textContent = told.closed.en;
    }
    if (told.open !== null) { find("[data-open]").hidden = !told.open; find("[data-open-hours]").textContent = told.open; }
    list("today", told.today, (one) => line(one.hours, one.zh, one.en));
    list("notices", told.notices, (one) => line("", one.title.zh, one.title.en));
  }
  function list(name, ones, draw) {
    if (!ones) return;
    find(`[data-${name}-box]`).hidden = !ones.length;
    find(`[data-${name}]`).replaceChildren(...ones.map(draw));
  }
  const first = JSON.parse(page.dataset.now), boot = first.boot;
  let due = 0;
  // A line that is told anew may come from a server that has just begun.
  const askSoon = () => { due ||= setTimeout(ask, SOON_MS); };
  async function ask() {
    clearTimeout(due);
    due = 0;
    try {
      const answer = await fetch("/attract/now", {cache: "no-store", signal: AbortSignal.timeout(4000)});
      if (answer.ok) now(await answer.json());
    } catch { /* live.js shows that it is offline; what stands there stays */ }
  }
  state(JSON.parse(page.dataset.state));
  now(first);
  setInterval(ask, ASK_MS);
  LinliLive.open("/live", {
    state: (told) => { state(told); askSoon(); }, hall: ask,
    called: (one) => called([one, ...shown.filter((other) => other.number !== one.number)]),
  }, {poll: "/api/state", onPoll: (told) => { state(told); askSoon(); }});

  // ------------------------------------------------------------ nothing stands still for years
  // The list goes on by one service at a time (by a screenful, unmoved, for who wants no motion): between two steps the
  // machine rests. What does not fit is not shown by half.
  const box = find("[data-window]"), belt = find("[data-belt]");
  function fit() {
    const end = box.getBoundingClientRect().bottom;
    let seen = 0;
    for (const one of belt.children) {
      const fits = one.getBoundingClientRect().bottom <= end + 1;
      one.classList.toggle("beyond", !fits);
      seen += fits;
    }
    return seen;
  }
  let beats = 0;
  function step() {
    const seen = fit();
    if (document.hidden || seen === belt.children.length) return;
    beats += 1;
    if (calm.matches && beats % STILL_BEATS) return;
    const rows = calm.matches ? Math.max(1, seen) : 1, height = belt.children[1].offsetTop - belt.children[0].offsetTop;
    for (let n = 0; n < rows; n += 1) belt.append(belt.firstElementChild);
    fit();
    if (!calm.matches) belt.animate([{transform: `translateY(${height}px)`}, {transform: "none"}], {duration: SLIDE_MS, easing: "ease-out"});
  }
  fit();
  new ResizeObserver(fit).observe(box);
  setInterval(step, STEP_MS);
  const SHIFTS = [[0, 0], [4, 0], [4, 4], [0, 4], [-4, 4], [-4, 0], [-4, -4], [0, -4], [4, -4]];
  let turn = 0;
  setInterval(() => {
    turn = (turn + 1) % SHIFTS.length;
    document.body.style.setProperty("--shift-x", SHIFTS[turn][0] + "px");
    document.body.style.setProperty("--shift-y", SHIFTS[turn][1] + "px");
    // A page that has stood for hours begins anew: what a browser leaks in a day is gone, and new files are there.
    if (performance.now() > PAGE_FOR_MS) go(location.href);
  }, SHIFT_MS);
})();
