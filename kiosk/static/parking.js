"use strict";
(() => {
  const zones = LinliZones(document.body.dataset.lang);
  const fit = LinliFit();
  const plan = LinliPlan(() => location.href, () => { zones.forget(); fit(); });
  let before = false; // the page itself is the first drawing: only a stream that comes back asks for another
  const state = (told) => { zones.state(told); if (before) plan.redraw(); before = true; };
  LinliLive.open("/live", {
    state,
    zone: zones.zone,
    bays: (told) => { plan.bays(told.bays); if (told.plan) plan.redraw(); },
    link: (told) => { zones.link(told); plan.redraw(); },
  }, {poll: "/api/state", onPoll: zones.state});
})();
