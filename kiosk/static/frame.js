"use strict";
/* The frame of every page of the touchscreen: where the page is longer than the panel, two buttons turn it (nobody
 * has to drag), and a technician's five quick taps on the hall's name lead to this screen's calibration.
 */
(() => {
  const main = document.getElementById("main"), turn = document.querySelector("[data-turn]");
  const up = turn.querySelector("[data-up]"), down = turn.querySelector("[data-down]");
  const TAPS = 5, TAPS_WITHIN_MS = 3000;

  function look() {
    const more = main.scrollHeight - main.clientHeight;
    // The buttons take room beside the page: while they stand, a page that would fit without them keeps them.
    const long = more > 2;
    if (long || !turn.hidden) turn.hidden = !long && main.scrollTop === 0;
    if (long) main.tabIndex = 0; else main.removeAttribute("tabindex");
    up.disabled = main.scrollTop <= 1;
    down.disabled = main.scrollTop >= more - 1;
  }
  // Nine tenths of what is seen, so that the eye finds the line it was on.
  const by = (sign) => { main.scrollBy({top: sign * main.clientHeight * .9}); look(); };
  up.addEventListener("click", () => by(-1));
  down.addEventListener("click", () => by(1));
  main.addEventListener("scroll", look, {passive: true});
  const watched = new ResizeObserver(look);
  watched.observe(main);
  for (const one of main.children) watched.observe(one);
  new MutationObserver((changes) => {
    for (const change of changes) for (const one of change.addedNodes) if (one.nodeType === 1) watched.observe(one);
    look();
  }).observe(main, {childList: true});
  look();

  const taps = [];
  document.querySelector("[data-hall]").addEventListener("pointerup", (event) => {
    taps.push(event.timeStamp);
    if (taps.length > TAPS) taps.shift();
    if (taps.length === TAPS && event.timeStamp - taps[0] <= TAPS_WITHIN_MS) {
      location.replace("/calibrate?screen=" + encodeURIComponent(document.body.dataset.screen));
    }
  });
})();
