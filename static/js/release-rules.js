// Shows of each rule only the fields that its condition and its effect need; without this all of them stand there.
(() => {
  const needed = (words, value) => words.split(" ").includes(value);

  const arrange = (rule) => {
    const condition = rule.querySelector("select[name$='-condition']");
    const effect = rule.querySelector("select[name$='-effect']");
    for (const part of rule.querySelectorAll("[data-for]")) part.hidden = !needed(part.dataset.for, condition.value);
    for (const part of rule.querySelectorAll("[data-for-effect]")) part.hidden = !needed(part.dataset.forEffect, effect.value);
  };

  for (const rule of document.querySelectorAll("[data-rule]")) {
    arrange(rule);
    rule.addEventListener("change", () => arrange(rule));
  }
})();
