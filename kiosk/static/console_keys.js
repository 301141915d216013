/* Keys that are the same on every page: "/" goes to the search, "?" shows all keys. One key is one step only while
 * nobody types, and whoever does not want that turns it off here (WCAG 2.1.4). The browser remembers it for this desk. */
import { facts, h, t } from "./console_view.js";

const OFF = "linli-keys-off";
/** Whether single keys do anything here. */
export const keysOn = () => localStorage.getItem(OFF) !== "1";

const KEYS = [
  [["/"], "keys_find"], [["?"], "keys_help"],
  [["N", "keys_space"], "keys_next"], [["R"], "keys_recall"], [["B"], "keys_begin"], [["F"], "keys_done"], [["M"], "keys_no_show"], [["H"], "keys_hold"], [["U"], "keys_undo"],
  [["↑", "↓"], "keys_choose"], [["keys_enter"], "keys_open"], [["A"], "keys_accept"], [["D"], "keys_arrive"], [["C"], "keys_close"],
];

function dialog() {
  let element = document.getElementById("keys");
  if (!element) { element = h("dialog", { id: "keys", "aria-labelledby": "keys-head" }); document.body.append(element); }
  const sign = (one) => h("kbd", {}, facts.words[one] ? t(one) : one);
  const box = h("input", { type: "checkbox", id: "keys-on", checked: keysOn() });
  box.addEventListener("change", () => { if (box.checked) localStorage.removeItem(OFF); else localStorage.setItem(OFF, "1"); });
  const close = h("button", { type: "button", class: "main" }, t("keys_close_dialog"));
  close.addEventListener("click", () => element.close());
  element.replaceChildren(h("div", { class: "ask" },
    h("h2", { id: "keys-head" }, t("keys_title")), h("p", { class: "small" }, t("keys_more")),
    h("table", { class: "key-table" }, h("tbody", {}, KEYS.map(([signs, what]) => h("tr", {}, h("th", { scope: "row" }, signs.map((one) => [sign(one), " "])), h("td", {}, t(what)))))),
    h("label", { class: "pick" }, box, h("span", {}, t("keys_on"))),
    h("div", { class: "ask-do" }, close)));
  return element;
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey || document.body.classList.contains("is-locked")) return;
  if (event.target.closest("input, textarea, select, [contenteditable]") || document.querySelector("dialog[open]")) return;
  if (event.key === "?") { event.preventDefault(); dialog().showModal(); }
  else if (event.key === "/" && keysOn()) {
    const field = document.getElementById("find-all");
    if (field?.checkVisibility()) { event.preventDefault(); field.focus(); field.select(); }
  }
});
document.querySelector("[data-keys]")?.addEventListener("click", () => { document.querySelector(".me-menu").open = false; dialog().showModal(); });
/* A menu that is open closes with Escape, and with a touch beside it. */
for (const one of document.querySelectorAll("details.drop")) {
  document.addEventListener("pointerdown", (event) => { if (!one.contains(event.target)) one.open = false; });
  one.addEventListener("keydown", (event) => { if (event.key === "Escape" && one.open) { one.open = false; one.querySelector("summary").focus(); event.stopPropagation(); } });
}
