import { setTimeout as delay } from 'node:timers/promises';
import type pg from 'pg';
import { insertMember } from '../server/testing/factories.ts';
import { startFakeOpenAI } from '../server/testing/fake-openai/fake-openai.ts';
import { startBalancer } from './balancer.ts';
import { createClient } from './client.ts';
import { compareWithDatabase } from './compare.ts';
import type { Random } from './random.ts';
import { createScriptedModel } from './scripted-model.ts';
import { signToken, startSite, type Undo, withStop } from './start-site.ts';
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

export type Stage = Awaited<ReturnType<typeof setStage>>;

/**
 * What a drill plays on: servers that share a database of their own, behind a balancer; a model whose words are known
 * beforehand; and members who write down what they are told.
 */
export async function setStage(options: StageOptions) {
  return await withStop((undo) => putUp(options, undo));
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
  const complaints = new Map<string, number>();
  const complain = (what: string) => void complaints.set(what, (complaints.get(what) ?? 0) + 1);

  const model = createScriptedModel();
  const openai = await startFakeOpenAI({ reply: model.reply, token_delay_ms: word_ms });
  undo.push(() => openai.close());
  const tokens = createTokenLog(openai);
  undo.push(() => tokens.stop());
  const way = new URL(openai.url);
  const gate = await startBalancer([Number(way.port)], { opens: model_answers_after });
  undo.push(() => gate.close());
  way.port = String(gate.port);

  const { pool, servers } = await startSite(
    {
      admin_url,
      log_path,
      servers: count,
      openai: { api_key: openai.api_key, url: way.href },
      settings,
      complain,
    },
    undo,
  );
  const balancer = await startBalancer(servers.map(({ port }) => port));
  undo.push(() => balancer.close());

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
