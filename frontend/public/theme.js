// Applies the remembered theme before the first paint. The place of the choice is the one in src/lib/theme.ts.
(function () {
  var chosen;
  try {
    chosen = window.localStorage.getItem("stockwire.theme");
  } catch {
    chosen = null;
  }
  var dark = chosen === "dark" || (chosen !== "light" && window.matchMedia("(prefers-color-scheme: dark)").matches);
  document.documentElement.dataset.theme = dark ? "dark" : "light";
})();
