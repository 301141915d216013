/* One number's dialog: what is on the ticket, and what is tapped more seldom: priority, transfer, one more item, cancel,
 * calling it out of turn. */
import { button, chip, facts, h, language, t } from "./console_view.js";
import { laneChip, mineNow, openItems, service } from "./console_queue.js";

const WHYS = ["", "elder", "disabled", "veteran", "child", "staff"];
const OVER = ["DONE", "CANCELLED"];

function choose(name, form, label, hint, codes) {
  const found = facts.services.filter((one) => codes(one.code));
  return h("form", { class: "row", "data-form": form.name, "data-id": form.id },
    h("label", {}, label, hint && h("span", { class: "hint" }, hint),
      h("select", { name, required: true }, h("option", { value: "" }, t("item_pick")), found.map((one) => h("option", { value: one.code }, one[language()])))),
    h("button", {}, label), h("p", { class: "wrong", role: "alert", hidden: true }));
}

export function ticketForm(ticket, store) {
  const id = { "data-id": ticket.ticket_id }, over = OVER.includes(ticket.state), mine = mineNow(store);
  const onIt = openItems(ticket).map((one) => one.code);
  const mayTransfer = ["CALLED", "SERVING", "HELD"].includes(ticket.state);
  const mayCall = ticket.state === "WAITING" && mine && ticket.windows.includes(mine.window_id);
  return h("div", { class: "ask ticket-ask", "data-ticket": ticket.ticket_id },
    h("h2", {}, ticket.number, " ", laneChip(ticket)), h("p", {}, service(ticket),
      ticket.overtaken > 0 && h("span", { class: "small" }, ` · ${t("overtaken", { n: ticket.overtaken })}`)),
    ticket.items.length > 1 && h("section", {}, h("h3", {}, t("items")), h("ol", { class: "items" }, ticket.items.map((one) =>
      h("li", {}, one[language()], " ", chip(t(`item_${one.state}`), one.state === "done" ? "good" : ""))))),
    mayCall && button("call_number", t("call_this"), { ...id, class: "main" }),
    !over && h("section", {}, h("h3", {}, t("lane")), h("div", { class: "choices", role: "group", "aria-label": t("lane") }, WHYS.map((why) =>
      button("lane", t(`lane_why_${why || "none"}`), { ...id, class: "small", "data-why": why, "aria-pressed": String(why === ticket.lane_why) })))),
    !over && choose("service_code", { name: "add_item", id: ticket.ticket_id }, t("add_item"), null, (code) => !onIt.includes(code)),
    mayTransfer && choose("service_code", { name: "transfer", id: ticket.ticket_id }, t("transfer"), t("transfer_hint"), () => true),
    h("div", { class: "ask-do" }, button("dismiss", t("close_dialog")),
      !over && ticket.state !== "SERVING" && button("cancel_number", t("cancel_number"), { ...id, class: "danger" })));
}
