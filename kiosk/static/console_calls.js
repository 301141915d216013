/* Open calls, first on the page and loud. What a locked screen shows is drawn by the same hand from fewer facts. */
import { button, chip, clock, draw, facts, h, has, heading, nowMs, since, t } from "./console_view.js";
import { allKinds, kindName, kindOf, loudness, outcomeName, outcomesOf, priorityOf, rings, soundOf, whoName } from "./console_kinds.js";
import { ring } from "./console_sound.js";

const BARE_TITLE = document.title;
/* The choice "only this kind" is offered where so many calls are open that one has to look. */
const CHOICE_FROM = 4;

/** Open calls: the most urgent kind first, then those nobody goes to, then who has waited longest. */
export function openCalls(store) {
  // A meal that the press itself has ordered is the kitchen's, and stands on the page of meals: nobody here need act.
  const isTheirs = (one) => one.kind === "meal" && one.state === "COMING" && one.accepted_by === "食堂";
  return [...store.calls.values()].filter((one) => one.state !== "CLOSED" && !isTheirs(one)).sort((a, b) =>
    priorityOf(a.kind) - priorityOf(b.kind)
    || (a.state === "HEARD" ? 0 : 1) - (b.state === "HEARD" ? 0 : 1) || a.opened_ms - b.opened_ms);
}

export const where = (call) => call.place || call.device_name || call.device_id;
export function ringFor(store) {
  if (store.ended) { ring("ended"); return; }
  ring(soundOf([...store.calls.values()]));
}

let flash = false;
/** Once a second: the tab calls too, for whoever has another window in front. */
export function flashTitle(store) {
  const heard = openCalls(store).find(rings);
  flash = Boolean(heard) && !flash;
  const title = store.ended ? `🔇 ${t("ended_title")}` : flash ? `【${kindName(heard.kind)}】${where(heard)}` : BARE_TITLE;
  if (document.title !== title) document.title = title;
  const icon = document.getElementById("icon");
  const wanted = icon.getAttribute("href").replace(/console_icon(_call)?\.svg/, flash ? "console_icon_call.svg" : "console_icon.svg");
  if (icon.getAttribute("href") !== wanted) icon.setAttribute("href", wanted);
}

export function warnings(call) {
  const said = [];
  if (call.written === false) said.push(h("p", { class: "warn-line grave" }, h("strong", {}, t("call_unwritten")), " — ", t("call_unwritten_more")));
  if (call.claimed === false) said.push(h("p", { class: "warn-line" }, h("strong", {}, t("call_unclaimed")), " ", call.device_id, " — ", t("call_unclaimed_more")));
  if (call.overdue && call.state === "HEARD") said.push(h("p", { class: "warn-line grave" }, t("call_overdue")));
  const small = [call.delayed && t("call_delayed"), call.doubtful && t("call_doubtful")].filter(Boolean);
  if (small.length) said.push(h("p", { class: "warn-line" }, small.join(" · ")));
  return said;
}

/** How often it was pressed, and what else stands beside the kind. */
export const pressChips = (call) => [
  call.presses > 1 && chip(t("pressed_times", { n: call.presses }), "hot"),
  call.repeats > 0 && chip(t("repeats", { n: call.repeats })),
  call.button > 1 && chip(`#${call.button}`)];

/** Who goes, who is there; or, while nobody does, whom the ladder is asking. */
export function standing(call) {
  if (call.arrived_ms) return h("strong", { class: "coming-by" }, ` · ${t("arrived_by", { name: call.arrived_by ?? "?", time: clock(call.arrived_ms) })}`);
  if (call.state === "COMING") return h("strong", { class: "coming-by" }, ` · ${t("accepted_by", { name: call.accepted_by ?? "?" })}`);
  const who = call.state === "HEARD" && kindOf(call.kind)?.ladder[call.step]?.[0];
  return who ? ` · ${t("asking_now", { who: whoName(who) })}` : "";
}

export const callPage = (call) => `/console/call/${call.call_id}`;

function card(call, store) {
  const heard = call.state === "HEARD";
  const away = !store.connected;
  const needs = { disabled: away, title: away ? t("gateway_needed") : "" };
  return h("article", { class: `call ${heard ? "heard" : "coming"} kind-${call.kind} ${loudness(call)}`, "data-key": `call-${call.call_id}`, "data-call": call.call_id, tabindex: "-1" },
    h("div", { class: "call-what" },
      h("p", { class: "call-kind" }, kindName(call.kind), " ", pressChips(call)),
      h("p", { class: call.place ? "call-where" : "call-where bare-id" }, h("a", { href: callPage(call), "data-open": "" }, where(call))),
      h("p", { class: "call-who" }, call.person ? h("strong", {}, call.person) : "", call.person && call.device_name && call.device_name !== where(call) ? " · " : "",
        call.device_name && call.device_name !== where(call) ? call.device_name : ""),
      h("p", { class: "call-time" }, since(call.opened_ms, "waiting_for"), standing(call)),
      warnings(call)),
    h("div", { class: "call-do" },
      heard && button("accept", t("accept"), { class: "main loud", "data-id": call.call_id, ...needs }),
      h("a", { class: `button ${heard ? "" : "main"}`, href: callPage(call) }, t("open_call")),
      h("div", { class: "side-by-side" },
        !heard && !call.arrived_ms && button("arrive", t("arrived"), { "data-id": call.call_id, ...needs }),
        button("close", t("close"), { "data-id": call.call_id, ...needs }),
        call.claimed === false && button("claim", t("claim"), { "data-id": call.device_id, disabled: away }))));
}

/** One line for a call beside the one whose page this is: it must not push that one away. */
function strip(call, store) {
  return h("article", { class: `call strip ${call.state === "HEARD" ? "heard" : "coming"} ${loudness(call)}`, "data-key": `call-${call.call_id}`, "data-call": call.call_id, tabindex: "-1" },
    h("p", { class: "strip-what" }, h("strong", { class: "call-kind" }, kindName(call.kind)), " ", h("a", { href: callPage(call) }, where(call)), " ", since(call.opened_ms, "waiting_for"), standing(call)),
    call.state === "HEARD" && button("accept", t("accept"), { class: "main loud", "data-id": call.call_id, disabled: !store.connected }));
}

/** Seconds in which a close may still be undone; 0: no more. */
export const undoLeft = (call) => (call.state === "CLOSED" ? Math.max(0, Math.ceil(Math.min(facts.undo_ms, call.closed_ms + facts.undo_ms - nowMs()) / 1000)) : 0);

export const undoButton = (call, store) => undoLeft(call) > 0 && button("reopen", t("undo_close", { n: undoLeft(call) }),
  { class: "undo-close", "data-id": call.call_id, disabled: !store.connected });

function closedLine(call, store) {
  return h("li", { "data-key": `closed-${call.call_id}` }, h("a", { href: callPage(call) }, where(call)), " ", kindName(call.kind), " · ",
    outcomeName(call), " · ", call.closed_by ?? "", " · ",
    since(call.closed_ms, "time_only", "ago"), call.note ? h("span", { class: "note-text" }, ` “${call.note}”`) : "", " ", undoButton(call, store));
}

const closedCalls = (store) => [...store.calls.values()].filter((one) => one.state === "CLOSED").sort((a, b) => b.closed_ms - a.closed_ms).slice(0, 8);
/** True while a countdown is on the page. */
export const anyUndo = (store) => closedCalls(store).some((one) => undoLeft(one) > 0);

let only = ""; // the one kind that is shown; never hides what is most urgent
export const chooseKind = (word) => { only = word; };

function kindChoice(open) {
  const there = allKinds().filter((kind) => open.some((one) => one.kind === kind.kind));
  if (open.length < CHOICE_FROM || there.length < 2) { only = ""; return false; }
  if (only && !there.some((kind) => kind.kind === only)) only = "";
  const one = (word, text) => button("only", text, { class: "small", "data-id": word, "aria-pressed": String(word === only) });
  return h("p", { class: "choices", role: "group", "aria-label": t("calls_only") }, one("", t("calls_all_kinds")), there.map((kind) => one(kind.kind, kindName(kind.kind))));
}

/* A page that belongs to one call or one device shows what else rings as lines, and the rest as a number. */
const narrow = Boolean(facts.story || facts.setup);

/** The list. On a page that belongs to one call, the others: they ring there, too. */
export function drawCalls(store) {
  const mine = facts.story?.call.call_id;
  const open = openCalls(store).filter((one) => one.call_id !== mine);
  const choice = kindChoice(open);
  const shown = open.filter((one) => (narrow ? one.state === "HEARD" && loudness(one) !== "quiet" : !only || one.kind === only || priorityOf(one.kind) === 0));
  const closed = narrow ? [] : closedCalls(store);
  const fresh = closed.filter((one) => undoLeft(one) > 0);
  draw("calls",
    narrow && h("h2", { id: "calls-head", class: "unseen" }, t("calls")),
    !narrow && heading("calls", t("calls"), open.length > 0 && chip(String(open.length), "hot"), h("a", { class: "more", href: "/console/history" }, t("history"))),
    !narrow && !store.connected && h("p", { class: "wrong" }, t("calls_unknown")),
    !narrow && choice,
    fresh.length > 0 && h("ul", { class: "fresh", "data-key": "fresh" }, fresh.map((one) => closedLine(one, store))),
    h("div", { class: "call-list" }, shown.map((one) => (narrow ? strip : card)(one, store)),
      !open.length && store.connected && h("div", { class: "empty big" }, h("p", {}, t("calls_none")), h("p", { class: "small" }, t("calls_none_more")))),
    shown.length < open.length && h("p", { class: "small hidden-calls" }, narrow ? h("a", { href: "/console" }, t("calls_besides", { n: open.length - shown.length })) : t("calls_hidden", { n: open.length - shown.length })),
    open.length > 0 && !narrow && h("p", { class: "hint keys" }, t("calls_keys")),
    closed.length > fresh.length && h("details", { class: "closed-calls", "data-key": "closed" }, h("summary", {}, t("calls_closed")), h("ul", {}, closed.filter((one) => !fresh.includes(one)).map((one) => closedLine(one, store)))));
}

/** For the cover of a locked screen: that somebody calls, what and where. The facts hold no more than this. */
export function veiledCalls(store) {
  return openCalls(store).map((call) => h("li", { class: `call ${call.state === "HEARD" ? "heard" : "coming"}`, "data-key": `veiled-${call.call_id}` },
    h("span", { class: "call-kind" }, kindName(call.kind)), h("span", { class: call.place ? "call-where" : "call-where bare-id" }, call.place || call.device_id), since(call.opened_ms, "waiting_for")));
}

/** One big button for each way this kind of call may end: tapping it is the answer. */
export const outcomeButtons = (call, away) => h("div", { class: "outcomes", role: "group" }, outcomesOf(call).map(([word, name]) =>
  h("button", { name: "outcome", value: word, class: "outcome", disabled: away }, name)));

export const noteField = () => h("label", {}, t("note"), h("textarea", { name: "note", rows: 2, maxlength: 500 }));

export function outcomeForm(call) {
  return h("form", { method: "dialog", class: "ask", "data-form": "close", "data-id": call.call_id },
    h("h2", {}, t("close_title")), h("p", {}, where(call), " · ", kindName(call.kind)),
    noteField(), outcomeButtons(call, false), h("p", { class: "hint" }, t("close_hint")),
    h("p", { class: "wrong", role: "alert", hidden: true }),
    h("div", { class: "ask-do" }, button("dismiss", t("cancel"))));
}
