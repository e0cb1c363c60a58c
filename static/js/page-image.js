// Images of pages: their room is kept while they are drawn, which takes a moment, and a sentence says when none comes.
(() => {
  "use strict";

  function show(frame, state) {
    frame.dataset.state = state;
    frame.querySelector(".page-image__wait").hidden = state !== "waiting";
    frame.querySelector(".page-image__lost").hidden = state !== "lost";
  }

  function look(within) {
    for (const frame of within.querySelectorAll?.("[data-page-image]:not([data-state])") ?? []) {
      const image = frame.querySelector("img");
      show(frame, image.complete ? (image.naturalWidth ? "there" : "lost") : "waiting");
    }
  }

  // These events do not bubble, but they pass the document on their way in; so copies of an image are heard as well.
  function settled(event) {
    const frame = event.target.closest?.("[data-page-image]");
    if (frame && event.target.matches("img")) show(frame, event.type === "load" ? "there" : "lost");
  }
  document.addEventListener("load", settled, true);
  document.addEventListener("error", settled, true);

  look(document);
  document.addEventListener("htmx:load", (event) => look(event.target));
})();
