"use strict";
/* Against burn-in: a screen that shows the same picture for years keeps it. So nothing stands still for long.
 *
 * - The whole picture walks: every minute a step, over 6 px of the drawing to each side (two circles of 23 and 17 steps,
 *   6.5 hours until a place comes again). Nobody sees it.
 * - Every ten minutes left and right change places, header and page alike; never within half a minute of a call.
 * - The one bright box, the number called, is white for 90 s and then dark with light letters (display.css, .fresh).
 * docs/operations.md says what the screen itself should do. */
window.LinliRest = (page) => {
  const STEP_MS = 60_000, SIDES_MS = 600_000, FRESH_MS = 90_000, CALM_MS = 30_000, FAR = 6;
  return (now_ms, called_ms) => {
    const step = Math.floor(now_ms / STEP_MS), since_ms = now_ms - (called_ms ?? 0);
    page.style.setProperty("--walk-x", Math.round(FAR * Math.sin(2 * Math.PI * step / 23)));
    page.style.setProperty("--walk-y", Math.round(FAR * Math.sin(2 * Math.PI * step / 17)));
    if (since_ms > CALM_MS || since_ms < 0) page.classList.toggle("other-side", Math.floor(now_ms / SIDES_MS) % 2 === 1);
    page.classList.toggle("fresh", since_ms < FRESH_MS);
  };
};
