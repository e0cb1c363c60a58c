// What every portal page can do: appearance, dialogs, side panel, menus, toasts, shortcuts.
// All listeners sit on the document, so that they survive htmx replacing the body.
(() => {
  const root = document.documentElement;
  const byId = (id) => document.getElementById(id);

  // --- Appearance -------------------------------------------------------------------------------------------
  function showTheme() {
    for (const button of document.querySelectorAll("[data-theme-choice]")) {
      button.setAttribute("aria-pressed", String(button.dataset.themeChoice === (root.dataset.theme ?? "")));
    }
  }

  function chooseTheme(choice) {
    if (choice) root.dataset.theme = choice;
    else delete root.dataset.theme;
    try {
      if (choice) localStorage.setItem("theme", choice);
      else localStorage.removeItem("theme");
    } catch {
      // The choice then lasts as long as the page.
    }
    showTheme();
  }

  // --- Side panel -------------------------------------------------------------------------------------------
  let panelOpener = null;

  function openPanel(opener) {
    const panel = byId("panel");
    panelOpener = opener ?? document.activeElement;
    panel.hidden = false;
    panel.focus({ preventScroll: true });
  }

  function closePanel() {
    const panel = byId("panel");
    if (panel.hidden) return false;
    panel.hidden = true;
    for (const chip of document.querySelectorAll(".cite[aria-current]")) chip.removeAttribute("aria-current");
    if (panelOpener?.isConnected) panelOpener.focus({ preventScroll: true });
    return true;
  }

  // --- Toasts -----------------------------------------------------------------------------------------------
  const PASSING_AFTER = 8000;

  function watchToast(toast) {
    if (!("passing" in toast.dataset)) return;
    setTimeout(function leave() {
      // A toast that is being read stays.
      if (toast.matches(":hover, :focus-within")) setTimeout(leave, PASSING_AFTER);
      else toast.remove();
    }, PASSING_AFTER);
  }

  function showFailure(text) {
    // A page that polls fails again and again; saying it once is enough.
    if ([...byId("toasts").querySelectorAll("p")].some((said) => said.textContent === text)) return;
    const toast = byId("toast-template").content.firstElementChild.cloneNode(true);
    toast.querySelector("p").textContent = text;
    byId("toasts").append(toast);
  }

  // --- Clicks and keys --------------------------------------------------------------------------------------
  document.addEventListener("click", (event) => {
    const target = event.target.closest(
      "[data-theme-choice], [data-dismiss], [data-dialog], [data-dialog-close], [data-panel-close]",
    );
    for (const menu of document.querySelectorAll("details.menu[open]")) {
      if (!menu.contains(event.target)) menu.open = false;
    }
    if (!target) return;
    if ("themeChoice" in target.dataset) chooseTheme(target.dataset.themeChoice);
    if ("dismiss" in target.dataset) target.closest(".toast").remove();
    if ("panelClose" in target.dataset) closePanel();
    if ("dialog" in target.dataset) {
      event.preventDefault();
      byId(target.getAttribute("href").slice(1)).showModal();
    }
    if ("dialogClose" in target.dataset) {
      const dialog = target.closest("dialog");
      if (!dialog.open) return; // Shown through :target; the link itself closes it.
      event.preventDefault();
      dialog.close();
    }
  });

  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !document.querySelector("dialog[open]")) {
      const menu = document.querySelector("details.menu[open]");
      if (menu) {
        menu.open = false;
        menu.querySelector("summary").focus();
      } else {
        closePanel();
      }
      return;
    }
    const typing = event.target.closest("input, textarea, select, [contenteditable]");
    if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
    const wanted = [...document.querySelectorAll("[data-hotkey]")].find((el) => el.dataset.hotkey === event.key);
    if (!wanted) return;
    event.preventDefault();
    wanted.focus();
  });

  // --- htmx -------------------------------------------------------------------------------------------------
  document.addEventListener("htmx:afterSwap", (event) => {
    showTheme();
    if (event.detail.target.id !== "panel-body") return;
    const opener = event.detail.requestConfig?.elt;
    for (const chip of document.querySelectorAll(".cite[aria-current]")) chip.removeAttribute("aria-current");
    if (opener?.matches(".cite")) opener.setAttribute("aria-current", "true");
    openPanel(opener);
  });
  // A session that ended answers with the sign-in page, which must not appear inside a panel.
  document.addEventListener("htmx:beforeSwap", (event) => {
    const address = event.detail.xhr.responseURL;
    if (!address || new URL(address).pathname !== document.body.dataset.signIn) return;
    event.detail.shouldSwap = false;
    location.reload();
  });
  document.addEventListener("htmx:responseError", () => showFailure(byId("toasts").dataset.refused));
  document.addEventListener("htmx:sendError", () => showFailure(byId("toasts").dataset.unreachable));
  document.addEventListener("htmx:load", (event) => {
    for (const toast of event.target.querySelectorAll?.(".toast") ?? []) watchToast(toast);
  });

  // The drawer exists only on narrow screens; a window made wider must not keep it in the top layer.
  matchMedia("(min-width: 56.01rem)").addEventListener("change", () => {
    const sidebar = byId("sidebar");
    if (sidebar.matches(":popover-open")) sidebar.hidePopover();
  });

  // On a narrow screen the chosen tab may lie beyond the edge of its row.
  function showTab(within) {
    for (const tab of within.querySelectorAll?.('.tabs [aria-current], .tabs [aria-selected="true"]') ?? []) {
      const row = tab.closest(".tabs");
      row.scrollLeft = tab.offsetLeft - row.offsetLeft - (row.clientWidth - tab.offsetWidth) / 2;
    }
  }
  document.addEventListener("htmx:load", (event) => showTab(event.target));

  showTheme();
})();
