/* Record a word of the hall's voice: microphone → PCM → WAV → the kiosk. Also from a file (a telephone's recording): the
 * browser decodes what it knows, here it becomes 16-bit mono WAV, and the kiosk trims it and makes it as loud as the rest. */
const facts = JSON.parse(document.getElementById("voice-facts").textContent);
const t = (key) => facts.words[key][facts.lang === "en" ? 1 : 0];
const told = document.getElementById("voice-told");
const RATE = 22050, LONGEST_MS = 8000;

function tell(words, wrong = false) {
  told.textContent = words;
  told.className = wrong ? "wrong" : "note";
  told.hidden = !words;
  if (wrong) told.scrollIntoView({ block: "nearest" });
}

/** Any sound the browser can decode, as samples of one channel at RATE. */
async function samplesOf(bytes) {
  const heard = await new OfflineAudioContext(1, 1, RATE).decodeAudioData(bytes);
  const room = new OfflineAudioContext(1, Math.max(1, Math.ceil(heard.duration * RATE)), RATE);
  const source = new AudioBufferSourceNode(room, { buffer: heard });
  source.connect(room.destination);
  source.start();
  return (await room.startRendering()).getChannelData(0);
}

/** A WAV file: RIFF, 16-bit PCM, mono (the header of RFC 2361's WAVE_FORMAT_PCM). */
function wavOf(samples) {
  const view = new DataView(new ArrayBuffer(44 + 2 * samples.length));
  const text = (at, words) => [...words].forEach((sign, index) => view.setUint8(at + index, sign.charCodeAt(0)));
  text(0, "RIFF"); view.setUint32(4, 36 + 2 * samples.length, true); text(8, "WAVEfmt ");
  view.setUint32(16, 16, true); view.setUint16(20, 1, true); view.setUint16(22, 1, true);
  view.setUint32(24, RATE, true); view.setUint32(28, 2 * RATE, true); view.setUint16(32, 2, true); view.setUint16(34, 16, true);
  text(36, "data"); view.setUint32(40, 2 * samples.length, true);
  samples.forEach((one, index) => view.setInt16(44 + 2 * index, Math.round(Math.max(-1, Math.min(1, one)) * 32767), true));
  return view.buffer;
}

async function send(address, bytes) {
  tell(t("voice_sending"));
  let samples;
  try { samples = await samplesOf(bytes); } catch { tell(t("voice_not_sound"), true); return; }
  try {
    const answer = await fetch(address, {
      method: "POST", headers: { "Content-Type": "audio/wav", "X-Form-Token": facts.token }, body: wavOf(samples),
      signal: AbortSignal.timeout(20_000),
    });
    if (answer.ok) {
      const part = new URL(address, location).searchParams.get("part").replace(":", "-");
      location.hash = part;
      location.reload();
      return;
    }
    const { error } = await answer.json();
    tell(error?.[facts.lang] ?? t("voice_not_sent"), true);
  } catch { tell(t("voice_not_sent"), true); }
}

let stop = null; // ends the recording under way

async function record(button) {
  if (stop) { stop(); return; }
  if (!navigator.mediaDevices?.getUserMedia) { tell(t("voice_no_microphone"), true); return; }
  let stream;
  try {
    // As it is: what makes a telephone call pleasant cuts the first consonant of a short word.
    stream = await navigator.mediaDevices.getUserMedia({ audio: { echoCancellation: false, noiseSuppression: false, autoGainControl: false } });
  } catch { tell(t("voice_no_microphone"), true); return; }
  const tape = new MediaRecorder(stream), pieces = [];
  tape.addEventListener("dataavailable", (event) => pieces.push(event.data));
  tape.addEventListener("stop", async () => {
    clearTimeout(limit);
    stop = null;
    stream.getTracks().forEach((track) => track.stop());
    button.classList.remove("recording");
    button.textContent = t("voice_record");
    await send(button.dataset.record, await new Blob(pieces).arrayBuffer());
  });
  stop = () => tape.stop();
  const limit = setTimeout(() => stop?.(), LONGEST_MS - 200);
  button.classList.add("recording");
  button.textContent = t("voice_stop");
  tell(t("voice_recording"));
  tape.start();
}

const heard = new Audio();
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-listen], [data-record]");
  if (!button) return;
  if (button.dataset.record) record(button);
  else { heard.src = button.dataset.listen; heard.play().catch(() => tell(t("voice_not_sound"), true)); }
});
document.addEventListener("change", async (event) => {
  const file = event.target.dataset?.file && event.target.files[0];
  if (file) await send(event.target.dataset.file, await file.arrayBuffer());
});
