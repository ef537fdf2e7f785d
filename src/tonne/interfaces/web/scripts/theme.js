// Runs before the first paint: says that scripts work, and picks light or dark where the person follows the system.
(() => {
  const page = document.documentElement;
  page.dataset.script = "on";
  let look = page.dataset.look || "auto";
  // The cookie is what the server went by. Where it is gone, the device may still remember.
  if (!/(^|; )theme=/.test(document.cookie) && look === "auto") {
    try { look = localStorage.getItem("theme") || look; } catch { /* storage may be shut off: the server's word stands */ }
  }
  page.dataset.look = look;
  const dark = look === "dark" || (look === "auto" && matchMedia("(prefers-color-scheme: dark)").matches);
  page.dataset.bsTheme = dark ? "dark" : "light";
})();
