// Copy for the person, and say on the button what came of it:
//   <button data-copy="TEXT" data-copied="Copied" data-failed="Could not be copied"><span>Copy</span></button>
// data-copy-from="ID" copies a field. What another script has written for the clipboard comes as an event "copy:text" on
// the button, whose detail is { plain, html }.
(() => {
  "use strict";

  const SAID_FOR = 2500;

  function copyOld({ plain, html }) {
    const give = (event) => {
      event.clipboardData.setData("text/plain", plain);
      if (html) event.clipboardData.setData("text/html", html);
      event.preventDefault();
    };
    document.addEventListener("copy", give, { once: true });
    const done = document.execCommand("copy");
    document.removeEventListener("copy", give);
    return done;
  }

  function item({ plain, html }) {
    const as = (text, type) => ({ [type]: new Blob([text], { type }) });
    return new ClipboardItem({ ...as(plain, "text/plain"), ...(html ? as(html, "text/html") : {}) });
  }

  async function copy(said) {
    // Browsers lend the clipboard to secure addresses only; the older way works everywhere.
    if (!navigator.clipboard?.write || !window.ClipboardItem) return copyOld(said);
    try {
      await navigator.clipboard.write([item(said)]);
      return true;
    } catch {
      return copyOld(said);
    }
  }

  function tell(button, text) {
    const label = button.querySelector("span");
    button.dataset.label ??= label.textContent;
    label.textContent = text;
    const news = document.getElementById("news");
    if (news) news.textContent = text;
    clearTimeout(Number(button.dataset.timer));
    button.dataset.timer = setTimeout(() => {
      label.textContent = button.dataset.label;
      if (news?.textContent === text) news.textContent = "";
    }, SAID_FOR);
  }

  async function copyAndTell(button, said) {
    tell(button, (await copy(said)) ? button.dataset.copied : button.dataset.failed);
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-copy], [data-copy-from]");
    if (!button) return;
    const field = "copyFrom" in button.dataset ? document.getElementById(button.dataset.copyFrom) : null;
    // Where nothing can be copied, what to copy by hand is selected.
    field?.select();
    copyAndTell(button, { plain: field ? field.value : button.dataset.copy });
  });
  document.addEventListener("copy:text", (event) => copyAndTell(event.target, event.detail));
})();
