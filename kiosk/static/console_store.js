/* What this page knows: the server's truth, as last told. Nothing here is guessed ahead of it. */

const KEYS = { calls: "call_id", zones: "zone_id", bays: "bay_id", devices: "device_id", parts: "part" };

export const store = { locked: document.getElementById("cover").hidden === false, name: "", endsMs: null, known: false, ended: false };
wipe();

/** Forget everything about people and places: the screen locks. */
export function wipe() {
  for (const name of Object.keys(KEYS)) store[name] = new Map();
  Object.assign(store, { tickets: new Map(), queueKnown: true, day: "", windows: null, firstCome: {}, rules: null, paper: null, wait: null, parking: null, requests: null, connected: true });
}

const keyed = (things, key) => new Map((things ?? []).map((one) => [one[key], one]));

/** The whole picture, or the gateway's part of it after a reconnect. */
export function takePicture(picture) {
  for (const [name, key] of Object.entries(KEYS)) if (picture[name] || store.locked) store[name] = keyed(picture[name], key);
  if ("connected" in picture) store.connected = picture.connected;
  if (picture.queue) {
    store.tickets = keyed(picture.queue.tickets, "ticket_id");
    store.queueKnown = picture.queue.known;
    store.day = picture.queue.day;
    store.windows = picture.queue.windows ?? store.windows;
    store.firstCome = picture.queue.first_come ?? {};
    store.rules = picture.queue.rules ?? store.rules;
  }
  if (picture.paper) store.paper = picture.paper;
  if (picture.parking) store.parking = picture.parking;
  if (picture.requests) store.requests = picture.requests;
  if ("wait" in picture) store.wait = picture.wait;
  store.known = true;
}

/** One thing of a kind ("call", "bay" …) as it is now. */
export function takeThing(kind, thing) {
  const name = `${kind}s`;
  store[name].set(thing[KEYS[name]], thing);
}

/** The makeshift bay of a sensor that has been claimed for a real one: it is no more. */
export function dropBay(id) { store.bays.delete(id); }

/** What is asked for while there is no live line: the calls alone. All else stays as it was last told. */
export function takeCalls(told) {
  store.calls = keyed(told.calls, KEYS.calls);
  store.connected = told.connected;
}

export function takeTicket(ticket) {
  if (store.day && ticket.business_day > store.day) { store.tickets.clear(); store.day = ticket.business_day; }
  store.day ||= ticket.business_day;
  store.tickets.set(ticket.ticket_id, ticket);
}

/** A window was opened, closed, changed, retired, or is new. */
export function takeWindow(window) {
  const others = (store.windows ?? []).filter((one) => one.window_id !== window.window_id);
  store.windows = [...others, window].filter((one) => !one.retired).sort((a, b) => a.number - b.number);
}

export function takeVerdict(slipId) {
  if (store.paper) store.paper = { ...store.paper, jobs: store.paper.jobs.filter((one) => one.slip_id !== slipId) };
}
