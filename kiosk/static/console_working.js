/* A report that is being worked out: asks how far it is and shows it; when it is ready the page (or file) comes. Without a
 * script the page comes again by itself (its noscript). */
const box = document.querySelector("[data-working]");
const [bar, words, stop] = ["progress", "#how-far", "[data-until-writing]"].map((one) => box.querySelector(one));

async function look() {
  try {
    const answer = await fetch(location.href, { method: "HEAD", cache: "no-store", headers: { Accept: "text/html" }, signal: AbortSignal.timeout(10000) });
    if (answer.status !== 202) { location.replace(location.href); return; }
    const [done, of, stage] = ["X-Done", "X-Of", "X-Stage"].map((name) => answer.headers.get(name));
    if (Number(of)) {
      [bar.max, bar.value] = [Number(of), Number(done)];
      const said = (words.dataset[stage] ?? words.dataset.words).replace("{done}", done).replace("{of}", of);
      if (words.textContent !== said) words.textContent = said;
    }
    if (stop) stop.hidden = stage === "writing";      // what has begun to be written goes to its end
  } catch { /* it asks again */ }
  setTimeout(look, 1000);
}
setTimeout(look, 1000);
