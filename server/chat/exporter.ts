import { Readable } from 'node:stream';
import type { Exporter } from '../accounts/export.ts';
import { exportName } from '../accounts/export-name.ts';
import type { Coach } from '../coaches/coach-file.ts';
import type { Database } from '../platform/database.ts';
import { chatAsMarkdown } from './chat-as-markdown.ts';
import {
  countChatSessions,
  type ExportedChat,
  listExportedChats,
  listExportedMessages,
} from './export-queries.ts';

const page_size = 50;

/** A member's chats: each as a text to read, and all of them as one for programs. */
export function chatExporter(database: Database, coaches: Coach[]): Exporter {
  const names = new Map(coaches.map(({ slug, name }) => [slug, name]));

  async function* chats(user_id: string): AsyncGenerator<ExportedChat> {
    let after: string | undefined;
    do {
      const page = await listExportedChats(database, user_id, { after, limit: page_size });
      yield* page;
      after = page.length === page_size ? page.at(-1)!.id : undefined;
    } while (after);
  }

  /** One chat at a time is read, while the ZIP takes it in. */
  async function* asJson(user_id: string) {
    let separator = '[\n';
    for await (const chat of chats(user_id)) {
      const messages = await listExportedMessages(database, user_id, chat.id);
      yield Buffer.from(`${separator}${JSON.stringify({ ...chat, messages }, null, 2)}`);
      separator = ',\n';
    }
    yield Buffer.from(separator === '[\n' ? '[]\n' : '\n]\n');
  }

  return {
    describe: [
      'chats/            your chats, one file each: what you and the coach said, with files and sources',
      'chats.json        the same in one file, with what each reply cost; messages that were replaced have',
      '                  "is_chosen": false',
    ],
    count: async (user_id) => (await countChatSessions(database, user_id)) + 1,
    async *entries(user_id) {
      for await (const chat of chats(user_id)) {
        const messages = await listExportedMessages(database, user_id, chat.id);
        const words = `${chat.created_at.slice(0, 10)}-${chat.title}`;
        yield {
          path: `chats/${exportName(words, { id: chat.id, extension: 'md' })}`,
          content: chatAsMarkdown(chat, messages, names.get(chat.assistant_slug) ?? chat.assistant_slug),
          modified_at: chat.updated_at,
        };
      }
      yield { path: 'chats.json', content: async () => Readable.from(asJson(user_id)) };
    },
  };
}
