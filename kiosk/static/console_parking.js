"use strict";
/* The map on the console, kept true by the page's own live line (console_care.js passes on what it hears). */
(() => {
  const PLAN = new Set(["bay_plans", "zone_plans", "parking_sites", "parking_places"]);
  const zone = document.querySelector("[data-map-zone]")?.dataset.mapZone ?? "";
  const plan = LinliPlan(() => `/console/parking/map?zone=${encodeURIComponent(zone)}`);
  let moved = [], planned = 0, before = false;
  // A flood is drawn once a frame, not once a bay.
  function bay(one) {
    moved.push(one);
    planned ||= requestAnimationFrame(() => { planned = 0; const now = moved; moved = []; plan.bays(now); });
  }
  const hear = (name, work) => document.addEventListener(`linli:${name}`, (event) => work(event.detail));
  hear("bay", bay);
  hear("zone", (told) => {
    for (const [name, value] of Object.entries(told)) {
      const one = document.querySelector(`[data-zone="${CSS.escape(told.zone_id)}"] [data-${CSS.escape(name)}]`);
      if (one) one.textContent = value;
    }
  });
  hear("bay_gone", plan.redraw);
  hear("link", plan.redraw);
  hear("row", (row) => { if (PLAN.has(row.table)) plan.redraw(); });
  hear("whole", () => { if (before) plan.redraw(); before = true; });
})();
