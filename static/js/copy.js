// Copy a field that is shown once: <button data-copy-from="ID" data-copied="Copied"><span>Copy</span></button>
(() => {
  "use strict";

  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy-from]");
    if (!button) return;
    const field = document.getElementById(button.dataset.copyFrom);
    field.select();
    try {
      await navigator.clipboard.writeText(field.value);
    } catch {
      // Browsers lend the clipboard to secure addresses only; the older way works from a selection everywhere.
      if (!document.execCommand("copy")) return;
    }
    button.querySelector("span").textContent = button.dataset.copied;
  });
})();
