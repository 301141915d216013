"use strict";
/* Typing a query code: on the glass, by keyboard, or with a scanner. A scanner types what the slip's code holds, the code
 * or a whole address, and ends with Enter. The eighth sign looks it up by itself: one touch less. */
(() => {
  const {show, go, why, words} = window.linliTouch;
  const page = document.querySelector("[data-go]"), boxes = [...document.querySelectorAll("[data-box]")];
  const look = document.querySelector("[data-look]"), said = document.querySelector("[data-why-not]"), where = document.querySelector("[data-where]");
  const signs = [...document.querySelectorAll("[data-sign]")].map((one) => one.dataset.sign);
  const SCANNED_WITHIN_MS = 100, IN_ADDRESS = /\/progress\/([0-9A-Z]{8})(?:[?#].*)?$/i;
  const of = (address, code) => address.replace("00000000", code);
  let code = boxes.map((box) => box.textContent).join(""), looking = false, until = 0;
  let raw = "", rawAt = 0, soon = 0;

  function draw() {
    boxes.forEach((box, place) => { box.textContent = code[place] || ""; box.className = place === code.length ? "next" : ""; });
    look.disabled = looking || until > performance.now() || code.length < boxes.length;
  }
  function say(text) {
    said.textContent = text;
    if (where) where.hidden = Boolean(text);
  }
  function type(sign, typed) {
    if (looking || code.length >= boxes.length || !signs.includes(sign)) return;
    code += sign;
    if (code.length === 1) say("");
    draw();
    clearTimeout(soon);
    // A scanner is quicker than this, and may not be done yet: its Enter says so.
    if (code.length === boxes.length) { if (typed) soon = setTimeout(find, 4 * SCANNED_WITHIN_MS); else find(); }
  }
  function erase(all) {
    if (looking) return;
    clearTimeout(soon);
    code = all ? "" : code.slice(0, -1);
    if (until <= performance.now()) say("");
    draw();
  }
  function wait(seconds, text) {
    until = performance.now() + seconds * 1000;
    const tell = () => {
      const left = Math.ceil((until - performance.now()) / 1000);
      if (left <= 0) { clearInterval(ticking); say(""); draw(); return; }
      say(text.replace(/\d+/, left));
      draw();
    };
    const ticking = setInterval(tell, 500);
    tell();
  }
  async function find() {
    clearTimeout(soon);
    if (looking || code.length < boxes.length || until > performance.now()) return;
    looking = true;
    look.textContent = words.js_progress_looking;
    draw();
    let answer = null, told = {};
    try {
      answer = await fetch(of(page.dataset.ask, code), {cache: "no-store", signal: AbortSignal.timeout(8000)});
      told = await answer.json();
    } catch { answer = null; }
    looking = false;
    look.textContent = look.dataset.word;
    draw();
    if (answer && answer.ok) { go(of(page.dataset.go, code)); return; }
    if (!answer) { show("", words.js_reconnecting, words.js_ok); return; }
    if (answer.status === 429) wait(Number(answer.headers.get("Retry-After")) || 60, why(told));
    else say(why(told));
  }
  look.dataset.word = look.textContent;
  document.querySelectorAll("[data-sign]").forEach((key) => key.addEventListener("click", () => type(key.dataset.sign, false)));
  document.querySelector("[data-erase]").addEventListener("click", () => erase(false));
  document.querySelector("[data-clear]").addEventListener("click", () => erase(true));
  said.addEventListener("click", () => { if (until <= performance.now()) say(""); });
  look.addEventListener("click", find);
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || document.querySelector("[data-dialog]").open) return;
    const at = performance.now();
    if (at - rawAt > 10 * SCANNED_WITHIN_MS) raw = "";
    rawAt = at;
    if (event.key === "Enter" && (raw || !["BUTTON", "A"].includes(event.target.tagName))) {
      event.preventDefault();
      const scanned = raw.match(IN_ADDRESS);
      if (scanned) code = scanned[1].toUpperCase();
      raw = "";
      draw();
      find();
    } else if (event.key === "Backspace") erase(false);
    else if (event.key.length === 1 && event.key !== " ") {
      raw += event.key;
      if (raw.length > boxes.length || !signs.includes(event.key.toUpperCase())) clearTimeout(soon);
      type(event.key.toUpperCase(), true);
    }
  });
  if (Number(page.dataset.rest)) wait(Number(page.dataset.rest), said.textContent);
  draw();
})();
