/* The responder's screen: one call, whose it is, how to get in, what to do, who knows. Drawn from the page's own facts
 * before the live line is up; asked for anew whenever the line says that something of this call has changed. */
import { button, chip, clock, dayClock, draw, facts, h, has, inLang, secondClock, since, t } from "./console_view.js";
import { kindName, kindOf, outcomeName, whoName } from "./console_kinds.js";
import { callPage, noteField, outcomeButtons, pressChips, undoButton, undoLeft, warnings, where } from "./console_calls.js";

let story = facts.story ?? null;
let medical = null; // what the gateway has written down that we look at; forgotten with the page or its lock
export const callId = story?.call.call_id ?? null;

/** The call as it is now: as told on the live line, else as this page brought it. */
export const thisCall = (store) => store.calls.get(callId) ?? story?.call;

/** The screen locks, or the person has gone: nothing of this call stays here. */
export function wipeStory() { story = null; medical = null; }
export const showMedical = (notes) => { medical = notes; };

/* ---------------------------------------------------------------- asking again */

const OURS = new Set(["messages", "call_steps", "people", "helpers", "kinds", "device_care"]);
export const concerns = (row) => callId !== null && OURS.has(row.table) && (row.table !== "call_steps" || row.key?.[0] === callId);

let asking = 0;
/** Many facts come in one breath: asked once, a moment later. */
export function askStory(redraw) {
  if (callId === null || asking) return;
  asking = setTimeout(async () => {
    try {
      const answer = await fetch(`/console/api/call/${callId}`, { cache: "no-store", signal: AbortSignal.timeout(4000) });
      if (answer.ok) { story = await answer.json(); redraw(); }
    } catch { /* what stands here stays; the bar says that the line is lost */ }
    asking = 0;
  }, 150);
}

/* ---------------------------------------------------------------- pieces */

const card = (key, title, ...children) => h("section", { class: `card card-${key}`, "data-key": `card-${key}` }, h("h2", {}, title), ...children);
/* A number as a telephone takes it; what is no number stays text. */
const digits = (phone) => (phone ?? "").replace(/[^\d+]/g, "");

function dial(phone, who, what = "") {
  if (!digits(phone)) return false;
  return h("a", { class: "button dial", href: `tel:${digits(phone)}` }, h("span", { class: "dial-who" }, `📞 ${who}`), what && h("span", { class: "small" }, what), h("span", { class: "time" }, phone));
}

function head(call, store) {
  const away = !store.connected;
  const needs = { disabled: away, title: away ? t("gateway_needed") : "", "data-id": call.call_id };
  const open = call.state !== "CLOSED";
  return h("div", { class: `resp-head ${call.state === "HEARD" ? "heard" : call.state === "COMING" ? "coming" : "over"}`, "data-key": "head" },
    h("div", { class: "resp-what" },
      h("p", { class: "call-kind" }, kindName(call.kind), " ", chip(t("call_number", { n: call.call_id })), pressChips(call)),
      h("h1", { id: "call-head", class: "resp-where" }, where(call)),
      h("p", { class: "resp-who" }, story.person ? h("a", { href: `/console/people/${encodeURIComponent(story.person.person_id)}` }, story.person.name) : call.person || t("nobody_noted"),
        !story.person && call.claimed !== false && h("a", { class: "more small", href: `/console/devices/set-up/${encodeURIComponent(call.device_id)}` }, ` ${t("person_tie")}`)),
      h("p", { class: "call-time" }, open && since(call.opened_ms, "waiting_for"), open && " · ", t("pressed_at", { time: secondClock(call.opened_ms) }), " · ", stands(call)),
      warnings({ ...call, delayed: false, doubtful: false }),
      call.delayed && h("p", { class: "warn-line" }, h("strong", {}, t("call_delayed")), " — ", t("call_delayed_more")),
      call.doubtful && h("p", { class: "warn-line" }, h("strong", {}, t("call_doubtful")), " — ", t("call_doubtful_more"))),
    h("div", { class: "call-do" },
      call.state === "HEARD" && button("accept", t("accept"), { class: "main loud", ...needs }),
      call.state === "COMING" && !call.arrived_ms && button("arrive", t("arrived"), { class: "main loud", ...needs }),
      undoButton(call, store),
      h("div", { class: "side-by-side" },
        call.state === "HEARD" && button("arrive", t("arrived"), needs),
        h("a", { class: "button", href: "/console" }, t("call_back")))));
}

function stands(call) {
  if (call.state === "CLOSED") return h("strong", {}, `${t("closed_as", { outcome: outcomeName(call) })} · ${t("closed_when", { name: call.closed_by ?? "?", time: clock(call.closed_ms) })}`);
  const took = call.accepted_by && t("took_by", { name: call.accepted_by, time: clock(call.accepted_ms) });
  if (call.arrived_ms) return h("strong", { class: "coming-by" }, `${took ? `${took} · ` : ""}${t("arrived_by", { name: call.arrived_by ?? "?", time: clock(call.arrived_ms) })}`);
  if (call.state === "COMING") return h("strong", { class: "coming-by" }, `${took} · ${t("stands_coming")}`);
  return h("strong", {}, t("stands_heard"));
}

/* ---------------------------------------------------------------- the cards */

function wayIn(person) {
  const none = !person?.access && !person?.key_holder;
  return card("way", t("card_way"),
    person?.access && h("p", { class: "say" }, person.access),
    person?.key_holder && h("p", { class: "say" }, `🔑 ${t("key_at", { name: person.key_holder })}`),
    none && h("p", { class: "todo" }, t("way_none")));
}

function telephones(person) {
  const numbers = [
    person && dial(person.phone, t("dial_person"), person.name),
    person && dial(person.family_phone, t("dial_family"), person.family),
    person && dial(person.key_holder_phone, t("dial_key"), person.key_holder)].filter(Boolean);
  return card("dial", t("card_dial"), !numbers.length && h("p", { class: "small" }, t("dial_none")),
    h("div", { class: "dials" }, numbers, dial("120", t("dial_120")), dial("119", t("dial_119"))));
}

function script(call, person) {
  const kind = kindOf(call.kind) ?? kindOf("emergency");
  const away = person && person.paused_until_ms > story.now_ms;
  return card("script", t("card_script"), h("p", { class: "say" }, inLang(kind ?? {}, "script")),
    away && h("p", { class: "note" }, t("person_paused", { why: person.paused_why })),
    person?.note && h("p", { class: "note" }, h("strong", {}, t("card_note")), " ", person.note));
}

function notes(call, person, store) {
  if (!person?.has_medical) return false;
  return card("medical", t("card_medical"),
    medical !== null ? h("p", { class: "say medical" }, medical || t("medical_none"))
      : facts.may_see_medical ? [button("medical", t("look_medical"), { "data-id": call.call_id, disabled: !store.connected, title: store.connected ? "" : t("gateway_needed") }), h("p", { class: "small" }, t("look_logged"))]
        : h("p", { class: "small" }, t("medical_ask")));
}

/** What the elder's own device has shown. Never more than is known. */
function told(call) {
  if (call.state === "CLOSED" || call.device_id.startsWith("screen:")) return false; // whoever stands at a screen sees it there
  const grave = (word) => ["cannot", "unconfirmed"].includes(word);
  const line = (what, word) => h("p", { class: grave(word) ? "todo warn-line" : word === "shown" ? "well" : "" }, has(`${what}_${word}`) ? t(`${what}_${word}`) : word);
  return card("told", t("card_told"),
    call.written === false ? h("p", { class: "warn-line grave" }, t("told_unwritten")) : line("heard", call.heard ?? ""),
    call.state !== "HEARD" && line("coming", call.coming ?? ""));
}

function outcomes(call, store) {
  if (call.state === "CLOSED") return call.note ? card("close", t("stands_closed"), h("p", { class: "say" }, `“${call.note}”`)) : false;
  return card("close", t("close_title"), h("form", { "data-form": "close", "data-id": call.call_id, class: "close-form", "data-key": "close-form" },
    outcomeButtons(call, !store.connected), noteField(),
    h("p", { class: "hint" }, t("close_hint")), h("p", { class: "wrong", role: "alert", hidden: true })));
}

/* ---------------------------------------------------------------- the ladder, in words */

const names = (helpers) => helpers.map((one) => one.name || one.helper_id).join("、");
const wayName = (way) => (has(`way_${way}`) ? t(`way_${way}`) : t("way_"));

function messageLine(one) {
  const state = has(`message_${one.state}`) ? t(`message_${one.state}`, { time: clock(one.changed_ms || one.created_ms) }) : one.state;
  return h("li", { class: `message ${one.state}`, "data-key": `message-${one.message_id}` },
    one.helper.name || one.helper_id, " · ", wayName(one.way), " ", h("strong", {}, state),
    one.attempts > 1 && ` · ${t("message_tries", { n: one.attempts })}`, one.why && one.state === "failed" && h("span", { class: "small" }, ` ${one.why}`));
}

function stepLine(one, messages, rounds) {
  const time = clock(one.at_ms);
  const why = one.why.split(" ").filter(Boolean).map((word) => (has(`rung_why_${word}`) ? t(`rung_why_${word}`) : word)).join(" · ");
  return h("li", { class: `step ${one.state}`, "data-key": `step-${one.turn}-${one.step}-${one.at_ms}` },
    h("p", {}, h("strong", {}, `${rounds ? `${t("ladder_round", { n: one.turn })} ` : ""}${t("rung_n", { n: one.step + 1 })}`), " ",
      `${whoName(one.who)} ${names(one.helpers)}`.trim(), " ", h("span", { class: `chip ${one.state === "told" ? "good" : "warn"}` }, has(`rung_${one.state}`) ? t(`rung_${one.state}`, { time }) : `${one.state} ${time}`),
      why && ` ${why}`),
    one.helpers.some((helper) => digits(helper.phone)) && h("p", { class: "dials small-dials" }, one.helpers.map((helper) => dial(helper.phone, helper.name))),
    messages.length > 0 && h("ul", {}, messages.map(messageLine)));
}

function ladder(call) {
  const { steps, messages, timers } = story;
  const rounds = steps.some((one) => one.turn > 1);
  const rungs = kindOf(call.kind)?.ladder ?? [];
  const next = call.state === "HEARD" && call.step >= 0 && rungs[call.step + 1];
  const acts = (call.acts ?? "").split(" ").filter((word) => has(`act_${word}`)).map((word) => t(`act_${word}`));
  return card("ladder", t("card_ladder"),
    !steps.length && h("p", { class: "small" }, t("ladder_none")),
    h("ol", { class: "steps" }, steps.map((one) => stepLine(one, messages.filter((message) => message.turn === one.turn && message.step === one.step), rounds))),
    call.state === "HEARD" && acts.length > 0 && h("p", { class: "small" }, acts.join(" · ")),
    next && h("p", { class: "todo" }, t("rung_next", { who: whoName(next[0]) }), " ", timers.step > 0 && since(timers.step, "rung_in", "left")),
    call.state === "HEARD" && call.step >= 0 && call.step === rungs.length - 1 && h("p", { class: "todo" }, t("rung_last")),
    call.state === "COMING" && !call.arrived_ms && timers.coming > 0 && h("p", { class: "small" }, since(timers.coming, "coming_until", "left")));
}

/* ---------------------------------------------------------------- around it */

function neighbours() {
  const home = (one) => one.place || [one.unit, one.room].filter(Boolean).join(" ");
  return card("neighbours", t("card_neighbours"), !story.neighbours.length && h("p", { class: "small" }, t("neighbours_none")),
    h("div", { class: "dials" }, story.neighbours.map((one) => dial(one.phone, one.name, home(one)))));
}

function earlier() {
  return card("earlier", t("card_earlier"), !story.earlier.length && h("p", { class: "small" }, t("earlier_none")),
    h("ul", { class: "earlier" }, story.earlier.map((one) => h("li", { "data-key": `earlier-${one.call_id}` },
      h("a", { href: callPage(one) }, dayClock(one.opened_ms)), " ", kindName(one.kind), " · ", h("strong", {}, outcomeName(one)), one.closed_by && ` · ${one.closed_by}`,
      one.note && h("span", { class: "note-text" }, ` “${one.note}”`)))));
}

function devices(store) {
  const list = story.devices.map((one) => ({ ...one, ...store.devices.get(one.device_id) }));
  return list.length > 0 && card("devices", t("card_devices"), h("ul", {}, list.map((one) => h("li", { "data-key": `device-${one.device_id}` },
    h("strong", {}, one.name || one.device_id), " ", chip(t(`health_${one.health}`), one.health === "ok" ? "good" : "warn"),
    one.battery_pct != null && ` ${t("battery", { n: Math.round(one.battery_pct) })}`, " ", one.last_seen_ms > 0 && since(one.last_seen_ms, "last_seen", "ago"),
    one.fault && chip(has(`fault_${one.fault}`) ? t(`fault_${one.fault}`) : one.fault, "warn"),
    inLang(one, "why") && h("p", { class: "todo" }, inLang(one, "why"))))));
}

function lines() {
  const known = story.lines.filter((one) => has(`line_${one.event}`));
  return known.length > 0 && card("lines", t("card_lines"), h("ol", { class: "happened" }, known.map((one, at) => h("li", { "data-key": `line-${at}` },
    h("span", { class: "time" }, secondClock(one.at_ms)), " ", t(`line_${one.event}`), one.actor && !/^(Press|Released|Shown|Unconfirmed)/.test(one.event) && ` · ${one.actor}`))));
}

/* ---------------------------------------------------------------- the page */

/** True while a countdown stands on this page. */
export const counts = (store) => Boolean(story) && undoLeft(thisCall(store)) > 0;

export function drawCall(store) {
  if (callId === null || !story) return;
  const call = thisCall(store);
  const { person } = story;
  document.title = `${where(call)} · ${kindName(call.kind)}`;
  draw("call",
    !store.connected && h("p", { class: "wrong", "data-key": "away" }, t("call_offline")),
    !story.known && h("p", { class: "wrong", "data-key": "unread" }, t("call_unread")),
    head(call, store),
    h("div", { class: "resp-cards", "data-key": "cards" },
      h("div", { class: "resp-first", "data-key": "first" }, telephones(person), wayIn(person), script(call, person), notes(call, person, store)),
      h("div", { class: "resp-then", "data-key": "then" }, told(call), outcomes(call, store), ladder(call)),
      h("div", { class: "resp-rest", "data-key": "rest" }, earlier(), neighbours(), devices(store), lines())),
    h("p", { class: "hint keys", "data-key": "keys" }, t("call_keys")));
}
