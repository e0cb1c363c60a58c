// Asking: the turn is drawn before the server answers; keys to send, stop and edit; words to begin with.
(() => {
  const byId = (id) => document.getElementById(id);
  const field = () => document.querySelector(".composer textarea");
  const calm = matchMedia("(prefers-reduced-motion: reduce)");

  // --- The turn that is on its way --------------------------------------------------------------------------
  let sending = null;

  function draw(text) {
    sending = { text, turn: byId("turn-template").content.firstElementChild.cloneNode(true) };
    sending.turn.querySelector("bdi").textContent = text;
    byId("thread").append(sending.turn);
    byId("welcome")?.setAttribute("hidden", "");
    byId("composer-error").replaceChildren();
    field().value = "";
    show(sending.turn);
  }

  function settle(isAsked) {
    if (!sending) return;
    const { turn, text } = sending;
    sending = null;
    turn.remove();
    if (isAsked) {
      byId("welcome")?.remove();
      return;
    }
    // What was not asked goes back into the field, before whatever was written meanwhile.
    byId("welcome")?.removeAttribute("hidden");
    field().value = [text, field().value].filter(Boolean).join("\n");
    field().focus();
  }

  function show(element) {
    element.scrollIntoView({ block: "end", behavior: calm.matches ? "auto" : "smooth" });
  }

  document.addEventListener("htmx:beforeRequest", (event) => {
    if (event.target.id === "composer") draw(field().value.trim());
  });
  // Before the answer's turn is put in, so that two never stand side by side as the last.
  document.addEventListener("htmx:beforeSwap", (event) => {
    if (event.detail.requestConfig?.elt.id !== "composer") return;
    const isAsked = event.detail.xhr.status < 300;
    settle(isAsked);
    if (isAsked) document.querySelectorAll("#latest").forEach(leaveLast);
  });
  for (const kind of ["htmx:sendError", "htmx:responseError", "htmx:timeout", "htmx:sendAbort"]) {
    document.addEventListener(kind, (event) => {
      if (event.target.id === "composer") settle(false);
    });
  }
  document.addEventListener("htmx:afterSettle", (event) => {
    if (event.detail.requestConfig?.elt.id !== "composer" || event.detail.xhr.status >= 300) return;
    show(byId("thread").lastElementChild);
  });

  // Only the last question can be put differently.
  function leaveLast(turn) {
    turn.removeAttribute("id");
    turn.querySelector(".turn__edit")?.remove();
  }

  // --- Keys -------------------------------------------------------------------------------------------------
  function send(event) {
    event.preventDefault();
    if (event.target.value.trim()) event.target.form.requestSubmit();
  }

  function editLast() {
    const edit = document.querySelector("#latest .turn__edit");
    if (!edit) return false;
    openEdit(edit);
    return true;
  }

  function openEdit(edit) {
    edit.open = true;
    const text = edit.querySelector("[data-edit-text]");
    text.focus();
    text.setSelectionRange(text.value.length, text.value.length);
  }

  function closeEdit(edit) {
    edit.open = false;
    edit.querySelector("summary").focus();
  }

  function stopLast() {
    const stops = document.querySelectorAll("[data-stop]");
    if (!stops.length) return false;
    stops[stops.length - 1].click();
    return true;
  }

  document.addEventListener("keydown", (event) => {
    const { target, key } = event;
    if (event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return;
    const isQuestion = target.matches(".composer textarea, [data-edit-text]");
    if (key === "Enter" && isQuestion && !event.shiftKey) return send(event);
    if (key === "ArrowUp" && target === field() && !target.value && editLast()) return event.preventDefault();
    if (key === "Escape") return leave(event);
    if (key === "?" && !target.closest("input, textarea, select, [contenteditable]")) {
      event.preventDefault();
      byId("ask-keys")?.showModal();
    }
  });

  // What is open closes first: a dialog or menu or panel by the shell, an edit here; then the answer stops.
  function leave(event) {
    const edit = event.target.closest(".turn__edit[open]");
    if (edit) return closeEdit(edit);
    if (!document.querySelector("dialog[open], details.menu[open], #panel:not([hidden])")) stopLast();
  }

  // --- Clicks -----------------------------------------------------------------------------------------------
  document.addEventListener("click", (event) => {
    const target = event.target.closest("[data-suggest], [data-word], [data-edit], [data-edit-close]");
    if (!target) return;
    if ("suggest" in target.dataset) put(event, target.dataset.suggest, { isWhole: true });
    if ("word" in target.dataset) put(event, target.dataset.word, { isWhole: false });
    if ("editClose" in target.dataset) closeEdit(target.closest(".turn__edit"));
    if ("edit" in target.dataset && !target.parentElement.open) {
      event.preventDefault();
      openEdit(target.parentElement);
    }
  });

  // What opens below an answer may lie behind the field for the next question.
  document.addEventListener(
    "toggle",
    (event) => {
      if (event.target.matches(".feedback__why[open]")) event.target.lastElementChild.scrollIntoView({ block: "nearest" });
    },
    true,
  );

  function put(event, text, { isWhole }) {
    const place = field();
    if (!place) return; // The link leads to a page that has one.
    event.preventDefault();
    place.value = isWhole ? text : [place.value.trim(), text].filter(Boolean).join(" ");
    place.focus();
    if (isWhole) place.form.requestSubmit();
  }

  // A question that came with the address waits in the field.
  if (field()?.value) field().focus();
})();
