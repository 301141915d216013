"use strict";
/* A voice note: hold the button while speaking, or touch it to begin and touch it to end; a minute at most.
 *
 * The microphone is open only while the sign says so, and is given back the moment it ends. 24 kbit/s of Opus carry any
 * dialect and are 180 KB for a minute. What was recorded stays in this page's memory until it is sent or left.
 */
(() => {
  // Half a second less than the server takes: a recorder rounds up to its last packet.
  // And less than a million bytes, should a browser not keep to 24 kbit/s: what was said until then is kept.
  const AT_MOST = 900000, LONGEST_MS = 59500, HOLD_MS = 600, BITS_PER_S = 24000, LOOK_MS = 80, QUIET = 0.008, QUIET_MS = 4000;
  const KINDS = ["audio/webm;codecs=opus", "audio/ogg;codecs=opus"];

  window.linliVoice = (section, {say, active, changed}) => {
    const find = (selector) => section.querySelector(selector);
    const sign = find("[data-mic]"), level = find("[data-level]"), button = find("[data-record]");
    const play = find("[data-play]"), again = find("[data-again]"), remove = find("[data-delete]");
    let state = "ready", trouble = "", note = null, run = null, sound = null, taken = 0;

    function draw() {
      const left = run ? Math.max(0, Math.ceil((LONGEST_MS - (performance.now() - run.began)) / 1000)) : 0;
      const told = trouble || {
        ready: "mic_ready", opening: "mic_opening", recording: run?.quiet ? "mic_quiet" : "mic_on", done: "mic_done", playing: "mic_playing",
      }[state];
      const text = say(told, state === "recording" ? left : note?.seconds ?? 0);
      // Said when it changes in kind, not each second: a reader of the screen would never be silent.
      sign.setAttribute("aria-live", state === "recording" && left > 10 && left < 59 ? "off" : "polite");
      if (sign.textContent !== text) sign.textContent = text;
      sign.className = "mic " + (trouble ? "trouble" : state);
      button.hidden = state === "done" || state === "playing";
      button.disabled = state === "opening";
      button.textContent = say(state === "recording" ? "mic_stop" : "mic_start");
      button.setAttribute("aria-pressed", String(state === "recording"));
      button.classList.toggle("on", state === "recording");
      for (const one of [play, again, remove]) one.hidden = !note || state === "recording" || state === "opening";
      play.textContent = say(state === "playing" ? "mic_hush" : "mic_play");
      section.dataset.state = state;
    }
    function turn(to, why = "") {
      state = to;
      trouble = why;
      draw();
    }

    async function begin() {
      if (state !== "ready") return;
      const mine = ++taken;
      drop();
      turn("opening");
      active();
      let stream;
      try {
        stream = await navigator.mediaDevices.getUserMedia({audio: {channelCount: 1, echoCancellation: true, noiseSuppression: true}});
      } catch (wrong) {
        const refused = wrong instanceof DOMException && wrong.name === "NotAllowedError";
        return mine === taken && turn("ready", refused ? "mic_refused" : "mic_none");
      }
      // Somebody went on meanwhile: what nobody asked for any more is not listened to.
      if (mine !== taken) return stream.getTracks().forEach((track) => track.stop());
      const kind = KINDS.find((one) => MediaRecorder.isTypeSupported(one));
      const recorder = new MediaRecorder(stream, {mimeType: kind, audioBitsPerSecond: BITS_PER_S});
      const ears = new AudioContext(), analyser = ears.createAnalyser(), parts = [], wave = new Float32Array(1024);
      analyser.fftSize = 1024;
      ears.createMediaStreamSource(stream).connect(analyser);
      run = {recorder, stream, ears, began: performance.now(), heard: performance.now(), quiet: false, kept: true};
      const here = run;
      let size = 0;
      recorder.addEventListener("dataavailable", (event) => {
        if (event.data.size) parts.push(event.data);
        size += event.data.size;
        if (size > AT_MOST) end(here);
      });
      recorder.addEventListener("error", () => { here.kept = false; end(here, "mic_broken"); });
      recorder.addEventListener("stop", () => done(here, parts, kind));
      stream.getAudioTracks()[0].addEventListener("ended", () => end(here));
      here.looking = setInterval(() => {
        const now = performance.now();
        analyser.getFloatTimeDomainData(wave);
        const loud = Math.sqrt(wave.reduce((sum, one) => sum + one * one, 0) / wave.length);
        if (loud > QUIET) here.heard = now;
        here.quiet = now - here.heard > QUIET_MS;
        level.style.width = Math.min(100, Math.round(Math.sqrt(loud) * 180)) + "%";
        active();
        draw();
        if (now - here.began >= LONGEST_MS) end(here);
      }, LOOK_MS);
      recorder.start(1000);
      turn("recording");
    }
    function end(here, why = "") {
      if (!here || here.ended) return;
      here.ended = true;
      here.why = why;
      here.lasted = Math.min(performance.now() - here.began, LONGEST_MS);
      clearInterval(here.looking);
      if (here.recorder.state !== "inactive") here.recorder.stop();
      here.stream.getTracks().forEach((track) => track.stop());
      here.ears.close();
      level.style.width = "0";
      if (run === here) run = null;
    }
    function done(here, parts, kind) {
      end(here);
      if (!here.kept || !parts.length) return turn("ready", here.why || (here.kept ? "mic_broken" : ""));
      const blob = new Blob(parts, {type: kind.split(";")[0]});
      note = {blob, seconds: Math.max(1, Math.round(here.lasted / 1000)), address: URL.createObjectURL(blob)};
      turn("done");
      if (!section.hidden) play.focus({preventScroll: true});
      changed();
    }
    function hush() {
      sound?.pause();
      sound = null;
      if (state === "playing") turn("done");
    }
    function drop() {
      hush();
      if (note) URL.revokeObjectURL(note.address);
      note = null;
      changed();
    }

    // A touch begins; a touch that lasted was "hold to speak" and ends when it is lifted, a short one goes on.
    let pressed = 0;
    button.addEventListener("pointerdown", () => {
      if (state !== "ready") return;
      pressed = performance.now();
      begin();
    });
    addEventListener("pointerup", () => {
      if (pressed && performance.now() - pressed > HOLD_MS && run) end(run);
    });
    button.addEventListener("click", () => {
      const began = pressed > 0;
      pressed = 0;
      if (began) return;
      if (state === "recording") end(run); else begin();
    });
    play.addEventListener("click", () => {
      if (state === "playing") return hush();
      sound = new Audio(note.address);
      const mine = sound;
      for (const over of ["ended", "error"]) mine.addEventListener(over, () => { if (sound === mine) hush(); });
      mine.addEventListener("timeupdate", active);
      turn("playing");
      mine.play().catch(() => { if (sound === mine) hush(); });
    });
    again.addEventListener("click", () => { drop(); turn("ready"); begin(); button.focus({preventScroll: true}); });
    remove.addEventListener("click", () => { drop(); turn("ready"); button.focus({preventScroll: true}); });
    draw();

    return {
      draw,
      /** What was recorded, or null. */
      get note() { return note; },
      /** The step is left: what was said so far is kept, the microphone is given back. */
      leave() {
        taken += 1;
        pressed = 0;
        hush();
        if (run) end(run); else if (state === "opening") turn("ready");
      },
      /** Nothing of it remains. */
      drop() {
        taken += 1;
        if (run) { run.kept = false; end(run); }
        drop();
      },
    };
  };
})();
