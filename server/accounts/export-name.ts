/** Bytes in UTF-8: file systems take 255, and a number or an extension may follow. */
const most_bytes = 150;

const reserved = /^(con|prn|aux|nul|com\d|lpt\d)$/i;

/**
 * A file's name in an export that every file system takes, Windows' too: somebody's words without folders, control
 * characters and marks of direction, then the first 8 characters of the row's id. `extension`: without the dot; empty: none.
 */
export function exportName(words: string, { id, extension }: { id: string; extension: string }): string {
  const cleaned = words
    .toWellFormed()
    .normalize('NFC')
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\ufffd]/gu, ' ')
    .replace(/[<>:"/\\|?*]/g, ' ')
    .replace(/\s+/g, ' ')
    .trim();
  const stem = cutToBytes(cleaned, most_bytes).replace(/^[. ]+|[. ]+$/g, '');
  const named = stem === '' || reserved.test(stem) ? `untitled ${stem}`.trim() : stem;
  // The id stands behind it, so a name of Windows' own cannot come about, and two of the same name stay two.
  const suffix = extension.replace(/[^A-Za-z0-9]/g, '').slice(0, 16);
  return `${named}-${id.slice(0, 8)}${suffix ? `.${suffix}` : ''}`;
}

/** Makes the paths of one export differ, also where capitals are not told apart. */
export function createUniquePaths(): (path: string) => string {
  const taken = new Set<string>();
  return (path) => {
    const dot = path.lastIndexOf('.');
    const end = dot > path.lastIndexOf('/') ? dot : path.length;
    let unique = path;
    for (let number = 2; taken.has(unique.toLowerCase()); number++) {
      unique = `${path.slice(0, end)}-${number}${path.slice(end)}`;
    }
    taken.add(unique.toLowerCase());
    return unique;
  };
}

function cutToBytes(text: string, bytes: number) {
  let kept = '';
  let length = 0;
  for (const { segment } of new Intl.Segmenter('en').segment(text)) {
    length += Buffer.byteLength(segment);
    if (length > bytes) break;
    kept += segment;
  }
  return kept;
}
