import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import * as accounts from '../../server/accounts/queries.ts';
import * as turns from '../../server/chat/queries.ts';
import * as chats from '../../server/chat/session-queries.ts';
import * as files from '../../server/files/queries.ts';
import * as library from '../../server/knowledge/library-queries.ts';
import * as knowledge from '../../server/knowledge/queries.ts';
import * as stores from '../../server/knowledge/vector-store-queries.ts';
import { createDatabase, type Database } from '../../server/platform/database.ts';
import { newId } from '../../web/src/platform/new-id.ts';
import { beginInput, finishInput } from './hot-queries.ts';

type Chat = {
  auth_id: string;
  user_id: string;
  session_id: string;
  conversation_id: string;
  store_id: string;
  file_id: string;
  original_id: string;
  passage_id: string;
};

/**
 * Runs every query of the server's on a member's rows in a filled database, for chats with files, and deletes the chats
 * and a member. Returns what the indexes that were not looked into are called, are for and take.
 */
export async function listUnusedIndexes(pool: pg.Pool): Promise<string[][]> {
  const { rows: found } = await pool.query<Chat>(`
    select distinct on (profiles.id) auth_id, profiles.id as user_id, chat_files.session_id,
      thread_id as conversation_id, vector_store_id as store_id, chat_files.id as file_id, chat_files.original_id,
      file_passages.id as passage_id
    from public.profiles
    join public.chat_files on chat_files.user_id = profiles.id
    join public.chat_sessions on chat_sessions.id = session_id
    join public.file_passages on file_passages.original_id = chat_files.original_id
    where profiles.email <> 'member-0@example.org'
    order by profiles.id limit 8
  `);
  await pool.query('select pg_stat_reset()');
  const database = createDatabase(pool);
  for (const chat of found) {
    await queryChat(database, chat);
    await queryFiles(database, chat);
    await chats.deleteChatSession(database, chat.auth_id, chat.session_id);
  }
  await pool.query('delete from auth.users where id = $1', [found[0]!.auth_id]);
  for (const { id, kind, external_id } of await accounts.listDueErasures(database, ['profile'], 10)) {
    if (kind === 'profile') await accounts.deleteClosedProfile(database, external_id);
    await accounts.postponeErasure(database, id);
    await accounts.deleteErasure(database, id);
  }
  await pool.query('select pg_stat_force_next_flush()');
  const { rows } = await pool.query<{ name: string; kind: string; size: string }>(`
    select indexrelid::regclass::text as name,
      case when indisprimary then 'the key' when indisunique then 'keeps one of a kind'
        when exists (
          select from pg_constraint where contype = 'f' and conrelid = indrelid and conkey[1] = indkey[0]
        ) then 'behind a foreign key' else '' end as kind,
      round(pg_relation_size(indexrelid) / 1e6, 1)::text as size
    from pg_stat_user_indexes join pg_index using (indexrelid)
    where schemaname = 'public' and idx_scan = 0
    order by 2, 1
  `);
  return rows.map(({ name, kind, size }) => [name, kind, size]);
}

async function queryChat(database: Database, chat: Chat) {
  const { auth_id, user_id, session_id } = chat;
  await accounts.findProfile(database, auth_id);
  const page = await chats.listChatSessions(database, auth_id, { limit: 10, after: undefined });
  await chats.listChatSessions(database, auth_id, { limit: 10, after: page.at(-1) });
  await chats.findChatSession(database, auth_id, session_id);
  await chats.renameChatSession(database, auth_id, session_id, 'Another title');
  const messages = await chats.listMessages(database, auth_id, session_id, { limit: 5, before: undefined });
  await chats.listMessages(database, auth_id, session_id, { limit: 5, before: messages.at(-1) });
  for (const status of ['done', 'failed'] as const) {
    const turn_id = newId();
    await turns.beginTurn(database, { ...beginInput(chat), turn_id, with_history: true });
    await turns.checkpointTurns(database, [{ id: turn_id, reply: 'So far' }]);
    const conversation_id = `conv_${newId()}`;
    await turns.setConversation(database, { user_id, session_id, turn_id, conversation_id });
    await turns.requestStop(database, auth_id, turn_id);
    await turns.failAbandonedTurns(database, 60_000, []);
    await turns.findTurn(database, auth_id, turn_id);
    const error_code = status === 'failed' ? 'model_failed' : null;
    await turns.finishTurn(database, { ...finishInput(chat), turn_id, status, error_code });
    await turns.findTurn(database, auth_id, turn_id);
  }
  await turns.getHistory(database, messages[0]!.id);
}

async function queryFiles(database: Database, chat: Chat) {
  const { auth_id, user_id, session_id, file_id, original_id } = chat;
  await files.findUploader(database, auth_id);
  await files.findStoredFile(database, auth_id, file_id);
  await files.findStoredOriginal(database, auth_id, original_id);
  const page = { limit: 51, after: undefined, has_stores: true };
  await library.listLibrary(database, auth_id, { ...page, words: [] });
  await library.listLibrary(database, auth_id, { ...page, words: ['notes'] });
  await library.findLibraryFile(database, auth_id, original_id, true);
  await library.findPreview(database, auth_id, original_id, 20_000);
  for (const is_sent of [true, false]) {
    const upload = { file_id: randomUUID(), original_id: randomUUID() };
    const passages_json = Buffer.from(JSON.stringify([{ ordinal: 0, page: null, content: 'A few words' }]));
    const storage_key = `${user_id}/${upload.original_id}`;
    const kind = {
      file_name: 'a.txt',
      file_type: 'text/plain',
      size_bytes: 9,
      kind: 'document' as const,
      language: 'english',
      width: null,
      height: null,
      page_count: null,
      word_count: 3,
    };
    await files.insertFile(database, user_id, 'draft', { ...upload, ...kind, storage_key, passages_json });
    await files.listForgottenFiles(database, 10);
    if (!is_sent) await files.deletePendingFile(database, user_id, upload.file_id);
    else {
      const turn_id = newId();
      await turns.beginTurn(database, { ...beginInput(chat), turn_id, file_ids: [upload.file_id] });
      await turns.finishTurn(database, { ...finishInput(chat), turn_id });
    }
  }
  await knowledge.searchPassages(database, { user_id, session_id, query: 'the first line', limit: 6 });
  const words = { retrieved: 'the first line', said: 'line' };
  await knowledge.listLikelyPassages(database, { user_id, file_id, ...words, limit: 3 });
  await knowledge.findPassage(database, auth_id, file_id, chat.passage_id);
  await knowledge.getDocumentText(database, user_id, original_id);
  await queryStores(database, chat);
}

/** A store's whole life. */
async function queryStores(database: Database, { user_id, session_id, original_id, store_id }: Chat) {
  const place = { user_id, session_id };
  const token = randomUUID();
  const complaint = { store_id, revision: 0, what: 'gone' as const };
  const claim = await stores.claimVectorStore(database, place, {
    name: 'Files',
    token,
    complaint,
    at_once: true,
  });
  if (claim.outcome !== 'claimed') throw new Error(`the store was not claimed: ${claim.outcome}`);
  const held = { id: claim.id, token };
  await stores.recordVectorStore(database, held, `vs_${newId()}`);
  const upload_id = await stores.insertUpload(database, { name_hash: 'a', size_bytes: 1 });
  const openai_file_id = `file-${newId()}`;
  await stores.recordOpenAIFile(database, held, { original_id, openai_file_id, upload_id });
  await stores.advanceVectorStore(database, held, { indexed: [original_id] });
  await stores.finishVectorStore(database, held, { done: new Date(Date.now() + 86_400_000) });
  await stores.listUnfinishedPlaces(database, 10);
  await stores.expireVectorStores(database);
  await stores.listActiveVectorStores(database, null, 10);
  await stores.isOpenAIFileUsed(database, openai_file_id);
  await stores.isVectorStoreUsed(database, store_id);
  await stores.noteOrphans(database, 'openai_file', [openai_file_id]);
  await stores.listLostUploads(database, 10);
}
