"use strict";
/* What does not fit on the wall at once is shown in turns, a page each: nothing is cut and nothing scrolls.
 *
 *   const turns = LinliTurns(list, label);   // its children are shared out over pages, by how tall they are
 *   turns.fit();                             // after each change of the list or of the screen
 *   turns.turn();                            // the next page; true where it begins anew
 *
 * The label says "1/2" while there is more than one. */
window.LinliTurns = (list, label) => {
  let pages = [[]], at = 0;
  const show = () => {
    at %= pages.length;
    pages.forEach((page, number) => page.forEach((one) => { one.hidden = number !== at; }));
    label.textContent = pages.length > 1 ? `${at + 1}/${pages.length}` : "";
  };
  return {
    fit() {
      const items = [...list.children];
      list.style.height = "";
      for (const one of items) one.hidden = false;
      const room = list.clientHeight;
      let page = [], top = 0;
      pages = [page];
      for (const one of items) {
        const box = one.getBoundingClientRect();
        if (page.length && box.bottom - top > room + 1) pages.push(page = []);
        if (!page.length) top = box.top;
        page.push(one);
      }
      if (pages.length > 1) list.style.height = `${room}px`; // the last page may be short: nothing jumps for it
      show();
    },
    turn() { at += 1; show(); return at === 0; },
  };
};
/* One long text in columns as wide as its box, of which one is seen at a time. */
window.LinliLeaves = (box, label) => {
  let at = 0, count = 1;
  const show = () => { box.scrollLeft = at * box.clientWidth; };
  return {
    fit() { count = Math.max(1, Math.round(box.scrollWidth / Math.max(1, box.clientWidth))); at %= count; show(); },
    begin() { at = 0; },
    turn() { at = (at + 1) % count; show(); return at === 0; },
    get count() { return count; },
    get at() { return at; },
  };
};
