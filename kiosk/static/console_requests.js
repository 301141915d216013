/* The list of requests, or one of them: when something changes, the page is drawn anew where nobody is at work on it;
 * else a line says so, and what is being typed stays. */
import { softly } from "./console_sound.js";

const news = document.querySelector("[data-news]");
const mine = Number(news.dataset.news) || 0;

document.addEventListener("linli:requests", (event) => {
  const told = event.detail;
  if (told.came) softly();
  if (mine && told.changed !== mine) return;
  anew();
});

/* What came between the drawing of the page and the first word of its line is told by nobody: the picture says it. */
document.addEventListener("linli:whole", ({ detail: { requests } }) => {
  if (requests?.known && news.dataset.drawn && news.dataset.drawn !== `${requests.open} ${requests.new}`) anew();
});

function anew() {
  const idle = document.activeElement === document.body && !document.querySelector("details[open], audio");
  if (idle && !mine) location.reload();
  else news.hidden = false;
}
