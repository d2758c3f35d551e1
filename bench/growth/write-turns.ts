import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import { beginTurn, finishTurn } from '../../server/chat/queries.ts';
import { insertFile } from '../../server/files/queries.ts';
import { newId } from '../../web/src/platform/new-id.ts';
import { databaseOn } from './count-pages.ts';
import type { Ids } from './fill-database.ts';
import { beginInput, finishInput } from './hot-queries.ts';
import { median } from './measure-growth.ts';

/** What a service with a message a second writes between two checkpoints, which come every five minutes. */
const turns_a_checkpoint = 150;

type TurnWriter = {
  /** Writes what comes between two checkpoints. */
  writeBatch: () => Promise<void>;
  /** What was written, by name. */
  describe: () => Record<string, string>;
};

/**
 * Writes turns into chats anywhere in a filled database, one after the other, `batches` of them with a checkpoint before
 * each, after which the first change of a page writes it whole.
 */
export async function openTurnWriter(pool: pg.Pool, ids: Ids, batches: number): Promise<TurnWriter> {
  const form = ids.messages === 'time' ? 'public.uuid_v7()' : 'gen_random_uuid()';
  await pool.query(`alter table public.chat_messages alter column id set default ${form}`);
  const { rows: chats } = await pool.query<{ auth_id: string; session_id: string; conversation_id: string }>(
    `select auth_id, chat_sessions.id as session_id, thread_id as conversation_id
    from public.chat_sessions join public.profiles on profiles.id = user_id
    order by md5(chat_sessions.id::text) limit $1`,
    [batches * turns_a_checkpoint],
  );
  const times: number[] = [];
  const wal = { bytes: 0, pages: 0 };

  async function writeBatch() {
    const client = await pool.connect();
    const database = databaseOn((text, values) => client.query(text, values));
    try {
      await client.query('checkpoint');
      const before = await readWal(client);
      for (const chat of chats.splice(0, turns_a_checkpoint)) {
        const turn_id = ids.web === 'time' ? newId() : randomUUID();
        const started = performance.now();
        const { outcome } = await beginTurn(database, { ...beginInput(chat), turn_id });
        await finishTurn(database, { ...finishInput(chat), turn_id });
        times.push(performance.now() - started);
        if (outcome !== 'begun') throw new Error(`the turn was refused: ${outcome}`);
      }
      const after = await readWal(client);
      wal.bytes += after.bytes - before.bytes;
      wal.pages += after.pages - before.pages;
    } finally {
      client.release();
    }
  }

  return {
    writeBatch,
    describe() {
      const messages = times.length * 2;
      const seconds = times.reduce((sum, ms) => sum + ms, 0) / 1000;
      return {
        'WAL, kB a message': (wal.bytes / messages / 1000).toFixed(1),
        'pages written whole, a message': (wal.pages / messages).toFixed(2),
        'messages a second, one connection': (messages / seconds).toFixed(0),
        'both functions, ms (p50)': median(times).toFixed(2),
      };
    },
  };
}

const passages_a_file = 50;

/** Adds files of 50 passages, a checkpoint before each. Returns what was written, by name. */
export async function writeFiles(
  pool: pg.Pool,
  { files, ids }: { files: number; ids: Ids },
): Promise<Record<string, string>> {
  const form = ids.messages === 'time' ? 'public.uuid_v7()' : 'gen_random_uuid()';
  await pool.query(`alter table public.file_passages alter column id set default ${form}`);
  const { rows: members } = await pool.query<{ id: string }>(
    'select id from public.profiles order by md5(id::text) limit $1',
    [files],
  );
  const client = await pool.connect();
  const database = databaseOn((text, values) => client.query(text, values));
  const passages = Array.from({ length: passages_a_file }, (_, ordinal) => ({
    ordinal,
    page: null,
    content: `The first line asks question ${ordinal}. `.repeat(20),
  }));
  let wal_bytes = 0;
  try {
    for (const member of members) {
      await client.query('checkpoint');
      const before = await readWal(client);
      const original_id = randomUUID();
      const added = await insertFile(database, member.id, 'draft', {
        file_id: randomUUID(),
        original_id,
        file_name: 'notes.txt',
        file_type: 'text/plain',
        size_bytes: 40_000,
        storage_key: `${member.id}/${original_id}`,
        kind: 'document',
        language: 'english',
        width: null,
        height: null,
        page_count: null,
        word_count: 5_000,
        passages_json: Buffer.from(JSON.stringify(passages)),
      });
      if (added.outcome !== 'added') throw new Error('the file was refused');
      wal_bytes += (await readWal(client)).bytes - before.bytes;
    }
  } finally {
    client.release();
  }
  return {
    'WAL, kB a passage of a file': (wal_bytes / members.length / passages_a_file / 1000).toFixed(1),
  };
}

async function readWal(client: pg.PoolClient): Promise<{ bytes: number; pages: number }> {
  await client.query('select pg_stat_force_next_flush()');
  const { rows } = await client.query(`
    select (pg_current_wal_insert_lsn() - '0/0')::bigint as bytes, wal_fpi::bigint as pages from pg_stat_wal
  `);
  return rows[0];
}
