/* The queue at one window: who is there, who is next, who waits, who is on hold or missed the call. The server's rules
 * decide; this only shows. What else can be done with a number is its dialog's (console_ticket.js). */
import { button, chip, draw, empty, facts, h, heading, inLang, language, nowMs, since, t } from "./console_view.js";

const SHOWN = 8; // of those who wait; the rest is a number
let last = null; // my last step: {ticket_id, number, at}

const windows = (store) => store.windows ?? facts.windows;
export const myWindow = () => localStorage.getItem("linli-window") ?? "";
export const setMyWindow = (id) => localStorage.setItem("linli-window", id);
/** My window as it is now; null where none is chosen, or it is no more. */
export const mineNow = (store) => windows(store).find((one) => one.window_id === myWindow() && !one.retired) ?? null;

/* A tap on "call next" whose answer was lost is repeated under the same key, so that it calls nobody else: as long as
 * this page sees the same person served as at the first tap. */
let tried = null; // {window, serving, key}
const servedNow = (store) => serving(store)?.ticket_id ?? null;
const newKey = () => Array.from(crypto.getRandomValues(new Uint8Array(12)), (one) => one.toString(16).padStart(2, "0")).join("");

export function nextOrder(store, absent = false) {
  forgetIfChanged(store);
  tried ??= { window: myWindow(), serving: servedNow(store), key: newKey() };
  return { window_id: tried.window, key: tried.key, absent };
}
/** The tap was answered for certain: the next one is another. */
export function nextAnswered() { tried = null; }
function forgetIfChanged(store) {
  if (tried && (tried.window !== myWindow() || tried.serving !== servedNow(store))) tried = null;
}

const undoMs = (store) => store.rules?.undo_ms ?? 30000;
export function remember(ticket) { last = ticket && { ticket_id: ticket.ticket_id, number: ticket.number, at: nowMs() }; }
export const lastStep = (store) => (last && nowMs() - last.at < undoMs(store) ? last : null);

const tickets = (store) => [...store.tickets.values()];
const byPlace = (a, b) => a.rank - b.rank || a.ticket_id - b.ticket_id;
export const serving = (store) => tickets(store).find((one) => (one.state === "CALLED" || one.state === "SERVING") && one.window_id === myWindow()) ?? null;
const waiting = (store) => tickets(store).filter((one) => one.state === "WAITING" && one.windows.includes(myWindow())).sort((a, b) => (b.lane === "priority") - (a.lane === "priority") || byPlace(a, b));
const missed = (store) => tickets(store).filter((one) => one.state === "NO_SHOW" && one.window_id === myWindow()).sort((a, b) => b.changed_ms - a.changed_ms).slice(0, 5);
/* On hold anywhere in the hall: whichever window serves the item may go on with it. */
const held = (store) => tickets(store).filter((one) => one.state === "HELD" && one.windows.includes(myWindow())).sort((a, b) => a.changed_ms - b.changed_ms);
export const service = (ticket) => inLang(ticket, "service");
export const openItems = (ticket) => ticket.items.filter((one) => one.state === "open");
/** The items after the present one. */
export function laterItems(ticket) {
  const open = openItems(ticket);
  const at = open.findIndex((one) => one.code === ticket.service_code);
  return open.filter((_, n) => n !== at);
}
export const recallsLeft = (ticket, store) => Math.max(0, (store.rules?.recalls_most ?? 3) + 1 - ticket.calls);
export const laneChip = (ticket) => ticket.lane === "priority" && chip(t(`lane_why_${ticket.lane_why}`), "lane");

function picker(store) {
  const mine = mineNow(store);
  return h("div", { class: "window-line", "data-key": "picker" },
    h("label", { class: "window-pick" }, t("my_window"), h("select", { id: "window", "data-change": "window" },
      h("option", { value: "" }, t("window_pick")),
      windows(store).filter((one) => !one.retired).map((one) => h("option", { value: one.window_id, selected: one.window_id === myWindow() }, `${t("window_number", { n: one.number })} ${one[language()]}`)))),
    mine && h("div", { class: "window-now" }, chip(t(mine.open ? "window_open" : "window_closed"), mine.open ? "good" : ""),
      !mine.open && mine.why && h("span", { class: "small" }, t(`pause_${mine.why}`)),
      mine.open ? button("window_close", t("window_close_do"), { class: "small", "data-id": mine.window_id, disabled: Boolean(serving(store)) })
        : button("window_open", t("window_open_do"), { class: "small", "data-id": mine.window_id })));
}

function nowServing(store) {
  const ticket = serving(store);
  if (!ticket) return h("div", { class: "serving free", "data-key": "serving" }, h("p", { class: "number" }, "—"), h("p", {}, t("nobody_served")));
  const called = ticket.state === "CALLED", id = { "data-id": ticket.ticket_id }, later = laterItems(ticket), left = recallsLeft(ticket, store);
  return h("div", { class: `serving ${called ? "called" : "begun"}`, "data-key": "serving", "data-ticket": ticket.ticket_id },
    h("p", { class: "small" }, t(called ? "now_called" : "now_serving"), " ", since(called ? ticket.called_ms : ticket.began_ms, "time_only"), ticket.calls > 1 && h("span", {}, ` · ${t("calls_count", { n: ticket.calls })}`)),
    h("p", { class: "number" }, ticket.number),
    h("p", {}, service(ticket), " ", laneChip(ticket)),
    later.length > 0 && h("p", { class: "small later" }, later.map((one) => one[language()]).join(" · ")),
    h("div", { class: "row" },
      called && button("begin", t("begin"), { ...id, class: "main" }),
      called && button("recall", t("recall_left", { n: left }), { ...id, disabled: left === 0 }),
      called && button("no_show", t("no_show"), id),
      later.length > 0 && button("next_item", t("next_item", { name: later[0][language()] }), { ...id, class: called ? "" : "main" }),
      button("done", t("done"), { ...id, class: called || later.length ? "" : "main" }),
      !called && button("hold", t("hold"), id),
      button("ticket", t("more"), { ...id, "aria-label": t("more_of", { number: ticket.number }) })));
}

const more = (one) => button("ticket", "⋯", { class: "small more-of", "data-id": one.ticket_id, "aria-label": t("more_of", { number: one.number }) });
const line = (prefix, one, time, ...acts) => h("li", { "data-key": `${prefix}-${one.ticket_id}` },
  h("strong", {}, one.number), h("span", { class: "what" }, service(one), " ", laneChip(one)), time && since(time, "time_only"), acts);

export function drawQueue(store) {
  forgetIfChanged(store);
  const mine = mineNow(store), line_ = waiting(store), onHold = held(store), absent = missed(store);
  const undo = lastStep(store), ticket = serving(store);
  draw("queue", heading("queue", t("queue"), h("a", { class: "more", href: "/console/windows" }, t("windows"))), picker(store),
    store.wait && h("p", { class: "warn-line", role: "status", "data-key": "wait" }, inLang(store.wait, "why")),
    !store.queueKnown && h("p", { class: "wrong", "data-key": "unknown" }, t("queue_unknown")),
    mine && [
      nowServing(store),
      button("next", t("call_next"), { class: "main next", "data-key": "next", disabled: !line_.length, "aria-describedby": "queue-count", "aria-keyshortcuts": "n Space" }),
      ticket?.state === "CALLED" && line_.length > 0 && button("next_absent", t("call_next_absent"), { class: "next-absent", "data-key": "next-absent" }),
      store.firstCome[mine.window_id] && h("p", { class: "note", "data-key": "first-come", role: "status" }, store.firstCome[mine.window_id][language()]),
      h("p", { class: "count", id: "queue-count", "data-key": "count" }, line_.length ? t("waiting", { n: line_.length }) : t("waiting_none")),
      undo && button("undo", t("undo_left", { n: Math.ceil((undoMs(store) - (nowMs() - undo.at)) / 1000) }) + ` ${undo.number}`, { class: "undo", "data-key": "undo", "data-id": undo.ticket_id }),
      h("ol", { class: "waiting", "data-key": "waiting" }, line_.slice(0, SHOWN).map((one) => line("t", one, one.waits_ms, more(one)))),
      line_.length > SHOWN && h("p", { class: "small", "data-key": "rest" }, t("waiting_more", { n: line_.length - SHOWN })),
      onHold.length > 0 && h("div", { class: "missed", "data-key": "held" }, h("h3", {}, t("held")), h("ul", {}, onHold.map((one) =>
        line("h", one, one.changed_ms, button("resume", t("resume"), { class: "small", "data-id": one.ticket_id, disabled: Boolean(ticket) }), more(one))))),
      absent.length > 0 && h("div", { class: "missed", "data-key": "missed" }, h("h3", {}, t("missed")), h("ul", {}, absent.map((one) =>
        line("m", one, null, recallsLeft(one, store) > 0 && button("recall", t("recall"), { class: "small", "data-id": one.ticket_id, disabled: Boolean(ticket) }),
          button("late", t("late_return", { n: store.rules?.late_places ?? 3 }), { class: "small", "data-id": one.ticket_id }), more(one))))),
      h("p", { class: "hint keys", "data-key": "keys" }, t("queue_keys")),
    ],
    !mine && empty(t("window_pick")));
}

/* Keys for whoever stands at a window: the key and what it does with the number that is there. */
const KEYS = { r: ["recall", "CALLED"], b: ["begin", "CALLED"], m: ["no_show", "CALLED"], f: ["done", "CALLED SERVING"], h: ["hold", "SERVING"] };

/** What a key means now: [act, ticket_id] or null. */
export function queueKey(key, store) {
  const pressed = key.toLowerCase();
  if (!mineNow(store)) return null;
  if (pressed === "n" || pressed === " ") return ["next"];
  const undo = lastStep(store), now = serving(store);
  if (pressed === "u" && undo) return ["undo", undo.ticket_id];
  const [act, states] = KEYS[pressed] ?? [];
  return act && now && states.includes(now.state) ? [act, now.ticket_id] : null;
}
