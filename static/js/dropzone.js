// Drag and drop, the list of chosen files and the upload's progress for _parts/dropzone.html.
(() => {
  const zoneOf = (event) => event.target.closest?.("[data-dropzone]");

  function size(bytes) {
    const units = ["kilobyte", "megabyte", "gigabyte"];
    let value = bytes / 1000;
    let unit = 0;
    while (value >= 1000 && unit < units.length - 1) {
      value /= 1000;
      unit += 1;
    }
    const format = { style: "unit", unit: units[unit], maximumFractionDigits: value < 10 ? 1 : 0 };
    return new Intl.NumberFormat(document.documentElement.lang || "en", format).format(value);
  }

  function listFiles(zone) {
    const rows = [...zone.querySelector("input[type=file]").files].map((file) => {
      const row = document.createElement("li");
      const name = document.createElement("span");
      const weight = document.createElement("span");
      name.className = "clip";
      name.textContent = file.name;
      weight.className = "faint number";
      weight.textContent = size(file.size);
      row.append(name, weight);
      return row;
    });
    zone.querySelector("[data-dropzone-files]").replaceChildren(...rows);
    zone.classList.toggle("has-files", rows.length > 0);
  }

  document.addEventListener("dragover", (event) => {
    const zone = zoneOf(event);
    if (!zone) return;
    event.preventDefault();
    zone.classList.add("is-over");
  });

  document.addEventListener("dragleave", (event) => {
    const zone = zoneOf(event);
    if (zone && !zone.contains(event.relatedTarget)) zone.classList.remove("is-over");
  });

  document.addEventListener("drop", (event) => {
    const zone = zoneOf(event);
    if (!zone) return;
    event.preventDefault();
    zone.classList.remove("is-over");
    if (!event.dataTransfer.files.length) return;
    zone.querySelector("input[type=file]").files = event.dataTransfer.files;
    listFiles(zone);
  });

  document.addEventListener("change", (event) => {
    const zone = zoneOf(event);
    if (zone && event.target.type === "file") listFiles(zone);
  });

  document.addEventListener("htmx:afterRequest", (event) => {
    const zone = zoneOf(event);
    if (zone) zone.querySelector("[data-dropzone-progress]").hidden = true;
  });

  document.addEventListener("htmx:xhr:progress", (event) => {
    const zone = zoneOf(event);
    if (!zone || !event.detail.lengthComputable) return;
    const box = zone.querySelector("[data-dropzone-progress]");
    box.hidden = false;
    const bar = box.querySelector("progress");
    // All bytes sent does not mean stored: the bar then shows that the server is at work.
    if (event.detail.loaded >= event.detail.total) bar.removeAttribute("value");
    else bar.value = (100 * event.detail.loaded) / event.detail.total;
  });
})();
