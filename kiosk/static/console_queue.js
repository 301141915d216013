/* The queue at one window: call next, recall, no-show, done, undo. The server's rule decides; this only shows. */
import { button, draw, empty, facts, h, heading, inLang, language, nowMs, since, t } from "./console_view.js";

const UNDO_MS = 30000; // kiosk/rules/queue.py, UNDO_WITHIN_MS
let last = null; // my last step: {ticket_id, number, at}

export const myWindow = () => {
  const kept = localStorage.getItem("linli-window");
  return facts.windows.some((one) => one.window_id === kept) ? kept : "";
};
export const setMyWindow = (id) => localStorage.setItem("linli-window", id);

/* A tap on "call next" whose answer was lost is repeated under the same key, so that it calls nobody else: as long as
 * this page sees the same person served as at the first tap. */
let tried = null; // {window, serving, key}
const servedNow = (store) => serving(store)?.ticket_id ?? null;
const newKey = () => Array.from(crypto.getRandomValues(new Uint8Array(12)), (one) => one.toString(16).padStart(2, "0")).join("");

export function nextOrder(store) {
  forgetIfChanged(store);
  tried ??= { window: myWindow(), serving: servedNow(store), key: newKey() };
  return { window_id: tried.window, key: tried.key };
}
/** The tap was answered for certain: the next one is another. */
export function nextAnswered() { tried = null; }
function forgetIfChanged(store) {
  if (tried && (tried.window !== myWindow() || tried.serving !== servedNow(store))) tried = null;
}

export function remember(ticket) { last = ticket && { ticket_id: ticket.ticket_id, number: ticket.number, at: nowMs() }; }
export const lastStep = () => (last && nowMs() - last.at < UNDO_MS ? last : null);

const tickets = (store) => [...store.tickets.values()];
export const serving = (store) => tickets(store).find((one) => one.state === "CALLED" && one.window_id === myWindow()) ?? null;
const mine = (store) => tickets(store).filter((one) => one.state === "WAITING" && one.windows.includes(myWindow())).sort((a, b) => a.ticket_id - b.ticket_id);
const missed = (store) => tickets(store).filter((one) => one.state === "NO_SHOW" && one.window_id === myWindow()).sort((a, b) => b.changed_ms - a.changed_ms).slice(0, 5);
const service = (ticket) => inLang(ticket, "service");

function picker() {
  return h("label", { class: "window-pick" }, t("my_window"), h("select", { id: "window", "data-change": "window" },
    h("option", { value: "" }, t("window_pick")),
    facts.windows.map((one) => h("option", { value: one.window_id, selected: one.window_id === myWindow() }, `${one.window_id} ${one[language()]}`))));
}

function nowServing(store) {
  const ticket = serving(store);
  if (!ticket) return h("div", { class: "serving free", "data-key": "serving" }, h("p", { class: "number" }, "—"), h("p", {}, t("nobody_served")));
  return h("div", { class: "serving", "data-key": "serving", "data-ticket": ticket.ticket_id },
    h("p", { class: "small" }, t("now_serving"), " ", since(ticket.called_ms, "time_only"), ticket.calls > 1 && h("span", {}, ` · ${ticket.calls}×`)),
    h("p", { class: "number" }, ticket.number), h("p", {}, service(ticket)),
    h("div", { class: "row" },
      button("recall", t("recall"), { "data-id": ticket.ticket_id }),
      button("no_show", t("no_show"), { "data-id": ticket.ticket_id }),
      button("done", t("done"), { "data-id": ticket.ticket_id })));
}

export function drawQueue(store) {
  forgetIfChanged(store);
  const mineNow = mine(store);
  const undo = lastStep();
  draw("queue", heading("queue", t("queue")), picker(),
    !store.queueKnown && h("p", { class: "wrong" }, t("queue_unknown")),
    myWindow() && [
      nowServing(store),
      button("next", t("call_next"), { class: "main next", "data-key": "next", disabled: !mineNow.length, "aria-keyshortcuts": "n Space" }),
      h("p", { class: "count", "data-key": "count" }, mineNow.length ? t("waiting", { n: mineNow.length }) : t("waiting_none")),
      undo && button("undo", t("undo_left", { n: Math.ceil((UNDO_MS - (nowMs() - undo.at)) / 1000) }) + ` ${undo.number}`, { class: "undo", "data-key": "undo", "data-id": undo.ticket_id }),
      h("ol", { class: "waiting", "data-key": "waiting" }, mineNow.slice(0, 8).map((one) => h("li", { "data-key": `t-${one.ticket_id}` },
        h("strong", {}, one.number), h("span", {}, service(one)), since(one.taken_ms, "time_only")))),
      missed(store).length > 0 && h("div", { class: "missed", "data-key": "missed" }, h("h3", {}, t("no_show")), h("ul", {}, missed(store).map((one) =>
        h("li", { "data-key": `m-${one.ticket_id}` }, h("strong", {}, one.number), button("recall", t("recall"), { class: "small", "data-id": one.ticket_id }))))),
      h("p", { class: "hint keys", "data-key": "keys" }, t("queue_keys")),
    ],
    !myWindow() && empty(t("window_pick")));
}
