"use strict";
/* Sending a request: it is tried until it is there, with one key, so that a second touch or a restart of the server makes
 * no second request. Then its voice and drawing follow; the code is shown at once, they need not be waited for. */
(() => {
  const TRY_MS = 6000, LONG_MS = 30000, NOTE_MS = 120000;
  const pause = (ms) => new Promise((wake) => { setTimeout(wake, ms); });

  /** One try. null: nobody answered, or it cannot be kept just now. */
  async function once(url, options) {
    try {
      const answer = await fetch(url, {method: "POST", signal: AbortSignal.timeout(TRY_MS), ...options});
      if ([502, 503, 504].includes(answer.status)) return null;
      return {ok: answer.ok, status: answer.status, said: await answer.json()};
    } catch { return null; }
  }
  window.linliSend = {
    /** Until it is answered, or ``stopped()``: then null. ``told(long)`` is called while nobody answers. */
    async request(what, {told, stopped, active}) {
      const began = performance.now();
      for (let tries = 0; ; tries += 1) {
        const answer = await once("/api/requests", {headers: {"Content-Type": "application/json"}, body: JSON.stringify(what)});
        if (answer || stopped()) return answer;
        active();
        told(performance.now() - began > LONG_MS);
        await pause(Math.min(500 * (tries + 1), 3000));
        if (stopped()) return null;
      }
    },
    /** One note of a request that is there. True: it is kept. */
    async note(code, key, name, blob, active) {
      const began = performance.now(), url = `/api/requests/${encodeURIComponent(code)}/${name}?key=${encodeURIComponent(key)}`;
      for (let tries = 0; performance.now() - began < NOTE_MS; tries += 1) {
        const answer = await once(url, {headers: {"Content-Type": blob.type}, body: blob});
        // "Again": the first try did arrive, its answer did not.
        if (answer) return answer.ok || (tries > 0 && answer.status === 409);
        active();
        await pause(Math.min(500 * (tries + 1), 3000));
      }
      return false;
    },
  };
})();
