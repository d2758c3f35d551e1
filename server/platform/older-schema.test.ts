import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { afterEach, beforeAll, describe, expect, inject, it } from 'vitest';
import { describeObjects } from '../testing/describe-objects.ts';
import { testedVersions } from '../testing/open-database.ts';
import { addSupabaseObjects, createEmptyDatabase, schema_folder } from '../testing/test-postgres.ts';
import { readSchemaFiles } from './migrate.ts';

const files = readSchemaFiles(schema_folder);
const older_schema = readFileSync(join(import.meta.dirname, '..', 'testing', 'older-schema.sql'), 'utf8');
const tables = ['profiles', 'chat_sessions', 'chat_messages', 'chat_files', 'vector_stores'];
const ada = 'b0000000-0000-4000-8000-000000000001';
const first_chat = 'c0000000-0000-4000-8000-000000000001';

describe.each(testedVersions())('on PostgreSQL %i', (version) => {
  const admin_url = version === 15 ? inject('admin_url_15')! : inject('admin_url');
  let base_url: string;
  const open: pg.Client[] = [];

  beforeAll(async () => {
    base_url = await createEmptyDatabase(admin_url);
    await addSupabaseObjects(base_url);
    const client = await connect(base_url);
    await client.query(`
      do $$ begin create role schema_owner nologin; exception when duplicate_object then null; end $$;
      alter schema public owner to schema_owner;
      grant usage on schema auth to schema_owner;
      grant select, references, trigger on auth.users to schema_owner;
    `);
    await client.end();
  });

  afterEach(async () => {
    await Promise.all(open.splice(0).map((client) => client.end()));
  });

  async function connect(url: string) {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    return client;
  }

  /** A database with Supabase's objects, as a role that is no superuser and does not own `auth`; or as superuser. */
  async function openSupabase({ role = 'schema_owner', before = '' } = {}) {
    const admin = await connect(admin_url);
    const name = `older_${randomUUID().replaceAll('-', '')}`;
    const base = new URL(base_url).pathname.slice(1);
    // The worker of Auth may still be closing its connections, which forbids a clone.
    await admin.query(
      `select pg_terminate_backend(pid) from pg_stat_activity where datname = $1 and pid <> pg_backend_pid()`,
      [base],
    );
    await admin.query(`create database ${name} template ${base} strategy file_copy`);
    await admin.end();
    const url = new URL(admin_url);
    url.pathname = `/${name}`;
    const client = await connect(url.href);
    open.push(client);
    await client.query(before);
    await client.query(`set role ${role}`);
    return client;
  }

  /** The older tables, with rows; `change`: what is different about them, run as superuser. */
  async function openOlder(change = '') {
    const client = await openSupabase();
    await client.query(`reset role; grant insert on auth.users to schema_owner; set role schema_owner`);
    await client.query(older_schema);
    // A time without zone must be read as UTC wherever the session is.
    await client.query(`reset role; ${change}; set timezone = 'Asia/Tokyo'; set role schema_owner`);
    return client;
  }

  /** Each file in a transaction of its own, as the SQL editor runs it. */
  async function apply(client: pg.Client, applied = files) {
    for (const file of applied) await client.query(file.content);
  }

  async function describeAsSuperuser(client: pg.Client) {
    await client.query('reset role');
    const objects = await describeObjects(client);
    await client.query('set role schema_owner');
    return objects;
  }

  async function readRows(client: pg.Client) {
    const all: Record<string, unknown[]> = {};
    await client.query('reset role');
    for (const table of tables) {
      all[table] = (
        await client.query(`select to_jsonb(t) as row from public.${table} as t order by id::text`)
      ).rows.map(({ row }) => row);
    }
    await client.query('set role schema_owner');
    return all;
  }

  describe('a role that is no superuser and does not own auth', () => {
    it('applies every file, twice, and the second time nothing changes', async () => {
      const client = await openSupabase();
      await apply(client);
      const before = await describeAsSuperuser(client);
      await apply(client);
      expect(await describeAsSuperuser(client)).toEqual(before);
    });
  });

  describe('the older tables', () => {
    it('come to the form of a new database, and stay so when 01 to 07 run again', async () => {
      const fresh = await openSupabase();
      await apply(fresh, files.slice(0, 7));
      const wanted = await describeAsSuperuser(fresh);

      const client = await openOlder();
      await apply(client, files.slice(0, 7));
      const older_function = /^function CREATE OR REPLACE FUNCTION public\.update_updated_at_column\(/;
      const present = (await describeAsSuperuser(client)).filter((line) => !older_function.test(line));
      expect(present).toEqual(wanted);

      const rows = await readRows(client);
      await apply(client, files.slice(0, 7));
      expect((await describeAsSuperuser(client)).filter((line) => !older_function.test(line))).toEqual(
        wanted,
      );
      expect(await readRows(client)).toEqual(rows);
    });

    it('keep every row and value, in the present types', async () => {
      const client = await openOlder();
      await apply(client, files.slice(0, 7));
      await client.query(`set timezone = 'UTC'`);
      const rows = await readRows(client);
      expect(rows.profiles).toMatchObject([
        {
          id: ada,
          auth_id: 'a0000000-0000-4000-8000-000000000001',
          email: 'ada@example.org',
          user_name: 'Ada',
          stripe_customer_id: 'cus_1',
          subscription_plan: 'pro',
          subscription_quota: { messages: 500, files: 10, tokens: 200000 },
          subscription_usage: { messages: 120, files: 0, tokens: 0 },
          is_active: true,
          is_deleted: false,
          created_at: '2025-03-01T09:30:00+00:00',
          updated_at: '2025-06-01T10:00:00+00:00',
        },
        {
          email: 'grace@example.org',
          subscription_plan: 'free',
          subscription_quota: { messages: 50, files: 10, tokens: 200000 },
          subscription_usage: { messages: 0, files: 0, tokens: 0 },
          is_active: true,
          updated_at: '2025-04-01T09:30:00+00:00',
        },
        {
          auth_id: null,
          email: 'left@example.org',
          subscription_quota: { messages: 0 },
          subscription_usage: { messages: 50 },
          is_active: false,
        },
      ]);
      expect(rows.chat_sessions).toMatchObject([
        {
          id: first_chat,
          user_id: ada,
          assistant_slug: 'carousel',
          thread_id: 'thread_abc123',
          title: 'My first post',
          created_at: '2025-03-02T10:00:00+00:00',
          updated_at: '2025-03-02T11:00:00+00:00',
        },
        {
          user_id: 'b0000000-0000-4000-8000-000000000002',
          thread_id: 'thread_def456',
          title: 'New chat',
          updated_at: '2025-04-02T10:00:00+00:00',
        },
      ]);
      expect(rows.chat_messages).toMatchObject([
        {
          session_id: first_chat,
          sender: 'user',
          content: 'Hello',
          has_files: true,
          created_at: '2025-03-02T10:00:00.123456+00:00',
        },
        { sender: 'assistant', content: 'Welcome. ✓', has_files: false },
        { sender: 'user', content: 'Hi' },
      ]);
      expect(rows.chat_files).toMatchObject([
        {
          user_id: ada,
          session_id: first_chat,
          file_name: 'plan.pdf',
          file_size: 1200,
          file_type: 'application/octet-stream',
          openai_file_id: 'file-1',
          vector_store_id: 'vs_1',
        },
        { user_id: ada, session_id: null, vector_store_id: 'vs_1' },
      ]);
      expect(rows.vector_stores).toMatchObject([
        {
          store_id: 'vs_1',
          user_id: ada,
          name: 'Files',
          file_count: 2,
          status: 'expired',
          expired_at: '2025-03-02T10:00:00+00:00',
          expires_at: '2025-03-09T10:00:00+00:00',
          openai_metadata: { bytes: 12 },
        },
      ]);
    });

    it('take 08 to the last in the same transaction, as the server runs them, and then a turn', async () => {
      const client = await openOlder();
      await client.query('begin');
      await apply(client);
      // No older row says that an address was confirmed: the first look at the profile sends the mail.
      await client.query('update public.profiles set email_confirmed = true where id = $1', [ada]);
      await client.query('commit');
      const turn = randomUUID();
      const begun = await client.query(
        `select public.begin_turn('a0000000-0000-4000-8000-000000000001', $1, $2, 'carousel', 'A title', 'And now?', '{}', null, null, '{free,pro}', false, 100000, 3) as result`,
        [turn, first_chat],
      );
      expect(begun.rows[0].result).toMatchObject({
        outcome: 'begun',
        user_id: ada,
        conversation_id: null,
        history: [
          { sender: 'user', content: 'Hello' },
          { sender: 'assistant', content: 'Welcome. ✓' },
        ],
      });
      const ended = await client.query(
        `select public.finish_turn($1, 'done', null, 'This.', '[]', false, false, '{"input_tokens": 5, "output_tokens": 2}', null) as result`,
        [turn],
      );
      // The older usage counts for the period in which the upgrade falls.
      expect(ended.rows[0].result).toMatchObject({
        status: 'done',
        allowances: { messages: 379, files: 10, tokens: 199993 },
      });
    });

    it('say which older policies were dropped', async () => {
      const client = await openOlder();
      const notices: string[] = [];
      client.on('notice', (notice) => notices.push(notice.message ?? ''));
      await apply(client, files.slice(0, 7));
      for (const name of [
        'Users can insert their own profile.',
        'Own sessions',
        'Public profiles are viewable by everyone.',
      ]) {
        expect(notices.filter((notice) => notice.includes(`"${name}"`))).toHaveLength(1);
      }
    });

    it('keep columns of the owner’s own, with their values, keys and indexes', async () => {
      const client = await openOlder(`
        create table public.teams (id integer primary key);
        insert into public.teams values (7);
        alter table public.profiles add column team_id integer references public.teams (id) default 7;
        create index profiles_team on public.profiles (team_id);
        alter table public.profiles owner to schema_owner`);
      await apply(client, files.slice(0, 7));
      const { rows } = await client.query('select distinct team_id from public.profiles');
      expect(rows).toEqual([{ team_id: 7 }]);
      const objects = await describeAsSuperuser(client);
      expect(
        objects.filter((line) => /^index .*profiles_team\b|^constraint .*team_id_fkey/.test(line)),
      ).toHaveLength(2);
    });

    it('in a form where a profile’s id is that of the user at Auth, keep that link', async () => {
      const client = await openOlder(`
        alter table public.chat_sessions drop constraint chat_sessions_user_id_fkey;
        drop policy "Users can insert their own profile." on public.profiles;
        drop policy "Users can update own profile." on public.profiles;
        update public.vector_stores set user_id = 'a0000000-0000-4000-8000-000000000001';
        update public.chat_files set user_id = 'a0000000-0000-4000-8000-000000000001';
        update public.profiles set id = auth_id where auth_id is not null;
        alter table public.profiles drop column auth_id;
        alter table public.profiles add foreign key (id) references auth.users (id) on delete cascade not valid`);
      await apply(client, files.slice(0, 7));
      const { rows } = await client.query('select id, auth_id from public.profiles order by email');
      expect(rows.map((row) => row.auth_id)).toEqual([rows[0].id, rows[1].id, null]);
    });

    it('without any link to Auth, are linked by a confirmed address, never by one that is not', async () => {
      const client = await openOlder(`
        alter table public.profiles drop column auth_id cascade;
        update auth.users set email_confirmed_at = now() where email = 'ada@example.org'`);
      await apply(client, files.slice(0, 1));
      const { rows } = await client.query('select email, auth_id from public.profiles order by email');
      expect(rows).toEqual([
        { email: 'ada@example.org', auth_id: 'a0000000-0000-4000-8000-000000000001' },
        { email: 'grace@example.org', auth_id: null },
        { email: 'left@example.org', auth_id: null },
      ]);
    });

    it.each([
      ['text that is a number', 'text', '80', { messages: 80, files: 10, tokens: 200000 }],
      ['text that holds JSON', 'text', '{"messages": 80, "files": null}', { messages: 80, files: null }],
      ['text that says unlimited', 'varchar(20)', 'unlimited', { messages: null, files: null, tokens: null }],
      ['empty text', 'text', '', { messages: 50, files: 10, tokens: 200000 }],
      ['a JSON number', 'jsonb', '80', { messages: 80, files: 10, tokens: 200000 }],
      ['a JSON object', 'json', '{"messages":80,"tokens":9}', { messages: 80, tokens: 9 }],
    ])('read a quota that is %s', async (_, type, value, quota) => {
      const client = await openOlder(`
        alter table public.profiles drop column subscription_quota;
        alter table public.profiles add column subscription_quota ${type} not null default '${value}'`);
      await apply(client, files.slice(0, 1));
      const { rows } = await client.query('select subscription_quota from public.profiles where id = $1', [
        ada,
      ]);
      expect(rows).toEqual([{ subscription_quota: quota }]);
    });

    it.each([
      ['with one index more', 'create index on public.chat_messages (session_id)'],
      ['without a primary key', 'alter table public.chat_messages drop constraint messages_pk'],
      [
        'with a table of the owner’s own that refers to them',
        'create table public.notes (message_id uuid references public.chat_messages (id))',
      ],
      [
        'without any row',
        'delete from public.chat_files; delete from public.vector_stores; delete from auth.users; delete from public.profiles',
      ],
    ])('%s come to the present form too', async (_, change) => {
      const client = await openOlder(change);
      await apply(client, files.slice(0, 7));
      const { rows } = await client.query(
        `select conname from pg_constraint where conrelid = 'public.chat_messages'::regclass and contype = 'p'`,
      );
      expect(rows).toEqual([{ conname: 'chat_messages_pkey' }]);
    });
  });

  it('a policy or a grant that was added by hand is gone when the files run again', async () => {
    const client = await openSupabase();
    await apply(client);
    const before = await describeAsSuperuser(client);
    for (const table of tables) {
      await client.query(
        `create policy "Anybody" on public.${table} for all using (true); grant all on public.${table} to anon, authenticated`,
      );
    }
    await apply(client, files.slice(0, 7));
    expect(await describeAsSuperuser(client)).toEqual(before);
  });

  describe('what cannot be done safely', () => {
    const loosen_ids = 'alter table public.chat_messages drop constraint chat_messages_session_id_fkey';
    it.each([
      [
        'two addresses that differ only in case',
        `drop index public.profiles_lower_email; update public.profiles set email = 'ADA@example.org' where user_name = 'Left'`,
        /^profiles: 2 row\(s\) have an address that differs from another row's only in case/,
      ],
      [
        'a quota that is no counters',
        `alter table public.profiles alter subscription_quota type text using 'plenty'`,
        /^profiles: 3 row\(s\) have a value in "subscription_quota" that cannot be read as counters/,
      ],
      [
        'a quota below zero',
        'update public.profiles set subscription_quota = -1',
        /^profiles: 3 row\(s\) have a value in "subscription_quota"/,
      ],
      [
        'unlimited usage',
        `alter table public.profiles alter subscription_usage type text using '{"messages": null}'`,
        /^profiles: 3 row\(s\) have a value in "subscription_usage"/,
      ],
      [
        'a profile of a user who is gone',
        `alter table public.profiles drop constraint profiles_auth_id_fkey; delete from auth.users where email = 'grace@example.org'`,
        /^profiles: 1 row\(s\) belong to a user who is not in auth.users/,
      ],
      [
        'a deletion that contradicts itself',
        'alter table public.profiles add is_deleted boolean default false, add deleted_at timestamp default now()',
        /^profiles: 3 row\(s\) have deleted_at but are not is_deleted/,
      ],
      [
        'a column of the owner’s own that must have a value',
        `alter table public.profiles add website text not null default 'x'; alter table public.profiles alter website drop default`,
        /^profiles: all rows must have a value in website/,
      ],
      [
        'a chat whose id is no uuid',
        `insert into public.chat_sessions (id, user_id, assistant_slug) values ('thread_1', 'a0000000-0000-4000-8000-000000000001', 'carousel')`,
        /^chat_sessions: 1 row\(s\) have a value in "id" that is no uuid/,
      ],
      [
        'a chat of nobody',
        `alter table public.chat_sessions drop constraint chat_sessions_user_id_fkey; update public.chat_sessions set user_id = gen_random_uuid()`,
        /^chat_sessions: 2 row\(s\) belong to nobody in profiles/,
      ],
      [
        'a coach that is no slug',
        `update public.chat_sessions set assistant_slug = 'The Carousel'`,
        /^chat_sessions: 2 row\(s\) have an assistant_slug that is none/,
      ],
      [
        'chats without a coach',
        'alter table public.chat_sessions drop assistant_slug',
        /^chat_sessions: 2 row\(s\) have no "assistant_slug"/,
      ],
      [
        'a title that is too long',
        `update public.chat_sessions set title = repeat('x', 201)`,
        /^chat_sessions: 2 row\(s\) have a title of more than 200 characters/,
      ],
      [
        'a view over a column that changes',
        'create view public.recent as select created_at from public.chat_sessions',
        /^chat_sessions: "created_at" cannot become timestamp with time zone in the 2 row\(s\) there are/,
      ],
      [
        'a table of the owner’s own that refers to an id that is text',
        'create table public.notes (chat_id text references public.chat_sessions (id))',
        /^chat_sessions: "id" cannot become uuid in the 2 row\(s\) there are/,
      ],
      [
        'a table of the owner’s own that refers to a key that must go',
        `create table public.notes (thread_id varchar(64) references public.chat_sessions (thread_id))`,
        /^chat_sessions: something of your own needs the older constraint "chat_sessions_thread_id_key"/,
      ],
      [
        'a sender that is neither user nor assistant',
        `alter table public.chat_messages alter sender drop default; alter table public.chat_messages alter sender type text using 'system'`,
        /^chat_messages: 3 row\(s\) have a sender that is neither user nor assistant/,
      ],
      [
        'a message of no chat',
        `${loosen_ids}; update public.chat_messages set session_id = gen_random_uuid()`,
        /^chat_messages: 3 row\(s\) belong to no chat/,
      ],
      [
        'a message without text',
        'update public.chat_messages set content = null',
        /^chat_messages: 3 row\(s\) have no "content"/,
      ],
      [
        'a file of no message',
        'update public.chat_files set message_id = gen_random_uuid() where message_id is not null',
        /^chat_files: 1 row\(s\) belong to a message that is not in chat_messages/,
      ],
      [
        'a file in somebody else’s chat',
        `update public.chat_files set user_id = 'b0000000-0000-4000-8000-000000000002'`,
        /^chat_files: 1 row\(s\) belong to somebody else's chat/,
      ],
      [
        'two stores with one id',
        `insert into public.vector_stores (store_id, user_id) values ('vs_1', '${ada}')`,
        /^vector_stores: 2 row\(s\) have a store_id that another row has too/,
      ],
      [
        'two stores of one chat',
        `insert into public.vector_stores (store_id, user_id, session_id) values ('vs_2', '${ada}', '${first_chat}')`,
        /^vector_stores: 2 row\(s\) belong to a chat that has another store/,
      ],
      [
        'a store of an unknown status',
        `update public.vector_stores set status = 'gone'`,
        /^vector_stores: 1 row\(s\) have a status other than/,
      ],
      [
        'a file in a store that is not there',
        `update public.chat_files set vector_store_id = 'vs_9'`,
        /^chat_files: 2 row\(s\) have a vector_store_id that is not in vector_stores/,
      ],
    ])('stops at %s, says so, and loses nothing', async (_, change, sentence) => {
      const client = await openOlder(change);
      const objects = await describeAsSuperuser(client);
      const rows = await readRows(client);
      // As the server does: every file in one transaction.
      await client.query('begin');
      const error = await apply(client).then(
        () => undefined,
        (reason) => reason,
      );
      await client.query('rollback');
      expect(error?.message).toMatch(sentence);
      expect(error.message).toMatch(/, then run this file again$/);
      expect(error.hint).toBeTruthy();
      expect(await describeAsSuperuser(client)).toEqual(objects);
      expect(await readRows(client)).toEqual(rows);
    });

    it('a trigger on auth.users that this role may not drop: stops; a role that may drops it', async () => {
      const client = await openOlder(`
        alter trigger on_auth_user_created on auth.users rename to make_profile;
        alter function public.handle_new_user() rename to make_profile`);
      await expect(apply(client)).rejects.toThrow(
        /^profiles: the older trigger "make_profile" on auth\.users .* then run this file again$/,
      );
      await client.query('reset role');
      await apply(client);
      const { rows } = await client.query(
        `select tgname from pg_trigger where tgrelid = 'auth.users'::regclass and not tgisinternal order by 1`,
      );
      expect(rows.map((row) => row.tgname)).toEqual(['on_auth_user_created', 'on_auth_user_email_changed']);
    });
  });

  describe('in a project whose new tables are everybody’s', () => {
    const older_default = `
      alter default privileges for role schema_owner in schema public grant all on tables to anon, authenticated, service_role;
      alter default privileges for role schema_owner in schema public grant all on functions to anon, authenticated, service_role;
      alter default privileges for role schema_owner in schema public grant all on sequences to anon, authenticated, service_role`;

    const worlds = [
      ['everybody’s', older_default],
      ['nobody’s', ''],
    ] as const;

    it.each(worlds)(
      'anon, members and the server’s key get exactly this where new tables are %s',
      async (_, before) => {
        const client = await openSupabase({ before });
        await apply(client);
        const all = 'delete insert select update';
        expect(await listGrants(client)).toEqual([
          'authenticated execute on are_counters(jsonb,boolean)',
          'authenticated select on chat_files',
          'authenticated select on chat_messages',
          'authenticated delete select on chat_sessions',
          'authenticated update on chat_sessions (title)',
          'authenticated select on file_originals (id user_id size_bytes file_type page_count word_count created_at kind language width height)',
          'authenticated select on file_passages (id original_id ordinal page content)',
          'authenticated select on profiles (id auth_id email user_name organization_name avatar_url stripe_customer_id stripe_subscription_id subscription_plan subscription_quota subscription_usage quota_last_reset is_active email_confirmed is_deleted deleted_at created_at updated_at)',
          'authenticated update on profiles (user_name organization_name avatar_url)',
          'authenticated select on turns',
          'authenticated select on user_roles (user_id role granted_at)',
          'authenticated select on vector_stores',
          'service_role execute on are_counters(jsonb,boolean)',
          'service_role execute on free_plan_quota()',
          'service_role execute on uuid_v7()',
          `service_role ${all} on account_closings`,
          `service_role ${all} on account_erasures`,
          `service_role ${all} on account_exports`,
          `service_role ${all} on chat_files`,
          `service_role ${all} on chat_messages`,
          `service_role ${all} on chat_sessions`,
          `service_role ${all} on email_changes`,
          `service_role ${all} on erasures`,
          `service_role ${all} on file_originals`,
          `service_role ${all} on file_passages`,
          `service_role ${all} on installation`,
          `service_role ${all} on openai_uploads`,
          `service_role ${all} on operator_notices`,
          `service_role ${all} on plan_grants`,
          `service_role ${all} on plans`,
          `service_role ${all} on profiles`,
          `service_role ${all} on purchases`,
          `service_role ${all} on rate_limits`,
          `service_role ${all} on recovery_sessions`,
          `service_role ${all} on sign_outs`,
          `service_role ${all} on stripe_events`,
          `service_role ${all} on subscriptions`,
          `service_role ${all} on turns`,
          `service_role ${all} on usage_entries`,
          `service_role ${all} on user_roles`,
          `service_role ${all} on vector_stores`,
        ]);
      },
    );

    it.each(worlds)(
      'nobody gives anybody a role over the Data API where new tables are %s',
      async (_, before) => {
        const client = await openSupabase({ before });
        await apply(client);
        await client.query('reset role');
        const [operator, member] = [randomUUID(), randomUUID()];
        for (const id of [operator, member]) {
          await client.query(`insert into auth.users (id, email, raw_user_meta_data) values ($1, $2, '{}')`, [
            id,
            `${id}@example.org`,
          ]);
        }
        await client.query(
          `insert into public.user_roles (user_id, role) select id, 'operator' from public.profiles where auth_id = $1`,
          [operator],
        );
        const attempts = [
          `insert into public.user_roles (user_id, role) select id, 'operator' from public.profiles`,
          `insert into public.user_roles (user_id, role) values (gen_random_uuid(), 'operator')`,
          `update public.user_roles set role = 'operator'`,
          `update public.user_roles set user_id = gen_random_uuid()`,
          'delete from public.user_roles',
          'truncate public.user_roles',
          'select granted_by from public.user_roles',
          `select public.grant_first_operator('a@example.org', true)`,
        ];
        const callers = [
          ['anon', null],
          ['authenticated', member],
          ['authenticated', operator],
        ] as const;
        for (const [role, auth_id] of callers) {
          for (const attempt of attempts) {
            await expect(as(client, role, auth_id, attempt), `${role}: ${attempt}`).rejects.toThrow(
              /permission denied/,
            );
          }
        }
        const read = 'select role from public.user_roles';
        await expect(as(client, 'anon', null, read)).rejects.toThrow(/permission denied/);
        expect((await as(client, 'authenticated', member, read)).rows).toEqual([]);
        expect((await as(client, 'authenticated', operator, read)).rows).toEqual([{ role: 'operator' }]);
      },
    );

    it('the server’s key and members can do what they may where not even functions are anybody’s', async () => {
      const client = await openSupabase({
        before: 'alter default privileges for role schema_owner revoke execute on functions from public',
      });
      await apply(client);
      const auth_id = randomUUID();
      await client.query('reset role');
      await client.query(
        `insert into auth.users (id, email, raw_user_meta_data) values ($1, 'a@example.org', '{}')`,
        [auth_id],
      );
      // Supabase's service_role passes row level security; the one of this cluster is shared with other tests.
      await client.query(`
        begin;
        alter role service_role bypassrls;
        set local role service_role;
        insert into public.profiles (email) values ('b@example.org');
        rollback;
      `);
      await client.query(
        `select set_config('request.jwt.claims', $1, false), set_config('request.jwt.claim.sub', $2, false)`,
        [JSON.stringify({ sub: auth_id }), auth_id],
      );
      await client.query('set role authenticated');
      const changed = await client.query(`update public.profiles set user_name = 'Ada' returning email`);
      expect(changed.rows).toEqual([{ email: 'a@example.org' }]);
    });

    /** Runs a statement as Supabase's Data API would, and undoes it. */
    async function as(client: pg.Client, role: string, auth_id: string | null, statement: string) {
      await client.query('begin');
      try {
        await client.query(
          `select set_config('request.jwt.claims', $1, true), set_config('request.jwt.claim.sub', $2, true)`,
          [JSON.stringify({ sub: auth_id, role }), auth_id ?? ''],
        );
        await client.query(`set local role ${role}`);
        return await client.query(statement);
      } finally {
        await client.query('rollback');
      }
    }

    /**
     * What everybody, anon, authenticated and service_role were granted in `public`: on tables, views, sequences, columns
     * and functions. Without the functions of triggers, which nobody can call.
     */
    async function listGrants(client: pg.Client): Promise<string[]> {
      const { rows } = await client.query(`
        with granted as (
          select relname::text as what, null as columns, acl.*
          from pg_class, aclexplode(coalesce(relacl, acldefault(case relkind when 'S' then 's'::"char" else 'r' end, relowner))) as acl
          where relnamespace = 'public'::regnamespace and relkind in ('r', 'p', 'v', 'm', 'f', 'S')
          union all
          select relname, string_agg(attname, ' ' order by attnum), acl.*
          from pg_class join pg_attribute on attrelid = pg_class.oid, aclexplode(attacl) as acl
          where relnamespace = 'public'::regnamespace and not attisdropped
          group by relname, acl.grantor, acl.grantee, acl.privilege_type, acl.is_grantable
          union all
          select oid::regprocedure::text, null, acl.*
          from pg_proc, aclexplode(coalesce(proacl, acldefault('f', proowner))) as acl
          where pronamespace = 'public'::regnamespace and prorettype <> 'trigger'::regtype
        )
        select coalesce(rolname, 'everybody') || ' '
          || string_agg(lower(privilege_type), ' ' order by privilege_type) || ' on ' || what
          || coalesce(' (' || columns || ')', '') as line
        from granted left join pg_roles on oid = grantee
        where grantee = 0 or rolname in ('anon', 'authenticated', 'service_role')
        group by rolname, what, columns, case when columns is null then null else privilege_type end
        order by rolname collate "C", what like '%(%' desc, what collate "C", columns is not null, min(privilege_type)
      `);
      return rows.map((row) => row.line);
    }
  });
});
