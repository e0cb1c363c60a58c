// Says in the page what django-allauth's passkey scripts only announce: the passkey was not used.
(() => {
  "use strict";
  document.addEventListener("allauth.error", (event) => {
    const told = document.getElementById("passkey-failed");
    if (!told) return;
    event.preventDefault();
    told.hidden = false;
  });
})();
