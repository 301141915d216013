/* On pages of forms (visits, meals, people, rosters): a call rings here as everywhere, whoever signs out is told, and pages can be printed. */
import { facts, t } from "./console_view.js";
import { soundOf } from "./console_kinds.js";
import "./console_keys.js";
import * as sound from "./console_sound.js";

const calls = new Map();
const bar = document.getElementById("ringing");
const link = bar.querySelector("a");
const button = document.getElementById("sound");

function draw() {
  const waiting = [...calls.values()].filter((call) => call.state === "HEARD");
  sound.ring(soundOf(waiting));
  bar.hidden = !waiting.length;
  link.textContent = t("care_ringing", { n: waiting.length });
}

/* A file that the door would not take is named before it is sent: nothing that was filled in beside it is lost. */
document.addEventListener("change", ({ target }) => {
  if (!target.matches("input[type=file][data-most]")) return;
  const [bytes, most] = [target.files[0]?.size ?? 0, Number(target.dataset.most)];
  target.setCustomValidity(bytes > most ? t("file_too_large", { n: Math.ceil(bytes / 1000), most: most / 1000 }) : "");
  target.reportValidity();
});

/* What takes seconds says so at once, and is not sent twice; whoever comes back finds the form as it was. */
const waits = (form, on) => {
  form.querySelector("[role=status]").hidden = !on;
  form.querySelector("button.main").disabled = on;
};
document.addEventListener("submit", ({ target }) => { if (target.matches("form[data-wait]")) setTimeout(waits, 0, target, true); });
window.addEventListener("pageshow", (event) => { if (event.persisted) document.querySelectorAll("form[data-wait]").forEach((form) => waits(form, false)); });

function takeAll(picture) {
  calls.clear();
  for (const call of picture.calls ?? []) calls.set(call.call_id, call);
  draw();
}

// Names must not stay on a locked screen: the console's own page has the cover, and rings.
const takeLock = (lock) => { if (lock.locked) location.assign(facts.console); };

/** No live line (all are taken, or it is being rebuilt): ask for the calls, and ring from the answer. */
async function pollCalls() {
  try {
    const answer = await fetch("/console/api/calls", { cache: "no-store", signal: AbortSignal.timeout(4000) });
    if (!answer.ok) return;
    const told = await answer.json();
    takeLock(told.lock);
    takeAll(told);
  } catch { /* it asks again */ }
}

function end() {
  sound.ring("ended");
  document.getElementById("main").replaceChildren();
  link.textContent = t("ended_title");
  bar.hidden = false;
}

/* A page of its own subject (console_parking.js) hears what else is told, on this one line. */
const pass = (name) => (data) => document.dispatchEvent(new CustomEvent(`linli:${name}`, { detail: data }));
const others = Object.fromEntries(["bay", "bay_gone", "zone", "link", "row", "ticket", "window", "device", "requests", "screens"].map((name) => [name, pass(name)]));
const takeWhole = (picture) => { takeAll(picture); pass("whole")(picture); };

window.LinliLive.open("/console/live", {
  ...others,
  lock: takeLock,
  picture: takeWhole,
  snapshot: takeWhole,
  call: (call) => { calls.set(call.call_id, call); draw(); pass("call")(call); },
}, {
  poll: "/console/api/session",
  onPoll: (answer) => (answer.signed_in ? pollCalls() : end()),
});

button.hidden = false;
sound.show();
button.addEventListener("click", () => sound.test());
for (const kind of ["click", "keydown"]) document.addEventListener(kind, () => sound.allow());
for (const one of document.querySelectorAll("[data-print]")) {
  one.hidden = false;
  one.addEventListener("click", () => window.print());
}
