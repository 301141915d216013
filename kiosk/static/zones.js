"use strict";
/* Zones of the car park, drawn from the page's own <template data-zone-pattern>. Used by /parking and /display. */
window.LinliZones = (lang) => {
  let list = document.querySelector("[data-zones]");
  const pattern = document.querySelector("[data-zone-pattern]");
  const old = document.querySelector("[data-old]");
  const known = new Map();
  let outlooks = null; // zone → when it will be full, in words (/display/now); null: the page's own stand
  const put = (box, name, value) => { const one = box.querySelector(`[data-${name}]`); if (one) one.textContent = value; };
  const hide = (box, what, yes) => { const part = box.querySelector(what); if (part) part.hidden = yes; };
  function zone(one) {
    if (!list) return; // a page with the map alone
    let box = known.get(one.zone_id) || list.querySelector(`[data-zone="${CSS.escape(one.zone_id)}"]`);
    if (!box) {
      box = pattern.content.firstElementChild.cloneNode(true);
      box.dataset.zone = one.zone_id;
      list.append(box);
    }
    known.set(one.zone_id, box);
    put(box, "name", lang === "en" ? one.name_en : one.name_zh);
    put(box, "name-en", one.name_en);
    for (const name of ["taken", "unknown", "closed", "total", "reserved"]) put(box, name, one[name]);
    // What the panel over this zone shows, as the server says it; nothing of it is worked out here.
    const look = !one.certain ? "unknown" : one.shut ? "closed" : one.level;
    box.dataset.look = look;
    put(box, "number", one.number ?? "--");
    hide(box, "[data-number]", ["full", "closed"].includes(look));
    for (const word of box.querySelectorAll("[data-when]")) word.hidden = word.dataset.when !== look;
    hide(box, "[data-unknown-part]", !one.unknown || look !== "open");
    hide(box, "[data-reserved-part]", !one.reserved);
    hide(box, "[data-counts]", !one.possible);
    foretell(box);
    for (const empty of document.querySelectorAll("[data-empty]")) empty.hidden = true;
    for (const whole of document.querySelectorAll("[data-bays]")) whole.hidden = false;
  }
  // A forecast is for a zone that has room, and of which one knows.
  function foretell(box) {
    const line = box.querySelector("[data-outlook]"), words = outlooks?.[box.dataset.zone];
    if (!line) return;
    if (outlooks) line.textContent = words ? [words.zh, words.en].join(" ") : "";
    line.hidden = !line.textContent || ["full", "unknown", "closed"].includes(box.dataset.look);
  }
  const outlook = (told) => { outlooks = told; known.forEach(foretell); };
  const live = (on) => { if (old) old.hidden = on; };
  // The page's own zones were drawn anew by the server.
  const forget = () => { known.clear(); list = document.querySelector("[data-zones]"); };
  return {zone, forget, outlook, link: (told) => live(told.connected), state: (told) => { if (told.zones) { told.zones.forEach(zone); live(told.zones_live); } }};
};
