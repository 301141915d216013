"use strict";
/* The virtual hall: asks /demo/state twice a second and redraws what has changed. */
(() => {
  const EVERY_MS = 500;
  const body = document.body, given = (name) => JSON.parse(body.dataset[name]);
  const can = given("can"), facts = given("facts"), values = given("values"), kinds = given("kinds"), names = given("names");
  const find = (what) => document.querySelector(what);
  const make = (tag, className, text) => { const one = document.createElement(tag); if (className) one.className = className; if (text !== undefined) one.textContent = text; return one; };
  const has = (table, key) => Object.hasOwn(table, key);
  /** "button:btn-1" as a reader's words; a printer and a panel have names in hall.toml. */
  const called = (name) => { const [kind, ...rest] = name.split(":"); return has(names, name) ? names[name] : `${kinds[kind] ?? kind} ${rest.join(":")}`; };
  /** A value of a state in the reader's language; what a slip or a panel says of its own is left as it is. */
  const inWords = (value) => { const text = String(value); return has(values, text) ? values[text] : text.replace(/^(\d+|--) (green|yellow|red)( least| chosen)?$/, (whole, count, colour, least) => `${least === " least" ? "≥ " : ""}${values[count] ?? count} ${values[colour]}`); };
  const boxes = new Map();
  let drawn = "";
  async function act(device, what) {
    const answer = await fetch("/demo/do", {method: "POST", headers: {"Content-Type": "application/json"}, body: JSON.stringify({device, do: what})});
    const wrong = find("[data-wrong]");
    wrong.hidden = answer.ok;
    if (!answer.ok) wrong.textContent = (await answer.json()).error[body.dataset.lang];
    look();
  }
  function box(name) {
    if (boxes.has(name)) return boxes.get(name);
    const whole = make("section", "device"), head = make("h3", "", called(name)), list = make("dl"), acts = make("div", "acts");
    const lamp = make("span", "lamp");
    lamp.hidden = true;
    head.prepend(lamp);
    for (const [what, label] of can[name.split(":")[0]] ?? []) {
      const button = make("button", "", label);
      button.type = "button";
      button.addEventListener("click", () => act(name, what));
      acts.append(button);
    }
    whole.append(head, list, acts);
    find("[data-devices]").append(whole);
    const made = {whole, list, lamp};
    boxes.set(name, made);
    return made;
  }
  function draw(told) {
    find("[data-away]").hidden = told.running;
    for (const name of boxes.keys()) if (!(name in told.devices)) { boxes.get(name).whole.remove(); boxes.delete(name); }
    for (const [name, state] of Object.entries(told.devices)) {
      const {list, lamp} = box(name), light = state.light ?? state.lamp;
      lamp.hidden = typeof light !== "string";
      lamp.className = "lamp " + light;
      const told_of = (facts[name.split(":")[0]] ?? []).filter(([key]) => has(state, key) && state[key] !== null && state[key] !== "");
      list.replaceChildren(...told_of.map(([key, label]) => {
        const pair = make("div");
        pair.append(make("dt", "", label), make("dd", "", key === "last_text" ? state[key] : inWords(state[key])));
        return pair;
      }));
    }
    find("[data-panels]").replaceChildren(...Object.entries(told.panels).map(([name, text]) => {
      const panel = make("div", "panel");
      panel.append(make("span", "", called(`panel:${name}`)), make("b", "", text ? inWords(text) : body.dataset.nothing));
      return panel;
    }));
    const slips = Object.entries(told.paper).flatMap(([printer, numbers]) => numbers.map((number) => `/demo/paper/${printer}/${number}.png`));
    find("[data-no-paper]").hidden = slips.length > 0;
    const shown = [...document.querySelectorAll("[data-papers] img")].map((one) => one.getAttribute("src"));
    if (shown.join() !== slips.join()) {
      find("[data-papers]").replaceChildren(...slips.map((source) => { const image = make("img"); image.src = source; image.alt = `${called(`printer:${source.split("/")[3]}`)} ${parseInt(source.split("/")[4], 10)}`; return image; }));
    }
  }
  async function look() {
    try {
      const told = await (await fetch("/demo/state", {cache: "no-store", signal: AbortSignal.timeout(3000)})).text();
      if (told !== drawn) { drawn = told; draw(JSON.parse(told)); }
    } catch { find("[data-away]").hidden = false; drawn = ""; }
  }
  (async () => { for (;;) { await look(); await new Promise((wake) => { setTimeout(wake, EVERY_MS); }); } })();
})();
