import { type BeginInput, beginTurn, type FinishInput, finishTurn } from '../../server/chat/queries.ts';
import { listChatSessions, listMessages } from '../../server/chat/session-queries.ts';
import type { Database } from '../../server/platform/database.ts';
import { newId } from '../../web/src/platform/new-id.ts';
import type { Of, Sample } from './list-samples.ts';

export type HotQuery = {
  name: string;
  /** Runs first, unmeasured. */
  prepare?: (database: Database, sample: Sample, turn_id: string) => Promise<unknown>;
  run: (database: Database, sample: Sample, turn_id: string) => Promise<unknown>;
  /** What must hold afterwards, so that a refusal is not taken for a cheap answer. $1: the turn's id. */
  proof?: string;
  of: Of;
};

/** As the routes ask: one row more than the page, to know whether there is another. */
const sidebar_limit = 31;
const history_limit = 51;

/** A turn of a chat that OpenAI's conversation holds: no history is needed. */
export const beginInput = (chat: { auth_id: string; session_id: string }): Omit<BeginInput, 'turn_id'> => ({
  auth_id: chat.auth_id,
  session_id: chat.session_id,
  assistant_slug: 'carousel',
  title: 'What changed',
  content: 'What changed for your reader, and why? '.repeat(8),
  file_ids: [],
  edits_id: null,
  repeats_id: null,
  plans: ['free', 'starter', 'pro', 'enterprise'],
  with_history: false,
  with_library: true,
});

export const finishInput = (chat: { conversation_id: string }): Omit<FinishInput, 'turn_id'> => ({
  status: 'done',
  error_code: null,
  content: 'The first line asks a question. '.repeat(20),
  citations: [],
  incomplete: false,
  history_shortened: false,
  usage: { input_tokens: 900, cached_tokens: 0, output_tokens: 200 },
  conversation_id: chat.conversation_id,
  files_missing: false,
  searched: [],
  store_days: null,
});

const begin = (database: Database, sample: Sample, turn_id: string, with_history: boolean) =>
  beginTurn(database, { ...beginInput(sample), turn_id, with_history });

const has_begun = `select from public.turns where id = $1 and finished_at is null`;
const has_finished = `select from public.turns where id = $1 and status = 'done'`;

export const hotQueries: HotQuery[] = [
  {
    name: 'sidebar, first page',
    of: 'any chat',
    run: (database, { auth_id }) =>
      listChatSessions(database, auth_id, { limit: sidebar_limit, after: undefined }),
  },
  {
    name: 'sidebar, a later page',
    of: 'any chat',
    run: (database, { auth_id, chat_cursor }) =>
      listChatSessions(database, auth_id, { limit: sidebar_limit, after: chat_cursor }),
  },
  {
    name: 'sidebar, a later page, member with most chats',
    of: 'long chat',
    run: (database, { auth_id, chat_cursor }) =>
      listChatSessions(database, auth_id, { limit: sidebar_limit, after: chat_cursor }),
  },
  {
    name: 'history, newest page',
    of: 'any chat',
    run: (database, { auth_id, session_id }) =>
      listMessages(database, auth_id, session_id, { limit: history_limit, before: undefined }),
  },
  {
    name: 'history, an older page',
    of: 'any chat',
    run: (database, { auth_id, session_id, message_cursor }) =>
      listMessages(database, auth_id, session_id, { limit: history_limit, before: message_cursor }),
  },
  {
    name: 'history, an older page, chat of 400 messages',
    of: 'long chat',
    run: (database, { auth_id, session_id, message_cursor }) =>
      listMessages(database, auth_id, session_id, { limit: history_limit, before: message_cursor }),
  },
  {
    name: 'begin_turn, conversation in place',
    of: 'any chat',
    run: (database, sample, turn_id) => begin(database, sample, turn_id, false),
    proof: has_begun,
  },
  {
    name: 'begin_turn, with the history',
    of: 'any chat',
    run: (database, sample, turn_id) => begin(database, sample, turn_id, true),
    proof: has_begun,
  },
  {
    name: 'begin_turn, with the history, chat of 400 messages',
    of: 'long chat',
    run: (database, sample, turn_id) => begin(database, sample, turn_id, true),
    proof: has_begun,
  },
  {
    name: 'begin_turn, new chat',
    of: 'any chat',
    run: (database, sample, turn_id) => begin(database, { ...sample, session_id: newId() }, turn_id, false),
    proof: has_begun,
  },
  {
    name: 'finish_turn',
    of: 'any chat',
    prepare: (database, sample, turn_id) => begin(database, sample, turn_id, false),
    run: (database, sample, turn_id) => finishTurn(database, { ...finishInput(sample), turn_id }),
    proof: has_finished,
  },
];
