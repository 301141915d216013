/* What this page knows: the server's truth, as last told. Nothing here is guessed ahead of it. */

const KEYS = { calls: "call_id", zones: "zone_id", bays: "bay_id", devices: "device_id", parts: "part" };

export const store = { locked: document.getElementById("cover").hidden === false, name: "", endsMs: null, known: false };
wipe();

/** Forget everything about people and places: the screen locks. */
export function wipe() {
  for (const name of Object.keys(KEYS)) store[name] = new Map();
  Object.assign(store, { tickets: new Map(), queueKnown: true, day: "", paper: null, connected: true });
}

const keyed = (things, key) => new Map((things ?? []).map((one) => [one[key], one]));

/** The whole picture, or the gateway's part of it after a reconnect. */
export function takePicture(picture) {
  for (const [name, key] of Object.entries(KEYS)) if (picture[name] || store.locked) store[name] = keyed(picture[name], key);
  for (const bay of store.bays.values()) forgetOldBay(bay);
  if ("connected" in picture) store.connected = picture.connected;
  if (picture.queue) {
    store.tickets = keyed(picture.queue.tickets, "ticket_id");
    store.queueKnown = picture.queue.known;
    store.day = picture.queue.day;
  }
  if (picture.paper) store.paper = picture.paper;
  store.known = true;
}

/** One thing of a kind ("call", "bay" …) as it is now. */
export function takeThing(kind, thing) {
  const name = `${kind}s`;
  store[name].set(thing[KEYS[name]], thing);
  if (kind === "bay") forgetOldBay(thing);
}

/** A sensor watches one bay. Claimed for another, it leaves its old one, of which no fact speaks any more. */
function forgetOldBay(bay) {
  for (const [id, old] of store.bays) {
    if (bay.device_id && old.device_id === bay.device_id && id !== bay.bay_id && old.since_ms <= bay.since_ms) store.bays.delete(id);
  }
}

export function takeTicket(ticket) {
  if (store.day && ticket.business_day > store.day) { store.tickets.clear(); store.day = ticket.business_day; }
  store.day ||= ticket.business_day;
  store.tickets.set(ticket.ticket_id, ticket);
}

export function takeVerdict(slipId) {
  if (store.paper) store.paper = { ...store.paper, jobs: store.paper.jobs.filter((one) => one.slip_id !== slipId) };
}
