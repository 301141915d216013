"use strict";
/* The letters on the touchscreen's map, as large on the glass as all letters are (6 mm, elders 8), whatever the plan's size
 * and the panel's: the server draws in metres of the plan and knows neither. What finds no room is left out: what it says
 * stands beside the map, too. First the bay that was found, then where somebody goes, gates, zones, all others.
 *
 *   const fit = LinliFit();   // fits now and whenever the picture's size changes; fit(): there is a new picture
 */
window.LinliFit = () => {
  const LEAST_MM = 6, ELDERS_MM = 8, AIR = .4, HIGH = 1.5, ZONE = 1.2;   // in heights of the letters
  const root = document.documentElement, number = (one, name) => parseFloat(one.getAttribute(name));
  const all = (svg, what) => [...svg.querySelectorAll(what)];
  const text = (use) => document.getElementById(use.getAttribute("href").slice(1));
  const overlap = (a, b) => Math.min(a.right, b.right) > Math.max(a.left, b.left) && Math.min(a.bottom, b.bottom) > Math.max(a.top, b.top);
  let svg = null;

  /** How wide these letters are in heights of theirs. */
  function wide(use) {
    text(use).setAttribute("font-size", 1);
    return use.getBBox().width;
  }
  function where(group) {
    if (!group.dataset.at) group.dataset.at = group.getAttribute("transform").match(/translate\(([^)]*)\)/)[1];
    return group.dataset.at.split(" ").map(Number);
  }
  const box = (x, y, w, h) => ({left: x - w / 2, right: x + w / 2, top: y - h / 2, bottom: y + h / 2});
  const within = (low, one, high) => Math.max(low, Math.min(one, high));
  function leave(one, out) { (one.closest("a") ?? one).classList.toggle("left-out", out); }

  /** A bay's own letters: as large as they must be, or none. Sign, kind and number share the bay's length. */
  function bays(least) {
    for (const bay of all(svg, ".bay")) {
      const rect = bay.querySelector("rect"), small = Math.min(number(rect, "width"), number(rect, "height"));
      const long = Math.max(number(rect, "width"), number(rect, "height"));
      const turned = bay.getAttribute("transform").match(/rotate\(([^)]*)\)/), turn = turned ? Math.abs(Number(turned[1])) % 180 : 0;
      const lies = (turn > 45 && turn < 135) !== (number(rect, "width") > number(rect, "height"));
      for (const use of bay.querySelectorAll(".letters")) {
        const across = wide(use), [room, high] = lies ? [.32 * long, small] : [small, .27 * long];
        const size = Math.min(.97 * room / across, high);
        text(use).setAttribute("font-size", Math.max(least, .01));
        leave(use, size < least || (bay.classList.contains("found") && use.classList.contains("name")));
      }
    }
  }
  /** Names in a box of their own: places, and the bay that was found. */
  function place(group, size, view, there, tries) {
    const use = group.querySelector(".letters"), rect = group.querySelector("rect");
    const w = (wide(use) + 2 * AIR) * size, h = HIGH * size;
    text(use).setAttribute("font-size", size);
    for (const [name, value] of Object.entries({x: -w / 2, y: -h / 2, width: w, height: h, rx: .3 * size})) rect.setAttribute(name, value);
    for (const [x, y] of tries(w, h)) {
      const at = [within(view.left + w / 2, x, view.right - w / 2), within(view.top + h / 2, y, view.bottom - h / 2)];
      const mine = box(...at, w, h);
      if (there.some((one) => overlap(one, mine))) continue;
      group.setAttribute("transform", `translate(${at[0]} ${at[1]})`);
      there.push(mine);
      return leave(group, false);
    }
    leave(group, true);
  }
  /** A zone's name above its box, or below it. */
  function zone(use, size, view, there) {
    const group = use.parentElement, [x, y] = where(group), across = wide(use) * size, high = ZONE * size;
    const below = all(svg, ".zone-box").find((one) => Math.abs(number(one, "x") - x) < .02 && y < number(one, "y") && number(one, "y") - y < 3 * size);
    text(use).setAttribute("font-size", size);
    const left = within(view.left, x, view.right - across), top = below ? number(below, "y") : y + size / 2;
    const tries = [top - high / 2, ...(below ? [top + number(below, "height") + high / 2] : [])];
    for (const middle of tries.filter((one) => one > view.top + high / 2 - .01 && one < view.bottom - high / 2 + .01)) {
      const mine = box(left + across / 2, middle, across, high);
      if (there.some((one) => overlap(one, mine))) continue;
      group.setAttribute("transform", `translate(${left} ${middle})`);
      there.push(mine);
      return leave(group, false);
    }
    leave(group, true);
  }
  function fit() {
    const now = document.querySelector(".plan-figure > svg[data-plan]");
    if (now !== svg) { watched.disconnect(); svg = now; if (svg) watched.observe(svg); }
    const seen = svg?.getScreenCTM();
    if (!seen?.a) return;
    const mm = parseFloat(getComputedStyle(root).getPropertyValue("--mm")) || 4;
    const least = (root.classList.contains("large") ? ELDERS_MM : LEAST_MM) * mm / seen.a;
    const {x, y, width, height} = svg.viewBox.baseVal, view = {left: x, top: y, right: x + width, bottom: y + height};
    bays(least);
    const there = [], frame = svg.querySelector(".here rect");
    if (frame) {
      const seenAt = svg.querySelector(".here").getBoundingClientRect(), plan = (px, from) => (px - from) / seen.a;
      const here = {left: plan(seenAt.left, seen.e), right: plan(seenAt.right, seen.e), top: plan(seenAt.top, seen.f), bottom: plan(seenAt.bottom, seen.f)};
      const [across, down] = [(here.left + here.right) / 2, (here.top + here.bottom) / 2], name = svg.querySelector(".found-name");
      // What is found is framed, and its own number stands beside the frame.
      place(name, least, view, [here], (w, h) => [
        [across, here.top - h / 2 - .01], [across, here.bottom + h / 2 + .01], [here.right + w / 2 + .01, down], [here.left - w / 2 - .01, down],
      ]);
      const at = name.getAttribute("transform").match(/[-\d.]+/g).map(Number), rect = name.querySelector("rect");
      there.push(here, box(at[0], at[1], number(rect, "width"), number(rect, "height")));
    }
    const places = all(svg, ".place:not(.found-name)"), rank = (one) => ["chosen", "gate"].findIndex((what) => one.classList.contains(what)) % 3;
    const known = places.filter((one) => rank(one) >= 0).sort((a, b) => rank(a) - rank(b)), others = places.filter((one) => rank(one) < 0);
    // Beside its point rather than nowhere, for where somebody goes.
    const near = ([x, y], w, h) => [[x, y], [x, y - h], [x, y + h], [x - w, y], [x + w, y]];
    const asDrawn = (group) => (w, h) => (group.classList.contains("chosen") ? near(where(group), w, h) : [where(group)]);
    for (const one of known) place(one, least, view, there, asDrawn(one));
    for (const use of all(svg, ".zone-name")) zone(use, least, view, there);
    for (const one of others) place(one, least, view, there, asDrawn(one));
  }
  const watched = new ResizeObserver(() => fit());
  fit();
  return fit;
};
