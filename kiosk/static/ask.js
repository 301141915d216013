"use strict";
/* A request, step by step, in one page: where → which building and door → in words or without → sent.
 *
 * `given` is all that somebody has said; it lives in this page alone. Each step is a <section data-step>, its buttons in
 * the bar below say by data-for where they belong. Going back keeps what was given; so does another language.
 */
(() => {
  const {show, go, why, words, home} = window.linliTouch, {request: deliver, note: deliverNote} = window.linliSend;
  const HOME_AFTER_S = 20, FOLLOW = 12, LARGE_CHOICES = 6, CHOICES = 12, LOW_CHOICES = 8, LOW_MM = 180, PRESETS = 6, TOLD = 24, SLOW_MS = 700;
  const body = document.body, ask = document.querySelector("[data-ask]"), root = document.documentElement;
  const all = (selector, inside = document) => [...inside.querySelectorAll(selector)];
  const find = (selector, inside = document) => inside.querySelector(selector);
  const fields = new Set(ask.dataset.fields.split(" ")), must = new Set(ask.dataset.must.split(" ").filter(Boolean));
  const sections = new Map(all("[data-step]").flatMap((one) => one.dataset.step.split(" ").map((step) => [step, one])));
  const say = (name, n = "") => find(`[data-say="${name}"]`).textContent.replace("{n}", n).replace("{text}", n);
  const active = () => document.dispatchEvent(new CustomEvent("linli:active", {bubbles: true}));
  const pause = (ms) => new Promise((wake) => { setTimeout(wake, ms); });
  const large = () => root.classList.contains("large");

  // A panel of so few millimetres (10.1 inch lying has 135) holds fewer choices beside what turns their pages.
  const isLow = () => innerHeight / (parseFloat(getComputedStyle(root).getPropertyValue("--mm")) || 4) < LOW_MM;

  // ------------------------------------------------------------ what was given
  const given = {
    place: ask.dataset.place ?? "", then: ask.dataset.then ?? "", inside: Boolean(ask.dataset.place), building: "", unit: "", room: "",
    name: "", phone: "", typed: "", employer_branch: "", skills: "", birth_year: "", preferred_day: "", meal_choice: "",
    presets: new Set(),
  };
  const EXTRA = ["employer_branch", "skills", "birth_year", "preferred_day", "meal_choice"];
  let now = "", box = "", sending = false, finished = false, tried = null, answered = null, key = body.dataset.key;
  const trail = [], pages = new Map();
  const voice = sections.has("speak") ? window.linliVoice(sections.get("speak"), {say, active, changed: () => draw()}) : null;
  const drawing = sections.has("draw") ? window.linliDrawing(sections.get("draw"), {active, changed: () => draw()}) : null;

  /** The steps of this request, as far as they can be known. */
  function path() {
    const steps = ["first", "place"].filter((step) => sections.has(step) && (step !== "first" || firstAlone()));
    if (sections.has("building")) {
      steps.push("building");
      if (given.then && given.building) steps.push(given.then);
    }
    for (const step of ["name", "phone", "employer_branch", "birth_year", "preferred_day", "meal_choice"]) if (must.has(step)) steps.push(step);
    return [...steps, "words"];
  }
  /** What to do first stands beside the first question, but where text is large and the panel low: there it has its own step. */
  const firstAlone = () => !("orWithPlace" in sections.get("first").dataset) || (large() && matchMedia("(orientation: landscape)").matches);
  const needsBuilding = () => must.has("building") || given.inside;

  // ------------------------------------------------------------ from step to step
  function enter(step, {forward = true} = {}) {
    if (forward && now) trail.push(now);
    if (now === "speak" && step !== "speak") voice.leave();
    now = step;
    box = find("[data-box]", sections.get(step))?.dataset.box ?? "";
    // A door has two boxes; most units have one digit, and whoever comes back mends the first.
    pages.set(step, 0);
    draw();
    if (step === "draw") drawing.draw();
    const field = find(`[data-text-for="${step}"] [data-text]`);
    find("#main").scrollTop = 0;
    // A page that has just been opened is read from its top by itself.
    // The keyboard comes with its field (keyboard.js) and goes with it.
    const board = find(".keyboard");
    if (board && !field) { board.hidden = true; body.classList.remove("keyboard-there"); }
    if (field) { field.focus(); field.click(); } else if (trail.length) find("h1", sections.get(step))?.focus({preventScroll: true});
    document.dispatchEvent(new CustomEvent("linli:screen", {bubbles: true, detail: {step}}));
  }
  function next() {
    const steps = path(), after = steps[steps.indexOf(now) + 1];
    if (after) enter(after);
  }
  function back() {
    if (sending || finished || !trail.length) return false;
    enter(trail.pop(), {forward: false});
    return true;
  }

  // ------------------------------------------------------------ what stands on the glass
  function told() {
    const said = [ask.dataset.name];
    const chosen = (name) => find(`[data-set="${name}"][data-value="${CSS.escape(given[name])}"]`)?.textContent;
    if (given.place && sections.has("place")) said.push(chosen("place"));
    if (given.building) said.push(chosen("building") ?? say("summary_building", given.building));
    if (given.unit) said.push(say("summary_unit", given.unit));
    if (given.room) said.push(say("summary_room", given.room));
    for (const name of ["name", "employer_branch", "skills", "birth_year"]) if (given[name]) said.push(given[name]);
    for (const name of ["preferred_day", "meal_choice"]) if (given[name]) said.push(chosen(name));
    if (given.phone) said.push(say("summary_phone", given.phone));
    for (const one of all("[data-preset]")) if (given.presets.has(one.dataset.preset)) said.push(one.textContent);
    if (given.typed.trim()) said.push([...given.typed.trim()].slice(0, TOLD).join("") + (given.typed.trim().length > TOLD ? "…" : ""));
    if (voice?.note) said.push(say("summary_voice", voice.note.seconds));
    if (drawing?.there) said.push(say("summary_drawing"));
    return said;
  }
  function draw() {
    if (!now || !find("#main").firstChild) return;
    for (const one of new Set(sections.values())) one.hidden = one !== sections.get(now);
    for (const one of all("[data-for]")) one.hidden = !one.dataset.for.split(" ").includes(now);
    for (const one of all("[data-text-for]")) one.hidden = one.dataset.textFor !== now;
    for (const one of all("[data-needs]")) one.disabled = !given[one.dataset.needs].trim();
    const skip = find('[data-skip="building"]');
    if (skip) skip.hidden = now !== "building" || needsBuilding();
    const soFar = find("[data-so-far]"), line = told();
    soFar.hidden = ["first", "place", "sent", "draw", "typed", "name"].includes(now) || line.length < 2;
    soFar.replaceChildren(...line.map((text) => Object.assign(document.createElement("span"), {textContent: text})));
    for (const one of all("[data-set]")) one.setAttribute("aria-pressed", String(given[one.dataset.set] === one.dataset.value));
    for (const one of all("[data-preset]")) one.setAttribute("aria-pressed", String(given.presets.has(one.dataset.preset)));
    for (const one of all("[data-box]")) {
      find("[data-shown]", one).textContent = given[one.dataset.box];
      one.setAttribute("aria-pressed", String(one.dataset.box === box));
    }
    const there = {preset: given.presets.size, voice: voice?.note, drawing: drawing?.there, typed: given.typed.trim()};
    for (const one of all("[data-has]")) one.hidden = !(there[one.dataset.has] ?? given[one.dataset.has]);
    for (const one of all("[data-in-large]")) one.hidden = !large();
    for (const one of all("[data-with-place]")) one.hidden = firstAlone();
    settle();
    voice?.draw();
    find("[data-send]").disabled = sending;
    drawSent();
  }
  const atHome = () => { if (find("[data-presets]")) find("[data-presets-home]").append(find("[data-presets]")); };
  /** Sentences have a screen of their own in the elders' mode; long lists have pages. */
  function settle() {
    const presets = find("[data-presets]"), place = find(large() ? "[data-presets-large]" : "[data-presets-home]");
    if (presets && presets.parentElement !== place) place.append(presets);
    if (!large() && now === "pick") return enter(trail.pop() ?? "words", {forward: false});
    for (const list of all("[data-paged]", sections.get(now))) {
      const choices = [...list.children], most = large() ? LARGE_CHOICES : list.closest("[data-presets]") ? PRESETS : isLow() && choices.length > CHOICES ? LOW_CHOICES : CHOICES;
      const count = Math.ceil(choices.length / most), page = Math.min(pages.get(now) ?? 0, count - 1);
      choices.forEach((one, n) => { one.hidden = Math.floor(n / most) !== page; });
      const pager = list.parentElement.querySelector("[data-pager]");
      pager.hidden = count < 2;
      for (const turn of all("[data-turn-page]", pager)) turn.disabled = turn.dataset.turnPage === "-1" ? page === 0 : page === count - 1;
    }
  }

  // ------------------------------------------------------------ touches
  const touched = {
    set(one) {
      given[one.set] = one.value;
      if (one.set === "place") {
        Object.assign(given, {then: one.then, inside: "inside" in one});
        if (given.then !== "door") given.room = "";
        if (!given.then) given.unit = "";
      }
      next();
    },
    preset(one, button) {
      const text = one.preset, there = given.presets.has(text);
      if (button.closest("[data-only-one]")) given.presets.clear();
      if (there) given.presets.delete(text); else given.presets.add(text);
      draw();
    },
    turnPage(one) { pages.set(now, (pages.get(now) ?? 0) + Number(one.turnPage)); draw(); },
    skip(one) {
      for (const name of one.skip.split(" ")) given[name] = "";
      if (now === "building") Object.assign(given, {unit: "", room: ""});
      const field = find(`[data-text="${one.skip}"]`);
      if (field) field.value = "";
      if (path().includes(now)) next(); else back();
    },
    next() { next(); },
    keep() { back(); },
    go(one) { enter(one.go); },
    box(one) { box = one.box; draw(); },
    digit(one) { digit(one.digit); },
    clear() { if (box) given[box] = ""; draw(); },
    erase() { erase(); },
    send() { send(); },
    stay() { stay(); },
  };
  function digit(sign) {
    const field = find(`[data-box="${box}"]`, sections.get(now));
    if (!field || given[box].length >= Number(field.dataset.most)) return;
    given[box] += sign;
    const boxes = all("[data-box]", sections.get(now));
    // After the one digit of a unit the room is next; a second digit of the unit is one touch on its box away.
    if (boxes.length > 1 && field === boxes[0] && given[box].length === 1) box = boxes[1].dataset.box;
    draw();
  }
  function erase() {
    const boxes = all("[data-box]", sections.get(now));
    if (!given[box] && boxes.length > 1) box = boxes[0].dataset.box;
    given[box] = given[box].slice(0, -1);
    draw();
  }
  document.addEventListener("click", (event) => {
    const button = event.target.closest("main button, .act button");
    if (!button || sending) return;
    for (const name of Object.keys(touched)) if (name in button.dataset) return touched[name](button.dataset, button);
  });
  document.addEventListener("input", (event) => {
    if (event.target.dataset?.text) { given[event.target.dataset.text] = event.target.value; active(); draw(); }
  });
  document.addEventListener("keyboard:done", () => {
    const main = find(`.act [data-for~="${now}"].main:not([disabled])`);
    if (main) main.click();
  });
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || find("[data-dialog]").open || !find("[data-pad]", sections.get(now))) return;
    if (/^[0-9]$/.test(event.key)) digit(event.key);
    else if (event.key === "Backspace") { event.preventDefault(); erase(); }
  });
  // Ways out of the page, before touch.js follows them: one step back, or the same page seen in another way.
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[href]");
    if (!link) return;
    if ("stepBack" in link.dataset && (finished || trail.length)) {
      event.preventDefault();
      event.stopPropagation();
      if (finished) go(home); else back();
    } else if (link.closest(".modes")) {
      event.preventDefault();
      event.stopPropagation();
      see(link.href);
    }
  }, {capture: true});
  // Nobody is there any more: the microphone is given back, and nothing of the draft remains.
  document.addEventListener("linli:idle", () => {
    finished = true;
    voice?.drop();
    drawing?.drop();
    for (const name of Object.keys(given)) given[name] = name === "presets" ? new Set() : "";
    answered = null;
    for (const one of all("main")) one.replaceChildren();
  });
  let seeing = false;
  async function see(url) {
    if (seeing) return;
    seeing = true;
    for (let tries = 0; ; tries += 1) {
      try { await window.linliSee(url, words, atHome); break; } catch { show("", words.js_reconnecting, ""); }
      await pause(Math.min(500 * (tries + 1), 3000));
    }
    if (find("[data-dialog]").open) find("[data-dialog]").close();
    seeing = false;
    draw();
  }

  // ------------------------------------------------------------ sending
  function request() {
    const [buildingWord, unitWord] = ask.dataset.door.split(" ");
    const building = /^\d+$/.test(given.building) ? given.building + buildingWord : given.building;
    const what = {
      kind: ask.dataset.ask, place: given.place, building, unit: given.unit && given.unit + unitWord, room: given.room, name: given.name.trim(),
      phone: given.phone, words: [...all("[data-preset]").map((one) => one.dataset.preset).filter((one) => given.presets.has(one)), given.typed.trim()].filter(Boolean).join("；"),
      extra: Object.fromEntries(EXTRA.filter((name) => given[name]).map((name) => [name, given[name].trim()])),
      lang: body.dataset.lang, screen: body.dataset.screen,
    };
    return what;
  }
  async function send() {
    if (sending || finished) return;
    let picture = null;
    try { picture = await drawing?.picture(); } catch { return show("", say("drawing_large"), words.js_ok); }
    if (sending) return;
    sending = true;
    draw();
    const what = request(), same = JSON.stringify(what);
    // What was changed after a try of which nobody knows whether it arrived is another request: better two than a wrong one.
    if (tried !== null && tried !== same) key = body.dataset.key + "-" + String(performance.now() | 0);
    tried = same;
    let stopped = false;
    const slow = setTimeout(() => show("", say("sending"), ""), SLOW_MS);
    const answer = await deliver({...what, key}, {
      active, stopped: () => stopped,
      told: (long) => { clearTimeout(slow); if (!stopped) show("", say(long ? "send_long" : "send_trying"), say("send_wait_no_more"), () => { stopped = true; }); },
    });
    clearTimeout(slow);
    if (find("[data-dialog]").open) find("[data-dialog]").close();
    sending = false;
    draw();
    if (!answer) return;
    if (!answer.ok) return show("", why(answer.said), say("send_again"), () => mend(answer.said.error));
    sent(answer.said, picture);
  }
  /** To the step whose field the server could not take, with all that was given. */
  function mend(error) {
    const step = {unit: given.then, room: given.then, words: "typed"}[error?.field] ?? error?.field;
    if (step && step !== now && sections.has(step)) enter(step);
  }
  let notesTold = "", leftTold = () => "";
  async function sent(said, picture) {
    finished = true;
    answered = said;
    enter("sent");
    const square = find("[data-qr-picture]");
    if (square) { square.src = `/ask/${encodeURIComponent(said.code)}/qr.svg`; find("[data-qr]").hidden = false; }
    follow();
    const notes = [["voice", voice?.note?.blob], ["drawing", picture]].filter(([, blob]) => blob);
    if (notes.length) {
      notesTold = "notes_coming";
      drawSent();
      const kept = await Promise.all(notes.map(([name, blob]) => deliverNote(said.code, key, name, blob, active)));
      notesTold = kept.every(Boolean) ? "notes_there" : "notes_lost";
    }
    leave();
  }
  function drawSent() {
    if (!answered) return;
    const fill = (name, text) => { const one = find(name); if (one.textContent !== text) one.textContent = text; one.hidden = !text; return one; };
    find("[data-step-back]").textContent = words.js_home;
    fill("[data-code]", answered.code.replace(/(.{4})(?=.)/g, "$1 "));
    fill("[data-answer-by]", answered.answer_by?.[body.dataset.lang] ?? "");
    fill("[data-notes-told]", notesTold && say(notesTold)).classList.toggle("trouble", notesTold === "notes_lost");
    const left = find("[data-left]");
    if (left.textContent !== leftTold()) left.textContent = leftTold();
    find("[data-stay]").disabled = staying;
    // Which word is the server's to say (kiosk/rules/paper_words.py).
    const slip = answered.slip, name = slip?.word in words ? slip.word : "js_paper_coming";
    const line = fill("[data-paper]", words[name].replace("{at}", slip?.[body.dataset.lang === "en" ? "at_en" : "at_zh"] ?? ""));
    line.className = "paper " + (name.startsWith("js_paper_printed") ? "ready" : ["js_paper_coming", "js_paper_there"].includes(name) ? "" : "trouble");
  }
  /** How the slip goes: the same key again is the same request, with its slip as it is now. */
  async function follow() {
    const what = {...request(), key};
    for (let looks = 0; looks < FOLLOW; looks += 1) {
      await pause(1500);
      const now = await deliver(what, {active() {}, told() {}, stopped: () => true});
      if (now?.ok) { answered = now.said; drawSent(); }
    }
  }
  let staying = false;
  function stay() {
    staying = true;
    leftTold = () => say("staying");
    drawSent();
  }
  async function leave() {
    for (let left = HOME_AFTER_S; left > 0; left -= 1) {
      if (staying) return;
      leftTold = () => say("home_in", left);
      drawSent();
      active();
      await pause(1000);
    }
    if (!staying) go(home);
  }

  const began = path()[0];
  enter(began);
})();
