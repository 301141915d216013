/* Setting up a device, step by step: press it, whose is it, what is it called, try it, label it. And putting one aside. */
import { button, draw, facts, h, has, nowMs, secondClock, t } from "./console_view.js";
import { choice, field, kindChoices, setupPage } from "./console_devices.js";

const deviceId = facts.setup?.device_id ?? null;
/* Who opens this page from a call has just pressed: that press counts as the first. */
const JUST_NOW_MS = 2 * 60000;
const beganMs = nowMs() - JUST_NOW_MS;

let person; // undefined: as the device has it; false: to be chosen anew; null: nobody's; else a person of the list
let savedMs = 0;
let found = null; // what was found for the words in the field
let said = []; // the journal's lines of this device, newest first
let testing = false; // a test press has been announced
let lamp = ""; // what the person before the device has seen: yes, no, none

const step = (n, state, ...children) => h("section", { class: `setup-step ${state}`, "data-key": `setup-${n}`, "data-step": n },
  h("h2", {}, h("span", { class: "setup-n" }, state === "done" ? "✓" : n), " ", t(`setup_${n}`)), ...children);

const pressedSince = (store, ms) => [...store.calls.values()].filter((one) => one.device_id === deviceId && one.last_press_ms >= ms).sort((a, b) => b.last_press_ms - a.last_press_ms)[0];
const isTest = (call, store) => call && call.state !== "CLOSED" && button("is_test", t("setup_is_test"), { class: "main", "data-id": call.call_id, disabled: !store.connected });

function spoken(device, call, store) {
  const what = [call && call.button > 0 && t("setup_button", { n: call.button }), call && call.presses > 1 && t("pressed_times", { n: call.presses }),
    call?.delayed && t("call_delayed"), call?.doubtful && t("call_doubtful"), [device.family, device.model].filter(Boolean).join(" "),
    device.battery_pct != null && t("battery", { n: Math.round(device.battery_pct) }), device.health && has(`health_${device.health}`) && t(`health_${device.health}`)].filter(Boolean);
  return step(1, call ? "done" : "now", h("p", {}, t("setup_1_how")),
    call ? h("p", { class: "say well", role: "status" }, `● ${t("setup_spoke", { time: secondClock(call.last_press_ms) })}`) : h("p", { class: "say waiting-press", role: "status" }, t("setup_waiting")),
    what.length > 0 && h("p", { class: "small" }, h("strong", {}, t("setup_said")), " ", what.join(" · ")),
    said.length > 0 && h("ul", { class: "said small" }, said.slice(0, 3).map((one) => h("li", {}, secondClock(one.at_ms), " ", has(`line_${one.event}`) ? t(`line_${one.event}`) : one.event, " ", h("code", {}, one.detail)))),
    isTest(call, store));
}

const home = (one) => one.place || `${one.building}${one.unit}${one.room}`;
/** undefined: nobody has been chosen yet. */
const chosen = (device) => (person === false ? undefined : person !== undefined ? person : device.person_id ? { person_id: device.person_id, name: device.person, place: device.place } : undefined);

function whose(device) {
  const who = chosen(device);
  const settled = who !== undefined;
  return step(2, settled ? "done" : "now",
    settled && h("p", { class: "say" }, who ? h("span", {}, t("setup_person_is", { name: who.name }), " · ", home(who)) : t("setup_no_person"), " ", button("setup_person", t("setup_person_change"), { class: "small" })),
    !settled && h("div", { class: "setup-find", "data-key": "find" },
      h("label", {}, t("setup_search"), h("input", { type: "search", id: "find-person", maxlength: 40, autocomplete: "off" })),
      found && h("ul", { class: "found" }, found.map((one) => h("li", { "data-key": `found-${one.person_id}` }, button("setup_choose", `${one.name} · ${home(one)}`, { "data-id": one.person_id })))),
      found && !found.length && h("p", { class: "small" }, t("setup_found_none")),
      button("setup_nobody", t("setup_no_person")),
      h("details", { "data-key": "new-person" }, h("summary", {}, t("setup_new_person")),
        h("form", { "data-form": "person", class: "fields-in-a-row" }, field("name", t("name"), "", { required: true, maxlength: 40 }),
          ...["building", "unit", "room"].map((name) => field(name, t(`setup_${name}`), "", { maxlength: 40 })), field("phone", t("setup_phone"), "", { maxlength: 40, inputmode: "tel" }),
          h("p", { class: "wrong", role: "alert", hidden: true }), h("button", { class: "main" }, t("add"))))));
}

const KEEP = "keep"; // what answers for a device that was set up before is not ours to guess
/* A siren or lamp that was claimed as such may speak for a button that cannot. */
const companions = (store) => [...store.devices.values()].filter((one) => one.kind === "companion").map((one) => [one.device_id, one.name || one.device_id]);

function named(device, store) {
  const who = chosen(device);
  return step(3, savedMs ? "done" : "now", h("form", { "data-form": "setup", "data-id": deviceId, class: "fields-in-a-row", "data-key": "setup-form" },
    field("name", t("device_name"), device.kind === "unclaimed" ? "" : device.name, { required: true, placeholder: t("setup_name_hint") }),
    choice("call_kind", t("device_call_kind"), kindChoices(device.call_kind), device.call_kind),
    who === null && field("place", t("device_place"), device.place, { required: true }),
    field("model", t("device_model"), device.model, { maxlength: 40 }),
    choice("answers", t("setup_answers"), [...(device.kind === "unclaimed" ? [] : [[KEEP, t("answers_keep")]]), ["", t("answers_")], ["own", t("answers_own")], ...companions(store)], ""),
    h("p", { class: "wrong", role: "alert", hidden: true }),
    h("button", { class: "main", disabled: !store.connected || who === undefined, title: store.connected ? "" : t("gateway_needed") }, t("setup_save")),
    savedMs > 0 && h("span", { class: "well", role: "status" }, ` ✓ ${t("setup_saved")}`)));
}

function tried(store) {
  const call = savedMs > 0 && pressedSince(store, savedMs);
  const asked = call && !lamp;
  return step(4, lamp && lamp !== "no" ? "done" : savedMs ? "now" : "later", h("p", {}, savedMs ? t("setup_4_how") : t("setup_first")),
    savedMs > 0 && !call && !testing && button("expect_test", t("setup_test"), { class: "main", "data-id": deviceId, disabled: !store.connected }),
    testing && !call && h("p", { class: "note" }, t("setup_test_on")),
    testing && !call && h("p", { class: "say waiting-press", role: "status" }, t("setup_waiting")),
    call && (call.written === false ? h("p", { class: "warn-line grave" }, t("call_unwritten")) : h("p", { class: "say well", role: "status" }, `● ${t("setup_written", { time: secondClock(call.last_press_ms) })}`)),
    call && call.heard && has(`heard_${call.heard}`) && h("p", { class: "small" }, t(`heard_${call.heard}`)),
    asked && h("p", { class: "say" }, t("setup_lamp"), " ", ["yes", "no", "none"].map((one) => button("setup_lamp", t(`setup_lamp_${one}`), { "data-id": one }))),
    lamp === "no" && h("p", { class: "note" }, t("setup_lamp_no_more")),
    isTest(call, store));
}

function done(store) {
  const next = [...store.devices.values()].filter((one) => one.kind === "unclaimed" && one.device_id !== deviceId).sort((a, b) => b.last_seen_ms - a.last_seen_ms)[0];
  return step(5, savedMs ? "now" : "later", h("p", {}, t("setup_5_how")),
    h("p", { class: "call-do flat" }, savedMs > 0 && h("a", { class: "button main", href: `/console/devices/label/${encodeURIComponent(deviceId)}` }, t("setup_label")),
      next && h("a", { class: "button", href: setupPage(next.device_id) }, `${t("setup_next")}：${next.name || next.device_id}`), h("a", { class: "button", href: "/console/devices" }, t("devices"))));
}

export function drawSetup(store) {
  if (deviceId === null) return;
  const device = store.devices.get(deviceId) ?? { device_id: deviceId, kind: "unclaimed", name: "", call_kind: "emergency", place: "", person: "", person_id: "", model: "", family: "" };
  if (device.kind === "call_button" && !savedMs) { savedMs = nowMs(); if (!device.person_id && person === undefined) person = null; }
  draw("setup", h("h1", { id: "setup-head" }, t("setup_for", { id: device.name || deviceId })),
    !store.connected && h("p", { class: "wrong", "data-key": "away" }, t("calls_unknown")),
    spoken(device, pressedSince(store, beganMs), store), whose(device), named(device, store), tried(store), done(store));
}

/* ---------------------------------------------------------------- what is asked and said */

/** A call of this device: what exactly has it said? */
export async function heardCall(call, redraw) {
  if (deviceId === null || call.device_id !== deviceId) return;
  try {
    const answer = await fetch(`/console/api/said/${encodeURIComponent(deviceId)}`, { cache: "no-store", signal: AbortSignal.timeout(4000) });
    if (answer.ok) said = (await answer.json()).lines;
  } catch { /* the press itself is on the page; its wording may wait */ }
  redraw();
}

let finding = 0;
export function findPeople(words, redraw) {
  clearTimeout(finding);
  finding = setTimeout(async () => {
    try {
      const answer = await fetch(`/console/api/people?${new URLSearchParams({ q: words })}`, { cache: "no-store", signal: AbortSignal.timeout(4000) });
      found = answer.ok && words.trim() ? (await answer.json()).people : null;
    } catch { found = null; }
    redraw();
  }, 150);
}

export const choosePerson = (id) => { person = id === null ? null : found.find((one) => one.person_id === id); found = null; };
export const forgetPerson = () => { person = false; found = null; };
export const takePerson = (told) => { person = told; found = null; };
export const sawLamp = (what) => { lamp = what; };
export const saved = () => { savedMs = nowMs(); testing = false; lamp = ""; };
export const testBegan = () => { testing = true; savedMs = nowMs(); };
export const personId = () => `p-${crypto.randomUUID ? crypto.randomUUID().slice(0, 13) : String(Date.now())}`;

/** What is sent: name and place come from the person where there is one. */
export function setupFields(form, store) {
  const who = chosen(store.devices.get(deviceId) ?? {});
  const typed = Object.fromEntries([...new FormData(form)].filter(([, value]) => value !== KEEP));
  return { kind: "call_button", ...typed, person_id: who?.person_id ?? "", person: who?.name ?? "", place: who ? home(who) : typed.place ?? "" };
}

/* ---------------------------------------------------------------- retire, replace, undo */

let aside = null; // the device that was put aside last: {device_id, name, before, untilMs}

export function retireForm(id, store) {
  const device = store.devices.get(id) ?? { device_id: id, name: id };
  const fresh = [...store.devices.values()].filter((one) => one.kind === "unclaimed").sort((a, b) => b.last_seen_ms - a.last_seen_ms);
  return h("form", { method: "dialog", class: "ask", "data-form": "retire", "data-id": id },
    h("h2", {}, t("retire_title", { name: device.name || id })), h("p", {}, [device.place, device.person].filter(Boolean).join(" · ")),
    fresh.length ? choice("by_device", t("replace_by"), fresh.map((one) => [one.device_id, [one.device_id, one.family, one.model].filter(Boolean).join(" · ")]), fresh[0].device_id) : h("p", { class: "note" }, t("replace_none")),
    h("p", { class: "hint" }, t("retire_why")), h("p", { class: "wrong", role: "alert", hidden: true }),
    h("div", { class: "ask-do" }, button("dismiss", t("cancel")), h("button", { name: "how", value: "retire" }, t("retire_do")),
      fresh.length > 0 && h("button", { class: "main", name: "how", value: "replace" }, t("replace_do"))));
}

export function putAside(id, answer, store) {
  const name = store.devices.get(id)?.name || id;
  aside = { device_id: id, name, before: answer.before, untilMs: nowMs() + facts.undo_ms };
}
export const broughtBack = () => { aside = null; };
export const asideFields = () => { const { kind, ...fields } = aside?.before ?? {}; return fields; };
export const asideLeft = () => (aside ? Math.max(0, Math.ceil((aside.untilMs - nowMs()) / 1000)) : 0);

/** One line over the devices, while it can be undone. */
export const asideLine = (store) => asideLeft() > 0 && h("p", { class: "note aside", "data-key": "aside", role: "status" }, t("retired", { name: aside.name }), " ",
  button("bring_back", t("bring_back", { n: asideLeft() }), { class: "small", "data-id": aside.device_id, disabled: !store.connected }));
