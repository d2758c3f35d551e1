import { extname } from 'node:path';
import { fileTypes } from './file-types.ts';
import { safeFileName } from './safe-file-name.ts';

/**
 * The safe form of a name that a member gives a file, with an ending of the file's type: without one it could not be opened
 * where it is downloaded, and with another one it would pass for something else.
 */
export function fileNameWithEnding(name: string, file_type: string): string {
  const type = Object.values(fileTypes).find((one) => one.file_type === file_type);
  const safe = safeFileName(name);
  if (!type || type.extensions.some((extension) => extension === extname(safe).toLowerCase())) return safe;
  return safeFileName(`${safe}${type.extensions[0]}`);
}
