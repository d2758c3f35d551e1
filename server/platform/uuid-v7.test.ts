import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { insertMember } from '../testing/factories.ts';
import { openDatabase, type TestDatabase, testedVersions } from '../testing/open-database.ts';
import { schema_folder } from '../testing/test-postgres.ts';
import { readSchemaFiles } from './migrate.ts';

const version_7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const version_4 = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

describe.each(testedVersions())('uuid_v7 on PostgreSQL %i', (version) => {
  let test: TestDatabase;
  let pool: pg.Pool;
  beforeAll(async () => {
    test = await openDatabase({ version });
    pool = test.pool;
  });
  afterAll(() => test.close());

  /** A message and a file's passage; returns the ids that the database made. */
  async function insertRows() {
    const member = await insertMember(pool);
    const insert = async (statement: string, values: unknown[]) =>
      (await pool.query(`insert into public.${statement} returning id`, values)).rows[0].id as string;
    const chat = await insert(`chat_sessions (user_id, assistant_slug) values ($1, 'carousel')`, [member.id]);
    const message = await insert(`chat_messages (session_id, sender, content) values ($1, 'user', 'Hello')`, [
      chat,
    ]);
    const original = await insert(
      `file_originals (user_id, storage_key, size_bytes, file_type, word_count) values ($1, $2, 1, 'text/plain', 1)`,
      [member.id, `${member.id}/key`],
    );
    const passage = await insert(
      `file_passages (original_id, ordinal, content, search) values ($1, 0, 'Hello', to_tsvector('simple', 'Hello'))`,
      [original],
    );
    return [message, passage];
  }

  it('begins with the millisecond in which it was made, and is a version 7', async () => {
    const { rows } = await pool.query(`
      select floor(extract(epoch from clock_timestamp()) * 1000) as before, public.uuid_v7() as id,
        floor(extract(epoch from clock_timestamp()) * 1000) as after
    `);
    const { before, id, after } = rows[0];
    expect(id).toMatch(version_7);
    const made_at = Number.parseInt(id.replace('-', '').slice(0, 12), 16);
    expect(made_at).toBeGreaterThanOrEqual(Number(before));
    expect(made_at).toBeLessThanOrEqual(Number(after));
  });

  it('ids of later milliseconds are greater', async () => {
    const { rows } = await pool.query(`
      with recursive made as (
        select 1 as number, public.uuid_v7() as id, null::text as slept
        union all
        select number + 1, public.uuid_v7(), slept from (select made.*, pg_sleep(0.002) from made) as made
        where number < 20
      )
      select id from made order by number
    `);
    const ids = rows.map(({ id }) => id);
    expect(ids).toHaveLength(20);
    expect(ids).toEqual(ids.toSorted());
  });

  it('no two of 50,000 that are made in one statement are the same', async () => {
    const { rows } = await pool.query(
      'select count(distinct public.uuid_v7())::integer as count from generate_series(1, 50000)',
    );
    expect(rows[0].count).toBe(50_000);
  });

  it('messages and passages get one', async () => {
    for (const id of await insertRows()) expect(id).toMatch(version_7);
  });

  it('the service role, whose inserts run the default, may make one', async () => {
    const client = await pool.connect();
    try {
      await client.query('begin');
      await client.query('set local role service_role');
      const { rows } = await client.query('select public.uuid_v7() as id');
      expect(rows[0].id).toMatch(version_7);
    } finally {
      await client.query('rollback');
      client.release();
    }
  });

  it('a database whose ids were random keeps them, and makes new ones by time', async () => {
    await pool.query(`
      alter table public.chat_messages alter column id set default gen_random_uuid();
      alter table public.file_passages alter column id set default gen_random_uuid();
    `);
    const older = await insertRows();
    for (const id of older) expect(id).toMatch(version_4);
    for (const file of readSchemaFiles(schema_folder)) await pool.query(file.content);
    for (const id of await insertRows()) expect(id).toMatch(version_7);
    const { rows } = await pool.query(
      `select id from public.chat_messages where id = any ($1) union select id from public.file_passages where id = any ($1)`,
      [older],
    );
    expect(rows.map(({ id }) => id).sort()).toEqual(older.sort());
  });
});
