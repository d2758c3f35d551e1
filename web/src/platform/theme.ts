import { useState } from 'react';

export type Theme = 'system' | 'light' | 'dark';

const storage_key = 'touchline.theme';

function currentTheme(): Theme {
  const chosen = document.documentElement.dataset.theme;
  return chosen === 'light' || chosen === 'dark' ? chosen : 'system';
}

/** The theme and how to change it. The choice is kept in this browser; `public/theme.js` applies it on the next visit. */
export function useTheme() {
  const [theme, setTheme] = useState(currentTheme);
  const choose = (next: Theme) => {
    if (next === 'system') delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = next;
    try {
      if (next === 'system') localStorage.removeItem(storage_key);
      else localStorage.setItem(storage_key, next);
    } catch {
      // Storage may be closed to us; the choice then holds until the page is closed.
    }
    setTheme(next);
  };
  return [theme, choose] as const;
}
