"use strict";
/* Events from the server, for years on end: an EventSource with a watchdog.
 *
 *   LinliLive.open("/live", {called: fn, state: fn}, {poll: "/api/state", onPoll: fn})
 *
 * Why not a plain EventSource: one HTTP 503 closes it for ever. Here a stream that is CLOSED, or silent for 25 s (the
 * server's heartbeat comes every 10 s), is rebuilt after 1, 2, 4, 8, 10, 10 … s. While it is not open, or has missed a
 * heartbeat (a line cut somewhere on its way still looks open), `poll` is asked every 5 s: within 10 s of its return the
 * server is in the picture again. After 30 s without any word a small sign "离线 Offline" (an element with the attribute
 * data-offline) is shown.
 */
window.LinliLive = {
  open(url, handlers, options = {}) {
    const SILENT_MS = 25000, FIRST_MS = 1000, LAST_MS = 10000, MISSED_MS = 12000, POLL_MS = 5000, OFFLINE_MS = 30000;
    let source = null, heard = performance.now(), spoke = heard, backoff = FIRST_MS, rebuildAt = 0, pollAt = 0;
    const sign = (on) => document.querySelectorAll("[data-offline]").forEach((one) => { one.hidden = !on; });
    const alive = () => { heard = spoke = performance.now(); backoff = FIRST_MS; sign(false); };
    const listen = (name, tell) => source.addEventListener(name, (event) => { alive(); tell(JSON.parse(event.data)); });
    function build() {
      if (source) source.close();
      source = new EventSource(url);
      heard = performance.now();
      rebuildAt = 0;
      source.addEventListener("heartbeat", alive);
      for (const [name, tell] of Object.entries(handlers)) listen(name, tell);
    }
    async function poll() {
      try {
        const answer = await fetch(options.poll, {cache: "no-store", signal: AbortSignal.timeout(4000)});
        if (!answer.ok) return;
        spoke = performance.now();
        options.onPoll(await answer.json());
      } catch { /* the sign below says it */ }
    }
    function watch() {
      const now = performance.now();
      const dead = source.readyState === EventSource.CLOSED || now - heard > SILENT_MS;
      if (dead && !rebuildAt) { rebuildAt = now + backoff; backoff = Math.min(backoff * 2, LAST_MS); }
      if (rebuildAt && now >= rebuildAt) build();
      const quiet = source.readyState !== EventSource.OPEN || now - heard > MISSED_MS;
      if (quiet && options.poll && now >= pollAt) { pollAt = now + POLL_MS; poll(); }
      if (now - spoke > OFFLINE_MS) sign(true);
    }
    build();
    const timer = setInterval(watch, 500);
    return {close() { clearInterval(timer); source.close(); }};
  },
};
