// The thread: follow each answer through its event stream, and let the server draw how it ended. Asking is composer.js.
(() => {
  const FOLLOWED = new WeakMap();

  // --- Following an answer ----------------------------------------------------------------------------------
  function follow(card) {
    if (FOLLOWED.has(card)) return;
    const source = new EventSource(card.dataset.events);
    FOLLOWED.set(card, source);

    source.addEventListener("line", (event) => showLine(card, JSON.parse(event.data).sentence));
    source.addEventListener("step", (event) => showStep(card, JSON.parse(event.data)));
    source.addEventListener("asked", (event) => showAsked(card, JSON.parse(event.data).text));
    source.addEventListener("token", (event) => addText(card, JSON.parse(event.data).text));
    source.addEventListener("reset", () => clearText(card));
    source.addEventListener("status", (event) => tell(JSON.parse(event.data).sentence, card));
    source.addEventListener("end", () => {
      source.close();
      redraw(card);
    });
  }

  function showLine(card, sentence) {
    const waits = card.querySelector("[data-steps] li:only-child:not([data-step])");
    if (!waits) return;
    // Heard once: the number falls every few seconds.
    if (!waits.dataset.line) tell(sentence, card);
    waits.dataset.line = "yes";
    waits.textContent = sentence;
  }

  function showStep(card, { label }) {
    const steps = card.querySelector("[data-steps]");
    if (!steps) return;
    const current = steps.querySelector("[aria-current]");
    if (current?.textContent === label) return;
    current?.removeAttribute("aria-current");
    current?.classList.add("is-done");
    // A number of others is no step that was done.
    if (current?.dataset.line) current.remove();
    const step = document.createElement("li");
    step.setAttribute("aria-current", "step");
    step.dataset.step = "";
    step.textContent = label;
    steps.append(step);
  }

  function showAsked(card, text) {
    const place = card.querySelector("[data-asked]");
    if (!place) return;
    place.querySelector("bdi").textContent = text;
    place.hidden = false;
    // What is put differently begins with what it was understood as.
    const edited = card.closest(".turn")?.querySelector("[data-edit-text]");
    if (edited && edited.value === edited.defaultValue) edited.value = text;
  }

  function addText(card, text) {
    const place = card.querySelector("[data-text]");
    if (!place) return;
    const atEnd = isAtEnd();
    place.hidden = false;
    place.append(text);
    if (atEnd) scrollToEnd();
  }

  function clearText(card) {
    const place = card.querySelector("[data-text]");
    if (!place) return;
    place.replaceChildren();
    place.hidden = true;
  }

  function tell(sentence, card) {
    if (card.dataset.told === sentence) return;
    card.dataset.told = sentence;
    document.getElementById("news").textContent = sentence;
  }

  function redraw(card) {
    const atEnd = isAtEnd();
    const drawn = htmx.ajax("GET", card.dataset.card, { target: card, swap: "outerHTML" });
    if (atEnd) drawn.then(scrollToEnd);
  }

  function stopFollowing(element) {
    for (const card of element.matches?.(".answer") ? [element] : element.querySelectorAll?.(".answer") ?? []) {
      FOLLOWED.get(card)?.close();
    }
  }

  // --- The page ---------------------------------------------------------------------------------------------
  const isAtEnd = () => window.innerHeight + window.scrollY >= document.body.scrollHeight - 120;
  const scrollToEnd = () => window.scrollTo({ top: document.body.scrollHeight });

  function start(element) {
    for (const card of element.querySelectorAll("[data-events]")) follow(card);
    if (element.matches?.("[data-events]")) follow(element);
  }

  document.addEventListener("htmx:load", (event) => start(event.target));
  // A reviewer's decision replaces a waiting card; whoever does not see it hears it.
  document.addEventListener("htmx:afterSwap", (event) => {
    const state = event.detail.elt.querySelector?.(".answer__state");
    if (event.detail.elt.matches?.(".answer") && state) document.getElementById("news").textContent = state.textContent;
  });
  document.addEventListener("htmx:beforeCleanupElement", (event) => stopFollowing(event.target));

  // A reload lands at the newest turn, as in any conversation.
  if (document.querySelectorAll(".turn").length > 1) scrollToEnd();
})();
