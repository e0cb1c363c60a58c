// The template a question is asked with: what the chosen one is for, and the one that an example goes with.
(() => {
  const picker = document.getElementById("composer-template");
  const said = document.getElementById("composer-template-said");
  if (!picker || !said) return;

  const tell = () => {
    said.textContent = picker.selectedOptions[0]?.dataset.said ?? "";
  };

  picker.addEventListener("change", tell);
  document.addEventListener("click", (event) => {
    const code = event.target.closest("[data-suggest]")?.dataset.template;
    if (!code) return;
    picker.value = code;
    tell();
  });
  tell();
})();
