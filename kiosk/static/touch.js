"use strict";
/* The touchscreen: take a number, call for help, go from screen to screen (nobody there: idle.js).
 *
 * Nothing is kept in the browser: no cookie, no storage. The page's address says language and size; `data-key`
 * is this page view's idempotency key, so that two taps, or a tap repeated over a restart, are one ticket.
 */
(() => {
  const HOME_AFTER_S = 12, PATIENCE_MS = 15000, ANSWERED_MS = 2000;
  const body = document.body, words = JSON.parse(body.dataset.words), home = body.dataset.home;
  const find = (selector) => document.querySelector(selector);
  const say = (key, n) => words[key].replace("{n}", n);
  const pause = (ms) => new Promise((wake) => { setTimeout(wake, ms); });

  // ------------------------------------------------------------ going somewhere, even while the server restarts
  // A browser that goes to a server that is away shows its own error page, for ever. So the server is asked first: at the
  // finger's touch, so that the answer is there when the finger leaves the glass.
  let answer = null, asked = 0;
  function lives() {
    if (!answer || performance.now() - asked > ANSWERED_MS) {
      asked = performance.now();
      answer = fetch("/livez", {cache: "no-store", signal: AbortSignal.timeout(2000)}).then((one) => one.ok, () => false);
    }
    return answer;
  }
  async function go(url) {
    for (let tries = 0; !await lives(); tries += 1) {
      answer = null;
      show("", words.js_reconnecting, "");
      await pause(Math.min(500 * (tries + 1), 3000));
    }
    location.replace(url);
  }
  addEventListener("pointerdown", (event) => { if (event.target.closest?.("a[href]")) lives(); }, {passive: true});
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[href]");
    if (!link || link.getAttribute("href").startsWith("#")) return;
    event.preventDefault();
    link.setAttribute("aria-busy", "true");
    go(link.href);
  });

  // ------------------------------------------------------------ one dialog for all that is said over a page
  const dialog = find("[data-dialog]"), okay = dialog.querySelector("button");
  let onOkay = () => {};
  function show(title, text, button, then = () => {}) {
    dialog.querySelector("h2").textContent = title;
    dialog.querySelector("h2").hidden = !title;
    dialog.querySelector("p").textContent = text;
    okay.textContent = button;
    okay.hidden = !button;
    onOkay = then;
    if (!dialog.open) dialog.showModal();
  }
  okay.addEventListener("click", () => { dialog.close(); onOkay(); });
  dialog.addEventListener("cancel", (event) => { event.preventDefault(); if (!okay.hidden) okay.click(); });

  async function post(url, what) {
    const until = performance.now() + PATIENCE_MS;
    for (;;) {
      try {
        const answer = await fetch(url, {
          method: "POST", headers: {"Content-Type": "application/json"}, body: JSON.stringify(what),
          signal: AbortSignal.timeout(5000),
        });
        return {ok: answer.ok, said: await answer.json()};
      } catch {
        // The server restarts or is slow: the same key again is the same ticket.
        if (performance.now() > until) return {ok: false, said: {}};
        show("", words.js_reconnecting, "");
        await pause(1000);
      }
    }
  }
  const why = (said) => (said.error ? said.error[body.dataset.lang] : words.js_failed);

  // ------------------------------------------------------------ help
  // Each press is a press of its own once the one before was answered: staff may have been here and gone again, while the
  // page is still this one. Only a repeat over a restart has the same key.
  let presses = 0;
  document.querySelectorAll("[data-help]").forEach((button) => button.addEventListener("click", async () => {
    show(words.js_help_title, words.js_help_calling, "");
    const {ok, said} = await post("/api/help", {screen: body.dataset.screen, key: `${body.dataset.key}-h${presses}`});
    if (ok) presses += 1;
    // Who is at no screen of the hall (kiosk/help_call.py) is told that nobody knows where that is.
    const own = said.error?.code === "too_many_calls" ? said.error : said.note;
    const told = own?.[body.dataset.lang] ?? (ok ? words.js_help_called : words.js_help_failed);
    show(words.js_help_title, told, words.js_ok);
  }));

  // ------------------------------------------------------------ a number
  const service = find("[data-take]")?.dataset.take, takes = [...document.querySelectorAll("[data-take], [data-why]")];
  for (const take of takes) {
    take.addEventListener("click", async () => {
      if (take.disabled) return;
      for (const one of takes) one.disabled = true;
      take.textContent = words.js_wait;
      const {ok, said} = await post("/api/tickets", {
        service, key: body.dataset.key, lang: body.dataset.lang, screen: body.dataset.screen,
        lane_why: take.dataset.why || "",
      });
      if (dialog.open) dialog.close();
      if (!ok) return show("", why(said), words.js_ok, () => go(home));
      number(said);
    });
  }
  function number(ticket) {
    document.dispatchEvent(new CustomEvent("linli:finished"));
    find("[data-guide-page]").hidden = true;
    find("[data-number-page]").hidden = false;
    find("[data-number]").textContent = ticket.number;
    find("[data-name]").textContent = ticket["service_" + body.dataset.lang];
    find("[data-ahead]").textContent = say("js_people", ticket.ahead);
    find("[data-wait-box]").hidden = !ticket.wait;
    find("[data-wait]").textContent = ticket.wait?.[body.dataset.lang] ?? "";
    find("[data-go-to]").textContent = ticket.windows.map((one) => one[body.dataset.lang]).join(" ");
    const open = ticket.windows.some((one) => one.open), note = ticket.note?.[body.dataset.lang] ?? (open ? "" : words.js_no_window);
    find("[data-told]").hidden = !note;
    find("[data-told]").textContent = note;
    find(".act").replaceChildren();
    find("[data-first]")?.remove();
    find("[data-back]").href = home;
    find("[data-back]").textContent = words.js_home;
    find("#main").scrollTop = 0;
    paper(ticket.slip);
    follow(ticket.token);
    leave();
  }
  function paper(slip) {
    // Which word is the server's to say (kiosk/rules/paper_words.py).
    const key = slip.word in words ? slip.word : "js_paper_coming", at = body.dataset.lang === "en" ? slip.at_en : slip.at_zh;
    const text = words[key].replace("{at}", at || ""), line = find("[data-paper]");
    if (line.textContent !== text) line.textContent = text;
    line.className = "paper " + (key.startsWith("js_paper_printed") ? "ready" : ["js_paper_coming", "js_paper_there"].includes(key) ? "" : "trouble");
  }
  async function follow(token) {
    for (;;) {
      await pause(700);
      try {
        const answer = await fetch("/api/tickets/" + token, {cache: "no-store", signal: AbortSignal.timeout(2000)});
        if (answer.ok) paper((await answer.json()).slip);
      } catch { /* the number stays valid; the next look may succeed */ }
    }
  }
  async function leave() {
    for (let left = HOME_AFTER_S; left > 0; left -= 1) {
      find("[data-left]").textContent = say("js_home_in", left);
      await pause(1000);
    }
    go(home);
  }

  addEventListener("contextmenu", (event) => event.preventDefault());

  // What another page of the touchscreen needs (check_in.js).
  window.linliTouch = {post, show, go, why, number, words, home};
})();
