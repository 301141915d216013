"use strict";
/* The printers' page keeps itself fresh: it asks for itself and puts the answer in its place, unless somebody is writing. */
(() => {
  const EVERY_MS = 2000;
  const part = () => document.querySelector("[data-follow]");
  /* XMLHttpRequest, because it alone parses a page without a sink that the console's Trusted Types forbid. */
  function look() {
    if (document.hidden || part().contains(document.activeElement)) return;
    const asked = new XMLHttpRequest();
    asked.open("GET", location.href);
    asked.responseType = "document";
    asked.timeout = 4000;
    asked.onload = () => {
      if (asked.status !== 200) return; // it asks again
      const fresh = asked.response?.querySelector("[data-follow]");
      if (!fresh) return location.reload(); // signed out or locked: the page that says so
      if (fresh.innerHTML !== part().innerHTML && !part().contains(document.activeElement)) part().replaceWith(fresh);
    };
    asked.send();
  }
  setInterval(look, EVERY_MS);
})();
