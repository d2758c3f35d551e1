import { sql } from 'kysely';
import { unconfirmed_messages } from '../accounts/email-verification.ts';
import type { Citation } from '../knowledge/citation.ts';
import type { Document } from '../knowledge/queries.ts';
import type { StoredVectorStore } from '../knowledge/vector-store-queries.ts';
import type { Database } from '../platform/database.ts';
import type { HistoryMessage, ModelUsage } from '../platform/models/model.ts';

export type BeginInput = {
  auth_id: string;
  turn_id: string;
  session_id: string;
  assistant_slug: string;
  title: string;
  content: string;
  file_ids: string[];
  /** The message of the member's that this one takes the place of. */
  edits_id: string | null;
  /** The message of the member's that is answered again; there is no new one then. */
  repeats_id: string | null;
  plans: string[];
  with_history: boolean;
  /** Whether the coach may see the member's library. */
  with_library: boolean;
};

/** How much of a chat a model is told: about 100,000 tokens, which every present model has room for. */
const most_characters = 400_000;

/** What a turn that has begun needs for its reply. */
export type BegunTurn = {
  outcome: 'begun';
  user_id: string;
  user_message_id: string;
  /** The member's words: those that were sent, or those of the message that is answered again. */
  content: string;
  title: string;
  /** OpenAI's conversation, when it holds everything up to this message; then `history` is empty. */
  conversation_id: string | null;
  history: HistoryMessage[];
  /** The chat has grown too long: its oldest messages are not in `history`. */
  history_shortened: boolean;
  documents: NewDocument[];
  vector_store: StoredVectorStore | null;
  /** The member's library; null where the coach may not see it. */
  library: Library | null;
  /** The images of the chat's chosen line, oldest first. */
  images: ChatImage[];
};

/** `is_new`: it came with this message. */
export type NewDocument = Document & { is_new: boolean };

/**
 * `documents` are there when `is_loaded`: while nothing is to be done for them they are looked up when a reply cites one.
 * `held_count`: how many of them OpenAI's store has.
 */
export type Library = {
  document_count: number;
  held_count: number;
  documents: NewDocument[];
  is_loaded: boolean;
  vector_store: StoredVectorStore | null;
};

export type ChatImage = {
  file_id: string;
  original_id: string;
  file_name: string;
  storage_key: string;
  file_type: string;
  is_new: boolean;
};

export type BeginOutcome =
  | BegunTurn
  | { outcome: 'quota_exhausted'; allowances: Allowances & { renews_at: string } }
  | {
      outcome:
        | 'exists'
        | 'no_profile'
        | 'account_closed'
        | 'account_inactive'
        | 'plan_required'
        | 'email_unconfirmed'
        | 'session_not_found'
        | 'coach_mismatch'
        | 'message_not_found'
        | 'file_not_found'
        | 'turn_in_progress'
        | 'turn_id_taken';
    };

/** What is left of the plan, null is unlimited; `credits`: bought messages that are left. */
export type Allowances = {
  messages: number | null;
  files: number | null;
  tokens: number | null;
  credits: number;
};

/** One round trip: see `begin_turn` in schema/10_turns.sql. */
export async function beginTurn(database: Database, input: BeginInput): Promise<BeginOutcome> {
  const { rows } = await sql<{ result: BeginOutcome }>`
    select public.begin_turn(
      ${input.auth_id}, ${input.turn_id}, ${input.session_id}, ${input.assistant_slug}, ${input.title},
      ${input.content}, ${input.file_ids}::uuid[], ${input.edits_id}, ${input.repeats_id},
      ${input.plans}::text[], ${input.with_history}, ${most_characters},
      ${unconfirmed_messages}, ${input.with_library}
    ) as result
  `.execute(database);
  return rows[0]!.result;
}

export type FinishInput = {
  turn_id: string;
  status: 'done' | 'stopped' | 'failed';
  error_code: string | null;
  content: string;
  citations: Citation[];
  incomplete: boolean;
  history_shortened: boolean;
  usage: ModelUsage;
  /** OpenAI's conversation that holds the reply; null: none does. */
  conversation_id: string | null;
  /** The files could not be made ready: the model had to do without them. */
  files_missing: boolean;
  /** OpenAI's stores that the model searched, which OpenAI keeps for `store_days` from then on. */
  searched: string[];
  store_days: number | null;
};

export type FinishOutcome = { status: string; message_id: string | null; allowances?: Allowances };

/** One round trip: see `finish_turn` in schema/10_turns.sql. Undefined when the chat was deleted meanwhile. */
export async function finishTurn(database: Database, input: FinishInput): Promise<FinishOutcome | undefined> {
  const { rows } = await sql<{ result: FinishOutcome | null }>`
    select public.finish_turn(
      ${input.turn_id}, ${input.status}, ${input.error_code}, ${input.content}, ${JSON.stringify(input.citations)},
      ${input.incomplete}, ${input.history_shortened}, ${JSON.stringify(input.usage)}, ${input.conversation_id},
      ${input.files_missing}, ${input.searched}::text[], ${input.store_days}
    ) as result
  `.execute(database);
  return rows[0]!.result ?? undefined;
}

/** Keeps the text so far of many turns. Returns those that go on, and whether their member wants them stopped. */
export async function checkpointTurns(database: Database, turns: { id: string; reply: string }[]) {
  const { rows } = await sql<{ result: { id: string; stop_requested: boolean }[] }>`
    select public.checkpoint_turns(${JSON.stringify(turns)}) as result
  `.execute(database);
  return rows[0]!.result;
}

/**
 * Fails and gives back the turns, but for `except`, whose server was silent for `silent_ms`; each in a statement of its
 * own, so that no locks of one wait for another's. Returns how many.
 */
export async function failAbandonedTurns(
  database: Database,
  silent_ms: number,
  except: string[],
): Promise<number> {
  const silence = sql`${`${silent_ms} milliseconds`}::interval`;
  const { rows } = await sql<{ id: string }>`
    select id from public.turns
    where finished_at is null
      and heartbeat_at <= now() - ${silence}
      and id <> all(${except}::uuid[])
  `.execute(database);
  let count = 0;
  for (const { id } of rows) {
    const failed = await sql<{ has_failed: boolean }>`
      select public.fail_abandoned_turn(${id}, ${silence}) as has_failed
    `.execute(database);
    if (failed.rows[0]!.has_failed) count++;
  }
  return count;
}

/** Marks a member's running turn as to be stopped. False when there is no such turn of theirs. */
export async function requestStop(database: Database, auth_id: string, turn_id: string): Promise<boolean> {
  const { rows } = await sql<{ id: string }>`
    update public.turns
    set stop_requested_at = coalesce(stop_requested_at, case when finished_at is null then now() end)
    where id = ${turn_id} and user_id = (select id from public.profiles where auth_id = ${auth_id} and not is_deleted)
    returning id
  `.execute(database);
  return rows.length > 0;
}

/**
 * Has every checkpoint and the end of a running turn ring from now on (10_turns.sql). Waits for an end that is being
 * written: whoever reads the row afterwards has heard, or sees it.
 */
export async function followRow(database: Database, auth_id: string, turn_id: string): Promise<void> {
  await sql`
    update public.turns
    set followed_at = now()
    from public.profiles
    where turns.id = ${turn_id} and finished_at is null and followed_at is null
      and profiles.id = turns.user_id and profiles.auth_id = ${auth_id}
  `.execute(database);
}

/**
 * Records the conversation that OpenAI has made for a turn; the one before is noted for erasure by a trigger. When the
 * turn has ended meanwhile, or its chat is gone, the new one is noted for erasure, and false returned: the next turn may
 * be in another one already.
 */
export async function setConversation(
  database: Database,
  {
    user_id,
    session_id,
    turn_id,
    conversation_id,
  }: { user_id: string; session_id: string; turn_id: string; conversation_id: string },
): Promise<boolean> {
  const { rows } = await sql<{ kept: boolean }>`
    with kept as (
      update public.chat_sessions set thread_id = ${conversation_id}, conversation_message_id = null
      where id = ${session_id} and user_id = ${user_id}
        and exists (select from public.turns where turns.id = ${turn_id} and finished_at is null)
      returning id
    ),
    noted as (
      select public.note_erasure('openai_conversation', ${conversation_id}, ${user_id}) where not exists (select from kept)
    )
    select exists (select from kept) as kept, (select count(*) from noted) as noted
  `.execute(database);
  return rows[0]!.kept;
}

/** A turn's life: accepted → answering → done, stopped or failed. */
export type TurnState = 'accepted' | 'answering' | 'done' | 'stopped' | 'failed';

export function isRunning(state: TurnState | null): boolean {
  return state === 'accepted' || state === 'answering';
}

export type TurnRow = {
  id: string;
  session_id: string;
  user_message_id: string;
  title: string;
  status: TurnState;
  error_code: string | null;
  incomplete: boolean;
  history_shortened: boolean;
  files_missing: boolean;
  message_id: string | null;
  content: string;
  citations: Citation[];
  allowances: Allowances;
};

/**
 * A member's turn with its text: so far while it is running, whole when it has ended. `even_closed`: for somebody who was
 * let in before the account was closed, and is to hear how the turn ends.
 */
export async function findTurn(
  database: Database,
  auth_id: string,
  turn_id: string,
  { even_closed = false } = {},
): Promise<TurnRow | undefined> {
  const { rows } = await sql<TurnRow>`
    select turns.id, turns.session_id, turns.user_message_id, sessions.title, turns.status, turns.error_code,
      turns.incomplete, turns.history_shortened, turns.files_missing, turns.assistant_message_id as message_id,
      coalesce(replies.content, turns.reply) as content, coalesce(replies.citations, '[]') as citations,
      public.meter(profiles) - 'renews_at' as allowances
    from public.turns
    join public.profiles on profiles.id = turns.user_id
    join public.chat_sessions as sessions on sessions.id = turns.session_id
    left join public.chat_messages as replies on replies.id = turns.assistant_message_id
    where turns.id = ${turn_id} and profiles.auth_id = ${auth_id}
      and (${even_closed}::boolean or not profiles.is_deleted)
  `.execute(database);
  return rows[0];
}

export type History = { messages: HistoryMessage[]; shortened: boolean };

/** What a model is told before a member's message, oldest first: see `turn_history` in schema/10_turns.sql. */
export async function getHistory(
  database: Database,
  message_id: string,
  at_most_characters: number = most_characters,
): Promise<History> {
  const { rows } = await sql<{ history: History }>`
    select public.turn_history(${message_id}, ${at_most_characters}) as history
  `.execute(database);
  return rows[0]!.history;
}
