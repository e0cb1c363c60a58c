// Reading a draft by keyboard, with the passages of a sentence shown while it is read. The page works without this.
(() => {
  const page = document.getElementById("draft");
  if (!page) return;
  const sentences = [...page.querySelectorAll("#sentences > .rv-sentence")];
  const evidence = page.querySelector(".rv-right");
  const isWide = matchMedia("(min-width: 1100px)");
  const calm = matchMedia("(prefers-reduced-motion: reduce)");
  const source = (number) => document.getElementById(`source-${number}`);
  const at = (id) => document.getElementById(id);

  // --- A sentence and its passages ----------------------------------------------------------------------------

  const light = (sentence) => {
    page.querySelectorAll(".rv-lit").forEach((lit) => lit.classList.remove("rv-lit"));
    const numbers = sentence.dataset.citations.split(" ").filter(Boolean);
    sentence.classList.add("rv-lit");
    numbers.forEach((number) => source(number)?.classList.add("rv-lit"));
    return numbers;
  };

  // Scrolls the evidence alone: the page stays where the eye is.
  const bring = (number) => {
    const found = source(number);
    if (!found || !isWide.matches) return;
    const top = found.offsetTop - evidence.offsetTop - 8;
    evidence.scrollTo({ top, behavior: calm.matches ? "auto" : "smooth" });
  };

  // On a narrow screen the sources are far below: the passage is shown under its sentence instead.
  const peek = (sentence, numbers) => {
    page.querySelectorAll(".rv-peek").forEach((old) => old.remove());
    if (isWide.matches || !numbers.length) return;
    const shown = document.createElement("div");
    shown.className = "rv-peek";
    for (const number of numbers) {
      const found = source(number);
      if (!found) continue;
      const title = document.createElement("p");
      title.className = "rv-meta";
      title.textContent = found.querySelector("h3").textContent.trim();
      shown.append(title, found.querySelector(".rv-quote").cloneNode(true));
      const image = found.querySelector(".rv-image");
      if (image) shown.append(image.cloneNode(true));
    }
    sentence.append(shown);
  };

  for (const sentence of sentences) {
    const show = () => {
      const numbers = light(sentence);
      if (numbers.length) bring(numbers[0]);
      return numbers;
    };
    sentence.addEventListener("mouseenter", show);
    sentence.addEventListener("focus", () => peek(sentence, show()));
  }

  const go = (sentence) => {
    sentence?.focus({ preventScroll: true });
    sentence?.scrollIntoView({ block: "nearest" });
  };
  const place = () => sentences.findIndex((sentence) => sentence.contains(document.activeElement));
  const step = (by) => go(sentences[Math.min(Math.max(place() + by, 0), sentences.length - 1)]);
  const weak = () => {
    const from = place();
    const order = [...sentences.slice(from + 1), ...sentences.slice(0, from + 1)];
    go(order.find((sentence) => ["warning", "bad"].includes(sentence.dataset.tone)));
  };

  // --- Keys ---------------------------------------------------------------------------------------------------

  const field = (id, opened) => {
    const found = at(id);
    if (!found) return;
    if (opened && at(opened)) at(opened).open = true;
    found.focus();
    found.scrollIntoView({ block: "nearest" });
  };
  const keys = at("keys");
  const acts = {
    j: () => step(1),
    k: () => step(-1),
    w: weak,
    a: () => field("approve-next"),
    r: () => field("reason"),
    x: () => field("reject"),
    e: () => field("text", "edit"),
    m: () => field("comment"),
    c: () => at("claim")?.form.requestSubmit(),
    n: () => at("next")?.form.requestSubmit(),
    q: () => at("queue")?.click(),
    "?": () => keys.showModal(),
  };

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || keys.open) return;
    const isTyping = event.target.closest("input, textarea, select");
    if (event.key === "Escape" && isTyping) return event.target.blur();
    if (isTyping) return;
    if (/^[1-9]$/.test(event.key) && source(event.key)) {
      source(event.key).focus({ preventScroll: isWide.matches });
      bring(event.key);
    } else if (acts[event.key]) {
      event.preventDefault();
      acts[event.key]();
    }
  });

  const opener = at("open-keys");
  opener.hidden = false;
  opener.addEventListener("click", () => keys.showModal());

  // --- Reasons ------------------------------------------------------------------------------------------------

  at("reason-template")?.addEventListener("change", (event) => {
    const reason = at("reason");
    if (event.target.value) reason.value = event.target.value;
    reason.focus();
  });
})();
