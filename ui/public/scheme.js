// Sets the colour scheme before the first paint, so that a dark page does not flash white. A file of its own, because the
// Content-Security-Policy allows no inline script. The key and the attribute are those of app/theme.ts.
(() => {
  let mode = null;
  try {
    mode = localStorage.getItem('funnelai.scheme');
  } catch {
    // Storage may be forbidden; then the system's scheme holds.
  }
  const dark = mode === 'dark' || (mode !== 'light' && matchMedia('(prefers-color-scheme: dark)').matches);
  document.documentElement.setAttribute('data-scheme', dark ? 'dark' : 'light');
})();
