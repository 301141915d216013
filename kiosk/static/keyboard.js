"use strict";
/* The keyboard in the page: no window of the system's comes over a kiosk's, so it stands here (templates/keyboard.html).
 *
 * In "pinyin" letters are gathered beside the field and /api/ime says which words they may be; nothing typed is lost when
 * it does not answer: the letters themselves can be chosen. In "plain" and "digits" each sign goes straight into the field.
 * The field hears `input` as from any keyboard; done tells it `keyboard:done` and makes room. A real keyboard works too.
 */
(() => {
  const PATIENCE_MS = 3000, LETTERS_AT_MOST = 40;
  const board = document.querySelector("[data-keyboard-for]");
  if (!board) return;
  const find = (selector) => board.querySelector(selector);
  const first = document.getElementById(board.dataset.keyboardFor);
  const strip = find("[data-strip]"), shown = find("[data-candidates]"), heard = find("[data-heard]"), letters = find("[data-letters]");
  const keys = find("[data-keys]"), before = find("[data-before]"), next = find("[data-next]");
  const digits = find("[data-digits]"), tongue = find("[data-tongue]");
  let field = first, chinese = true, numbers = false, gathered = "", candidates = [], pages = [0], at = 0, asked = null, opened = false;

  // ------------------------------------------------------------ which keys fit this panel
  // In millimetres on the glass, because a finger is: ten keys of 16 mm in a row, else the alphabet in six columns, else
  // nine keys that open their letters. A panel that is low has its keys beside the field, not below.
  function arrange() {
    const mm = parseFloat(getComputedStyle(document.documentElement).getPropertyValue("--mm")) || 4;
    const wide = innerWidth / mm, high = innerHeight / mm;
    const where = high < 180 && wide >= 190 ? "side" : "below";
    const kind = where === "below" && wide >= 182 ? "qwerty" : wide >= 112 ? "alphabet" : "nine";
    document.body.dataset.keys = kind;
    document.body.dataset.keysAt = where;
    document.body.classList.toggle("roomy", high >= 300);
    const order = kind === "qwerty" ? "qwertyuiopasdfghjklzxcvbnm" : "abcdefghijklmnopqrstuvwxyz";
    const home = find("[data-letters-keys]"), made = new Map([...home.children].map((key) => [key.dataset.sign, key]));
    if ([...home.children].map((key) => key.dataset.sign).join("") !== order) home.append(...[...order].map((sign) => made.get(sign)));
    draw();
  }

  // ------------------------------------------------------------ the field
  const mode = () => field.dataset.keyboard || board.dataset.mode;
  const gathers = () => mode() === "pinyin" && chinese && !numbers;
  function write(text) {
    const [from, to] = [field.selectionStart ?? field.value.length, field.selectionEnd ?? field.value.length];
    if (field.maxLength > 0 && field.value.length - (to - from) + text.length > field.maxLength) {
      heard.textContent = board.dataset.fullWords;
      heard.classList.add("seen");
      return false;
    }
    field.setRangeText(text, from, to, "end");
    field.dispatchEvent(new InputEvent("input", {bubbles: true, inputType: "insertText", data: text}));
    return true;
  }
  function erase() {
    if (gathered) { gathered = gathered.slice(0, -1); ask(); return; }
    let [from, to] = [field.selectionStart ?? field.value.length, field.selectionEnd ?? field.value.length];
    if (from === to) from = Math.max(0, from - ([...field.value.slice(0, from)].at(-1)?.length ?? 0));
    if (from === to) return;
    field.setRangeText("", from, to, "end");
    field.dispatchEvent(new InputEvent("input", {bubbles: true, inputType: "deleteContentBackward"}));
  }
  function type(sign) {
    heard.classList.remove("seen");
    if (!gathers() || !/^[a-z]$/.test(sign)) { if (gathered) choose(0); write(sign); return; }
    if (gathered.length < LETTERS_AT_MOST) { gathered += sign; ask(); }
  }

  // ------------------------------------------------------------ candidates
  async function ask() {
    asked?.abort();
    if (!gathered) { candidates = []; draw(); return; }
    const mine = asked = new AbortController(), wanted = gathered;
    letters.textContent = wanted;
    const late = setTimeout(() => mine.abort("late"), PATIENCE_MS);
    let found = [], lost = false;
    try {
      const answer = await fetch("/api/ime?q=" + encodeURIComponent(wanted), {cache: "no-store", signal: mine.signal});
      found = answer.ok ? (await answer.json()).candidates : [];
      lost = !answer.ok;
    } catch { lost = true; }
    clearTimeout(late);
    if (asked !== mine) return;
    asked = null;
    candidates = [...found, {text: wanted, used: wanted.length}];
    pages = [0];
    at = 0;
    draw();
    heard.classList.toggle("seen", lost);
    heard.textContent = lost ? board.dataset.lostWords : candidates.slice(0, 5).map((one, place) => `${place + 1} ${one.text}`).join(", ");
  }
  function choose(place) {
    // Faster than the answer: what is there belongs to fewer letters, so the letters themselves are taken.
    const chosen = asked || !candidates[place] ? {text: gathered, used: gathered.length} : candidates[place];
    asked?.abort();
    asked = null;
    if (!write(chosen.text)) return;
    gathered = gathered.slice(chosen.used);
    field.focus();
    ask();
  }
  function button(text, press) {
    const made = document.createElement("button");
    made.type = "button";
    made.textContent = text;
    made.addEventListener("click", press);
    shown.append(made);
    return made;
  }
  function draw() {
    letters.textContent = gathered;
    if (opened) return;  // letters of one of nine keys stand there: an answer that comes meanwhile waits
    board.classList.toggle("gathering", gathers() || document.body.dataset.keys === "nine");
    shown.replaceChildren();
    before.disabled = true;
    next.disabled = true;
    if (!gathered) { pages = [0]; at = 0; heard.textContent = ""; }
    // As many as have room: no word is cut, and none is smaller than a finger.
    let place = pages[at] ?? 0;
    for (; gathered && place < candidates.length; place += 1) {
      const mine = place, made = button(candidates[place].text, () => choose(mine));
      if (shown.scrollWidth > shown.clientWidth + 1 && shown.children.length > 1) { made.remove(); break; }
    }
    if (!gathered) return;
    before.disabled = at === 0;
    next.disabled = place >= candidates.length;
    pages[at + 1] = place;
  }
  function turn(by) { at += by; draw(); }
  before.addEventListener("click", () => turn(-1));
  next.addEventListener("click", () => turn(1));

  // ------------------------------------------------------------ keys on the glass
  const show = (selector, yes) => { find(selector).hidden = !yes; };
  function face() {
    const nine = document.body.dataset.keys === "nine";
    show("[data-letters-keys]", !numbers && !nine);
    show("[data-groups-keys]", !numbers && nine);
    show("[data-digits-keys]", numbers);
    strip.hidden = mode() !== "pinyin" && !nine;
    tongue.hidden = mode() !== "pinyin";
    for (const [key, other] of [[digits, numbers], [tongue, !chinese]]) {
      key.dataset.plain ??= key.textContent;
      key.textContent = other ? key.dataset.other : key.dataset.plain;
    }
    board.classList.toggle("numbers", numbers);
    draw();
  }
  // The field keeps its focus and its caret while keys are touched.
  board.addEventListener("pointerdown", (event) => event.preventDefault());
  keys.addEventListener("click", (event) => {
    const key = event.target.closest("button");
    if (!key) return;
    opened = false;
    if (key.dataset.sign) type(key.dataset.sign);
    else if (key.dataset.group) open(key.dataset.group);
    else if ("backKey" in key.dataset) erase();
    else if ("space" in key.dataset) { if (gathered) choose(0); else write(" "); }
    else if ("digits" in key.dataset) { if (gathered) choose(0); numbers = !numbers; face(); }
    else if ("tongue" in key.dataset) { if (gathered) choose(0); chinese = !chinese; face(); }
    else if ("done" in key.dataset) {
      if (gathered) choose(0);
      hide();
      field.dispatchEvent(new CustomEvent("keyboard:done", {bubbles: true}));
    }
  });
  // Nine keys: the key opens its letters where the words else stand; a second touch takes one.
  function open(group) {
    opened = true;
    shown.replaceChildren();
    for (const sign of group) button(sign, () => { opened = false; draw(); type(sign); });
    heard.textContent = [...group].join(", ");
  }

  // ------------------------------------------------------------ a real keyboard
  document.addEventListener("keydown", (event) => {
    if (event.target !== field || event.isComposing || event.ctrlKey || event.altKey || event.metaKey || board.hidden) return;
    if (!gathers()) return;
    const place = (pages[at] ?? 0) + Number(event.key) - 1;
    if (/^[a-z]$/.test(event.key)) type(event.key);
    else if (!gathered) return;
    else if (event.key === "Backspace") erase();
    else if (event.key === " ") choose(pages[at] ?? 0);
    else if (/^[1-9]$/.test(event.key) && place < (pages[at + 1] ?? 0)) choose(place);
    else if (event.key === "PageDown" || event.key === "=") { if (!next.disabled) turn(1); }
    else if (event.key === "PageUp" || event.key === "-") { if (!before.disabled) turn(-1); }
    else if (event.key === "Enter") { candidates = []; choose(0); }
    else if (event.key === "Escape") { gathered = ""; ask(); }
    else return;
    event.preventDefault();
  });

  // ------------------------------------------------------------ there or not
  function serve(wanted) {
    if (gathered && field !== wanted) choose(0);
    field = wanted;
    field.inputMode = "none";  // the system's own keyboard stays away
    numbers = mode() === "digits";
    board.hidden = false;
    face();
    told();
  }
  function hide() {
    board.hidden = true;
    told();
  }
  // The page gives room to keys that are seen: a step of a form may have them and not be the one that is shown.
  const told = () => document.body.classList.toggle("keyboard-there", keys.offsetParent !== null);
  new ResizeObserver(told).observe(keys);
  const served = (target) => target === first || target.matches?.("input[data-keyboard], textarea[data-keyboard]");
  for (const sign of ["focusin", "click"]) document.addEventListener(sign, (event) => {
    if (served(event.target) && (board.hidden || field !== event.target) && !telephone.matches) serve(event.target);
  });
  addEventListener("resize", () => { arrange(); face(); });
  const telephone = matchMedia("(max-width: 700px)");  // it brings a keyboard of its own
  arrange();
  // For elders on a low panel the keys would leave too little room for what can be had by one touch: they come when the
  // field is touched.
  const later = document.body.dataset.keysAt === "side" && document.documentElement.classList.contains("large");
  if (!telephone.matches && !(later && !first.value)) serve(first);
})();
