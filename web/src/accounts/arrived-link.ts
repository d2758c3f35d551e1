/** What a link in a mail, or a sign-in provider, brought to one of our pages. */
export type ArrivedLink = {
  path: string;
  /** Of a mail of ours. */
  token: string | null;
  token_hash: string | null;
  /** Of a mail of Supabase's own, or of a provider: worth something only in the browser that asked for it. */
  code: string | null;
  /** Supabase has used the link up and tells so in words. */
  message: string | null;
  error: string | null;
};

/** The pages that links lead to. They come before any sign-in, or in place of one. */
const link_paths = new Set([
  '/verify-email',
  '/reset-password',
  '/magic-link',
  '/confirm-email',
  '/auth/callback',
]);

/** Whether a page works without regard to who is signed in; it loads the app anew when it is done. */
export const isLinkPath = (path: string) => link_paths.has(path);

/**
 * Reads what a link brought from an address: in the fragment, which no server and no log sees, or in the query. Supabase
 * leads to the front page where it does not know the page that was asked for; that is then a callback.
 */
export function readArrivedLink(href: string): ArrivedLink | null {
  const { pathname, search, hash } = new URL(href);
  const given = [new URLSearchParams(hash.slice(1)), new URLSearchParams(search)];
  const read = (name: string) => given.map((one) => one.get(name)).find(Boolean) ?? null;
  const found = {
    token: read('token'),
    token_hash: read('token_hash'),
    code: read('code'),
    message: read('message'),
    error: read('error_code') ?? read('error'),
  };
  if (isLinkPath(pathname)) return { path: pathname, ...found };
  if (pathname === '/' && (found.code !== null || found.error !== null)) {
    return { path: '/auth/callback', ...found };
  }
  return null;
}

/** Takes what a link brought out of the address bar and the history, before anything else is done. */
export function takeArrivedLink(): ArrivedLink | null {
  const arrived = readArrivedLink(location.href);
  if (arrived === null) return null;
  history.replaceState(history.state, '', arrived.path);
  // Another link that is pasted over this page changes the fragment only.
  addEventListener('hashchange', () => {
    if (isLinkPath(location.pathname) && location.hash.length > 1) location.reload();
  });
  return arrived;
}
