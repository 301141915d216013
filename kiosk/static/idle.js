"use strict";
/* Nobody there: the screen asks, goes home, and nothing of the person remains.
 *
 * Without a touch for 45 s (90 s where something is filled in: <body data-form>) it asks, shown and spoken; 20 s later
 * it is home, in the language and size in which the screen hangs. Who touches it is asked again and again, without
 * limit. A recording, a drawing, a text that is being read count as touches: `linli:active` on the document.
 * `linli:finished`: the page leaves by itself (a number was given). `linli:idle`: everything goes now; who holds a
 * draft or a microphone drops it. At home nobody is asked: after 60 s the attract screen begins.
 */
(() => {
  const {go, words, home} = window.linliTouch, body = document.body;
  if (body.classList.contains("attract")) return;
  const IDLE_MS = "form" in body.dataset ? 90000 : 45000, LAST_CHANCE_S = 20, ATTRACT_MS = 60000, LOOK_MS = 250, SECOND_TAP_MS = 500;
  const here = location.pathname + location.search, atHome = here === home;

  // ------------------------------------------------------------ the way back is shut
  // Every link replaces the page before it. Should there be a way back all the same, it leads home, whatever stood there.
  const came = performance.getEntriesByType("navigation")[0]?.type;
  if (came === "back_forward" && !atHome) { body.hidden = true; location.replace(home); return; }
  addEventListener("pageshow", (event) => { if (event.persisted) location.replace(home); });
  document.querySelectorAll("form, input, textarea").forEach((one) => { one.autocomplete = "off"; });

  // Who ended the attract screen by a double tap has not chosen what now lies beneath the finger.
  if (atHome && new URL(document.referrer || location.href).pathname === "/attract") {
    addEventListener("click", (event) => {
      if (event.timeStamp < SECOND_TAP_MS) { event.preventDefault(); event.stopImmediatePropagation(); }
    }, {capture: true});
  }

  // ------------------------------------------------------------ asking
  const dialog = document.createElement("dialog"), title = document.createElement("h2"), left = document.createElement("p");
  const stay = document.createElement("button");
  dialog.className = "say idle";
  dialog.dataset.idle = dialog.dataset.aloudNow = "";
  title.id = "idle-title";
  title.textContent = words.js_idle;
  dialog.setAttribute("aria-labelledby", title.id);
  stay.type = "button";
  stay.className = "main";
  stay.textContent = words.js_idle_stay;
  dialog.append(title, left, stay);
  body.append(dialog);

  let touched = performance.now(), leaving = false;
  const active = () => { touched = performance.now(); };
  for (const sign of ["pointerdown", "pointermove", "keydown", "input", "wheel"]) addEventListener(sign, active, {passive: true, capture: true});
  addEventListener("scroll", active, {passive: true, capture: true});
  // What a machine does by itself (it speaks the question) is no sign of a person.
  document.addEventListener("linli:active", () => { if (!dialog.open) active(); });
  document.addEventListener("linli:finished", () => { leaving = true; if (dialog.open) dialog.close(); });
  stay.addEventListener("click", () => { active(); dialog.close(); });
  dialog.addEventListener("cancel", (event) => { event.preventDefault(); stay.click(); });

  function wipe() {
    leaving = true;
    document.dispatchEvent(new CustomEvent("linli:idle"));
    if (!atHome) document.querySelector("main").hidden = true;
    document.querySelectorAll("form").forEach((one) => one.reset());
    document.querySelectorAll("main input, main textarea").forEach((one) => { one.value = ""; });
    // Nothing of ours is ever kept in a browser; what another page may have left goes all the same.
    try { localStorage.clear(); sessionStorage.clear(); } catch { /* a browser that keeps nothing */ }
    window.caches?.keys().then((names) => names.forEach((name) => caches.delete(name)));
  }
  setInterval(() => {
    if (leaving) return;
    const quiet = performance.now() - touched;
    if (atHome) {
      if (quiet > ATTRACT_MS) { wipe(); go(home.replace(/^\//, "/attract")); }
    } else if (quiet <= IDLE_MS) {
      if (dialog.open) dialog.close();
    } else {
      const seconds = LAST_CHANCE_S - Math.floor((quiet - IDLE_MS) / 1000);
      if (seconds <= 0) { wipe(); go(home); return; }
      const text = words.js_idle_left.replace("{n}", seconds);
      if (left.textContent !== text) left.textContent = text;
      if (!dialog.open) dialog.showModal();
    }
  }, LOOK_MS);
})();
