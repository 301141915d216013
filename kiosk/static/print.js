"use strict";
/* A page with one button that prints it. */
document.querySelector("[data-print]").addEventListener("click", () => window.print());
