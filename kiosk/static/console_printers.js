"use strict";
/* The printers' page keeps itself fresh: it asks for itself and puts the answer in its place, unless somebody is writing. */
(() => {
  const EVERY_MS = 2000;
  const part = () => document.querySelector("[data-follow]");
  async function look() {
    if (document.hidden || part().contains(document.activeElement)) return;
    let answer;
    try {
      answer = await fetch(location.href, { cache: "no-store", signal: AbortSignal.timeout(4000) });
    } catch { return; /* it asks again */ }
    if (!answer.ok) return;
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("[data-follow]");
    if (!fresh) return location.reload(); // signed out or locked: the page that says so
    if (fresh.innerHTML !== part().innerHTML && !part().contains(document.activeElement)) part().replaceWith(fresh);
  }
  setInterval(look, EVERY_MS);
})();
