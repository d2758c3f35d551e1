/**
 * Splits a passage around the words that were cited from it. White space may differ, because a model
 * quotes a line-broken text in one line. Null when the quote does not stand in the passage.
 */
export function markQuote(content: string, quote: string | null) {
  const words = quote?.trim().split(/\s+/).filter(Boolean) ?? [];
  if (words.length === 0) return null;
  const pattern = words.map((word) => word.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('\\s+');
  const match = new RegExp(pattern, 'i').exec(content);
  if (match === null) return null;
  return {
    before: content.slice(0, match.index),
    quote: match[0],
    after: content.slice(match.index + match[0].length),
  };
}
