import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SignJWT } from 'jose';
import pg from 'pg';
import { cloneTemplate } from '../server/testing/test-postgres.ts';
import { createServerProcess, findLastingPort, type ServerProcess } from './server-process.ts';

/** What a stage is made of, in this order; undone in the reverse one. */
export type Undo = (() => unknown)[];

/** What `putUp` makes, with `stop`. Where it cannot be put up, what stands of it is undone. */
export async function withStop<Made>(
  putUp: (undo: Undo) => Promise<Made>,
): Promise<Made & { stop: () => Promise<void> }> {
  const undo: Undo = [];
  const stop = async () => {
    for (const step of undo.splice(0).reverse()) await step();
  };
  try {
    return { ...(await putUp(undo)), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

type SiteOptions = {
  /** A PostgreSQL with the template of `createTestServer`. */
  admin_url: string;
  /** Where the servers write their logs. */
  log_path: string;
  servers: number;
  /** OpenAI's double, or the way to it. */
  openai: { api_key: string; url: string };
  /** Settings that differ. */
  settings: Record<string, string>;
  /** Is told when a server ends that nobody has ended. */
  complain: (what: string) => void;
};

const jwt_secret = 'a secret that the servers of a drill share';

/** Servers as processes of their own, ready, on a database and a data folder that they share. */
export async function startSite(
  { admin_url, log_path, servers: count, openai, settings, complain }: SiteOptions,
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
  const shared = {
    DATABASE_URL: database_url,
    DATA_DIR: join(folder, 'data'),
    AUTH_JWT_SECRET: jwt_secret,
    OPENAI_API_KEY: openai.api_key,
    OPENAI_BASE_URL: openai.url,
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
  await Promise.all(servers.map((server) => server.ready()));
  return { database_url, pool, servers };
}

/** A token for these servers, as Auth makes them. */
export async function signToken(auth_id: string, email: string) {
  return await new SignJWT({ role: 'authenticated', email })
    .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
    .setSubject(auth_id)
    .setAudience('authenticated')
    .setIssuedAt()
    .setExpirationTime('1d')
    .sign(new TextEncoder().encode(jwt_secret));
}
