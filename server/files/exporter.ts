import { extname } from 'node:path';
import type { Exporter } from '../accounts/export.ts';
import { exportName } from '../accounts/export-name.ts';
import type { Database } from '../platform/database.ts';
import type { Storage } from '../platform/storage.ts';
import { countOriginals, listOriginals } from './queries.ts';

/** Where a file lies in an export, by its original: chats refer to it. */
export function exportedFilePath(original_id: string, file_name: string): string {
  const extension = extname(file_name);
  const words = extension ? file_name.slice(0, -extension.length) : file_name;
  return `files/${exportName(words, { id: original_id, extension })}`;
}

const page_size = 100;

/** A member's files as they were uploaded, each once. */
export function fileExporter(database: Database, storage: Storage): Exporter {
  return {
    describe: ['files/            your files as you uploaded them'],
    count: (user_id) => countOriginals(database, user_id),
    async *entries(user_id) {
      let after: string | undefined;
      do {
        const originals = await listOriginals(database, user_id, { after, limit: page_size });
        for (const original of originals) {
          yield {
            path: exportedFilePath(original.id, original.file_name),
            content: () => storage.findStream(original.storage_key),
            modified_at: original.created_at,
            is_compressed: !original.file_type.startsWith('text/'),
          };
        }
        after = originals.length === page_size ? originals.at(-1)!.id : undefined;
      } while (after);
    },
  };
}
