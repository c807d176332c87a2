// Runs before the first paint, so that a dark page never flashes white. Its own file: the page allows no inline script.
(function () {
  let choice = null;
  try {
    choice = localStorage.getItem('curfew-theme');
  } catch {
    // No storage: the system's theme it is.
  }
  const dark = choice === 'dark' || (choice !== 'light' && matchMedia('(prefers-color-scheme: dark)').matches);
  document.documentElement.classList.toggle('pf-v6-theme-dark', dark);
})();
