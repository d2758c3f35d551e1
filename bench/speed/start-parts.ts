import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startEmbeddedPostgres } from '../../server/platform/embedded-postgres.ts';
import { countRoundTrips } from '../../server/testing/count-round-trips.ts';
import { type Part, pin, startPart } from './ask.ts';
import type { Stream } from './client.ts';
import { type Member, prepareMembers } from './prepare-members.ts';
import { startTouchline } from './start-touchline.ts';

/** A way to reach the model: directly, through the relay, or through Touchline. */
export type Way = {
  name: 'direct' | 'relay' | 'touchline';
  streams: (count: number) => Stream[];
  word_mark: string;
  /** What is measured; undefined where there is nothing in between. */
  server: Part | undefined;
};

export type Parts = {
  upstream: Part;
  client: Part;
  begin: Part;
  direct: Way;
  relay: Way;
  touchline: Way;
  members: Member[];
  database_url: string;
  /** Processor seconds of PostgreSQL so far; NaN where the system does not tell. */
  postgresCpu: () => number;
  /** Starts a second Touchline whose statements are counted. */
  startCounted: () => Promise<{ touchline: Way; count: () => number; stop: () => Promise<void> }>;
  stop: () => Promise<void>;
};

const here = import.meta.dirname;
const content = 'My readers think that a longer caption is a better one. tag-000000000000';

/** Starts everything: PostgreSQL, the upstream, the relay, Touchline with `members` members, and the readers. */
export async function startParts(member_count: number, sign_ups: number): Promise<Parts> {
  pin(process.pid, 'others');
  const folder = mkdtempSync(join(tmpdir(), 'touchline-speed-'));
  const undo: (() => unknown)[] = [() => rmSync(folder, { recursive: true, force: true })];
  let stopping: Promise<void> | undefined;
  const stop = () => {
    stopping ??= (async () => {
      for (const step of undo.splice(0).reverse()) await step();
    })();
    return stopping;
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => stop().finally(() => process.exit(1)));
  }
  try {
    const postgres = await startEmbeddedPostgres(folder);
    undo.push(() => postgres.stop());
    const postmaster = Number(
      readFileSync(join(folder, 'postgres', 'postmaster.pid'), 'utf8').split('\n')[0],
    );
    const start = (
      script: string,
      ...rest: [Parameters<typeof startPart>[1], Parameters<typeof startPart>[2]?]
    ) => {
      const part = startPart(join(here, script), ...rest);
      undo.push(() => part.stop());
      return part;
    };
    const upstream = start('upstream.ts', 'others');
    const client = start('client.ts', 'others');
    const upstream_port = await upstream.ask<number>('port');
    const env = { OPENAI_BASE_URL: `http://127.0.0.1:${upstream_port}/v1`, DATABASE_URL: postgres.url };
    const begin = start('begin.ts', 'measured', { env });
    const nodeArgs = ['--expose-gc', '--import', join(here, 'gauge.ts')];
    const relay = start('relay.ts', 'measured', { env, nodeArgs });
    const relay_port = await relay.ask<number>('port');

    const startOn = (DATABASE_URL: string) =>
      startTouchline(
        { ...env, DATABASE_URL, DATA_DIR: folder, OPENAI_API_KEY: 'a-key', OPENAI_MODEL: 'gpt-5.1' },
        nodeArgs,
      );
    const { port, server } = await startOn(postgres.url);
    undo.push(() => server.stop());
    const members = await prepareMembers(
      `http://127.0.0.1:${port}`,
      postgres.url,
      folder,
      member_count,
      sign_ups,
    );

    const wayThroughTouchline = (port: number, server: Part): Way => ({
      name: 'touchline',
      server,
      word_mark: '\ndata:"',
      streams: (count) => members.slice(0, count).map((member) => askTouchline(port, member)),
    });
    const touchline = wayThroughTouchline(port, server);
    // What Touchline sends upstream is what the other two ways send.
    const body = await recordRequest(upstream, client, touchline);
    const way = (name: 'direct' | 'relay', port: number, server: Part | undefined): Way => ({
      name,
      server,
      word_mark: 'event: response.output_text.delta\n',
      streams: (count) => Array.from({ length: count }, () => askModel(port, body)),
    });
    return {
      upstream,
      client,
      begin,
      direct: way('direct', upstream_port, undefined),
      relay: way('relay', relay_port, relay),
      touchline,
      members,
      database_url: postgres.url,
      postgresCpu: () => processTreeCpu(postmaster),
      async startCounted() {
        const proxy = await countRoundTrips(postgres.url, 'touchline');
        const counted = await startOn(proxy.url);
        return {
          touchline: wayThroughTouchline(counted.port, counted.server),
          count: () => proxy.count,
          async stop() {
            await counted.stop();
            proxy.close();
          },
        };
      },
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

function askTouchline(port: number, { token, session_id }: Member): Stream {
  return {
    port,
    head: head(port, `/api/chat-sessions/${session_id}/turns`, token),
    body: JSON.stringify({ id: '{{id}}', assistant_slug: 'carousel', content }),
  };
}

function askModel(port: number, body: string): Stream {
  return { port, head: head(port, '/v1/responses', 'a-key'), body };
}

function head(port: number, path: string, token: string) {
  return (
    `POST ${path} HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\naccept: text/event-stream\r\n` +
    `authorization: Bearer ${token}\r\ncontent-type: application/json\r\n`
  );
}

async function recordRequest(upstream: Part, client: Part, touchline: Way) {
  await upstream.ask('pace', { first_ms: 0, word_ms: 0, words: 30 });
  const { turns, failures } = await client.ask<{ turns: { tag: string }[]; failures: string[] }>('load', {
    streams: touchline.streams(1),
    word_mark: touchline.word_mark,
    spread_ms: 0,
    warm_ms: 0,
    duration_ms: 0,
  });
  if (!turns[0]) throw new Error(`the first turn failed: ${failures[0]}`);
  const body = await upstream.ask<string>('last_request');
  return body.replace(turns[0].tag, 'tag-000000000000');
}

/** Processor seconds of a process, of its children, and of those children that have ended (Linux). */
function processTreeCpu(pid: number) {
  if (process.platform !== 'linux') return Number.NaN;
  const ticks_a_second = 100;
  let ticks = 0;
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    let fields: string[];
    try {
      fields = readFileSync(`/proc/${name}/stat`, 'utf8').split(') ')[1]!.split(' ');
    } catch {
      continue;
    }
    // After the name in brackets: state, parent; and from the 12th utime, stime, cutime, cstime (proc_pid_stat(5)).
    const isRoot = Number(name) === pid;
    if (!isRoot && Number(fields[1]) !== pid) continue;
    ticks += Number(fields[11]) + Number(fields[12]);
    if (isRoot) ticks += Number(fields[13]) + Number(fields[14]);
  }
  return ticks / ticks_a_second;
}
