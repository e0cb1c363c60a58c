// Choosing documents of a list: a box for the whole page, and how many are chosen. Without it the boxes still work.
(() => {
  const boxes = () => [...document.querySelectorAll('input[form="choosing"][name="document"]')];

  function show() {
    const form = document.querySelector("[data-choosing]");
    if (!form) return;
    const whole = form.querySelector("[data-choose-page]");
    const count = form.querySelector("[data-choose-count]");
    const chosen = boxes().filter((box) => box.checked).length;
    count.dataset.nothing ??= count.textContent;
    whole.hidden = count.hidden = false;
    whole.checked = chosen > 0 && chosen === boxes().length;
    whole.indeterminate = chosen > 0 && !whole.checked;
    count.textContent = chosen ? form.dataset.chosen.replace("{count}", chosen) : count.dataset.nothing;
  }

  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-choose-page]")) {
      for (const box of boxes()) box.checked = event.target.checked;
    }
    if (event.target.closest("[data-choosing]") || event.target.form?.id === "choosing") show();
  });
  // What was chosen outlives the list's asking again.
  let kept = [];
  document.addEventListener("htmx:beforeSwap", (event) => {
    if (event.target.id === "documents") kept = boxes().filter((box) => box.checked).map((box) => box.value);
  });
  document.addEventListener("htmx:afterSettle", () => {
    for (const box of boxes()) if (kept.includes(box.value)) box.checked = true;
    show();
  });
  show();
})();
