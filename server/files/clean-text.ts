/** PostgreSQL refuses NUL; other control characters and halves of characters help nobody. */
export function cleanText(text: string): string {
  return (
    text
      .replace(/\r\n?|[\v\f\u0085\u2028\u2029]/g, '\n')
      // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the ones to remove
      .replace(/[\0-\x08\x0e-\x1f\x7f-\x9f\ufeff]/g, '')
      .toWellFormed()
      .trim()
  );
}

/** How many words a text has; a character of a script without spaces counts as one. */
export function countWords(text: string): number {
  const word = /[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}]|[\p{L}\p{N}][\p{L}\p{N}\p{M}'’-]*/gu;
  let words = 0;
  while (word.exec(text)) words++;
  return words;
}
