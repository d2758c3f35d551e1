/** Where a link leads, as a reader can judge it: the host, or the mail address. Null for what is no outward link. */
export function linkTarget(href: string | undefined) {
  if (href === undefined) return null;
  try {
    const url = new URL(href);
    if (url.protocol === 'mailto:') return decodeURIComponent(url.pathname);
    return url.protocol === 'https:' || url.protocol === 'http:' ? url.host.replace(/^www\./, '') : null;
  } catch {
    return null;
  }
}
