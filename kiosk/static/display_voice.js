"use strict";
/* The hall's voice on the display: numbers one after the other, each whole; somebody's call for help before all of them.
 *
 * The server gives out one announcement at a time to one display (/voice/next). It is fetched and played; that it began,
 * ended or failed is told. A page that dies in the middle says nothing, and the server gives the same one out again.
 * Chromium under systemd plays without a touch (linli-browser.service); another browser may demand one: then a button
 * stands in the head of the page.
 */
const LinliVoice = (() => {
  const body = document.body, find = (what) => document.querySelector(what);
  const calls = find("[data-calls]"), help = find("[data-voice]"), button = find("[data-touch]");
  const ASK_EVERY_MS = 3000, ALARM_EVERY_MS = 20_000;
  const byHall = body.dataset.voiceBy === "hall", isOff = body.dataset.voiceBy === "off";
  let me = sessionStorage.getItem("linli-display");
  if (!me) {
    me = "d" + [...crypto.getRandomValues(new Uint8Array(6))].map((one) => one.toString(16).padStart(2, "0")).join("");
    sessionStorage.setItem("linli-display", me);
  }
  let busy = false, again = false, cut = null, alarmed = 0, helping = false, touched = false;

  const mute = (on) => { button.hidden = !on; if (on) body.dataset.mute = "1"; else delete body.dataset.mute; };

  async function ask() {
    const query = new URLSearchParams({ display: me }), tells = touched;
    if (tells) query.set("touched", "1");
    touched = false; // a touch while this question is on its way is told by the next
    try {
      const answer = await fetch(`/voice/next?${query}`, { cache: "no-store" });
      if (!answer.ok) throw new Error(`/voice/next: ${answer.status}`);
      const told = await answer.json();
      if (told.mute) mute(true); // also on a page that was loaded anew since
      return told;
    } catch (wrong) {
      touched ||= tells;
      throw wrong;
    }
  }

  const tell = (say, how, more = {}) => fetch(`/voice/${say.id}/${how}`, {
    method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ claim: say.claim, ...more }),
  }).catch(() => {}); // the server gives it out again by itself

  /** Play one to its end. Resolves with how it went: "ended", or why it failed. */
  function play(say) {
    return new Promise((done) => {
      cut = done;
      calls.onplaying = () => { mute(false); tell(say, "began"); };
      calls.onended = () => done("ended");
      calls.onerror = () => done("error");
      calls.src = say.wav;
      calls.play().catch((wrong) => done(wrong.name === "NotAllowedError" ? "autoplay" : "error"));
    });
  }

  /** Say whatever waits. Called when a number was called, and every few seconds. */
  async function look() {
    if (helping || isOff || byHall) return;
    again = busy; // one more was called while we were asking: asked once more at the end
    if (busy) return;
    busy = true;
    try {
      for (;;) {
        const { say } = await ask();
        if (!say) return;
        if (helping) { await tell(say, "failed", { why: "alarm" }); return; }
        const how = await play(say);
        cut = null;
        if (how === "ended") { await tell(say, "ended"); continue; }
        calls.pause();
        await tell(say, "failed", { why: how });
        if (how === "autoplay") mute(true);
        if (how !== "error") return;
      }
    } catch {
      // the kiosk restarts, or the network is away: asked again in three seconds
    } finally {
      busy = false;
      if (again) look();
    }
  }

  /** "Somebody needs help", over nothing else: a number that is being said stops and is said again afterwards. */
  function sayHelp() {
    helping = true;
    cut?.("alarm");
    help.currentTime = 0;
    help.play().then(() => mute(false)).catch(() => { mute(true); helped(); });
  }
  function helped() { helping = false; look(); }
  help.addEventListener("ended", helped);
  help.addEventListener("error", helped);

  async function speakHelp() {
    // The hall's own loudspeaker says it where there is one and it is well; whoever cannot ask says it himself.
    if (byHall && (await ask().catch(() => null))?.alarm_by === "hall") return;
    if (alarmed) sayHelp();
  }

  /** As long as somebody calls for help and nobody has come. */
  function alarm(on) {
    if (on === Boolean(alarmed)) return;
    clearInterval(alarmed);
    alarmed = on ? setInterval(speakHelp, ALARM_EVERY_MS) : 0;
    if (on) speakHelp();
    else if (helping) { help.pause(); helped(); }
  }

  button.addEventListener("click", () => {
    touched = true;
    mute(false);
    if (alarmed) speakHelp(); else look();
  });
  setInterval(look, ASK_EVERY_MS);
  return { look, alarm };
})();
