/* A report that is being worked out: asks how far it is and shows it; when it is ready the page (or file) comes. Without a
 * script the page comes again by itself (its noscript). */
const box = document.querySelector("[data-working]");
const [bar, words] = [box.querySelector("progress"), box.querySelector("[data-words]")];

async function look() {
  try {
    const answer = await fetch(location.href, { method: "HEAD", cache: "no-store", headers: { Accept: "text/html" }, signal: AbortSignal.timeout(10000) });
    if (answer.status !== 202) { location.replace(location.href); return; }
    const [done, of] = [answer.headers.get("X-Done"), answer.headers.get("X-Of")];
    if (Number(of)) {
      [bar.max, bar.value] = [Number(of), Number(done)];
      words.textContent = words.dataset.words.replace("{done}", done).replace("{of}", of);
    }
  } catch { /* it asks again */ }
  setTimeout(look, 1000);
}
setTimeout(look, 1000);
