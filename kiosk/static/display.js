"use strict";
/* The hall display: what /live tells, drawn at once. It never reloads; LinliLive rebuilds the line for it. */
(() => {
  const body = document.body, find = (what) => document.querySelector(what);
  const zones = LinliZones("zh");
  const clock = new Intl.DateTimeFormat("zh-CN", {
    timeZone: body.dataset.timezone, month: "long", day: "numeric", weekday: "long", hour: "2-digit", minute: "2-digit",
  });
  let ahead_ms = 0, latest = "";
  function called(list) {
    const [first, ...before] = list;
    find("[data-nobody]").hidden = Boolean(first);
    const box = find("[data-latest]");
    box.hidden = !first;
    if (first) {
      find("[data-number]").textContent = first.number;
      // The voice says the number, and it stands above the window.
      find("[data-window]").textContent = first.window_sign ?? "";
      find("[data-zh]").textContent = first.window_zh;
      find("[data-en]").textContent = first.window_en;
      box.className = "latest " + first.category;
      const now = first.number + "/" + first.calls;
      if (now !== latest) { latest = now; box.getAnimations({subtree: true}).forEach((one) => one.cancel()); flash(box); }
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
  }
  const flash = (box) => box.animate([{opacity: 1}, {opacity: .25}, {opacity: 1}], {duration: 700, iterations: 4});
  // Somebody needs help: that, and nothing of whom, where or why; the server says no more than this.
  function alarm(now) {
    find("[data-alarm]").hidden = !now?.display;
    LinliVoice.alarm(Boolean(now?.voice));
  }
  function state(told) {
    called(told.called);
    alarm(told.alarm);
    LinliVoice.look();
    shown = told.called;
    for (const [name, count] of Object.entries(told.waiting.categories)) {
      const one = find(`[data-category="${CSS.escape(name)}"]`);
      if (one) one.textContent = count;
    }
    // Where the line can only be first come, first served, people are told so, in both languages.
    find("[data-mode]").textContent = told.mode?.zh ? `${told.mode.zh} ${told.mode.en}` : "";
    find("[data-mode]").hidden = !told.mode?.zh;
    zones.state(told);
    if (told.now_ms) ahead_ms = told.now_ms - Date.now();
  }
  let shown = [];
  // `called` comes first and is drawn without waiting for the `state` that follows it.
  const call = (one) => { shown = [one, ...shown.filter((other) => other.number !== one.number)].slice(0, 6); called(shown); LinliVoice.look(); };
  const tick = () => { find("[data-clock]").textContent = clock.format(Date.now() + ahead_ms); };
  state(JSON.parse(body.dataset.state));
  tick();
  setInterval(tick, 1000);
  LinliLive.open("/live", {state, called: call, zone: zones.zone, link: zones.link, alarm: (told) => alarm(told.alarm), voice: LinliVoice.look}, {poll: "/api/state", onPoll: state});
})();
