"use strict";
/* Nobody should stand before an error: back home after 15 s. The hall's display has no home but itself. */
setTimeout(() => location.replace(location.pathname === "/display" ? "/display" : document.body.dataset.home), 15000);
