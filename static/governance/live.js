// While a draft is edited: what changes, and how each sentence stands, asked of the server when the typing pauses.
(() => {
  const text = document.getElementById("text");
  const live = document.getElementById("live");
  if (!text || !live) return;
  const PAUSE = 600;
  const told = document.getElementById("live-told");
  const changed = document.getElementById("live-difference");
  const stands = document.getElementById("live-sentences");
  const token = text.form.querySelector("[name=csrfmiddlewaretoken]").value;
  let waiting = 0;
  let asked = null;

  const element = (name, words, className) => {
    const made = document.createElement(name);
    made.textContent = words;
    if (className) made.className = className;
    return made;
  };

  const MADE = { added: "ins", removed: "del", same: "span" };
  const drawn = (sentence) => {
    const item = document.createElement("li");
    item.className = "rv-sentence";
    item.dataset.tone = sentence.tone;
    const ground = element("p", sentence.label, "rv-ground");
    ground.dataset.tone = sentence.tone;
    item.append(element("p", sentence.text), ground);
    if (sentence.reasons.length) {
      const why = element("ul", "", "rv-why");
      why.append(...sentence.reasons.map((reason) => element("li", reason)));
      item.append(why);
    }
    return item;
  };

  const show = (found) => {
    const isSame = found.difference.every((piece) => piece.kind === "same");
    told.textContent = found.objection || (isSame ? live.dataset.same : "");
    changed.replaceChildren(...found.difference.map((piece) => element(MADE[piece.kind], piece.text)));
    stands.replaceChildren(...found.sentences.map(drawn));
  };

  const check = async () => {
    asked?.abort();
    asked = new AbortController();
    const body = new URLSearchParams({ text: text.value, was: text.dataset.before });
    try {
      const response = await fetch(text.dataset.check, {
        method: "POST",
        headers: { "X-CSRFToken": token },
        body,
        signal: asked.signal,
      });
      if (!response.ok) throw new Error(String(response.status));
      show(await response.json());
    } catch (error) {
      if (error.name === "AbortError") return;
      // What was shown before is of another text.
      changed.replaceChildren();
      stands.replaceChildren();
      told.textContent = live.dataset.unchecked;
    }
    live.hidden = false;
  };

  text.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(check, PAUSE);
  });
  if (text.value !== text.dataset.before) check();

  // Left by accident, an edit would be gone.
  let isSent = false;
  text.form.addEventListener("submit", () => { isSent = true; });
  addEventListener("beforeunload", (event) => {
    if (!isSent && text.value !== text.defaultValue) event.preventDefault();
  });
})();
