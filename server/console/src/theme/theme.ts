/** The three choices of the theme. */
export const THEMES = ['light', 'dark', 'system'] as const;
export type Theme = (typeof THEMES)[number];

/** The same key is read by public/theme.js before the first paint. */
const KEY = 'curfew-theme';

/** What this browser's user has chosen. */
export function storedTheme(): Theme {
  try {
    const choice = localStorage.getItem(KEY);
    return THEMES.find((theme) => theme === choice) ?? 'system';
  } catch {
    return 'system';
  }
}

/** Keeps the choice and shows it. */
export function chooseTheme(theme: Theme): void {
  try {
    localStorage.setItem(KEY, theme);
  } catch {
    // No storage: it lasts as long as the page.
  }
  showTheme(theme);
}

/** Shows the theme, and follows the system's while that is the choice. */
export function showTheme(theme: Theme): void {
  const dark = theme === 'dark' || (theme === 'system' && systemIsDark().matches);
  document.documentElement.classList.toggle('pf-v6-theme-dark', dark);
}

/** The system's own choice. */
export const systemIsDark = (): MediaQueryList => matchMedia('(prefers-color-scheme: dark)');
