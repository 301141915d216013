"use strict";
(() => {
  const zones = LinliZones(document.body.dataset.lang);
  LinliLive.open("/live", {state: zones.state, zone: zones.zone, link: zones.link}, {poll: "/api/state", onPoll: zones.state});
})();
