"use strict";
/* Typing a code on the glass, by keyboard or with a scanner (it types, and ends with Enter). The code itself is what makes
 * a second try the same number: nothing else is kept. */
(() => {
  const {post, show, go, why, number, words, home} = window.linliTouch;
  const body = document.body, boxes = [...document.querySelectorAll("[data-box]")];
  const send = document.querySelector("[data-check-in]");
  const signs = [...document.querySelectorAll("[data-sign]")].map((one) => one.dataset.sign);
  let code = "", sending = false;
  function draw() {
    boxes.forEach((box, place) => {
      box.textContent = code[place] || "";
      box.className = place === code.length ? "next" : "";
    });
    send.disabled = sending || code.length < boxes.length;
  }
  function type(sign) {
    if (sending || code.length >= boxes.length || !signs.includes(sign)) return;
    code += sign;
    draw();
  }
  function erase(all) {
    if (sending) return;
    code = all ? "" : code.slice(0, -1);
    draw();
  }
  async function checkIn() {
    if (sending || code.length < boxes.length) return;
    sending = true;
    draw();
    const {ok, said} = await post("/api/check-in", {code, screen: body.dataset.screen, lang: body.dataset.lang});
    sending = false;
    draw();
    if (document.querySelector("[data-dialog]").open) document.querySelector("[data-dialog]").close();
    if (ok) return number(said);
    const stays = said.error && ["unknown_code", "bad_code", "too_many_codes"].includes(said.error.code);
    show("", why(said), words.js_ok, () => { if (!stays) go(home); });
  }
  document.querySelectorAll("[data-sign]").forEach((key) => key.addEventListener("click", () => type(key.dataset.sign)));
  document.querySelector("[data-erase]").addEventListener("click", () => erase(false));
  document.querySelector("[data-clear]").addEventListener("click", () => erase(true));
  send.addEventListener("click", checkIn);
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || document.querySelector("[data-dialog]").open) return;
    if (event.key === "Enter" && event.target.tagName !== "BUTTON" && event.target.tagName !== "A") { event.preventDefault(); checkIn(); }
    else if (event.key === "Backspace") erase(false);
    else if (event.key.length === 1) type(event.key.toUpperCase());
  });
  draw();
})();
