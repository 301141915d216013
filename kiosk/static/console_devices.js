/* Devices: the unwell and the unclaimed first, the well ones folded away; and the form that claims one. */
import { button, chip, draw, empty, facts, h, has, heading, inLang, language, since, t } from "./console_view.js";
import { allKinds, kindName } from "./console_kinds.js";

const KINDS = ["call_button", "bay_sensor", "companion", "ignored"]; // docs/protocol.md, claim_device
/* On the page of the devices there is room for what is rarely done. */
const roomy = document.body.classList.contains("view-devices");
const worry = (one) => (one.kind === "unclaimed" ? 0 : one.health !== "ok" && one.kind !== "ignored" ? 1 : 2);

function line(one, store) {
  const why = one[`why_${language()}`];
  return h("li", { class: `thing ${worry(one) === 2 ? "ready" : "down"}`, "data-key": `device-${one.device_id}`, "data-device": one.device_id },
    h("div", {},
      h("p", {}, h("strong", {}, one.name || one.device_id), " ",
        one.kind === "unclaimed" ? chip(t("unclaimed"), "warn") : chip(has(`kind_${one.kind}`) ? t(`kind_${one.kind}`) : one.kind),
        one.health !== "ok" && chip(t(`health_${one.health}`), "warn")),
      h("p", { class: "small" }, [one.name ? one.device_id : "", one.place, one.bay_id, [one.family, one.model].filter(Boolean).join(" ")].filter(Boolean).join(" · ")),
      h("p", { class: "small" }, one.last_seen_ms ? since(one.last_seen_ms, "last_seen", "ago") : t("never_seen"),
        one.battery_pct != null ? ` · ${t("battery", { n: Math.round(one.battery_pct) })}` : ""),
      why && h("p", { class: "todo" }, why)),
    one.kind !== "hall_button" && h("div", { class: "thing-do" },
      one.kind === "unclaimed" && h("a", { class: "button small main", href: setupPage(one.device_id) }, t("setup_open")),
      roomy && one.kind === "call_button" && button("retire_open", t("retire_open"), { class: "small", "data-id": one.device_id, disabled: !store.connected }),
      button("claim", one.kind === "unclaimed" ? t("claim") : t("edit"),
      { class: "small", "data-id": one.device_id, disabled: !store.connected, title: store.connected ? "" : t("gateway_needed") }),
      roomy && one.kind === "call_button" && h("a", { class: "button small", href: `/console/devices/label/${encodeURIComponent(one.device_id)}` }, t("setup_label"))));
}

export const setupPage = (deviceId) => `/console/devices/set-up/${encodeURIComponent(deviceId)}`;

/** `above`: a line over the list, or false. */
export function drawDevices(store, above = false) {
  const devices = [...store.devices.values()].sort((a, b) => worry(a) - worry(b) || a.device_id.localeCompare(b.device_id, "en", { numeric: true }));
  const well = devices.filter((one) => worry(one) === 2);
  draw("devices",
    heading("devices", t("devices"), facts.me.role === "admin" && button("zone", t("zone_new"), { class: "small", disabled: !store.connected })),
    above,
    h("ul", { class: "things" }, devices.filter((one) => worry(one) < 2).map((one) => line(one, store))),
    well.length > 0 && h("details", { "data-key": "well" }, h("summary", {}, t("devices_well", { n: well.length })), h("ul", { class: "things" }, well.map((one) => line(one, store)))),
    !devices.length && empty(t("devices_none")));
  showAsked();
}

/* Another page may send people to one device: /console/devices?device=bay-e01. */
let asked = new URLSearchParams(location.search).get("device");
function showAsked() {
  const line = asked && document.querySelector(`[data-device="${CSS.escape(asked)}"]`);
  if (!line) return;
  asked = null;
  const folded = line.closest("details");
  if (folded) folded.open = true;
  line.scrollIntoView({ block: "center" });
  (line.querySelector("button") ?? line).focus();
}

/** [word, name] of the kinds that a press may mean; one that was put out of use stays where it is chosen. */
export const kindChoices = (chosen) => allKinds().filter((one) => one.enabled || one.kind === chosen).map((one) => [one.kind, kindName(one.kind)]);
export const field = (name, text, value, more = {}) => h("label", {}, text, h("input", { name, value: value ?? "", maxlength: 80, autocomplete: "off", ...more }));
export const choice = (name, text, options, value) => h("label", {}, text, h("select", { name }, options.map(([key, label]) => h("option", { value: key, selected: key === value }, label))));

/** The form for one device. A call raised by an unknown device carries its id, so the form opens for that id too. */
export function claimForm(deviceId, store) {
  const one = store.devices.get(deviceId) ?? { device_id: deviceId, kind: "unclaimed", call_kind: "emergency" };
  const kind = KINDS.includes(one.kind) ? one.kind : "call_button";
  const zones = [...store.zones.values()].filter((one) => one.zone_id !== "unclaimed").map((zone) => [zone.zone_id, inLang(zone, "name") || zone.zone_id]);
  return h("form", { method: "dialog", class: "ask", "data-form": "claim", "data-id": deviceId, "data-kind": kind },
    h("h2", {}, t("claim_title", { id: deviceId })),
    choice("kind", t("device_kind"), KINDS.map((key) => [key, t(`kind_${key}`)]), kind),
    field("name", t("device_name"), one.name, { required: true }),
    h("div", { class: "for-button" },
      choice("call_kind", t("device_call_kind"), kindChoices(one.call_kind), one.call_kind),
      field("place", t("device_place"), one.place), field("person", t("device_person"), one.person)),
    h("div", { class: "for-bay" },
      zones.length ? choice("zone_id", t("device_zone"), zones, one.zone_id) : h("p", { class: "wrong" }, t("zone_none")),
      field("bay_id", t("device_bay"), one.bay_id)),
    h("div", { class: "for-both" },
      field("model", t("device_model"), one.model, { maxlength: 40, "aria-describedby": "model-hint" }),
      h("p", { class: "hint", id: "model-hint" }, t("device_model_hint"))),
    h("p", { class: "wrong", role: "alert", hidden: true }),
    h("div", { class: "ask-do" }, button("dismiss", t("cancel")), h("button", { class: "main" }, t("save"))));
}

/** Only the fields that belong to the chosen kind are sent. */
export function claimFields(form) {
  const all = Object.fromEntries(new FormData(form));
  const wanted = { call_button: ["kind", "name", "call_kind", "place", "person", "model"], bay_sensor: ["kind", "name", "bay_id", "zone_id", "model"], companion: ["kind", "name", "place", "model"], ignored: ["kind", "name"] }[all.kind];
  return Object.fromEntries(wanted.filter((name) => name in all).map((name) => [name, all[name]]));
}

export function zoneForm() {
  return h("form", { method: "dialog", class: "ask", "data-form": "zone" }, h("h2", {}, t("zone_new")),
    field("zone_id", t("zone_id"), "", { required: true, pattern: "[a-z0-9][a-z0-9_\\-]{0,31}", title: t("zone_id_rule") }),
    h("p", { class: "hint" }, t("zone_id_rule")),
    field("name_zh", t("name_zh"), "", { required: true }), field("name_en", t("name_en"), "", { required: true }),
    h("p", { class: "wrong", role: "alert", hidden: true }),
    h("div", { class: "ask-do" }, button("dismiss", t("cancel")), h("button", { class: "main" }, t("save"))));
}
