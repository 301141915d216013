/* First steps: when something has happened in the hall (a number, a press …) the page looks whether a step is done now,
 * and is loaded anew if so: nothing on it is typed. */
const shown = document.querySelector("[data-steps]").dataset.steps;
let timer = 0;

async function look() {
  timer = 0;
  try {
    const answer = await fetch("/console/api/start", { cache: "no-store", signal: AbortSignal.timeout(4000) });
    if (!answer.ok) return;
    const { done } = await answer.json();
    const now = Object.entries(done).map(([key, value]) => `${key}=${value} `).join("");
    if (now !== shown) location.replace("/console/start");
  } catch { /* the next fact, or the next look, asks again */ }
}
const stir = () => { timer ||= setTimeout(look, 300); };
for (const name of ["call", "ticket", "window", "device", "row", "whole"]) document.addEventListener(`linli:${name}`, stir);
document.addEventListener("visibilitychange", () => { if (!document.hidden) stir(); });
