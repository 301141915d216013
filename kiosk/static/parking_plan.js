"use strict";
/* The map of the car park, kept true: the server draws it, this changes a bay's state, and asks for a new drawing when
 * the plan has changed, the line was lost, or the bay that somebody was sent to is gone.
 *
 *   const plan = LinliPlan(() => "/parking?to=b3")    // what to fetch: a page with a [data-refresh]
 *   plan.bays([{bay_id, state}]); plan.redraw();
 */
window.LinliPlan = (address, drawn = () => {}) => {
  const WAIT_MS = 400, LATEST_MS = 3000;     // of many changes one drawing; but not later than this
  const root = () => document.querySelector("[data-refresh]");
  let timer = 0, first = 0, under = null;    // under: what was told while a drawing is on its way
  function bay({bay_id, state}) {
    const one = document.querySelector(`[data-plan] [data-bay="${CSS.escape(bay_id)}"]`);
    if (!one) return;
    one.classList.remove("free", "taken", "unknown", "closed");
    one.classList.add(state);
    one.querySelector("use.sign").setAttribute("href", `#p-${state}`);
    const title = one.querySelector("title"), said = document.querySelector(`[data-state-word="${state}"]`);
    if (title && said) title.textContent = `${title.textContent.split(" ")[0]} ${said.textContent.trim()}`;
    if (state !== "free" && one.classList.contains("found")) redraw();
  }
  /* XMLHttpRequest, because it alone parses a page without a sink that the console's Trusted Types forbid. */
  const page = () => new Promise((take) => {
    const asked = new XMLHttpRequest();
    asked.open("GET", address());
    asked.responseType = "document";
    asked.timeout = 8000;
    asked.setRequestHeader("Accept", "text/html");
    asked.onload = () => take(asked.status === 200 ? asked.response : null);
    asked.onerror = asked.ontimeout = () => take(null);   // the line says so, and asks again when it is back
    asked.send();
  });
  async function fetchNow() {
    timer = 0;
    if (under) return redraw();
    under = [];
    const fresh = (await page())?.querySelector("[data-refresh]");
    if (fresh && root()) { root().replaceWith(document.adoptNode(fresh)); drawn(); }
    const told = under;
    under = null;
    told.forEach(bay);
  }
  function redraw() {
    const now = performance.now();
    if (!timer) first = now;
    clearTimeout(timer);
    timer = setTimeout(fetchNow, now - first > LATEST_MS ? 0 : WAIT_MS);
  }
  return {redraw, bays(list) { if (under) under.push(...list); list.forEach(bay); }};
};
