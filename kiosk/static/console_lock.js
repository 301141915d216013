/* The cover of a locked screen. Below it nothing is left: the facts are wiped, the server sends veiled ones only. */
import { facts, h, patchChildren, t } from "./console_view.js";
import { openCalls, veiledCalls } from "./console_calls.js";

export function drawCover(store) {
  const cover = document.getElementById("cover");
  cover.hidden = !store.locked;
  document.getElementById("main").inert = store.locked || store.ended;
  document.body.classList.toggle("is-locked", store.locked);
  if (!store.locked) { cover.replaceChildren(); return; }
  const calls = openCalls(store);
  patchChildren(cover, [h("div", { class: "cover-sheet" },
    !store.connected && h("p", { class: "wrong" }, t("calls_unknown")),
    calls.length > 0 && h("ul", { class: "veiled", role: "alert" }, veiledCalls(store)),
    calls.length > 0 && h("p", { class: "note" }, t("call_locked_more")),
    h("h1", {}, `🔒 ${t("locked_title")}`),
    h("p", {}, t("locked_by", { name: store.name }), " · ", t("locked_still")),
    h("form", { "data-form": "unlock", class: "fields" },
      h("input", { name: "username", autocomplete: "username", value: store.name, hidden: true, readonly: true }),
      h("label", {}, t("password"), h("input", { type: "password", name: "password", autocomplete: "current-password", required: true, maxlength: 128, id: "unlock-password" })),
      h("p", { class: "wrong", role: "alert", hidden: true }),
      h("button", { class: "main" }, t("unlock"))))]);
  if (document.activeElement === document.body) document.getElementById("unlock-password").focus({ preventScroll: true });
}

/** Over everything: nobody is signed in, so nobody here would hear a call. In both languages, whoever passes by. */
export function drawEnded(store) {
  const over = document.getElementById("ended");
  const first = over.hidden;
  over.hidden = !store.ended;
  if (!store.ended) return;
  const [zh, en] = facts.words.ended_title;
  patchChildren(over, [h("div", { class: "cover-sheet" },
    h("p", { class: "ended-sign" }, "🔇"),
    h("h1", { lang: "zh-CN" }, zh), h("h1", { lang: "en" }, en),
    h("p", {}, t("ended_why")),
    h("p", {}, h("a", { class: "button", href: "/console/sign-in", id: "ended-sign-in" }, t("sign_in"))))]);
  if (first) document.getElementById("ended-sign-in").focus({ preventScroll: true });
}
