/**
 * The files that are pasted, and no others: a table or a text that is copied in an office program comes as words and as a
 * picture of them, and the words are what is meant.
 */
export function pastedFiles(clipboard: Pick<DataTransfer, 'files' | 'getData'> | null): File[] {
  if (clipboard === null || clipboard.getData('text/plain') !== '') return [];
  return [...clipboard.files];
}
