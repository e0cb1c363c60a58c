// The viewer: arrow keys and j, k turn pages, n and N go through what was found, the page box jumps, tabs where image
// and text do not fit side by side.
(() => {
  const viewer = document.querySelector("[data-viewer]");
  if (!viewer) return;

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || (event.shiftKey && event.key !== "N")) return;
    if (event.target.closest("input, textarea, select, dialog, [role=tablist]")) return;
    // A wide table is read sideways with the arrows first.
    if (event.key.startsWith("Arrow") && event.target.closest(".viewer__table")) return;
    const wanted = {
      ArrowLeft: "a[rel=prev]",
      k: "a[rel=prev]",
      ArrowRight: "a[rel=next]",
      j: "a[rel=next]",
      n: "a[data-hit=next]",
      N: "a[data-hit=previous]",
    }[event.key];
    if (wanted) viewer.querySelector(wanted)?.click();
  });

  const box = viewer.querySelector("input[name=page]");
  box?.addEventListener("change", () => box.form.requestSubmit());

  const image = viewer.querySelector(".viewer__page img");
  if (!image) return;

  // --- Tabs -------------------------------------------------------------------------------------------------
  const tabs = [...viewer.querySelectorAll("[role=tab]")];
  const remembered = sessionStorage.getItem("viewer-tab") ?? "text";

  function choose(tab, focus) {
    for (const other of tabs) {
      const chosen = other === tab;
      other.setAttribute("aria-selected", String(chosen));
      other.tabIndex = chosen ? 0 : -1;
    }
    viewer.dataset.tab = tab.id.replace("tab-", "");
    sessionStorage.setItem("viewer-tab", viewer.dataset.tab);
    if (focus) tab.focus();
  }

  tabs.forEach((tab, place) => {
    tab.addEventListener("click", () => {
      choose(tab, false);
      viewer.scrollIntoView({ block: "start" });
    });
    tab.addEventListener("keydown", (event) => {
      const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      if (step) choose(tabs[(place + step + tabs.length) % tabs.length], true);
    });
  });
  tabs[0].parentElement.hidden = false;
  choose(tabs.find((tab) => tab.id === `tab-${remembered}`) ?? tabs[0], false);
})();
