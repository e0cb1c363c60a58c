// Reading a draft by keyboard, and the sources of a sentence lit while it is read. The page works without this.
(() => {
  const page = document.getElementById("draft");
  if (!page) return;
  const sentences = [...page.querySelectorAll(".rv-sentence")];
  const source = (number) => document.getElementById(`source-${number}`);

  const light = (sentence) => {
    page.querySelectorAll(".rv-lit").forEach((lit) => lit.classList.remove("rv-lit"));
    const numbers = sentence ? sentence.dataset.citations.split(" ").filter(Boolean) : [];
    numbers.forEach((number) => source(number)?.classList.add("rv-lit"));
    return numbers;
  };

  for (const sentence of sentences) {
    sentence.addEventListener("mouseenter", () => light(sentence));
    sentence.addEventListener("focus", () => {
      const [first] = light(sentence);
      // On a narrow screen the sources are below: scrolling there would take the sentence away.
      if (first && matchMedia("(min-width: 1100px)").matches) source(first)?.scrollIntoView({ block: "nearest" });
    });
  }

  const step = (by) => {
    const at = sentences.indexOf(document.activeElement);
    sentences[Math.min(Math.max(at + by, 0), sentences.length - 1)]?.focus();
  };

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, textarea, select")) return;
    if (event.key === "j") step(1);
    else if (event.key === "k") step(-1);
    else if (/^[1-9]$/.test(event.key) && source(event.key)) {
      source(event.key).scrollIntoView({ block: "start" });
      source(event.key).focus();
    } else if (event.key === "e" && document.getElementById("edit")) {
      event.preventDefault();
      document.getElementById("edit").open = true;
      document.getElementById("text").focus();
    }
  });
})();
