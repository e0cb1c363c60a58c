// Citations: arrow keys walk through them while the panel is open, and an answer is copied together with its sources.
(() => {
  "use strict";

  // --- Walking ----------------------------------------------------------------------------------------------
  const panel = () => document.getElementById("panel");

  // The mark in the text asks for its citation, so that it is shown as chosen and has the focus back in the end.
  function ask(url) {
    const marks = [...document.querySelectorAll(".cite[hx-get], .source[hx-get]")];
    const mark = marks.find((one) => one.getAttribute("hx-get") === url);
    htmx.ajax("GET", url, { source: mark ?? document.body, target: "#panel-body", swap: "innerHTML" });
  }

  function walk(which) {
    const step = document.querySelector(`.evidence [data-step="${which}"]`);
    if (!step) return false;
    step.click();
    return true;
  }

  document.addEventListener(
    "click",
    (event) => {
      const step = event.target.closest?.(".panel .evidence [data-step]");
      if (!step || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
      event.preventDefault();
      event.stopPropagation();
      ask(step.getAttribute("hx-get"));
    },
    true,
  );

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
    if (event.target.closest("input, textarea, select, dialog, [contenteditable]")) return;
    const page = document.getElementById("citation");
    if (!page && (!panel() || panel().hidden)) return;
    const which = { ArrowLeft: "previous", ArrowRight: "next" }[event.key];
    if (which && walk(which)) event.preventDefault();
  });

  // --- Copying ----------------------------------------------------------------------------------------------
  const squeeze = (text) => text.replace(/\s+/g, " ").trim();
  const absolute = (href) => new URL(href, location.href).href;

  function link(href, text) {
    const element = document.createElement("a");
    element.href = href;
    element.textContent = text;
    return element;
  }

  // The paragraph as it is read, its marks as [n]; `rich` keeps them as links.
  function paragraph(source) {
    const rich = document.createElement("p");
    for (const node of source.childNodes) {
      if (!node.matches?.(".cite")) rich.append(node.textContent.replace(/\s+/g, " "));
      else rich.append(rich.textContent.endsWith("]") ? "" : " ", link(absolute(node.getAttribute("href")), `[${squeeze(node.textContent)}]`));
    }
    return rich;
  }

  function sources(card) {
    return [...card.querySelectorAll(".sources > li")].map((item) => {
      const chip = item.querySelector(".source");
      if (!chip) return { text: squeeze(item.textContent), href: "" };
      const number = squeeze(chip.querySelector(".cite").textContent);
      const rest = [...chip.querySelectorAll("strong, small")].map((part) => squeeze(part.textContent)).filter(Boolean);
      return { text: `[${number}] ${rest.join(", ")}`, href: absolute(chip.getAttribute("href")) };
    });
  }

  function written(card, heading) {
    const rich = document.createElement("div");
    const lines = [];
    for (const source of card.querySelectorAll(".answer__text > p")) {
      const element = paragraph(source);
      rich.append(element);
      lines.push(squeeze(element.textContent), "");
    }
    const cited = sources(card);
    if (cited.length) {
      const title = document.createElement("p");
      title.textContent = `${heading}:`;
      rich.append(title);
      lines.push(title.textContent);
    }
    for (const { text, href } of cited) {
      const element = document.createElement("p");
      element.append(href ? link(href, text) : text);
      rich.append(element);
      lines.push(href ? `${text}: ${href}` : text);
    }
    return { plain: lines.join("\n"), html: rich.innerHTML };
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("[data-copy-answer]");
    if (!button) return;
    const detail = written(button.closest(".answer"), button.dataset.sources);
    button.dispatchEvent(new CustomEvent("copy:text", { bubbles: true, detail }));
  });

  const reveal = (within) => {
    for (const button of within.querySelectorAll?.("[data-copy-answer]") ?? []) button.hidden = false;
  };
  reveal(document);
  document.addEventListener("htmx:load", (event) => reveal(event.target));
})();
