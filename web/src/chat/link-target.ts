/** Where a link leads, as a reader can judge it: the host, or every mail address. Null for what is no outward link. */
export function linkTarget(href: string | undefined) {
  if (href === undefined) return null;
  try {
    const url = new URL(href);
    if (url.protocol === 'mailto:') return recipients(url).join(', ');
    return url.protocol === 'https:' || url.protocol === 'http:' ? url.host.replace(/^www\./, '') : null;
  } catch {
    return null;
  }
}

/** Whom a mail would go to: copies are asked for behind the address. */
function recipients({ pathname, searchParams }: URL) {
  const copies = [...searchParams].filter(([name]) => /^(to|cc|bcc)$/i.test(name)).map(([, to]) => to);
  return [decodeURIComponent(pathname), ...copies].filter(Boolean);
}

/**
 * Whether a link's words are its target, alone or with a path behind it. That it stands somewhere in them is not
 * enough: `t.co` stands in `microsoft.com`. Letters that look like others or turn the line round are not taken.
 */
export function tellsTarget(words: string, target: string) {
  const plain = words.replace(/^mailto:/i, '');
  if (plain === target) return !/[^!-~]/.test(plain);
  const host = /^(?:https?:\/\/)?(?:www\.)?([a-z0-9.:-]+)(?:[/?#][!-~]*)?$/i.exec(words)?.[1];
  return host?.toLowerCase() === target;
}
