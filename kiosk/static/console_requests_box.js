/* What residents asked, on the console's own page: how many are open, and the newest that came in while one looked. */
import { chip, draw, h, heading, inLang, t } from "./console_view.js";
import { softly } from "./console_sound.js";

let came = null;

/** The live line's word: a level, and what has just come in. */
export function takeRequests(store, told, toast) {
  store.requests = told;
  if (!told.came || store.locked) return;
  came = told.came;
  softly();
  toast(line(came));
}

const line = (one) => t(one.urgent ? "rq_came_urgent" : "rq_came", { kind: inLang(one, "kind"), building: one.building ?? "" }).trim();

export function drawRequests(store) {
  const { open = 0, urgent = 0, new: fresh = 0, overdue = 0 } = store.requests ?? {};
  if (!open) return draw("requests");
  draw("requests", heading("requests", t("rq_box"), chip(t("rq_open", { n: open }))),
    h("p", {}, fresh > 0 && chip(t("rq_new", { n: fresh }), "warn"), urgent > 0 && chip(t("rq_urgent_n", { n: urgent }), "hot"), overdue > 0 && chip(t("rq_overdue_n", { n: overdue }), "hot")),
    came && h("p", { class: came.urgent ? "warn-line grave" : "warn-line", "data-key": `came-${came.request_id}` }, h("a", { href: `/console/requests/${came.request_id}` }, line(came))),
    h("p", {}, h("a", { class: "more", href: "/console/requests" }, t("rq_box_all"), " →")));
}
