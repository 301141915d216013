/* The hall itself: what is broken and what to do, printers and slips that ask for a look, bays. */
import { button, chip, draw, empty, h, has, heading, inLang, language, since, t } from "./console_view.js";

const why = (thing) => thing[`why_${language()}`] || "";
const todo = (stem, key) => (has(`${stem}_${key}`) ? t(`${stem}_${key}`) : "");

/* ---------------------------------------------------------------- parts */

function partsOf(store) {
  // While the gateway is away nobody knows how the others are: they are left out rather than called well.
  const parts = store.connected ? [...store.parts.values()].filter((one) => one.part !== "gateway" && !one.part.startsWith("panel:")) : [];  // panels stand beside the printers
  parts.unshift({ part: "gateway", state: store.connected ? store.parts.get("gateway")?.state ?? "ready" : "down", ...(store.connected ? store.parts.get("gateway") : {}) });
  if (store.paper) for (const [part, said] of Object.entries(store.paper.parts)) parts.push({ part, ...said });
  return parts;
}

export function drawParts(store) {
  const parts = partsOf(store);
  const wrong = parts.filter((one) => one.state !== "ready");
  draw("parts",
    heading("parts", t("parts"), chip(wrong.length ? String(wrong.length) : t("parts_well"), wrong.length ? "warn" : "good")),
    h("ul", { class: "things" }, wrong.map((one) => h("li", { class: `thing ${one.state}`, "data-key": `part-${one.part}` },
      h("p", {}, h("strong", {}, has(`part_${one.part}`) ? t(`part_${one.part}`) : one.part), " ", chip(t(`part_${one.state}`), "warn"),
        one.since_ms && [" ", since(one.since_ms, "time_only", "ago")]),
      why(one) && h("p", {}, why(one)),
      h("p", { class: "todo" }, todo("part_todo", one.part) || t("part_todo_other"))))),
    h("p", { class: "small well" }, parts.filter((one) => one.state === "ready").map((one) => (has(`part_${one.part}`) ? t(`part_${one.part}`) : one.part)).join(" · "), wrong.length < parts.length ? " ✓" : ""),
    document.getElementById("running") ? false : h("p", {}, h("a", { class: "more", href: "/console/running" }, t("running"), " →"), " ", h("span", { class: "small" }, t("running_more"))));
}

/* ---------------------------------------------------------------- printers, panels, slips */

function job(one, names) {
  return h("li", { class: "thing ask-look", "data-key": `job-${one.slip_id}` },
    h("p", {}, h("strong", {}, one.title || `#${one.slip_id}`), " ", chip(t(`job_${one.state}`), "warn"), " ", names[one.printer] ?? one.printer, " ", since(one.changed_ms, "time_only", "ago")),
    why(one) && h("p", {}, why(one)),
    h("p", { class: "todo" }, t("jobs_ask")),
    h("div", { class: "row" },
      button("slip_printed", t("job_printed"), { "data-id": one.slip_id }),
      button("slip_again", t("job_again"), { "data-id": one.slip_id, class: "main" }),
      button("slip_given_up", t("job_given_up"), { "data-id": one.slip_id, class: "quiet" })));
}

/** What a panel shows, in the reader's words: the bridge writes "5 green" (a number and its colour) or "--". */
const shown = (text) => text.split(" ").map((word) => (word === "--" ? t("panel_unsure") : todo("panel", word) || word)).join(" ");

export function drawPaper(store) {
  const paper = store.paper;
  if (!paper) return draw("paper", heading("paper", t("printers")), empty(t("loading")));
  const names = Object.fromEntries(paper.printers.map((one) => [one.printer, inLang(one, "name") || one.printer]));
  draw("paper", heading("paper", t("printers")),
    paper.jobs.length > 0 && h("ul", { class: "things" }, paper.jobs.map((one) => job(one, names))),
    h("ul", { class: "things" },
      paper.printers.map((one) => h("li", { class: `thing ${one.state === "ready" || one.state === "paper_low" ? "ready" : "down"}`, "data-key": `printer-${one.printer}` },
        h("p", {}, h("strong", {}, names[one.printer]), " ", chip(t(`printer_${one.state}`), one.state === "ready" ? "good" : "warn")),
        one.state !== "ready" && h("p", { class: "todo" }, todo("printer_todo", one.state) || why(one)))),
      paper.panels.map((one) => h("li", { class: `thing ${one.state === "ready" ? "ready" : "down"}`, "data-key": `panel-${one.panel}` },
        h("p", {}, h("strong", {}, inLang(one, "name") || one.panel), " ", chip(t(`printer_${one.state}`), one.state === "ready" ? "good" : "warn"),
          one.shown ? ` ${t("panel_shows")} “${shown(one.shown)}”` : ""),
        one.state !== "ready" && h("p", { class: "todo" }, why(one) || todo("printer_todo", one.state))))),
    !paper.printers.length && empty(t("printers_none")),
    h("p", {}, h("a", { class: "more", href: "/console/printers" }, t("printers"), " →"), " ", h("span", { class: "small" }, t("printers_more"))));
}

/* ---------------------------------------------------------------- what somebody must look at in the car park */

export function drawParking(store) {
  const { open = 0, first = [] } = store.parking ?? {};
  if (!open) return draw("parking");
  draw("parking", heading("parking", t("pk_box"), chip(String(open), first.some((one) => one.kind === "fire_lane" || one.kind === "impossible") ? "hot" : "warn")),
    h("ul", { class: "things" }, first.map((one) => h("li", { class: "thing ask-look", "data-key": `parking-${one.task_id}` },
      h("p", {}, chip(t(`pk_task_${one.kind}`), one.kind === "fire_lane" ? "hot" : "warn"), " ", h("strong", {}, one[language()] ?? ""), " ", since(one.opened_ms, "time_only", "ago")),
      one.taken_by && h("p", { class: "small" }, t("pk_taken_by", { name: one.taken_by }))))),
    h("p", {}, h("a", { class: "more", href: "/console/parking/tasks" }, t("pk_box_all"), " →")));
}

/* ---------------------------------------------------------------- bays */

let chosen = null; // the bay whose button is shown
export const chooseBay = (id) => { chosen = chosen === id ? null : id; };

function bayTile(bay) {
  return h("button", { type: "button", "data-act": "bay", class: `bay ${bay.state}`, "data-id": bay.bay_id, "data-key": `bay-${bay.bay_id}`, "aria-pressed": String(chosen === bay.bay_id) },
    h("span", {}, bay.bay_id.replace(/^.*-(?=\d)/, "")), h("small", {}, t(`bay_${bay.state}`)));
}

export function drawBays(store) {
  // Sensors that nobody has claimed stand in a zone of their own (gateway/hall/bays.py); empty, it is nothing to see.
  const zones = [...store.zones.values()].filter((one) => one.zone_id !== "unclaimed" || one.total > 0);
  const bays = [...store.bays.values()].sort((a, b) => a.bay_id.localeCompare(b.bay_id, "en", { numeric: true }));
  const picked = bays.find((one) => one.bay_id === chosen);
  draw("bays", heading("bays", t("bays")),
    zones.map((zone) => h("div", { class: "zone", "data-key": `zone-${zone.zone_id}` },
      h("p", {}, h("strong", {}, inLang(zone, "name") || zone.zone_id), " ", h("span", { class: "small" }, t("zone_counts", zone), zone.reserved > 0 && ` · ${t("zone_kept", zone)}`),
        " ", zone.possible === false && chip(t("zone_impossible"), "warn")),
      h("div", { class: "tiles" }, bays.filter((one) => one.zone_id === zone.zone_id).map(bayTile)))),
    picked && h("div", { class: "picked", "data-key": "picked" }, h("strong", {}, picked.bay_id), " ", t(`bay_${picked.state}`), " · ",
      picked.last_seen_ms ? since(picked.last_seen_ms, "last_seen", "ago") : t("never_seen"), " ",
      button(picked.state === "closed" ? "open_bay" : "close_bay", t(picked.state === "closed" ? "open_bay" : "close_bay"), { "data-id": picked.bay_id, class: "small", disabled: !store.connected, title: store.connected ? "" : t("gateway_needed") })),
    !bays.length && empty(t("bays_none")));
}
