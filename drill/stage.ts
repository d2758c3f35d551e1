import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { SignJWT } from 'jose';
import pg from 'pg';
import { insertMember } from '../server/testing/factories.ts';
import { startFakeOpenAI } from '../server/testing/fake-openai/fake-openai.ts';
import { cloneTemplate } from '../server/testing/test-postgres.ts';
import { startBalancer } from './balancer.ts';
import { createClient } from './client.ts';
import { compareWithDatabase } from './compare.ts';
import type { Random } from './random.ts';
import { createScriptedModel } from './scripted-model.ts';
import { createServerProcess, findLastingPort, type ServerProcess } from './server-process.ts';
import { createTokenLog } from './token-log.ts';
import { type Chat, type Member, newTurn, type Turn } from './turn-log.ts';

export type StageOptions = {
  random: Random;
  /** A PostgreSQL with the template of `createTestServer`. */
  admin_url: string;
  /** Where the servers write their logs. */
  log_path: string;
  servers?: number;
  /** The model's time before each word. */
  word_ms?: number;
  /** Until then the model keeps everybody waiting. */
  model_answers_after?: Promise<unknown>;
  /** Settings of the servers that differ. */
  settings?: Record<string, string>;
};

/** A reader has an end within this time of when everything works again. */
const longest_wait_ms = 90_000;

const jwt_secret = 'a secret that the servers of a drill share';

export type Stage = Awaited<ReturnType<typeof setStage>>;

/** What a stage is made of, undone in the reverse order; also when it could not be put up. */
type Undo = (() => unknown)[];

/**
 * What a drill plays on: servers that share a database of their own, behind a balancer; a model whose words are known
 * beforehand; and members who write down what they are told.
 */
export async function setStage(options: StageOptions) {
  const undo: Undo = [];
  const stop = async () => {
    for (const step of undo.splice(0).reverse()) await step();
  };
  try {
    return { ...(await putUp(options, undo)), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function putUp(
  {
    random,
    admin_url,
    log_path,
    servers: count = 2,
    word_ms = 20,
    model_answers_after,
    settings = {},
  }: StageOptions,
  undo: Undo,
) {
  const folder = mkdtempSync(join(tmpdir(), 'touchline-drill-'));
  const removeFolder = () => rmSync(folder, { recursive: true, force: true });
  undo.push(removeFolder);
  // Also when a signal ends the drill.
  process.once('exit', removeFolder);
  const database_url = await cloneTemplate(admin_url);
  const pool = new pg.Pool({ connectionString: database_url, max: 4, connectionTimeoutMillis: 5_000 });
  pool.on('error', () => {});
  undo.push(() => pool.end());
  const complaints = new Map<string, number>();
  const complain = (what: string) => void complaints.set(what, (complaints.get(what) ?? 0) + 1);

  const model = createScriptedModel();
  const openai = await startFakeOpenAI({ reply: model.reply, token_delay_ms: word_ms });
  undo.push(() => openai.close());
  const tokens = createTokenLog(openai);
  undo.push(() => tokens.stop());
  const openai_url = new URL(openai.url);
  const gate = await startBalancer([Number(openai_url.port)], { opens: model_answers_after });
  undo.push(() => gate.close());
  openai_url.port = String(gate.port);

  const shared = {
    DATABASE_URL: database_url,
    DATA_DIR: join(folder, 'data'),
    AUTH_JWT_SECRET: jwt_secret,
    OPENAI_API_KEY: openai.api_key,
    OPENAI_BASE_URL: openai_url.href,
    LOG_LEVEL: 'warn',
    ...settings,
  };
  const servers: ServerProcess[] = [];
  for (let index = 0; index < count; index++) {
    const server = createServerProcess(await findLastingPort(), shared, log_path, complain);
    server.start();
    undo.push(() => server.end('SIGKILL'));
    servers.push(server);
  }
  const balancer = await startBalancer(servers.map(({ port }) => port));
  undo.push(() => balancer.close());
  await Promise.all(servers.map((server) => server.ready()));

  let calm_since_ms: number | undefined = Date.now();
  const client = createClient({
    port: balancer.port,
    random: random.of('client'),
    complain,
    isOverdue: ({ started_ms }) =>
      calm_since_ms !== undefined && Date.now() - Math.max(calm_since_ms, started_ms) > longest_wait_ms,
  });
  const members: Member[] = [];
  const turns: Turn[] = [];
  const watch = watchRules(pool, complain);
  undo.push(() => watch.stop());

  return {
    random,
    pool,
    openai,
    servers,
    balancer,
    client,
    turns,
    complain,
    /** Something is being broken: nobody is owed an end until `calm` is called. */
    trouble() {
      calm_since_ms = undefined;
    },
    calm() {
      calm_since_ms = Date.now();
    },
    /** People who may send so many messages a month; null: as many as they like. */
    async addMembers(many: number, messages: number | null = null): Promise<Member[]> {
      const added = await Promise.all(
        Array.from({ length: many }, async () => {
          const quota = { messages, files: null, tokens: null };
          const { id, auth_id, email } = await insertMember(pool, { subscription_quota: quota });
          return { id, auth_id, token: await signToken(auth_id, email), quota: messages };
        }),
      );
      members.push(...added);
      return added;
    },
    newChat: (member: Member, choices: Random): Chat => ({ session_id: choices.uuid(), member, line: [] }),
    newTurn(...parameters: Parameters<typeof newTurn>): Turn {
      const turn = newTurn(...parameters);
      turns.push(turn);
      return turn;
    },
    /** Waits until no server makes a reply any more; the turns that are left running have lost theirs. */
    async untilQuiet() {
      for (;;) {
        const running = await Promise.all(servers.map(({ port }) => countRunning(port)));
        if (running.every((replies) => replies === 0)) return;
        await delay(100);
      }
    },
    /** Everything that was written down against everything that is kept. Returns what differs. */
    async compare({ lost_within_ms = 0, knows_lines = true } = {}): Promise<string[]> {
      tokens.collect();
      const differences = await compareWithDatabase(pool, {
        turns,
        lost_within_ms,
        knows_lines,
        heardBefore: model.heardBefore,
        tokensFor: tokens.tokensFor,
      });
      return [
        ...[...complaints].map(([what, times]) => (times > 1 ? `${what} (${times} times)` : what)),
        ...differences,
      ];
    },
  };
}

/** A token as Auth makes them. */
export async function signToken(auth_id: string, email: string) {
  return await new SignJWT({ role: 'authenticated', email })
    .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
    .setSubject(auth_id)
    .setAudience('authenticated')
    .setIssuedAt()
    .setExpirationTime('1d')
    .sign(new TextEncoder().encode(jwt_secret));
}

/** The replies that a server is making; 0 where it does not answer. */
async function countRunning(port: number): Promise<number> {
  try {
    const answer = await fetch(`http://127.0.0.1:${port}/healthz`);
    return ((await answer.json()) as { running_turns: number }).running_turns;
  } catch {
    return 0;
  }
}

/** Looks again and again, while a drill goes on, whether a rule is broken that may not be for a moment. */
function watchRules(pool: pg.Pool, complain: (what: string) => void) {
  let stopped = false;
  async function look() {
    while (!stopped) {
      const { rows } = await pool
        .query<{ two_running: string | null; overspent: string | null }>(`
          select
            (select min(session_id::text) from (
              select session_id from public.turns where finished_at is null group by session_id having count(*) > 1
            ) as crowded) as two_running,
            (select min(id::text) from public.profiles
              where (subscription_usage ->> 'messages')::int > (subscription_quota ->> 'messages')::int) as overspent
        `)
        // The database may be away: that is a drill of its own.
        .catch(() => ({ rows: [] }));
      for (const { two_running, overspent } of rows) {
        if (two_running) complain(`chat ${two_running} had two running turns`);
        if (overspent) complain(`member ${overspent} had used more messages than the plan gives`);
      }
      await delay(250);
    }
  }
  const looking = look();
  return {
    async stop() {
      stopped = true;
      await looking;
    },
  };
}
