"use strict";
/* A ticket on a phone: asks every 5 s how it stands. Phones poll: a stream would hold a thread for each of them. */
(() => {
  const EVERY_MS = 5000, OFFLINE_AFTER = 3;
  const body = document.body, words = JSON.parse(body.dataset.words), find = (what) => document.querySelector(what);
  const first = JSON.parse(body.dataset.ticket);
  let failed = 0;
  function show(ticket) {
    find("[data-state]").textContent = words["js_state_" + ticket.state];
    find("[data-line]").hidden = ticket.state !== "WAITING";
    find("[data-where]").hidden = ticket.state !== "WAITING" && ticket.state !== "CALLED";
    find("[data-ahead]").textContent = words.js_people.replace("{n}", ticket.ahead);
    if (ticket.called_at) find("[data-where]").textContent = ticket.called_at[body.dataset.lang];
    find(".how").classList.toggle("called", ticket.state === "CALLED");
  }
  async function ask() {
    try {
      const answer = await fetch("/api/tickets/" + first.token, {cache: "no-store", signal: AbortSignal.timeout(4000)});
      if (answer.ok) { show(await answer.json()); failed = 0; } else failed += 1;
    } catch { failed += 1; }
    find("[data-offline]").hidden = failed < OFFLINE_AFTER;
    setTimeout(ask, EVERY_MS);
  }
  show(first);
  setTimeout(ask, EVERY_MS);
})();
