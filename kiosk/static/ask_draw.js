"use strict";
/* A finger note: strokes on a sheet of 900 × 400, so that it prints on a slip; a PNG of 20 to 80 KB. Strokes are kept as
 * points, so that one of them can be taken back. */
(() => {
  const AT_MOST = 300000, PEN = 7, INK = "#17191c";

  window.linliDrawing = (section, {active, changed}) => {
    const canvas = section.querySelector("canvas"), pen = canvas.getContext("2d");
    const undo = section.querySelector("[data-undo]"), wipe = section.querySelector("[data-wipe]");
    const strokes = [], fingers = new Map();

    function line(stroke, from = 1) {
      pen.beginPath();
      const first = stroke[Math.max(0, from - 1)];
      pen.moveTo(first[0], first[1]);
      if (stroke.length === 1) pen.lineTo(first[0] + .1, first[1]);
      for (let place = from; place < stroke.length; place += 1) pen.lineTo(stroke[place][0], stroke[place][1]);
      pen.stroke();
    }
    function draw() {
      pen.fillStyle = "#fff";
      pen.fillRect(0, 0, canvas.width, canvas.height);
      Object.assign(pen, {strokeStyle: INK, lineWidth: PEN, lineCap: "round", lineJoin: "round"});
      for (const stroke of strokes) line(stroke);
      undo.disabled = wipe.disabled = !strokes.length;
    }
    function at(event) {
      const box = canvas.getBoundingClientRect();
      return [(event.clientX - box.left) * canvas.width / box.width, (event.clientY - box.top) * canvas.height / box.height];
    }
    canvas.addEventListener("pointerdown", (event) => {
      event.preventDefault();
      canvas.setPointerCapture(event.pointerId);
      const stroke = [at(event)];
      fingers.set(event.pointerId, stroke);
      strokes.push(stroke);
      line(stroke);
      undo.disabled = wipe.disabled = false;
      active();
      changed();
    });
    canvas.addEventListener("pointermove", (event) => {
      const stroke = fingers.get(event.pointerId);
      if (!stroke) return;
      const from = stroke.length;
      for (const one of event.getCoalescedEvents?.() ?? [event]) stroke.push(at(one));
      line(stroke, from);
      active();
    });
    for (const over of ["pointerup", "pointercancel"]) canvas.addEventListener(over, (event) => fingers.delete(event.pointerId));
    undo.addEventListener("click", () => { strokes.pop(); draw(); changed(); });
    wipe.addEventListener("click", () => { strokes.length = 0; draw(); changed(); });
    draw();

    return {
      draw,
      get there() { return strokes.length > 0; },
      /** The sheet as a PNG; null where it is empty; throws RangeError where it is too full to be kept. */
      async picture() {
        if (!strokes.length) return null;
        const blob = await new Promise((made) => { canvas.toBlob(made, "image/png"); });
        if (blob.size > AT_MOST) throw new RangeError("too full");
        return blob;
      },
    };
  };
})();
