"use strict";
/* The list of touchscreens, drawn anew when one has been calibrated: whoever made the code at a desk sees that it is done.
 * A code for another screen stays where it is, and so does what is being typed. */
(() => {
  const list = LinliPlan(() => "/console/screens"), handed = document.querySelector("[data-handed]");
  document.addEventListener("linli:screens", ({detail: {screen}}) => {
    list.redraw();
    if (handed?.dataset.handed !== screen) return;
    handed.querySelector("[data-code]").hidden = true;      // it is worth nothing any more
    handed.querySelector("[data-spent]").hidden = false;
  });
  // What happened before the line was open, or while it was lost, is told by nobody.
  document.addEventListener("linli:whole", () => list.redraw());
})();
