"use strict";
/* The hall display: what /live tells, drawn at once; hours, notices and forecasts from /display/now, every half minute
 * and when /live says that they have changed. It reloads only for a newer version of itself. */
(() => {
  const TURN_MS = 8000, NOTICE_TURNS = 2, LOOK_MS = 30_000, FLASH_FOR_MS = 10_000;
  // Staff may call a number after the hours: while that is new, it stands there, whatever the clock says.
  const SHUT_AFTER_CALL_MS = 15 * 60_000;
  const body = document.body, find = (what) => document.querySelector(what);
  const put = (what, text, inside = document) => { inside.querySelector(what).textContent = text ?? ""; };
  const label = (name) => find(`[data-turn-of="${name}"]`);
  const zones = LinliZones("zh"), rest = LinliRest(body);
  const lines = LinliTurns(find("[data-lines]"), label("lines")), bays = LinliTurns(find("[data-zones]"), label("bays"));
  const leaves = LinliLeaves(find("[data-notice]"));
  const clock = new Intl.DateTimeFormat("zh-CN", {
    timeZone: body.dataset.timezone, month: "long", day: "numeric", weekday: "long", hour: "2-digit", minute: "2-digit",
  });
  let ahead_ms = 0, latest = "", shown = [], hall = null, notices = [], notice = 0, hung = 0, ticks = 0, build = "";
  const server_ms = () => Date.now() + ahead_ms;

  function called(list) {
    const [first, ...before] = list;
    shown = list;
    if (first) {
      put("[data-number]", first.number);
      // The voice says the number, and it stands above the window.
      put("[data-window]", first.window_sign);
      put("[data-zh]", first.window_zh);
      put("[data-en]", first.window_en);
      const box = find("[data-latest]");
      box.className = "latest " + first.category;
      const now = first.number + "/" + first.calls;
      if (now !== latest) {
        latest = now;
        box.getAnimations({subtree: true}).forEach((one) => one.cancel());
        if (server_ms() - first.called_ms < FLASH_FOR_MS) flash(box); // a page that has just been loaded calls nobody
      }
    }
    find("[data-before]").replaceChildren(...before.map((one) => {
      const line = document.createElement("li");
      line.className = one.category;
      const number = document.createElement("b"), window_zh = document.createElement("span");
      number.textContent = one.number;
      window_zh.textContent = `${one.window_sign ?? ""} ${one.window_zh}`.trim();
      line.append(number, window_zh);
      return line;
    }));
    shut();
  }
  const calm = matchMedia("(prefers-reduced-motion: reduce)");
  const flash = (box) => calm.matches || box.animate([{opacity: 1}, {opacity: .25}, {opacity: 1}], {duration: 700, iterations: 4});

  // Closed: why, from when, and the week's hours, in the place of numbers that nobody waits for any more.
  function shut() {
    const [first] = shown, closed = hall && !hall.open && hall.closed;
    const on = Boolean(closed) && !(first && server_ms() - first.called_ms < SHUT_AFTER_CALL_MS);
    find("[data-shut]").hidden = !on;
    find(".calls h1").hidden = find("[data-before]").hidden = on;
    find("[data-nobody]").hidden = on || Boolean(first);
    find("[data-latest]").hidden = on || !first;
    if (on) { put("[data-shut-zh]", closed.zh); put("[data-shut-en]", closed.en); }
  }

  // The line at each open window; where none is open, how many wait for what.
  function queue(told) {
    put("[data-total]", told.waiting.total);
    for (const [name, count] of Object.entries(told.waiting.categories)) {
      const one = find(`[data-category="${CSS.escape(name)}"]`);
      if (one) one.textContent = count;
    }
    const list = find("[data-lines]"), pattern = find("[data-line-pattern]");
    list.replaceChildren(...(told.lines ?? []).map((one) => {
      const line = pattern.content.firstElementChild.cloneNode(true);
      line.dataset.line = one.window_id;
      put("[data-sign]", one.sign && one.number, line);
      put("[data-line-zh]", one.zh, line);
      put("[data-line-en]", one.en, line);
      put("[data-first]", one.first.join(" ") + (one.waiting > one.first.length ? " …" : ""), line);
      put("[data-line-waiting]", one.waiting, line);
      return line;
    }));
    const none = !list.children.length;
    list.hidden = none;
    find("[data-no-window]").hidden = find("[data-categories]").hidden = !none;
    // Where the line can only be first come, first served, people are told so, in both languages.
    put("[data-mode]", told.mode?.zh ? `${told.mode.zh} ${told.mode.en}` : "");
    find("[data-mode]").hidden = !told.mode?.zh;
  }

  // Bays and notices share a place: the pages of the one, then each of the others.
  const has = { bays: () => Boolean(find("[data-zones]").children.length), notices: () => notices.length > 0 };
  let side = "bays";
  function place() {
    if (!has[side]()) side = side === "bays" ? "notices" : "bays";
    find("[data-bays]").hidden = side !== "bays" || !has.bays();
    find("[data-notices]").hidden = side !== "notices" || !has.notices();
    if (side === "notices" && has.notices()) hang();
    lines.fit();
    bays.fit();
  }
  function hang() {
    const one = notices[notice %= notices.length];
    if (one.id !== hung) { leaves.begin(); hung = one.id; }
    for (const part of ["title", "body"]) for (const lang of ["zh", "en"]) put(`[data-${part}-${lang}]`, one[part][lang]);
    leaves.fit();
    page_of_notice();
  }
  function page_of_notice() {
    const parts = [notices.length > 1 ? `${notice + 1}/${notices.length}` : "", leaves.count > 1 ? `${leaves.at + 1}/${leaves.count}` : ""];
    label("notices").textContent = parts.filter(Boolean).join(" · ");
  }
  function turn() {
    lines.fit();
    lines.turn();
    if (side === "notices") {
      ticks = (ticks + 1) % NOTICE_TURNS;
      if (ticks) return;
      if (!leaves.turn()) { page_of_notice(); return; }
      notice += 1;
      if (notice >= notices.length) { notice = 0; side = "bays"; }
      place();
    } else if (bays.turn() && has.notices()) { side = "notices"; notice = ticks = 0; place(); }
  }

  // Somebody needs help: that, and nothing of whom, where or why; the server says no more than this.
  function alarm(now) {
    find("[data-alarm]").hidden = !now?.display;
    body.classList.toggle("alarmed", Boolean(now?.display));
    LinliVoice.alarm(Boolean(now?.voice));
  }

  function state(told) {
    if (told.now_ms) ahead_ms = told.now_ms - Date.now();
    called(told.called);
    queue(told);
    if ("alarm" in told) alarm(told.alarm);
    LinliVoice.look();
    zones.state(told);
    place();
    tick();
  }
  // `called` comes first and is drawn without waiting for the `state` that follows it.
  const call = (one) => { called([one, ...shown.filter((other) => other.number !== one.number)].slice(0, 6)); LinliVoice.look(); tick(); };
  const zone = (told) => { zones.zone(told); place(); };

  // What could not be read is null, and what stood there stays.
  function now(told) {
    if (build && build !== told.build) { location.reload(); return; }
    build = told.build;
    ahead_ms = told.now_ms - Date.now();
    hall = told.hall ?? hall;
    if (hall) {
      find("[data-hours]").replaceChildren(...hall.hours.map((one) => {
        const line = document.createElement("li"), english = document.createElement("small");
        english.lang = "en";
        english.textContent = one.en;
        line.append(`${one.zh} `, english);
        return line;
      }));
      find("[data-hours-title]").hidden = !hall.hours.length;
    }
    if (told.notices) notices = told.notices;
    zones.outlook(told.outlook);
    shut();
    place();
  }
  async function look() {
    try {
      const answer = await fetch("/display/now", {cache: "no-store", signal: AbortSignal.timeout(5000)});
      if (answer.ok) now(await answer.json());
    } catch { /* asked again in half a minute; the sign "offline" is the stream's */ }
  }

  function tick() {
    put("[data-clock]", clock.format(server_ms()));
    rest(server_ms(), shown[0]?.called_ms);
    shut();
  }
  const begun = JSON.parse(body.dataset.state);
  if (begun) state(begun); else zones.link({connected: false});
  now(JSON.parse(body.dataset.now));
  tick();
  setInterval(tick, 1000);
  setInterval(turn, TURN_MS);
  setInterval(look, LOOK_MS);
  addEventListener("resize", place);
  addEventListener("load", place);
  document.fonts.ready.then(place);
  LinliLive.open("/live", {state, called: call, zone, link: zones.link, hall: look, alarm: (told) => alarm(told.alarm), voice: LinliVoice.look}, {poll: "/api/state", onPoll: state});
})();
