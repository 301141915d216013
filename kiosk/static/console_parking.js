"use strict";
/* The map on the console, kept true by the page's own live line (console_care.js passes on what it hears).
 *
 * What the line says first (its picture) is newer than the page: whatever moved between the two is taken from it. And a
 * drawing that is fetched may be older than what was told meanwhile, so the sums told last are put into it again. */
(() => {
  const PLAN = new Set(["bay_plans", "zone_plans", "parking_sites", "parking_places"]);
  const COUNTS = ["free", "taken", "unknown", "closed", "total"];
  const shown = document.querySelector("[data-map-zone]")?.dataset.mapZone ?? "";
  const told = new Map();                    // zone → what was said of it last
  const plan = LinliPlan(() => `/console/parking/map?zone=${encodeURIComponent(shown)}`, () => told.forEach(draw));
  let moved = [], planned = 0, before = false;
  // A flood is drawn once a frame, not once a bay.
  function bay(one) {
    moved.push(one);
    planned ||= requestAnimationFrame(() => { planned = 0; const now = moved; moved = []; plan.bays(now); });
  }
  function element(name, kind, text) {
    const one = document.createElement(name);
    one.className = kind;
    one.textContent = text;
    return one;
  }
  /* As the server draws it (parking_map_only.html). */
  function draw(one) {
    const row = document.querySelector(`[data-zone="${CSS.escape(one.zone_id)}"]`);
    if (!row) return;
    for (const name of COUNTS) if (name in one) row.querySelector(`[data-${name}]`).textContent = one[name];
    if (!("certain" in one)) return;
    row.querySelector("[data-reserved]").textContent = one.reserved || "—";
    const panel = row.querySelector("[data-panel]");
    if (!one.certain) panel.replaceChildren(element("span", "chip warn", "--"));
    else if (one.level === "full") panel.replaceChildren(panel.dataset.full);
    else if (one.shut) panel.replaceChildren(panel.dataset.closedAll);
    else panel.replaceChildren(one.number, ...(one.level === "almost" ? [" ", element("span", "small", panel.dataset.almost)] : []));
  }
  function zone(one) { told.set(one.zone_id, one); draw(one); }
  function whole(picture) {
    told.clear();
    (picture.zones ?? []).forEach(zone);
    const drawn = new Map([...document.querySelectorAll("[data-plan] [data-bay]")].map((one) => [one.dataset.bay, one.classList]));
    plan.bays((picture.bays ?? []).filter((one) => drawn.has(one.bay_id) && !drawn.get(one.bay_id).contains(one.state)));
    if (before) plan.redraw();
    before = true;
  }
  const hear = (name, work) => document.addEventListener(`linli:${name}`, (event) => work(event.detail));
  hear("bay", bay);
  hear("zone", zone);
  hear("whole", whole);
  hear("bay_gone", plan.redraw);
  hear("link", plan.redraw);
  hear("row", (row) => { if (PLAN.has(row.table)) plan.redraw(); });
})();
