import { mkdtempSync, rmSync } from 'node:fs';
import http from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { listChatSessions, listMessages } from '../../server/chat/session-queries.ts';
import { createDatabase, createPool, type Database } from '../../server/platform/database.ts';
import { createLogger } from '../../server/platform/logger.ts';
import { fillDatabase } from '../growth/fill-database.ts';
import { listSamples } from '../growth/list-samples.ts';
import { startBenchServer } from '../growth/start-bench-server.ts';
import { pin } from './ask.ts';
import { signTokens } from './prepare-members.ts';
import { startTouchline } from './start-touchline.ts';
import { median, percentile } from './statistics.ts';

/** Milliseconds, p50: over HTTP, and of the same query alone. */
export type HistoryMeasured = { messages: number; http_ms: number; sql_ms: number };

type Asked = { auth_id: string; session_id: string };

type PageAsked = {
  path: (sample: Asked) => string;
  query: (database: Database, sample: Asked) => Promise<unknown>;
};

/** What is asked for, as the web app does, and as the routes ask the database: one row more than the page. */
const pages = {
  sidebar: {
    path: () => '/api/chat-sessions',
    query: (database, { auth_id }) => listChatSessions(database, auth_id, { limit: 31, after: undefined }),
  },
  history: {
    path: ({ session_id }) => `/api/chat-sessions/${session_id}/messages`,
    query: (database, { auth_id, session_id }) =>
      listMessages(database, auth_id, session_id, { limit: 51, before: undefined }),
  },
} satisfies Record<string, PageAsked>;

export type Page = keyof typeof pages;

/**
 * How long a page of the sidebar and of a chat's history takes with each number of messages: a Touchline for each, on filled
 * databases in one PostgreSQL, asked in turn. The large one takes minutes to fill (10 million: about 20, and 20 GB).
 */
export async function measureHistory(sizes: number[]): Promise<Record<Page, HistoryMeasured[]>> {
  pin(process.pid, 'others');
  const folder = mkdtempSync(join(tmpdir(), 'touchline-history-'));
  const logger = createLogger('warn');
  const postgres = await startBenchServer({
    shared_buffers: '1GB',
    max_wal_size: '8GB',
    checkpoint_timeout: '1h',
    synchronous_commit: 'off',
  });
  const undo: (() => unknown)[] = [
    () => rmSync(folder, { recursive: true, force: true }),
    () => postgres.stop(),
  ];
  try {
    const sides: Side[] = [];
    for (const messages of sizes) {
      const database_url = await postgres.createDatabase();
      const pool = createPool(database_url, 1, logger);
      undo.push(() => pool.end());
      await fillDatabase(database_url, { messages });
      const client = await pool.connect();
      const samples = await listSamples(client, 'any chat', 200);
      client.release();
      const server = await startTouchline({ DATA_DIR: folder, DATABASE_URL: database_url }, []);
      undo.push(() => server.stop());
      const tokens = await signTokens(
        folder,
        samples.map(({ auth_id }) => auth_id),
      );
      sides.push({ messages, port: server.port, database: createDatabase(pool), samples, tokens });
    }

    const measured = { sidebar: [], history: [] } as Record<Page, HistoryMeasured[]>;
    for (const page of Object.keys(pages) as Page[]) {
      const { path, query }: PageAsked = pages[page];
      const times = sides.map(() => ({ http_ms: [] as number[], sql_ms: [] as number[] }));
      // The first two rounds warm up: code, plans, and the pages of the samples.
      for (let round = 0; round < 7; round++) {
        for (const [side, { port, samples, tokens, database }] of sides.entries()) {
          const http_ms: number[] = [];
          const sql_ms: number[] = [];
          for (const [index, sample] of samples.entries()) {
            http_ms.push(await timed(() => get(port, path(sample), tokens[index]!)));
          }
          for (const sample of samples) sql_ms.push(await timed(() => query(database, sample)));
          if (round < 2) continue;
          times[side]!.http_ms.push(percentile(http_ms, 0.5));
          times[side]!.sql_ms.push(percentile(sql_ms, 0.5));
        }
      }
      measured[page] = times.map(({ http_ms, sql_ms }, side) => ({
        messages: sides[side]!.messages,
        http_ms: median(http_ms),
        sql_ms: median(sql_ms),
      }));
    }
    return measured;
  } finally {
    for (const step of undo.reverse()) await step();
  }
}

type Side = { messages: number; port: number; database: Database; samples: Asked[]; tokens: string[] };

const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });

function get(port: number, path: string, token: string) {
  return new Promise<void>((resolve, reject) => {
    const headers = { authorization: `Bearer ${token}` };
    http
      .get({ port, host: '127.0.0.1', path, agent, headers }, (answer) => {
        if (answer.statusCode !== 200) reject(new Error(`${path} was answered with ${answer.statusCode}`));
        answer.resume();
        answer.on('end', resolve);
      })
      .on('error', reject);
  });
}

async function timed(ask: () => Promise<unknown>) {
  const started_ms = performance.now();
  await ask();
  return performance.now() - started_ms;
}
