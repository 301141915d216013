"use strict";
/* Calibrating a screen: the keypad of the code, and the bar that is made as long as a bank card. A step is one CSS px
 * of the bar's length (fine) or ten (coarse); the arrow keys do the same: left and right fine, down and up coarse.
 */
(() => {
  const pad = document.querySelector("[data-pad]"), form = document.getElementById("measure");
  if (pad) {
    const code = document.getElementById("code");
    pad.hidden = false;
    pad.addEventListener("click", (event) => {
      const key = event.target.closest("[data-key]");
      if (!key) return;
      code.value = key.dataset.key ? (code.value + key.dataset.key).slice(0, code.maxLength) : code.value.slice(0, -1);
    });
  }
  if (!form) return;

  const card_mm = Number(form.dataset.card), least = Number(form.dataset.least), most = Number(form.dataset.most);
  const px = form.querySelector("[data-px]"), bar = form.querySelector("[data-bar]");
  // What the page assumes now: its own millimetre, as the style sheets have it.
  let length_px = Number(px.value) * card_mm || bar.getBoundingClientRect().width;

  function show() {
    length_px = Math.min(Math.max(length_px, least * card_mm), most * card_mm);
    const per_mm = length_px / card_mm;
    form.style.setProperty("--new", `${per_mm}px`);
    px.value = per_mm.toFixed(4);
  }
  function by(step) { length_px += step; show(); }
  form.querySelector("[data-longer]").hidden = false;
  form.querySelector("[data-longer]").addEventListener("click", (event) => {
    const button = event.target.closest("[data-by]");
    if (button) by(Number(button.dataset.by));
  });
  addEventListener("keydown", (event) => {
    const step = {ArrowLeft: -1, ArrowRight: 1, ArrowDown: -10, ArrowUp: 10}[event.key];
    if (!step || event.target.closest("input")) return;
    event.preventDefault();
    by(step);
  });
  px.addEventListener("change", () => {
    const typed = Number(px.value);
    if (typed >= least && typed <= most) { length_px = typed * card_mm; show(); }
  });
  show();
})();
