// Uploads: files and folders dropped anywhere on the page or chosen, each file sent on its own with its own bar and its
// own answer. A folder's files keep their path in it; hidden ones are left out, which is said.
(() => {
  const form = document.querySelector("[data-upload]");
  const AT_ONCE = 2;
  const FORGET_AFTER = 4000;
  const KEPT = 5;
  const NAMED = 5;

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

  const input = form.querySelector("input[name=files]");
  const folderInput = form.querySelector("[data-upload-folder]");
  const list = document.querySelector("[data-upload-files]");
  const template = document.querySelector("[data-upload-row]");
  const veil = document.querySelector("[data-drop-veil]");
  const endings = form.dataset.endings.split(",");
  const waiting = [];
  let running = 0;
  let rest = null;

  function size(bytes) {
    const units = ["byte", "kilobyte", "megabyte", "gigabyte"];
    let value = bytes;
    let unit = 0;
    for (; value >= 1024 && unit < units.length - 1; unit += 1) value /= 1024;
    const unitDisplay = unit ? "short" : "long";
    const format = { style: "unit", unit: units[unit], unitDisplay, maximumFractionDigits: 1 };
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

  // `url`: where the document is that the file has become; empty when it was refused.
  function settle(row, sentence, url = "") {
    say(row, sentence);
    row.classList.add(url ? "is-done" : "is-refused");
    row.querySelector("[data-forget]").hidden = false;
    if (!url) return;
    const name = row.querySelector("[data-name]");
    const link = document.createElement("a");
    link.href = url;
    link.textContent = name.textContent;
    name.replaceChildren(link);
    // The list below is in order of titles, so the last ones stay here, where they are seen; of a whole folder some.
    setTimeout(() => {
      if (list.querySelectorAll(".is-done").length > KEPT) row.remove();
    }, FORGET_AFTER);
  }

  // What can be known before a byte is sent.
  function objection(file) {
    const ending = file.name.slice(file.name.lastIndexOf(".")).toLowerCase();
    if (!endings.includes(ending)) return form.dataset.unsupported;
    if (file.size > Number(form.dataset.maxBytes)) return form.dataset.tooLarge;
    return file.size ? "" : form.dataset.empty;
  }

  function send({ file, path, classification }) {
    const row = addRow(path, file.size);
    const request = new XMLHttpRequest();
    const bar = row.querySelector("progress");
    const body = new FormData();
    body.append("csrfmiddlewaretoken", form.elements.csrfmiddlewaretoken.value);
    if (classification) body.append("classification", classification);
    if (form.elements.folder) body.append("folder", form.elements.folder.value);
    body.append("paths", path);
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
    request.addEventListener("error", () => settle(row, form.dataset.unreachable));
    request.addEventListener("load", () => {
      const answer = request.status === 200 ? request.response?.files?.[0] : null;
      if (!answer) settle(row, request.status === 507 ? form.dataset.full : form.dataset.refused);
      else settle(row, answer.error ?? answer.sentence, answer.url);
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
      send(waiting.shift());
    }
    sayRest();
  }

  // One row for all that wait: a folder may hold thousands.
  function sayRest() {
    rest?.remove();
    rest = null;
    if (!waiting.length) return;
    rest = addRow(`${form.dataset.waiting}: ${new Intl.NumberFormat(document.documentElement.lang || "en").format(waiting.length)}`, null);
    rest.querySelector("progress").hidden = true;
  }

  // `found` holds files with their paths. The classification is the one chosen now, whenever they are sent.
  function add(found) {
    const classification = form.elements.classification?.value;
    const hidden = [];
    for (const { file, path } of found) {
      const inFolder = path.includes("/");
      if (inFolder && path.split("/").some((part) => part.startsWith("."))) {
        hidden.push(path);
        continue;
      }
      const problem = objection(file);
      if (problem) settle(addRow(path, file.size), problem);
      else waiting.push({ file, path, classification });
    }
    if (hidden.length) {
      const more = hidden.length > NAMED ? ", …" : "";
      settle(addRow(`${form.dataset.hidden} ${hidden.length}`, null), hidden.slice(0, NAMED).join(", ") + more);
    }
    next();
  }

  const plain = (file) => ({ file, path: file.webkitRelativePath || file.name });
  for (const chooser of [input, folderInput]) {
    chooser.addEventListener("change", () => {
      add([...chooser.files].map(plain));
      // Not the whole form: what waits was given the classification that stands there.
      chooser.value = "";
    });
  }
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
    // Asked for at once: after this event the list of items is empty.
    const entries = items.map((item) => item.webkitGetAsEntry?.());
    const folders = entries.filter((entry) => entry?.isDirectory);
    add(items.filter((item, number) => !entries[number]?.isDirectory).map((item) => plain(item.getAsFile())));
    for (const folder of folders) addFolder(folder);
  });
  addEventListener("beforeunload", (event) => {
    if (running) event.preventDefault();
  });

  async function addFolder(folder) {
    const found = [];
    const read = (ask) => new Promise((done, failed) => ask(done, failed));
    async function look(entry) {
      const path = entry.fullPath.slice(1);
      if (entry.isDirectory && entry.name.startsWith(".")) {
        // Not looked into: the history of a repository may be larger than all there is to read.
        found.push({ file: null, path: `${path}/` });
        return;
      }
      try {
        if (entry.isFile) {
          found.push({ file: await read((done, failed) => entry.file(done, failed)), path });
          return;
        }
        const reader = entry.createReader();
        // It gives a hundred at a time, and none at the end.
        for (;;) {
          const some = await read((done, failed) => reader.readEntries(done, failed));
          if (!some.length) return;
          for (const each of some) await look(each);
        }
      } catch {
        settle(addRow(path, null), form.dataset.unread);
      }
    }
    await look(folder);
    if (found.length) add(found);
    else settle(addRow(folder.name, null), form.dataset.noFiles);
  }
})();
