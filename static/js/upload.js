// Uploads: files dropped anywhere on the page or chosen, each sent on its own with its own bar and its own answer.
(() => {
  const form = document.querySelector("[data-upload]");
  const AT_ONCE = 2;
  const FORGET_AFTER = 4000;

  // The list asks again and again while something is in work; once it is refused (signed out, right taken away),
  // the whole page says so better than a part of it.
  document.addEventListener("htmx:beforeSwap", (event) => {
    if (event.detail.target.id !== "documents") return;
    const page = new URL(event.detail.xhr.responseURL).pathname;
    if (event.detail.xhr.status !== 200 || !page.includes("/documents/")) location.reload();
  });
  // Said from a place that stays, since what is swapped in is not always read out.
  document.addEventListener("htmx:afterSwap", () => {
    const { said } = document.querySelector("#documents").dataset;
    const status = document.querySelector("#documents-status");
    if (status.textContent !== said) status.textContent = said;
  });
  if (!form) return;

  const input = form.querySelector("input[type=file]");
  const list = document.querySelector("[data-upload-files]");
  const template = document.querySelector("[data-upload-row]");
  const veil = document.querySelector("[data-drop-veil]");
  const endings = form.dataset.endings.split(",");
  const waiting = [];
  let running = 0;

  function size(bytes) {
    const units = ["byte", "kilobyte", "megabyte", "gigabyte"];
    let value = bytes;
    let unit = 0;
    for (; value >= 1024 && unit < units.length - 1; unit += 1) value /= 1024;
    const format = { style: "unit", unit: units[unit], maximumFractionDigits: 1 };
    return new Intl.NumberFormat(document.documentElement.lang || "en", format).format(value);
  }

  function addRow(name, bytes) {
    const row = template.content.firstElementChild.cloneNode(true);
    row.querySelector("[data-name]").textContent = name;
    row.querySelector("[data-size]").textContent = bytes === null ? "" : size(bytes);
    row.querySelector("[data-forget]").addEventListener("click", () => row.remove());
    list.append(row);
    return row;
  }

  const say = (row, sentence) => {
    row.querySelector("[data-said]").textContent = sentence;
  };

  function settle(row, sentence, accepted) {
    say(row, sentence);
    row.classList.add(accepted ? "is-done" : "is-refused");
    row.querySelector("[data-forget]").hidden = false;
    if (accepted) setTimeout(() => row.remove(), FORGET_AFTER);
  }

  // What can be known before a byte is sent.
  function objection(file) {
    const ending = file.name.slice(file.name.lastIndexOf(".")).toLowerCase();
    if (!endings.includes(ending)) return form.dataset.unsupported;
    if (file.size > Number(form.dataset.maxBytes)) return form.dataset.tooLarge;
    return file.size ? "" : form.dataset.empty;
  }

  function send(file, row) {
    const request = new XMLHttpRequest();
    const bar = row.querySelector("progress");
    const body = new FormData();
    body.append("csrfmiddlewaretoken", form.elements.csrfmiddlewaretoken.value);
    if (form.elements.classification) body.append("classification", form.elements.classification.value);
    body.append("files", file);
    say(row, form.dataset.sending);
    request.upload.addEventListener("progress", (event) => {
      if (event.lengthComputable) bar.value = (100 * event.loaded) / event.total;
    });
    request.upload.addEventListener("load", () => {
      // All bytes sent does not mean stored.
      bar.removeAttribute("value");
      say(row, form.dataset.storing);
    });
    request.addEventListener("error", () => settle(row, form.dataset.unreachable, false));
    request.addEventListener("load", () => {
      const answer = request.status === 200 ? request.response?.files?.[0] : null;
      if (!answer) settle(row, request.status === 507 ? form.dataset.full : form.dataset.refused, false);
      else settle(row, answer.error ?? answer.sentence, !answer.error);
    });
    request.addEventListener("loadend", () => {
      running -= 1;
      htmx.trigger("#documents", "documents:changed");
      next();
    });
    request.open("POST", form.action);
    request.responseType = "json";
    request.setRequestHeader("Accept", "application/json");
    request.send(body);
  }

  function next() {
    while (running < AT_ONCE && waiting.length) {
      running += 1;
      send(...waiting.shift());
    }
  }

  function add(files) {
    for (const file of files) {
      const row = addRow(file.name, file.size);
      const problem = objection(file);
      if (problem) settle(row, problem, false);
      else {
        say(row, form.dataset.waiting);
        waiting.push([file, row]);
      }
    }
    next();
  }

  input.addEventListener("change", () => {
    add([...input.files]);
    form.reset();
  });
  form.addEventListener("submit", (event) => event.preventDefault());

  // --- Dropping anywhere on the page ------------------------------------------------------------------------
  const carriesFiles = (event) => event.dataTransfer?.types.includes("Files");
  let depth = 0;
  const show = (shown) => {
    veil.hidden = !shown;
  };
  addEventListener("dragenter", (event) => {
    if (!carriesFiles(event)) return;
    event.preventDefault();
    depth += 1;
    show(true);
  });
  addEventListener("dragleave", (event) => {
    if (!carriesFiles(event)) return;
    depth -= 1;
    if (depth <= 0) show(false);
  });
  addEventListener("dragover", (event) => {
    if (carriesFiles(event)) event.preventDefault();
  });
  addEventListener("drop", (event) => {
    if (!carriesFiles(event)) return;
    event.preventDefault();
    depth = 0;
    show(false);
    const items = [...event.dataTransfer.items].filter((item) => item.kind === "file");
    const folders = items.map((item) => item.webkitGetAsEntry?.()).filter((entry) => entry?.isDirectory);
    for (const folder of folders) settle(addRow(folder.name, null), form.dataset.folder, false);
    const names = new Set(folders.map((folder) => folder.name));
    add([...event.dataTransfer.files].filter((file) => !names.has(file.name)));
  });
  addEventListener("beforeunload", (event) => {
    if (running) event.preventDefault();
  });
})();
