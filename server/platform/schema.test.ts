import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import { describeDatabase } from '../testing/describe-database.ts';
import { describeObjects } from '../testing/describe-objects.ts';
import { insertMember, type TestMember } from '../testing/factories.ts';
import { openDatabase, type TestDatabase, testedVersions } from '../testing/open-database.ts';
import { addSupabaseObjects, createEmptyDatabase, schema_folder } from '../testing/test-postgres.ts';
import { readSchemaFiles } from './migrate.ts';

const files = readSchemaFiles(schema_folder);

it('the generated types are those of the applied schema (npm run schema:types writes them)', async () => {
  const test = await openDatabase();
  try {
    const committed = readFileSync(join(import.meta.dirname, 'database-types.ts'), 'utf8');
    expect(committed).toBe(await describeDatabase(test.url));
  } finally {
    await test.close();
  }
});

describe.each(testedVersions())('on PostgreSQL %i', (version) => {
  let test: TestDatabase;
  let pool: pg.Pool;
  beforeAll(async () => {
    test = await openDatabase({ version });
    pool = test.pool;
  });
  afterAll(() => test.close());

  /** Runs a statement as Supabase's Data API would for a member, or as nobody. */
  async function asRole(
    role: 'anon' | 'authenticated',
    auth_id: string | null,
    statement: string,
    values: unknown[] = [],
  ) {
    const client = await pool.connect();
    try {
      await client.query('begin');
      await client.query(
        `select set_config('request.jwt.claims', $1, true), set_config('request.jwt.claim.sub', $2, true)`,
        [JSON.stringify({ sub: auth_id, role }), auth_id ?? ''],
      );
      await client.query(`set local role ${role}`);
      return await client.query(statement, values);
    } finally {
      await client.query('rollback');
      client.release();
    }
  }

  const asMember = (member: TestMember, statement: string, values?: unknown[]) =>
    asRole('authenticated', member.auth_id, statement, values);

  async function insertChat(member: TestMember) {
    const { rows } = await pool.query(
      `insert into public.chat_sessions (user_id, assistant_slug, title) values ($1, 'carousel', 'A chat') returning id`,
      [member.id],
    );
    return rows[0].id as string;
  }

  async function insertMessage(session_id: string, content = 'Hello') {
    const { rows } = await pool.query(
      `insert into public.chat_messages (session_id, sender, content) values ($1, 'user', $2) returning id`,
      [session_id, content],
    );
    return rows[0].id as string;
  }

  it('every file runs again and changes nothing', async () => {
    const before = await describeObjects(pool);
    for (const file of files) await pool.query(file.content);
    expect(await describeObjects(pool)).toEqual(before);
  });

  it('01 to 07 run again after the last file and change nothing', async () => {
    const before = await describeObjects(pool);
    for (const file of files.slice(0, 7)) await pool.query(file.content);
    expect(await describeObjects(pool)).toEqual(before);
  });

  it('the seven files alone, each run twice, make the specified tables and columns', async () => {
    const url = await createEmptyDatabase(version === 15 ? inject('admin_url_15')! : inject('admin_url'));
    await addSupabaseObjects(url);
    const alone = new pg.Pool({ connectionString: url, max: 1 });
    try {
      for (const file of files.slice(0, 7)) {
        await alone.query(file.content);
        await alone.query(file.content);
      }
      const { rows } = await alone.query(`
        select table_name, string_agg(column_name, ' ' order by ordinal_position) as columns
        from information_schema.columns where table_schema = 'public' group by table_name
      `);
      expect(Object.fromEntries(rows.map((row) => [row.table_name, row.columns]))).toEqual({
        profiles:
          'id auth_id email user_name organization_name avatar_url stripe_customer_id stripe_subscription_id subscription_plan subscription_quota subscription_usage quota_last_reset is_active email_confirmed email_verification_token is_deleted deleted_at created_at updated_at',
        chat_sessions: 'id user_id assistant_slug thread_id title created_at updated_at',
        chat_messages: 'id session_id sender content has_files created_at',
        chat_files:
          'id user_id session_id message_id file_name file_size file_type openai_file_id vector_store_id created_at',
        vector_stores:
          'id store_id user_id session_id name file_count expires_at status expired_at openai_metadata created_at updated_at',
      });
    } finally {
      await alone.end();
    }
  });

  it('row level security is on for every table of ours', async () => {
    const { rows } = await pool.query(
      `select relname from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r' and not relrowsecurity`,
    );
    expect(rows).toEqual([]);
  });

  it('every foreign key is led by an index', async () => {
    const { rows } = await pool.query(`
      select conrelid::regclass::text as table, conname from pg_constraint c
      where contype = 'f' and connamespace = 'public'::regnamespace
        and not exists (
          select from pg_index i
          where i.indrelid = c.conrelid and i.indkey[0] = c.conkey[1]
            and (i.indpred is null or pg_get_expr(i.indpred, i.indrelid) ilike '%is not null%')
        )
    `);
    expect(rows).toEqual([]);
  });

  it('anon and members can call none of the functions that the server or a trigger calls', async () => {
    const { rows } = await pool.query(`
      select proname from pg_proc
      where pronamespace = 'public'::regnamespace and proname <> 'are_counters'
        and (has_function_privilege('anon', oid, 'execute') or has_function_privilege('authenticated', oid, 'execute'))
    `);
    expect(rows).toEqual([]);
  });

  it('every function has a fixed search_path', async () => {
    const { rows } = await pool.query(`
      select proname from pg_proc where pronamespace = 'public'::regnamespace
        and not coalesce(proconfig::text, '') like '%search_path=%'
    `);
    expect(rows).toEqual([]);
  });

  describe('signing up', () => {
    it('an address that changes is taken over, and is to be confirmed again; another spelling is not', async () => {
      const member = await insertMember(pool);
      const stateOf = async () =>
        (
          await pool.query(
            'select email, email_confirmed, email_verification_token from public.profiles where id = $1',
            [member.id],
          )
        ).rows[0];
      const changeTo = (email: string) =>
        pool.query('update auth.users set email = $2 where id = $1', [member.auth_id, email]);
      await pool.query(
        `update public.profiles set email_confirmed = true, email_verification_token = 'hash' where id = $1`,
        [member.id],
      );
      await changeTo(member.email.toUpperCase());
      expect(await stateOf()).toMatchObject({ email: member.email, email_confirmed: true });
      await changeTo(`New-${member.email}`);
      expect(await stateOf()).toEqual({
        email: `new-${member.email}`,
        email_confirmed: false,
        email_verification_token: null,
      });
    });

    it('makes a profile with the free plan’s quota and the address in small letters', async () => {
      const auth_id = randomUUID();
      await pool.query(
        `insert into auth.users (id, email, raw_user_meta_data) values ($1, $2, '{"user_name": " Ada "}')`,
        [auth_id, `Ada-${auth_id}@Example.ORG`],
      );
      const { rows } = await pool.query('select * from public.profiles where auth_id = $1', [auth_id]);
      expect(rows).toMatchObject([
        {
          email: `ada-${auth_id}@example.org`,
          user_name: 'Ada',
          subscription_plan: 'free',
          subscription_quota: { messages: 50, files: 10, tokens: 200000 },
          subscription_usage: { messages: 0, files: 0, tokens: 0 },
          is_active: true,
          is_deleted: false,
        },
      ]);
    });

    it('is never blocked by a profile that holds the address already', async () => {
      const auth_id = randomUUID();
      const email = `taken-${auth_id}@example.org`;
      await pool.query('insert into public.profiles (email) values ($1)', [email]);
      await pool.query(`insert into auth.users (id, email, raw_user_meta_data) values ($1, $2, '{}')`, [
        auth_id,
        email,
      ]);
      const { rows } = await pool.query('select email from public.profiles where auth_id = $1', [auth_id]);
      expect(rows).toEqual([{ email: null }]);
    });

    it('is never blocked by a trigger that fails', async () => {
      const client = await pool.connect();
      try {
        await client.query('begin');
        await client.query('alter table public.profiles add constraint refuse_all check (false) not valid');
        const auth_id = randomUUID();
        await client.query(`insert into auth.users (id, email, raw_user_meta_data) values ($1, $2, '{}')`, [
          auth_id,
          `${auth_id}@example.org`,
        ]);
        const { rows } = await client.query('select 1 from public.profiles where auth_id = $1', [auth_id]);
        expect(rows).toEqual([]);
      } finally {
        await client.query('rollback');
        client.release();
      }
    });
  });

  it('deleting the Auth user closes the profile, frees the address and queues the erasure', async () => {
    const member = await insertMember(pool);
    await pool.query('delete from auth.users where id = $1', [member.auth_id]);
    const { rows } = await pool.query('select * from public.profiles where id = $1', [member.id]);
    expect(rows[0]).toMatchObject({ auth_id: null, email: null, is_deleted: true, is_active: false });
    expect(rows[0].deleted_at).not.toBeNull();
    const queued = await pool.query(
      `select 1 from public.erasures where kind = 'profile' and external_id = $1`,
      [member.id],
    );
    expect(queued.rowCount).toBe(1);
    await pool.query(`insert into auth.users (id, email, raw_user_meta_data) values ($1, $2, '{}')`, [
      randomUUID(),
      member.email,
    ]);
    const again = await pool.query('select 1 from public.profiles where email = $1', [member.email]);
    expect(again.rowCount).toBe(1);
  });

  describe('over the Data API', () => {
    let member: TestMember;
    let stranger: TestMember;
    let chat: string;
    beforeAll(async () => {
      member = await insertMember(pool);
      stranger = await insertMember(pool);
      chat = await insertChat(member);
      await insertMessage(chat);
    });

    it('a member reads the own rows and nobody else’s', async () => {
      for (const table of ['chat_sessions', 'chat_messages']) {
        expect((await asMember(member, `select id from public.${table}`)).rowCount).toBe(1);
        expect((await asMember(stranger, `select id from public.${table}`)).rowCount).toBe(0);
      }
      expect((await asMember(member, 'select email from public.profiles')).rows).toEqual([
        { email: member.email },
      ]);
    });

    it('nobody reads the verification token, not even its owner', async () => {
      await expect(asMember(member, 'select email_verification_token from public.profiles')).rejects.toThrow(
        /permission denied/,
      );
    });

    it.each([
      'profiles',
      'chat_sessions',
      'chat_messages',
      'chat_files',
      'vector_stores',
      'turns',
      'file_originals',
      'file_passages',
      'erasures',
      'user_roles',
    ])('anon reads nothing of %s', async (table) => {
      await expect(asRole('anon', null, `select 1 from public.${table}`)).rejects.toThrow(
        /permission denied/,
      );
    });

    it.each([
      'subscription_plan',
      'subscription_quota',
      'subscription_usage',
      'is_active',
      'email_confirmed',
      'stripe_customer_id',
      'email',
      'is_deleted',
    ])('a member cannot write %s of the own profile', async (column) => {
      await expect(asMember(member, `update public.profiles set ${column} = default`)).rejects.toThrow(
        /permission denied/,
      );
    });

    it('a member changes the own name, and nobody else’s', async () => {
      const changed = await asMember(member, `update public.profiles set user_name = 'Grace'`);
      expect(changed.rowCount).toBe(1);
    });

    it('a member renames and deletes the own chats, and nobody else’s', async () => {
      const rename = `update public.chat_sessions set title = 'Renamed' where id = $1`;
      expect((await asMember(member, rename, [chat])).rowCount).toBe(1);
      expect((await asMember(stranger, rename, [chat])).rowCount).toBe(0);
      const remove = 'delete from public.chat_sessions where id = $1';
      expect((await asMember(member, remove, [chat])).rowCount).toBe(1);
      expect((await asMember(stranger, remove, [chat])).rowCount).toBe(0);
    });

    it('a member inserts nothing', async () => {
      const statements = [
        `insert into public.chat_sessions (user_id, assistant_slug) values ('${member.id}', 'carousel')`,
        `insert into public.chat_messages (session_id, sender, content) values ('${chat}', 'assistant', 'forged')`,
        `insert into public.chat_files (user_id, file_name, file_size, file_type) values ('${member.id}', 'a', 1, 'b')`,
        `insert into public.profiles (email) values ('x@example.org')`,
      ];
      for (const statement of statements) {
        await expect(asMember(member, statement)).rejects.toThrow(/permission denied/);
      }
    });
  });

  describe('roles', () => {
    const grant = (member: TestMember, role = 'operator') =>
      pool.query('insert into public.user_roles (user_id, role) values ($1, $2)', [member.id, role]);
    const close = 'update public.profiles set is_deleted = true, deleted_at = now() where id = $1';
    const open = 'update public.profiles set is_deleted = false, deleted_at = null where id = $1';
    async function roleOf(member: TestMember) {
      const { rows } = await pool.query('select role from public.user_roles where user_id = $1', [member.id]);
      return rows[0]?.role;
    }

    it('a closed account is given none, by nobody and in no way', async () => {
      const member = await insertMember(pool);
      await pool.query(close, [member.id]);
      const refused = { code: '23514', constraint: 'user_roles_account_is_open' };
      await expect(grant(member)).rejects.toMatchObject(refused);
      await grant(member, 'member');
      await expect(
        pool.query(`update public.user_roles set role = 'operator' where user_id = $1`, [member.id]),
      ).rejects.toMatchObject(refused);
      const operator = await insertMember(pool);
      await grant(operator);
      await expect(
        pool.query(`update public.user_roles set user_id = $2 where user_id = $1`, [
          operator.id,
          (await insertClosed()).id,
        ]),
      ).rejects.toMatchObject(refused);
    });

    it('an account that is closed loses its role, and opened again it is a member’s', async () => {
      const member = await insertMember(pool);
      await grant(member);
      await pool.query(close, [member.id]);
      expect(await roleOf(member)).toBeUndefined();
      await pool.query(open, [member.id]);
      expect(await roleOf(member)).toBeUndefined();
    });

    it('whoever is deleted at Auth and signs up again with the same address is a member', async () => {
      const member = await insertMember(pool);
      await grant(member);
      await pool.query('delete from auth.users where id = $1', [member.auth_id]);
      expect(await roleOf(member)).toBeUndefined();
      await pool.query(`insert into auth.users (id, email, raw_user_meta_data) values ($1, $2, '{}')`, [
        randomUUID(),
        member.email,
      ]);
      const { rows } = await pool.query(
        'select role from public.profiles left join public.user_roles on user_id = profiles.id where email = $1',
        [member.email],
      );
      expect(rows).toEqual([{ role: null }]);
    });

    it('an account that is being closed while it is made an operator’s ends without the role', async () => {
      for (const first of ['close', 'grant']) {
        const member = await insertMember(pool);
        const client = await pool.connect();
        try {
          await client.query('begin');
          const granting = `insert into public.user_roles (user_id, role) values ($1, 'operator')`;
          await client.query(first === 'close' ? close : granting, [member.id]);
          const second = pool
            .query(first === 'close' ? granting : close, [member.id])
            .catch((error) => error.constraint);
          await waitUntilBlocked();
          await client.query('commit');
          expect(await second).toEqual(
            first === 'close' ? 'user_roles_account_is_open' : expect.objectContaining({ rowCount: 1 }),
          );
        } finally {
          client.release();
        }
        expect(await roleOf(member)).toBeUndefined();
      }
    });

    async function insertClosed() {
      const member = await insertMember(pool);
      await pool.query(close, [member.id]);
      return member;
    }

    async function waitUntilBlocked() {
      await vi.waitFor(async () => {
        const { rows } = await pool.query(
          `select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
        );
        expect(rows).toHaveLength(1);
      }, 10_000);
    }
  });

  describe('the triggers', () => {
    it('a message moves its chat to the top', async () => {
      const chat = await insertChat(await insertMember(pool));
      await pool.query(`alter table public.chat_sessions disable trigger chat_sessions_set_updated_at`);
      await pool.query(`update public.chat_sessions set updated_at = '2020-01-01' where id = $1`, [chat]);
      await pool.query(`alter table public.chat_sessions enable trigger chat_sessions_set_updated_at`);
      await insertMessage(chat);
      const { rows } = await pool.query(
        `select updated_at > now() - interval '1 minute' as moved from public.chat_sessions where id = $1`,
        [chat],
      );
      expect(rows).toEqual([{ moved: true }]);
    });

    it('has_files follows the files of a message', async () => {
      const member = await insertMember(pool);
      const chat = await insertChat(member);
      const message = await insertMessage(chat);
      const hasFiles = async () =>
        (await pool.query('select has_files from public.chat_messages where id = $1', [message])).rows[0]
          .has_files;
      const { rows } = await pool.query(
        `insert into public.chat_files (user_id, session_id, message_id, file_name, file_size, file_type) values ($1, $2, $3, 'a.md', 1, 'text/markdown') returning id`,
        [member.id, chat, message],
      );
      expect(await hasFiles()).toBe(true);
      await pool.query('delete from public.chat_files where id = $1', [rows[0].id]);
      expect(await hasFiles()).toBe(false);
    });

    it('a file cannot belong to another member’s chat or to another chat’s message', async () => {
      const member = await insertMember(pool);
      const [own, other] = [await insertChat(member), await insertChat(await insertMember(pool))];
      const message = await insertMessage(other);
      const insert = `insert into public.chat_files (user_id, session_id, message_id, file_name, file_size, file_type) values ($1, $2, $3, 'a.md', 1, 'text/markdown')`;
      await expect(pool.query(insert, [member.id, other, null])).rejects.toMatchObject({
        constraint: 'chat_files_session_is_the_members',
      });
      await expect(pool.query(insert, [member.id, own, message])).rejects.toMatchObject({
        constraint: 'chat_files_message_is_the_chats',
      });
    });

    it('a vector store counts its files, and expired_at is null exactly while it is active', async () => {
      const member = await insertMember(pool);
      const store_id = `vs_${randomUUID()}`;
      await pool.query(
        `insert into public.vector_stores (store_id, user_id, name) values ($1, $2, 'files')`,
        [store_id, member.id],
      );
      const insert = `insert into public.chat_files (user_id, file_name, file_size, file_type, vector_store_id) values ($1, 'a.md', 1, 'text/markdown', $2)`;
      await pool.query(insert, [member.id, store_id]);
      await pool.query(insert, [member.id, store_id]);
      await pool.query(`update public.vector_stores set store_id = $2 where store_id = $1`, [
        store_id,
        `${store_id}b`,
      ]);
      const state = async () =>
        (
          await pool.query(
            'select file_count, expired_at is null as no_expiry from public.vector_stores where store_id = $1',
            [`${store_id}b`],
          )
        ).rows[0];
      expect(await state()).toEqual({ file_count: 2, no_expiry: true });
      await pool.query(`update public.vector_stores set status = 'expired' where store_id = $1`, [
        `${store_id}b`,
      ]);
      expect(await state()).toEqual({ file_count: 2, no_expiry: false });
      await pool.query(`update public.vector_stores set status = 'active' where store_id = $1`, [
        `${store_id}b`,
      ]);
      expect(await state()).toEqual({ file_count: 2, no_expiry: true });
      await pool.query('delete from public.chat_files where user_id = $1', [member.id]);
      expect(await state()).toEqual({ file_count: 0, no_expiry: true });
    });

    it('whoever deletes a chat, what OpenAI and our storage hold of it is noted for erasure', async () => {
      const member = await insertMember(pool);
      const chat = await insertChat(member);
      const tag = randomUUID();
      await pool.query('update public.chat_sessions set thread_id = $2 where id = $1', [chat, `conv_${tag}`]);
      await pool.query(
        `insert into public.vector_stores (store_id, user_id, session_id, name) values ($1, $2, $3, 'files')`,
        [`vs_${tag}`, member.id, chat],
      );
      const original = await pool.query(
        `insert into public.file_originals (user_id, storage_key, size_bytes, file_type, word_count) values ($1, $2, 1, 'text/plain', 1) returning id`,
        [member.id, `key_${tag}`],
      );
      await pool.query(
        `insert into public.chat_files (user_id, session_id, file_name, file_size, file_type, openai_file_id, vector_store_id, original_id) values ($1, $2, 'a.md', 1, 'text/markdown', $3, $4, $5)`,
        [member.id, chat, `file-${tag}`, `vs_${tag}`, original.rows[0].id],
      );
      const client = await pool.connect();
      try {
        await client.query(
          `select set_config('request.jwt.claims', $1, false), set_config('request.jwt.claim.sub', $2, false)`,
          [JSON.stringify({ sub: member.auth_id, role: 'authenticated' }), member.auth_id],
        );
        await client.query('set role authenticated');
        const deleted = await client.query('delete from public.chat_sessions where id = $1', [chat]);
        expect(deleted.rowCount).toBe(1);
      } finally {
        await client.query('reset role');
        client.release(true);
      }
      const { rows } = await pool.query(
        `select kind from public.erasures where external_id like $1 order by kind`,
        [`%${tag}`],
      );
      expect(rows.map((row) => row.kind)).toEqual([
        'openai_conversation',
        'openai_file',
        'openai_vector_store',
        'stored_file',
      ]);
    });
  });

  describe('the constraints', () => {
    it.each([
      ['a counter below zero', `update public.profiles set subscription_usage = '{"messages": -1}'`],
      ['a counter that is no number', `update public.profiles set subscription_usage = '{"messages": "5"}'`],
      ['half a message', `update public.profiles set subscription_quota = '{"messages": 0.5}'`],
      ['an unknown counter', `update public.profiles set subscription_quota = '{"minutes": 5}'`],
      ['unlimited usage', `update public.profiles set subscription_usage = '{"messages": null}'`],
      ['counters in a list', `update public.profiles set subscription_usage = '[]'`],
      [
        'an address in capitals',
        `update public.profiles set email = 'A@example.org' where auth_id is not null`,
      ],
      ['deleted without a time', 'update public.profiles set is_deleted = true'],
      ['an unknown sender', `update public.chat_messages set sender = 'system'`],
      [
        'an unknown role',
        `insert into public.user_roles (user_id, role) select id, 'owner' from public.profiles`,
      ],
    ])('refuse %s', async (_, statement) => {
      await insertMessage(await insertChat(await insertMember(pool)));
      await expect(pool.query(statement)).rejects.toMatchObject({ code: '23514' });
    });

    it('allow an unlimited quota', async () => {
      const member = await insertMember(pool, {
        subscription_quota: { messages: null, files: 1, tokens: null },
      });
      expect(member.id).toBeTruthy();
    });
  });
});
