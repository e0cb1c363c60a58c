// Deciding on findings with the keyboard: j and k walk, a accepts, r rejects, e edits, u takes the last act back. For a
// reviewer c says that they are reading it, and n leads to the next.
// Without it every button still works.
(() => {
  const findings = () => [...document.querySelectorAll(".finding")];
  const said = document.querySelector("#examination-said");
  let at = "";

  function focus(finding) {
    if (!finding) return;
    at = finding.dataset.finding;
    finding.focus({ preventScroll: true });
    finding.scrollIntoView({ block: "nearest" });
  }

  function current() {
    const inside = document.activeElement?.closest?.(".finding");
    return inside ?? findings().find((one) => one.dataset.finding === at);
  }

  function walk(step) {
    const all = findings();
    const place = all.indexOf(current());
    focus(place < 0 ? all[0] : all[Math.min(all.length - 1, Math.max(0, place + step))]);
  }

  function edit(finding) {
    const details = finding?.querySelector("[data-edit]");
    if (!details) return;
    at = finding.dataset.finding;
    details.open = true;
    details.querySelector("textarea").focus();
  }

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest("input, textarea, select, [contenteditable]")) {
      if (event.key === "Escape") focus(current());
      return;
    }
    const finding = current();
    if (event.key === "j") walk(1);
    else if (event.key === "k") walk(-1);
    else if (event.key === "e") edit(finding);
    else if (event.key === "u") document.querySelector("[data-undo]:not(:disabled)")?.click();
    else if (event.key === "c") document.querySelector("[data-claim]")?.click();
    else if (event.key === "n") document.querySelector("[data-next]")?.click();
    else if (event.key === "a" || event.key === "r") finding?.querySelector(`[data-key="${event.key}"]`)?.click();
    else return;
    event.preventDefault();
  });

  document.addEventListener("focusin", (event) => {
    const finding = event.target.closest?.(".finding");
    if (finding) at = finding.dataset.finding;
  });

  // After an act the next finding that is still to be decided comes to hand; the draft stays where it was read.
  let read = 0;
  document.addEventListener("htmx:beforeSwap", () => {
    read = document.querySelector(".examination__text")?.scrollTop ?? 0;
  });
  document.addEventListener("htmx:afterSettle", (event) => {
    if (event.detail.target?.id !== "work" && event.target.id !== "work") return;
    const text = document.querySelector(".examination__text");
    if (text) text.scrollTop = read;
    if (!at) return;
    const all = findings();
    const place = all.findIndex((one) => one.dataset.finding === at);
    const next = all.slice(Math.max(0, place)).find((one) => one.dataset.decision === "open") ?? all[place];
    focus(next);
    if (said) said.textContent = next?.querySelector("h3")?.textContent ?? "";
  });
})();
