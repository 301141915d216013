"use strict";
/* Another language or size of text in the midst of a request: the same page is fetched as it would be then, and its words
 * are put in the place of these. What was given stays where it is, because nothing of this page goes away. */
(() => {
  const OURS = new Set(["hidden", "disabled", "aria-pressed", "aria-busy", "tabindex", "style", "value", "data-plain"]);
  const OWN_OF_BODY = new Set(["class", "data-key", "data-keys", "data-keys-at", "data-home"]);

  function attributes(mine, theirs, keep) {
    for (const {name, value} of [...theirs.attributes]) if (!keep.has(name) && mine.getAttribute(name) !== value) mine.setAttribute(name, value);
  }
  function put(mine, theirs) {
    const ours = [...mine.childNodes], others = [...theirs.childNodes];
    if (ours.length !== others.length || ours.some((one, place) => one.nodeName !== others[place].nodeName)) {
      // Not the same shape (a word more or less on a key): all of it is taken as it comes.
      mine.replaceChildren(...others.map((one) => document.importNode(one, true)));
      return;
    }
    ours.forEach((one, place) => {
      const other = others[place];
      if (one.nodeType === Node.TEXT_NODE) { if (one.data !== other.data) one.data = other.data; return; }
      // Filled by a script: it fills them again.
      if (one.nodeType !== Node.ELEMENT_NODE || one.matches("dialog, textarea, input, output, [data-letters-keys]")) return;
      attributes(one, other, OURS);
      if (other.childNodes.length) put(one, other);
    });
  }
  /** Show this page as ``url`` would show it; ``ready()`` is called before its words change. :throws: TypeError or DOMException where the server does not answer. */
  window.linliSee = async (url, words, ready) => {
    const answer = await fetch(url, {cache: "no-store", headers: {Accept: "text/html"}, signal: AbortSignal.timeout(4000)});
    if (!answer.ok) throw new TypeError("the page is not there");
    const other = new DOMParser().parseFromString(await answer.text(), "text/html");
    ready();
    document.documentElement.lang = other.documentElement.lang;
    document.documentElement.className = other.documentElement.className;
    document.title = other.title;
    attributes(document.body, other.body, OWN_OF_BODY);
    for (const part of ["header", "#main", "footer"]) {
      const mine = document.querySelector(`body ${part}`), theirs = other.querySelector(`body ${part}`);
      if (mine && theirs) put(mine, theirs);
    }
    Object.assign(words, JSON.parse(other.body.dataset.words));
    history.replaceState(null, "", url);
    dispatchEvent(new Event("resize"));
    document.dispatchEvent(new CustomEvent("linli:seen"));
  };
})();
