/* Open calls, first on the page and loud. What a locked screen shows is drawn by the same hand from fewer facts. */
import { button, chip, draw, empty, facts, h, has, heading, since, t } from "./console_view.js";
import { ring } from "./console_sound.js";

const RANK = Object.fromEntries(facts.call_kinds.map((kind, at) => [kind, at]));
const BARE_TITLE = document.title;

/** Open calls: unanswered before those somebody goes to, then the most urgent kind, then who has waited longest. */
export function openCalls(store) {
  return [...store.calls.values()].filter((one) => one.state !== "CLOSED").sort((a, b) =>
    (a.state === "HEARD" ? 0 : 1) - (b.state === "HEARD" ? 0 : 1)
    || (RANK[a.kind] ?? 0) - (RANK[b.kind] ?? 0) || a.opened_ms - b.opened_ms);
}

const where = (call) => call.place || call.device_name || call.device_id;
const kindOf = (kind) => (has(`call_kind_${kind}`) ? t(`call_kind_${kind}`) : kind);

export function ringFor(store) {
  if (store.ended) { ring("ended"); return; }
  const heard = openCalls(store).filter((one) => one.state === "HEARD");
  ring(!heard.length ? null : heard.some((one) => one.kind === "emergency") ? "emergency" : "other");
}

let flash = false;
/** Once a second: the tab calls too, for whoever has another window in front. */
export function flashTitle(store) {
  const heard = openCalls(store).find((one) => one.state === "HEARD");
  flash = Boolean(heard) && !flash;
  const title = store.ended ? `🔇 ${t("ended_title")}` : flash ? `【${kindOf(heard.kind)}】${where(heard)}` : BARE_TITLE;
  if (document.title !== title) document.title = title;
  const icon = document.getElementById("icon");
  const wanted = icon.getAttribute("href").replace(/console_icon(_call)?\.svg/, flash ? "console_icon_call.svg" : "console_icon.svg");
  if (icon.getAttribute("href") !== wanted) icon.setAttribute("href", wanted);
}

function warnings(call) {
  const said = [];
  if (call.written === false) said.push(h("p", { class: "warn-line grave" }, h("strong", {}, t("call_unwritten")), " — ", t("call_unwritten_more")));
  if (call.claimed === false) said.push(h("p", { class: "warn-line" }, h("strong", {}, t("call_unclaimed")), " ", call.device_id, " — ", t("call_unclaimed_more")));
  if (call.overdue && call.state === "HEARD") said.push(h("p", { class: "warn-line grave" }, t("call_overdue")));
  const small = [call.delayed && t("call_delayed"), call.doubtful && t("call_doubtful")].filter(Boolean);
  if (small.length) said.push(h("p", { class: "warn-line" }, small.join(" · ")));
  return said;
}

function card(call, store) {
  const heard = call.state === "HEARD";
  const away = !store.connected;
  return h("article", { class: `call ${heard ? "heard" : "coming"} kind-${call.kind}`, "data-key": `call-${call.call_id}`, "data-call": call.call_id },
    h("div", { class: "call-what" },
      h("p", { class: "call-kind" }, kindOf(call.kind), " ",
        call.presses > 1 && chip(t("pressed_times", { n: call.presses }), "hot"),
        call.button > 1 && chip(`#${call.button}`)),
      h("p", { class: call.place ? "call-where" : "call-where bare-id" }, where(call)),
      h("p", { class: "call-who" }, call.person ? h("strong", {}, call.person) : "", call.person && call.device_name && call.device_name !== where(call) ? " · " : "",
        call.device_name && call.device_name !== where(call) ? call.device_name : ""),
      h("p", { class: "call-time" }, since(call.opened_ms, "waiting_for"),
        !heard && h("strong", { class: "coming-by" }, ` · ${t("accepted_by", { name: call.accepted_by ?? "?" })}`)),
      warnings(call)),
    h("div", { class: "call-do" },
      heard && button("accept", t("accept"), { class: "main loud", "data-id": call.call_id, disabled: away, title: away ? t("gateway_needed") : "" }),
      button("close", t("close"), { class: heard ? "" : "main", "data-id": call.call_id, disabled: away, title: away ? t("gateway_needed") : "" }),
      call.claimed === false && button("claim", t("claim"), { class: "small", "data-id": call.device_id, disabled: away })));
}

function closedLine(call) {
  return h("li", { "data-key": `closed-${call.call_id}` }, h("strong", {}, where(call)), " ", kindOf(call.kind), " · ",
    call.outcome && has(`outcome_${call.outcome}`) ? t(`outcome_${call.outcome}`) : "", " · ", call.closed_by ?? "", " · ",
    since(call.closed_ms, "time_only", "ago"), call.note ? h("span", { class: "note-text" }, ` “${call.note}”`) : "");
}

export function drawCalls(store) {
  const open = openCalls(store);
  const closed = [...store.calls.values()].filter((one) => one.state === "CLOSED").sort((a, b) => b.closed_ms - a.closed_ms).slice(0, 8);
  draw("calls",
    heading("calls", t("calls"), open.length > 0 && chip(String(open.length), "hot")),
    !store.connected && h("p", { class: "wrong" }, t("calls_unknown")),
    h("div", { class: "call-list" }, open.map((one) => card(one, store)),
      !open.length && store.connected && h("div", { class: "empty big" }, h("p", {}, t("calls_none")), h("p", { class: "small" }, t("calls_none_more")))),
    closed.length > 0 && h("details", { class: "closed-calls", "data-key": "closed" }, h("summary", {}, t("calls_closed")), h("ul", {}, closed.map(closedLine))));
}

/** For the cover of a locked screen: that somebody calls, what and where. The facts hold no more than this. */
export function veiledCalls(store) {
  return openCalls(store).map((call) => h("li", { class: `call ${call.state === "HEARD" ? "heard" : "coming"}`, "data-key": `veiled-${call.call_id}` },
    h("span", { class: "call-kind" }, kindOf(call.kind)), h("span", { class: call.place ? "call-where" : "call-where bare-id" }, call.place || call.device_id), since(call.opened_ms, "waiting_for")));
}

export function outcomeForm(call) {
  return h("form", { method: "dialog", class: "ask", "data-form": "close", "data-id": call.call_id },
    h("h2", {}, t("outcome_title")), h("p", {}, where(call), " · ", kindOf(call.kind)),
    h("fieldset", { class: "outcomes" }, h("legend", {}, t("outcome_pick")),
      facts.outcomes.map((one) => h("label", { class: "pick" }, h("input", { type: "radio", name: "outcome", value: one, required: true }), h("span", {}, t(`outcome_${one}`))))),
    h("label", {}, t("note"), h("textarea", { name: "note", rows: 2, maxlength: 500 })),
    h("p", { class: "wrong", role: "alert", hidden: true }),
    h("div", { class: "ask-do" }, button("dismiss", t("cancel")), h("button", { class: "main" }, t("close"))));
}
