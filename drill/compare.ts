import type pg from 'pg';
import { type Heard, replyTo } from './scripted-model.ts';
import { type Chat, knownMessages, type Reading, type Turn } from './turn-log.ts';

type TurnRow = {
  id: string;
  user_id: string;
  session_id: string;
  user_message_id: string;
  assistant_message_id: string | null;
  status: 'accepted' | 'answering' | 'done' | 'stopped' | 'failed';
  error_code: string | null;
  incomplete: boolean;
  input_tokens: number;
  output_tokens: number;
};

type MessageRow = {
  id: string;
  session_id: string;
  parent_id: string | null;
  sender: 'user' | 'assistant';
  content: string;
  is_chosen: boolean;
};

type ProfileRow = { id: string; messages: number; tokens: number; quota: number | null };

/** What the members wrote down, to be compared with the database. */
type Logs = {
  turns: Turn[];
  /** How long before a reader's last word the words may lie that a killed server did not keep; 0: none are lost. */
  lost_within_ms: number;
  /** Whether the chats' lines are known: not where several sent to one chat at once. */
  knows_lines?: boolean;
  heardBefore: (content: string) => Heard[];
  /** The tokens that the model reported, each time that it answered this message to the end. */
  tokensFor: (content: string) => { input_tokens: number; output_tokens: number }[];
};

/** Compares everything that was acknowledged with the database, both ways. Returns what differs, in sentences. */
export async function compareWithDatabase(pool: pg.Pool, logs: Logs): Promise<string[]> {
  const differences: string[] = [];
  const differs = (what: string) => void differences.push(what);
  const turns = new Map((await listTurns(pool)).map((row) => [row.id, row]));
  const messages = await listMessages(pool);
  const byId = new Map(messages.map((row) => [row.id, row]));

  for (const turn of logs.turns) compareTurn(turn, turns.get(turn.id), byId, logs, differs);
  const known = new Set(logs.turns.map(({ id }) => id));
  for (const { id } of turns.values()) if (!known.has(id)) differs(`turn ${id} is nobody's`);

  compareMessages(turns, messages, differs);
  for (const profile of await listProfiles(pool)) compareUsage(profile, [...turns.values()], differs);
  compareLines(messages, differs);
  if (logs.knows_lines ?? true) {
    for (const chat of new Set(logs.turns.map((turn) => turn.chat))) compareLine(chat, messages, differs);
  }
  const broken_off = new Set(
    [...turns.values()].filter(({ status }) => status === 'failed').map((row) => row.assistant_message_id),
  );
  for (const turn of logs.turns) {
    const row = turns.get(turn.id);
    const isScripted = turn.expected === replyTo(turn.content);
    if (row?.status === 'done' && isScripted) compareHeard(turn, row, byId, broken_off, logs, differs);
  }
  return differences;
}

type Differs = (what: string) => void;

/** One turn: taken in exactly once or not at all, ended as its readers were told, with the text that they were told. */
function compareTurn(
  turn: Turn,
  row: TurnRow | undefined,
  messages: Map<string, MessageRow>,
  { lost_within_ms, tokensFor }: Logs,
  differs: Differs,
) {
  const wrong = (what: string) => differs(`turn ${turn.id} ${what}`);
  if (turn.user_message_id === undefined) {
    if (turn.refused && row) wrong(`was refused (${turn.refused.code}) and exists, ${row.status}`);
    if (!turn.refused) wrong('was neither acknowledged nor refused');
    return;
  }
  if (!row) return wrong('was acknowledged and does not exist');
  if (row.session_id !== turn.chat.session_id || row.user_id !== turn.chat.member.id) wrong('is elsewhere');
  if (row.user_message_id !== turn.user_message_id) wrong('belongs to another message');
  const sent = messages.get(turn.user_message_id);
  if (sent?.content !== turn.content) wrong('does not have the words that were sent');
  if (row.status === 'accepted' || row.status === 'answering') return wrong(`is still ${row.status}`);

  const kept = row.assistant_message_id ? (messages.get(row.assistant_message_id)?.content ?? '') : '';
  for (const reading of turn.readings) {
    if (reading.end) compareEnd(reading, row, kept, lost_within_ms, wrong);
    else if (!reading.left) wrong(`is ${row.status}, and a reader was never told`);
    else if (row.status !== 'failed' && !kept.startsWith(reading.text)) wrong('lost words that were told');
  }
  if (row.status === 'done' && !row.incomplete && turn.expected !== undefined && kept !== turn.expected) {
    wrong('is done with other words than the model said');
  }
  const { input_tokens, output_tokens } = row;
  const isReported = tokensFor(turn.content).some(
    (tokens) => tokens.input_tokens === input_tokens && tokens.output_tokens === output_tokens,
  );
  if (row.status === 'done' && !isReported) wrong('does not have the tokens that the model reported');
  if (row.status === 'failed' && input_tokens + output_tokens > 0) wrong('failed and has tokens');
}

function compareEnd(
  { end, text, told }: Reading,
  row: TurnRow,
  kept: string,
  lost_within_ms: number,
  wrong: Differs,
) {
  if (!end) return;
  const status = end.event === 'end' ? end.status : 'failed';
  if (row.status !== status) wrong(`is ${row.status}, and a reader was told ${status}`);
  if (end.event === 'error' && row.error_code !== end.code) {
    wrong(`failed with ${row.error_code}, and a reader was told ${end.code}`);
  }
  if (end.event === 'end' && row.assistant_message_id !== end.message_id) wrong('has another reply');
  if (end.event === 'end' && row.incomplete !== end.incomplete) wrong('differs in being incomplete');
  if (kept !== text.slice(0, end.sequence) || kept.length !== end.sequence) {
    wrong(`keeps ${kept.length} of the ${text.length} that were told, and ${end.sequence} by its end`);
  }
  if (kept.length < text.length) {
    const lost_ms = told.at(-1)!.at_ms - told.find(({ length }) => length > kept.length)!.at_ms;
    if (lost_within_ms === 0) wrong(`lost ${text.length - kept.length} that were told`);
    else if (lost_ms > lost_within_ms) wrong(`lost what was told ${lost_ms} ms before its server died`);
  }
}

/** Every message is there once, and belongs to a turn; every reply belongs to one turn, below the message it answers. */
function compareMessages(turns: Map<string, TurnRow>, messages: MessageRow[], differs: Differs) {
  const answered = new Set<string>();
  const replies = new Map<string, string>();
  for (const turn of turns.values()) {
    answered.add(turn.user_message_id);
    if (turn.assistant_message_id === null) {
      if (turn.status === 'done') differs(`turn ${turn.id} is done without a reply`);
    } else if (replies.has(turn.assistant_message_id)) {
      differs(`two turns have the reply ${turn.assistant_message_id}`);
    } else replies.set(turn.assistant_message_id, turn.user_message_id);
  }
  for (const { id, sender, parent_id } of messages) {
    if (sender === 'user' && !answered.has(id)) differs(`message ${id} belongs to no turn`);
    if (sender === 'assistant' && (!replies.has(id) || replies.get(id) !== parent_id)) {
      differs(`reply ${id} belongs to no turn`);
    }
  }
}

/** The meter is the sum of the turns that count: those that are done, and those stopped after the first word. */
function compareUsage(profile: ProfileRow, turns: TurnRow[], differs: Differs) {
  const counting = turns.filter(
    ({ user_id, status, assistant_message_id }) =>
      user_id === profile.id &&
      (status === 'done' || (status === 'stopped' && assistant_message_id !== null)),
  );
  const tokens = counting.reduce((sum, turn) => sum + turn.input_tokens + turn.output_tokens, 0);
  const wrong = (what: string) => differs(`member ${profile.id} ${what}`);
  if (profile.messages !== counting.length) {
    wrong(`has used ${profile.messages} messages, and ${counting.length} turns count`);
  }
  if (profile.tokens !== tokens) wrong(`has used ${profile.tokens} tokens, and the turns ${tokens}`);
  if (profile.quota !== null && profile.messages > profile.quota) {
    wrong(`has used ${profile.messages} messages of ${profile.quota}`);
  }
}

/** The chosen messages of each chat are one line, each following the one before. `messages`: in the order of time. */
function compareLines(messages: MessageRow[], differs: Differs) {
  const last = new Map<string, string>();
  for (const { id, session_id, parent_id, is_chosen } of messages) {
    if (!is_chosen) continue;
    if (parent_id !== (last.get(session_id) ?? null)) differs(`message ${id} leaves the line of its chat`);
    last.set(session_id, id);
  }
}

/** The line that is shown is the one that the member knows. */
function compareLine(chat: Chat, messages: MessageRow[], differs: Differs) {
  const known = knownMessages(chat);
  const shown = messages.filter(({ session_id, is_chosen }) => session_id === chat.session_id && is_chosen);
  const describe = (line: { sender: string; content: string }[]) =>
    JSON.stringify(line.map(({ sender, content }) => ({ sender, content })));
  if (known && describe(shown) !== describe(known)) {
    differs(
      `chat ${chat.session_id} shows ${shown.length} messages that are not the ${known.length} of its member`,
    );
  }
}

/** A reply was made from the line above its message, without what broke off in failed turns. */
function compareHeard(
  turn: Turn,
  row: TurnRow,
  messages: Map<string, MessageRow>,
  broken_off: Set<string | null>,
  { heardBefore }: Logs,
  differs: Differs,
) {
  const line: Heard = [];
  for (let message = messages.get(row.user_message_id); message; ) {
    message = message.parent_id ? messages.get(message.parent_id) : undefined;
    if (message && !broken_off.has(message.id)) line.unshift({ role: message.sender, text: message.content });
  }
  const expected = JSON.stringify(line);
  if (!heardBefore(turn.content).some((heard) => JSON.stringify(heard) === expected)) {
    differs(`turn ${turn.id} was answered from another line than the ${line.length} messages above it`);
  }
}

async function listTurns(pool: pg.Pool) {
  const { rows } = await pool.query<TurnRow>(
    `select id, user_id, session_id, user_message_id, assistant_message_id, status, error_code, incomplete,
       input_tokens::int, output_tokens::int
     from public.turns`,
  );
  return rows;
}

async function listMessages(pool: pg.Pool) {
  const { rows } = await pool.query<MessageRow>(
    `select id, session_id, parent_id, sender, content, is_chosen
     from public.chat_messages
     order by session_id, created_at, id`,
  );
  return rows;
}

async function listProfiles(pool: pg.Pool) {
  const { rows } = await pool.query<ProfileRow>(
    `select id, (subscription_usage ->> 'messages')::int as messages, (subscription_usage ->> 'tokens')::int as tokens,
       (subscription_quota ->> 'messages')::int as quota
     from public.profiles`,
  );
  return rows;
}
