/* The console page: listens on the live line, draws what it hears, orders what is tapped. Begin reading here. */
import { clock, h, language, nowMs, patchChildren, setClock, setLanguage, t, tick } from "./console_view.js";
import { dropBay, store, takeCalls, takePicture, takeThing, takeTicket, takeVerdict, takeWindow, wipe } from "./console_store.js";
import { anyUndo, callPage, chooseKind, drawCalls, flashTitle, openCalls, outcomeForm, ringFor } from "./console_calls.js";
import { askStory, callId, concerns, counts, drawCall, showMedical, thisCall, wipeStory } from "./console_call.js";
import { takeKinds } from "./console_kinds.js";
import * as setup from "./console_setup.js";
import { drawQueue, lastStep, myWindow, nextAnswered, nextOrder, queueKey, remember, setMyWindow } from "./console_queue.js";
import { ticketForm } from "./console_ticket.js";
import { chooseBay, drawBays, drawPaper, drawParking, drawParts } from "./console_hall.js";
import { claimFields, claimForm, drawDevices, zoneForm } from "./console_devices.js";
import { drawCover, drawEnded } from "./console_lock.js";
import { drawRequests, takeRequests } from "./console_requests_box.js";
import { drawRunning, watchRunning } from "./console_running.js";
import { drawPost, stirPost, wipePost } from "./console_post.js";
import { keysOn } from "./console_keys.js";
import * as sound from "./console_sound.js";

/* A heartbeat comes every 10 s (kiosk/live.py); one and a half without any word, and this page says so. */
const QUIET_MS = 15000;
/* A working day's end is announced this long before, so that nobody is surprised by a silent screen. */
const ENDS_SOON_MS = 30 * 60000;
const ACTIVE_EVERY_MS = 60000;

let heardAt = performance.now();
let polledAt = -Infinity; // when the calls were last asked for, instead of heard
const ask = document.getElementById("ask");

/* ---------------------------------------------------------------- drawing */

const drawThings = (store) => drawDevices(store, setup.asideLine(store));
const drawMine = () => { if (!store.locked && !store.ended) { drawCall(store); setup.drawSetup(store); } };
const DRAWN_BY = { call: [drawCalls, drawMine], zone: [drawBays], bay: [drawBays], device: [drawThings, drawMine], part: [drawParts], ticket: [drawQueue], window: [drawQueue], paper: [drawPaper, drawParts] };

function drawAll() {
  document.documentElement.lang = language() === "zh" ? "zh-CN" : "en";
  if (store.locked || store.ended) document.querySelectorAll("#main > section, .hall-side > section").forEach((one) => one.replaceChildren());
  else if (store.known) for (const hand of [drawCalls, drawMine, drawQueue, drawParts, drawPaper, drawRequests, drawParking, drawBays, drawThings, drawRunning, drawPost]) hand(store);
  document.getElementById("main").setAttribute("aria-busy", String(!store.known));
  drawCover(store);
  drawEnded(store);
  ringFor(store);
  drawLine();
  sound.show();
}

function drawSome(kind) {
  if (store.locked) drawCover(store);
  else for (const hand of DRAWN_BY[kind] ?? []) hand(store);
  if (kind === "call") ringFor(store);
}

function drawLine() {
  const lost = performance.now() - heardAt > QUIET_MS;
  const polling = performance.now() - polledAt < QUIET_MS;
  const line = document.getElementById("line");
  line.className = `line ${lost ? "lost" : "live-now"}`;
  if (line.textContent !== `● ${t("line_live")}` || lost) line.textContent = lost ? "○" : `● ${t("line_live")}`;
  const said = [];
  if (lost) said.push(h("p", { class: "wrong", "data-key": "lost" }, t(polling ? "line_polling" : "line_lost")));
  if (store.endsMs && store.endsMs - nowMs() < ENDS_SOON_MS) said.push(h("p", { class: "note", "data-key": "ends" }, t("ends_soon", { time: clock(store.endsMs) })));
  patchChildren(document.getElementById("trouble"), said);
}

function toast(text) {
  const element = document.getElementById("toast");
  element.textContent = text;
  element.hidden = false;
  clearTimeout(toast.timer);
  toast.timer = setTimeout(() => { element.hidden = true; }, 8000);
}

/* ---------------------------------------------------------------- listening */

const heard = (work) => (data) => { heardAt = performance.now(); work(data); stirPost(store, work === drawLine); };
function takeLock(state) {
  if (store.ended) location.reload(); // somebody has signed in: this page's form token was the former session's
  if (state.locked && !store.locked) {
    ask.close();
    document.querySelectorAll("details.drop[open]").forEach((one) => { one.open = false; }); // it would lie over the next call
  }
  if (state.locked !== store.locked) { wipe(); wipeStory(); wipePost(); flashTitle(store); } // the title names a place, too
  Object.assign(store, { locked: state.locked, name: state.name, endsMs: state.ends_ms });
  setClock(state.now_ms);
}

const handlers = {
  lock: heard(takeLock),
  picture: heard((picture) => { setClock(picture.now_ms); takePicture(picture); drawAll(); if (!store.locked) { askStory(drawMine); openAsked(); } }),
  snapshot: heard((picture) => { takePicture(picture); drawAll(); askStory(drawMine); openAsked(); }),
  link: heard((link) => { store.connected = link.connected; drawAll(); }),
  row: heard((row) => { if (row.table === "kinds") askKinds(); if (row.table === "parking_tasks") askParking(); if (concerns(row)) askStory(drawMine); }),
  ticket: heard((ticket) => { takeTicket(ticket); drawSome("ticket"); }),
  line: heard((board) => { store.firstCome = board.first_come ?? {}; drawSome("window"); }),
  window: heard((window) => { takeWindow(window); drawSome("window"); }),
  wait: heard((told) => { store.wait = told.alert; drawSome("ticket"); if (told.began && told.alert && !store.locked) sound.softly(); }),
  requests: heard((told) => { takeRequests(store, told, toast); if (!store.locked) drawRequests(store); }),
  paper: heard((paper) => { store.paper = paper; drawSome("paper"); }),
  slip_settled: heard((told) => { takeVerdict(told.slip_id); drawSome("paper"); }),
  bay_gone: heard((told) => { dropBay(told.bay_id); drawSome("bay"); }),
  heartbeat: heard(drawLine),
};
for (const kind of ["zone", "bay", "device", "part"]) handlers[kind] = heard((thing) => { takeThing(kind, thing); drawSome(kind); });
handlers.call = heard((call) => {
  takeThing("call", call);
  drawSome("call");
  if (store.locked) return;
  if (call.call_id === callId) askStory(drawMine);
  setup.heardCall(call, drawMine);
});

/** Somebody has edited a kind of call: its name, how urgent it is, how it may end. */
async function askKinds() {
  try {
    const answer = await fetch("/console/api/kinds", { cache: "no-store", signal: AbortSignal.timeout(4000) });
    if (answer.ok) { takeKinds(await answer.json()); drawAll(); }
  } catch { /* the next page that is opened has them */ }
}

/** A task of the car park was opened, taken or finished. */
async function askParking() {
  try {
    const answer = await fetch("/console/api/parking/tasks", { cache: "no-store", signal: AbortSignal.timeout(4000) });
    if (answer.ok) { store.parking = await answer.json(); if (!store.locked) drawParking(store); }
  } catch { /* the next change, or the next picture, brings it */ }
}

window.LinliLive.open("/console/live", handlers, {
  poll: "/console/api/session",
  onPoll: (answer) => {
    if (!answer.signed_in) end();
    else if (store.ended) location.reload();
    else pollCalls();
  },
});

/** No live line (all are taken, or it is being rebuilt): ask for the calls, and ring from the answer. */
async function pollCalls() {
  const asked = performance.now();
  try {
    const answer = await fetch("/console/api/calls", { cache: "no-store", signal: AbortSignal.timeout(4000) });
    if (!answer.ok) return;
    const told = await answer.json();
    if (heardAt > asked || store.ended) return; // the live line is back and knows better
    polledAt = performance.now();
    takeLock(told.lock);
    takeCalls(told);
    drawAll();
    if (!store.locked) drawCalls(store);
  } catch { /* the line above says so, and it asks again */ }
}

/** The session is over. This page does not slip away to the silent sign-in page: it says so, loudly, until somebody does. */
function end() {
  if (store.ended) return;
  if (ask.open) ask.close();
  wipe();
  wipeStory();
  wipePost();
  Object.assign(store, { ended: true, locked: false, known: false, endsMs: null });
  drawAll();
}

/* ---------------------------------------------------------------- ordering */

/** POST, and answer {ok} or {why}. Nothing is drawn here: the fact comes on the live line. */
async function order(path, body = {}) {
  try {
    const answer = await fetch(`/console/api/${path}`, {
      method: "POST", headers: { "Content-Type": "application/json", "X-Form-Token": document.querySelector("meta[name=form-token]").content },
      body: JSON.stringify(body), signal: AbortSignal.timeout(10000) });
    const said = await answer.json();
    if (answer.ok) return said;
    if (answer.status === 401) end();
    return { why: said.error?.[language()] ?? t("bad_request"), unsure: answer.status >= 500 };
  } catch {
    return { why: t("no_answer_http"), unsure: true };
  }
}

/** The same button twice in a row is one order. */
const busy = new Set();
async function once(path, body) {
  if (busy.has(path)) return {};
  busy.add(path);
  const answer = await order(path, body);
  busy.delete(path);
  if (answer.why) toast(answer.why);
  return answer;
}

async function queueStep(path, body) {
  const answer = await once(`queue/${path}`, body);
  if (path === "next" && (answer.ticket || (answer.why && !answer.unsure))) nextAnswered();
  if (answer.ticket) { remember(path.endsWith("undo") ? null : answer.ticket); takeTicket(answer.ticket); drawSome("ticket"); }
  return answer.ticket;
}

/** A hit of the search leads here, to one number: its dialog, once. */
function openAsked() {
  const asked = Number(new URLSearchParams(location.search).get("ticket")), one = store.tickets.get(asked);
  if (!asked || !one || store.locked || store.ended || ask.open) return;
  history.replaceState(null, "", location.pathname + location.hash);
  open(ticketForm(one, store));
}

/** A step that was taken in a number's dialog: it is done with when the step is. */
async function fromDialog(step) { if (await step) ask.close(); }

function open(form) {
  ask.replaceChildren(form);
  if (!ask.open) ask.showModal();
}

const id = (button) => encodeURIComponent(button.dataset.id);
const ACTS = {
  accept: (b) => once(`calls/${id(b)}/accept`),
  close: (b) => open(outcomeForm(store.calls.get(Number(b.dataset.id)))),
  arrive: (b) => once(`calls/${id(b)}/arrive`),
  reopen: (b) => once(`calls/${id(b)}/reopen`),
  medical: async (b) => { const told = await once(`calls/${id(b)}/medical`); if ("medical" in told && !store.locked) { showMedical(told.medical); drawMine(); } },
  only: (b) => { chooseKind(b.dataset.id); drawCalls(store); },
  is_test: (b) => once(`calls/${id(b)}/close`, { outcome: "test" }),
  setup_person: () => { setup.forgetPerson(); drawMine(); },
  setup_choose: (b) => { setup.choosePerson(b.dataset.id); drawMine(); },
  setup_nobody: () => { setup.choosePerson(null); drawMine(); },
  expect_test: async (b) => { if ((await once(`devices/${id(b)}/expect-test`)).ok) { setup.testBegan(); drawMine(); } },
  setup_lamp: (b) => { setup.sawLamp(b.dataset.id); drawMine(); },
  retire_open: (b) => open(setup.retireForm(b.dataset.id, store)),
  bring_back: async (b) => {
    const told = await once(`devices/${id(b)}/bring-back`, setup.asideFields());
    if (told.ok) { setup.broughtBack(); drawThings(store); toast(t("brought_back")); }
  },
  claim: (b) => open(claimForm(b.dataset.id, store)),
  zone: () => open(zoneForm()),
  dismiss: () => ask.close(),
  next: () => queueStep("next", nextOrder(store)),
  next_absent: () => queueStep("next", nextOrder(store, true)),
  resume: (b) => queueStep(`${id(b)}/resume`, { window_id: myWindow() }),
  ticket: (b) => { const one = store.tickets.get(Number(b.dataset.id)); if (one) open(ticketForm(one, store)); },
  call_number: (b) => fromDialog(queueStep(`${id(b)}/call`, { window_id: myWindow() })),
  lane: (b) => fromDialog(queueStep(`${id(b)}/lane`, { lane_why: b.dataset.why })),
  cancel_number: (b) => fromDialog(queueStep(`${id(b)}/cancel`)),
  window_open: (b) => once(`windows/${id(b)}/open`),
  window_close: (b) => once(`windows/${id(b)}/close`),
  bay: (b) => { chooseBay(b.dataset.id); drawBays(store); },
  close_bay: (b) => once(`bays/${id(b)}/close`),
  open_bay: (b) => once(`bays/${id(b)}/open`),
  slip_printed: (b) => once(`slips/${id(b)}/printed`),
  slip_again: (b) => once(`slips/${id(b)}/again`),
  slip_given_up: (b) => once(`slips/${id(b)}/given_up`),
  lock: () => once("lock"),
  sound: () => sound.test(),
};

for (const step of ["recall", "begin", "hold", "no-show", "late", "next-item", "done", "undo"]) ACTS[step.replace("-", "_")] = (b) => queueStep(`${id(b)}/${step}`);

document.addEventListener("click", (event) => {
  sound.allow();
  const button = event.target.closest("[data-act]");
  if (button && !button.disabled) ACTS[button.dataset.act]?.(button);
});

document.addEventListener("change", (event) => {
  if (event.target.dataset.change === "window") { setMyWindow(event.target.value); drawQueue(store); }
  const form = event.target.closest("form[data-form=claim]");
  if (form && event.target.name === "kind") form.dataset.kind = event.target.value;
});

document.addEventListener("input", (event) => { if (event.target.id === "find-person") setup.findPeople(event.target.value, drawMine); });

async function ticketOrder(form, what) {
  const told = await order(`queue/${id(form)}/${what}`, Object.fromEntries(new FormData(form)));
  if (told.ticket) { remember(told.ticket); takeTicket(told.ticket); drawSome("ticket"); }
  return told;
}

const FORMS = {
  close: (form, by) => order(`calls/${id(form)}/close`, Object.fromEntries(new FormData(form, by))),
  person: async (form) => {
    form.dataset.person ||= setup.personId(); // a repeated tap is the same person
    const told = await order("people", { person_id: form.dataset.person, ...Object.fromEntries(new FormData(form)) });
    if (told.person) { setup.takePerson(told.person); drawMine(); }
    return told;
  },
  setup: async (form) => {
    const told = await order(`devices/${id(form)}/claim`, setup.setupFields(form, store));
    if (told.ok) { setup.saved(); drawMine(); }
    return told;
  },
  retire: async (form, by) => {
    const replace = by?.value === "replace";
    const told = await order(`devices/${id(form)}/retire`, replace ? { by_device: form.elements.by_device.value } : {});
    if (told.ok) { setup.putAside(form.dataset.id, told, store); drawThings(store); }
    return told;
  },
  transfer: (form) => ticketOrder(form, "transfer"),
  add_item: (form) => ticketOrder(form, "item"),
  claim: (form) => order(`devices/${id(form)}/claim`, claimFields(form)),
  zone: (form) => order("zones", Object.fromEntries(new FormData(form))),
  unlock: (form) => order("unlock", Object.fromEntries(new FormData(form))),
};

document.addEventListener("submit", async (event) => {
  const form = event.target.closest("form[data-form]");
  if (!form) return;
  event.preventDefault();
  if (busy.has(form)) return;
  busy.add(form);
  const answer = await FORMS[form.dataset.form](form, event.submitter);
  busy.delete(form);
  const wrong = form.querySelector("[role=alert].wrong");
  if (answer.why && form.closest("#main")) toast(answer.why); // this form is drawn anew with each fact
  else if (answer.why) { wrong.textContent = answer.why; wrong.hidden = false; form.querySelector("[type=password]")?.select(); } else if (form.closest("#ask")) ask.close();
});

/* Keys for whoever stands at a window. Never while typing, never behind a dialog or the cover. */
document.addEventListener("keydown", (event) => {
  sound.allow();
  if (store.locked || store.ended || !keysOn() || document.querySelector("dialog[open]") || event.repeat || event.ctrlKey || event.altKey || event.metaKey) return;
  const on = event.target;
  if (on.closest("input, textarea, [contenteditable]") || (on.closest("select") && (on.id !== "window" || event.key === " "))) return;
  if (event.key === " " && on.closest("button, a, summary")) return; // there Space presses what has the focus
  if (callKey(event)) { event.preventDefault(); return; }
  const [act, ticket] = queueKey(event.key, store) ?? [];
  if (act) { event.preventDefault(); ACTS[act]({ dataset: { id: String(ticket) } }); }
});

/* Calls from the keyboard: the card with the focus, else the first of the list; on a call's own page, that call. */
function callKey(event) {
  const cards = [...document.querySelectorAll("#calls [data-call]")];
  const card = event.target.closest("[data-call]");
  const at = cards.indexOf(card);
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (step) {
    if (!cards.length || event.target.closest("select")) return false;
    cards[Math.min(Math.max(at + step, 0), cards.length - 1)].focus();
    return true;
  }
  const call = card ? store.calls.get(Number(card.dataset.call)) : callId !== null ? thisCall(store) : openCalls(store)[0];
  const key = event.key.toLowerCase();
  if (key === "escape" && callId !== null) { location.assign("/console"); return true; }
  if (!call || !store.connected) return false;
  const mine = { dataset: { id: String(call.call_id) } };
  if (key === "a" && call.state === "HEARD") ACTS.accept(mine);
  else if (key === "d" && call.state !== "CLOSED" && !call.arrived_ms && (card || callId !== null)) ACTS.arrive(mine);
  else if (key === "c" && (card || callId === null) && call.state !== "CLOSED") ACTS.close(mine);
  else if (key === "enter" && (event.target === card || (event.target === document.body && callId === null))) location.assign(callPage(call));
  else return false;
  return true;
}

/* ---------------------------------------------------------------- language, clock, being here */

document.getElementById("other-language").addEventListener("click", (event) => {
  event.preventDefault();
  setLanguage(language() === "zh" ? "en" : "zh");
  document.cookie = `linli_console_lang=${language()}; path=/console; SameSite=Strict; max-age=31536000`;
  document.querySelectorAll("[data-w]").forEach((one) => { one.textContent = t(one.dataset.w); });
  document.querySelectorAll("[data-w-label]").forEach((one) => { one.setAttribute("aria-label", t(one.dataset.wLabel)); });
  event.target.textContent = t("other_language");
  if (ask.open) ask.close();
  drawAll();
});

/* A person at the page puts off the lock; the page alone never does. */
let activeAt = 0;
for (const kind of ["pointerdown", "keydown", "wheel", "pointermove"]) {
  document.addEventListener(kind, () => {
    if (store.locked || store.ended || performance.now() - activeAt < ACTIVE_EVERY_MS) return;
    activeAt = performance.now();
    order("active");
  }, { passive: true });
}

setInterval(() => {
  tick();
  flashTitle(store);
  drawLine();
  if (!store.locked && store.known && (lastStep(store) || document.querySelector("[data-act=undo]"))) drawQueue(store);
  if (!store.locked && store.known && (anyUndo(store) || document.querySelector("[data-act=reopen]"))) drawCalls(store);
  if (counts(store) || document.querySelector("#call [data-act=reopen]")) drawMine();
  if (!store.locked && (setup.asideLeft() || document.querySelector("[data-act=bring_back]"))) drawThings(store);
}, 1000);
drawAll();
drawMine(); // the page brought its facts with it: they need no line
watchRunning(store);
if (location.hash) document.querySelector(location.hash)?.scrollIntoView();
