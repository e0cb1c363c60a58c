// Runs before the first paint: marks that scripts work, and applies the reader's choice of light or dark.
(() => {
  const root = document.documentElement;
  root.classList.add("js");
  try {
    const choice = localStorage.getItem("theme");
    if (choice === "light" || choice === "dark") root.dataset.theme = choice;
  } catch {
    // Storage may be forbidden; the system's choice then stands.
  }
})();
