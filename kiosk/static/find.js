"use strict";
/* What is found, while it is typed. Drawn by the server as for a browser without script; this only brings its part over. */
(() => {
  const LATE_MS = 2500, SHOW_LOADING_MS = 300, AGAIN_MS = 2000;
  const find = (selector) => document.querySelector(selector);
  const form = find("[data-asking]"), field = form.elements.q, clear = find("[data-clear]"), go = form.querySelector(".go");
  const lost = find("[data-lost]"), loading = find("[data-loading]");
  const modes = [...document.querySelectorAll(".mode")];
  let asked = null, again = 0, told = field.value;

  async function look() {
    asked?.abort();
    clearTimeout(again);
    const mine = asked = new AbortController(), wanted = field.value;
    const address = new URL(form.action);
    address.search = new URLSearchParams(new FormData(form)).toString();
    const late = setTimeout(() => mine.abort("late"), LATE_MS), slow = setTimeout(() => { loading.hidden = false; }, SHOW_LOADING_MS);
    find("[data-found]").setAttribute("aria-busy", "true");
    let page = null;
    try {
      const answer = await fetch(address, {cache: "no-store", signal: mine.signal, headers: {Accept: "text/html"}});
      if (answer.ok) page = new DOMParser().parseFromString(await answer.text(), "text/html");
    } catch { /* said below; a newer question is no fault */ }
    clearTimeout(late);
    clearTimeout(slow);
    if (asked !== mine) return;
    loading.hidden = true;
    lost.hidden = page !== null;
    find("[data-found]").setAttribute("aria-busy", "false");
    if (!page) { again = setTimeout(look, AGAIN_MS); return; }
    find("[data-found]").replaceChildren(...page.querySelector("[data-found]").childNodes);
    told = wanted;
    clear.hidden = !wanted;
    // The other language and size begin with the same words; the address too, should the page be loaded again.
    modes.forEach((one, place) => { const other = page.querySelectorAll(".mode")[place]; if (other) one.href = other.href; });
    history.replaceState(null, "", address);
  }
  field.addEventListener("input", look);
  form.addEventListener("submit", (event) => { event.preventDefault(); look(); });
  clear.addEventListener("click", () => { field.value = ""; field.focus(); look(); });
  document.addEventListener("click", (event) => {
    const example = event.target.closest("[data-example]");
    if (!example) return;
    // Before touch.js takes the link for a way to another page: the words go into the field, in sight.
    event.preventDefault();
    event.stopImmediatePropagation();
    field.value = example.dataset.example;
    look();
  }, true);
  clear.hidden = !told;
  go.hidden = true;
  if (document.body.classList.contains("keyboard-there")) field.focus({preventScroll: true});
})();
