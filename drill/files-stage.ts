import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type pg from 'pg';
import { insertMember } from '../server/testing/factories.ts';
import { type FakeOpenAI, startFakeOpenAI } from '../server/testing/fake-openai/fake-openai.ts';
import { readTurn } from '../server/testing/read-turn.ts';
import type { Random } from './random.ts';
import type { ServerProcess } from './server-process.ts';
import { signToken, startSite, type Undo, withStop } from './start-site.ts';

/** A file with one fact that nothing else says. */
export type Fact = { file_id: string; original_id: string; place: string; word: string };

export type FileMember = { id: string; token: string; library: Fact[] };

export type Answer = Awaited<ReturnType<typeof readTurn>>;

/** Both servers are one site, so both know what either has made at OpenAI. */
export const site_url = 'http://localhost:3999';

/**
 * Two servers as processes of their own on one database, OpenAI's double, and members whose files hold a fact each: what
 * a drill of OpenAI's stores plays on.
 */
export async function setFilesStage(options: FilesStageOptions) {
  return await withStop((undo) => putUp(options, undo));
}

type FilesStageOptions = { random: Random; admin_url: string; log_path: string };

async function putUp({ random, admin_url, log_path }: FilesStageOptions, undo: Undo) {
  const complaints: string[] = [];
  const openai = await startFakeOpenAI({ token_delay_ms: 1, file_processing_ms: 60 });
  undo.push(() => openai.close());
  const { database_url, pool, servers } = await startSite(
    {
      admin_url,
      log_path,
      servers: 2,
      openai,
      settings: { PUBLIC_URL: site_url },
      complain: (what) => complaints.push(what),
    },
    undo,
  );

  const names = random.of('names');
  /** A file as an upload leaves it: in the library, or waiting for its message. */
  async function addFile(member: { id: string }, is_library: boolean): Promise<Fact> {
    const [file_id, original_id] = [randomUUID(), randomUUID()];
    const place = `Place${names.uuid().slice(0, 8)}`;
    const word = `word${names.uuid().slice(0, 8)}`;
    const content = `About ${place}.\n\nThe secret of ${place} is ${word}. Nobody else knows what it means.`;
    await pool.query(
      `select public.add_file($1, $2, $3, $4, 'text/plain', 100, $5, null, 9, $6, case when $7 then null else now() + interval '1 day' end)`,
      [
        member.id,
        file_id,
        original_id,
        `${place}.txt`,
        `${member.id}/${original_id}`,
        JSON.stringify([{ ordinal: 0, page: null, content }]),
        is_library,
      ],
    );
    return { file_id, original_id, place, word };
  }

  return {
    pool,
    database_url,
    openai,
    servers,
    complaints,
    addFile,
    async addMember(library: number): Promise<FileMember> {
      const quota = { messages: null, files: null, tokens: null };
      const { id, auth_id, email } = await insertMember(pool, { subscription_quota: quota });
      const facts: Fact[] = [];
      for (let count = 0; count < library; count++) facts.push(await addFile({ id }, true));
      return { id, token: await signToken(auth_id, email), library: facts };
    },
    /** Asks for a fact at a server, and reads the reply to its end. A busy server is asked again, as it wishes. */
    async ask(
      server: ServerProcess,
      member: FileMember,
      fact: Fact,
      { session_id = randomUUID(), file_ids = [] }: { session_id?: string; file_ids?: string[] } = {},
    ): Promise<Answer> {
      const url = `http://127.0.0.1:${server.port}/api/chat-sessions/${session_id}/turns`;
      const request = {
        method: 'POST',
        headers: { authorization: `Bearer ${member.token}`, 'content-type': 'application/json' },
        body: JSON.stringify({
          id: randomUUID(),
          assistant_slug: 'carousel',
          content: `What is the secret of ${fact.place}?`,
          file_ids,
        }),
      };
      for (;;) {
        const answer = await fetch(url, request);
        if (answer.status !== 503) return await readTurn(answer);
        await answer.body?.cancel();
        await delay(Number(answer.headers.get('retry-after')) * 1_000);
      }
    },
    /** What is wrong with a reply that should tell a fact, and show where it stands; empty: nothing. */
    judge(fact: Fact, { text, end, citations }: Answer, original_ids: Map<string, string>): string[] {
      const wrong: string[] = [];
      if (end?.event !== 'end')
        return [`${fact.place}: no answer, ${end?.data?.code ?? 'the stream broke off'}`];
      if (end.data.files_missing) wrong.push(`${fact.place}: answered without the files`);
      if (!text.includes(fact.word)) wrong.push(`${fact.place}: its file was not found`);
      else if (!citations.some(({ file_id }) => original_ids.get(file_id) === fact.original_id)) {
        wrong.push(`${fact.place}: its file was not cited`);
      }
      return wrong;
    },
    /** Which original each use is of. */
    async originalIds(): Promise<Map<string, string>> {
      const { rows } = await pool.query('select id, original_id from public.chat_files');
      return new Map(rows.map(({ id, original_id }) => [id, original_id]));
    },
    /** Has everything erased that is to be: deleting a chat wakes the job. */
    async untilErased(member: FileMember): Promise<void> {
      for (const deadline_ms = Date.now() + 90_000; Date.now() < deadline_ms; ) {
        const session_id = randomUUID();
        await pool.query(
          `insert into public.chat_sessions (id, user_id, assistant_slug) values ($1, $2, 'carousel')`,
          [session_id, member.id],
        );
        await fetch(`http://127.0.0.1:${servers[0]!.port}/api/chat-sessions/${session_id}`, {
          method: 'DELETE',
          headers: { authorization: `Bearer ${member.token}` },
        });
        await delay(500);
        const { rows } = await pool.query('select 1 from public.erasures limit 1');
        if (rows.length === 0) return;
      }
    },
    /** What OpenAI holds and no row names, or a row names and OpenAI does not hold. */
    async compareUpstream(): Promise<string[]> {
      return await compareUpstream(pool, openai);
    },
  };
}

async function compareUpstream(pool: pg.Pool, { state }: FakeOpenAI): Promise<string[]> {
  const list = async (query: string) => (await pool.query(query)).rows.map(({ id }) => id as string);
  const kinds = [
    ['store', await list(`select store_id as id from public.vector_stores`), state.vectorStores],
    [
      'file',
      await list(
        `select distinct openai_file_id as id from public.chat_files where openai_file_id is not null`,
      ),
      state.files,
    ],
    [
      'conversation',
      await list(`select thread_id as id from public.chat_sessions where thread_id is not null`),
      state.conversations,
    ],
  ] as const;
  const differences: string[] = [];
  for (const [kind, named, held] of kinds) {
    const orphans = [...held.keys()].filter((id) => !named.includes(id));
    if (orphans.length > 0) differences.push(`${orphans.length} orphaned: ${kind}, such as ${orphans[0]}`);
  }
  const { rows } = await pool.query(
    `select status, count(*) from public.vector_stores where status <> 'active' or rebuild_token is not null group by 1`,
  );
  for (const { status, count } of rows) differences.push(`${count} stores are ${status} or still claimed`);
  return differences;
}
