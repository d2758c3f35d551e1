import { safeReturnPath } from './use-return.ts';

const storage_key = 'touchline.return';
const kept_ms = 60 * 60 * 1000;

/** Keeps in this browser where somebody wanted to go, over the way to a mailbox or to another site and back. */
export function keepReturn(next: string | undefined) {
  try {
    if (next === undefined) localStorage.removeItem(storage_key);
    else localStorage.setItem(storage_key, JSON.stringify({ next, until_ms: Date.now() + kept_ms }));
  } catch {
    // Storage may be closed to us; the way then ends at the front page.
  }
}

/** The path that was kept within the last hour, once; else the front page. */
export function takeReturn(): string {
  try {
    const kept = JSON.parse(localStorage.getItem(storage_key) ?? 'null');
    localStorage.removeItem(storage_key);
    return safeReturnPath(kept !== null && kept.until_ms > Date.now() ? kept.next : null);
  } catch {
    return '/';
  }
}
