/* A post's desk: asked anew whenever the live line tells anything, so that it is true while somebody stands before it.
 * The server has drawn the same lines already (templates/console/desk.html). */
import { setMyWindow } from "./console_queue.js";
import { chip, draw, facts, h, language, setClock, since, t } from "./console_view.js";

/* Many facts come at once (a morning's numbers): asked once for all of them; times run on by themselves. */
const TOGETHER_MS = 400, ANYWAY_MS = 30000;

let told = facts.sections ?? null, failed = false, timer = 0, askedAt = performance.now();
const say = (pair) => pair[language() === "zh" ? 0 : 1];
const there = () => document.getElementById("post") !== null;

/* "Call" beside a window's line: this is the window at which whoever tapped stands. */
const picked = new URLSearchParams(location.search).get("window");
if (there() && picked) setMyWindow(picked);

function line(one) {
  return h("li", { class: `task ${one.level}`, "data-key": one.key },
    h("div", { class: "task-what" }, h("strong", {}, say(one.what)), " ", say(one.more) && h("span", { class: "small" }, say(one.more)), " ", one.since_ms && since(one.since_ms, "time_only", "ago")),
    one.off ? h("button", { class: "small", type: "button", disabled: true, "aria-label": `${say(one.do)} ${say(one.what)}: ${say(one.more)}` }, say(one.do))
      : one.url && h("a", { class: "button small", href: one.url, "aria-label": `${say(one.do)} ${say(one.what)}` }, say(one.do)));
}

function box(one) {
  return h("section", { class: "task-box", "data-key": one.key, "aria-labelledby": `${one.key}-h` },
    h("header", { class: "head" }, h("h2", { id: `${one.key}-h` }, say(one.title)), one.count > 0 && chip(String(one.count)), one.url && h("a", { class: "more", href: one.url, "aria-label": `${say(one.title)} ${t("desk_whole")}` }, t("desk_whole"))),
    say(one.note) && h("p", { class: "small" }, say(one.note)),
    say(one.empty) && h("p", { class: one.unread ? "wrong" : "empty" }, say(one.empty)),
    one.lines.length > 0 && h("ul", { class: "task-list" }, one.lines.map(line)),
    one.more > 0 && h("p", {}, one.url ? h("a", { href: one.url, "aria-label": `${say(one.title)} ${t("desk_more", { n: one.more })}` }, t("desk_more", { n: one.more })) : t("desk_more", { n: one.more })));
}

function head() {
  const form = h("form", { method: "post", action: `/console/desk/${facts.post}` },
    h("input", { type: "hidden", name: "form_token", value: document.querySelector("meta[name=form-token]").content }),
    facts.mine ? [chip(t("desk_mine"), "good"), " ", h("button", { class: "small quiet", name: "do", value: "leave" }, t("desk_leave"))] : h("button", { class: "small" }, t("desk_choose")));
  return h("header", { class: "head" }, h("h1", { id: "post-head" }, t("desk_of", { post: t(`post_${facts.post}`) })), form);
}

export function drawPost(store) {
  if (!there() || !told || store.locked || store.ended) return;
  draw("post", head(), failed && h("p", { class: "wrong", role: "status", "data-key": "stale" }, t("desk_stale")),
    told.every((one) => !one.lines.length && !one.unread) && !document.querySelector("#calls .call") && h("p", { class: "all-done", "data-key": "done" }, t("desk_all_done")),
    h("div", { class: "tasks", id: "tasks", "data-key": "tasks" }, told.map(box)));
}

async function ask(store) {
  timer = 0;
  askedAt = performance.now();
  if (store.locked || store.ended) return;
  try {
    const answer = await fetch(`/console/api/desk/${facts.post}`, { cache: "no-store", signal: AbortSignal.timeout(6000) });
    if (!answer.ok) throw new Error(answer.status);
    const now = await answer.json();
    setClock(now.now_ms);
    [told, failed] = [now.sections, false];
  } catch { failed = true; }
  drawPost(store);
}

/** Something was told on the live line. A heartbeat alone asks now and then: what is late becomes so by itself. */
export function stirPost(store, heartbeat = false) {
  if (!there() || timer || (heartbeat && performance.now() - askedAt < ANYWAY_MS)) return;
  timer = setTimeout(ask, TOGETHER_MS, store);
}
/** What was read before the screen locked is forgotten. */
export function wipePost() { told = null; delete facts.sections; }
