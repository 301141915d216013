"use strict";
/* Nobody should stand before an error: back home after 15 s. */
setTimeout(() => location.replace(document.body.dataset.home), 15000);
