import { createServer, type RequestListener, type Server } from 'node:http';
import { join } from 'node:path';
import { getRequestListener } from '@hono/node-server';
import { createApp } from './app.ts';
import { giveBackAbandonedTurns, watchAbandonedTurns } from './chat/abandoned-turns.ts';
import { loadCoaches } from './coaches/load-coaches.ts';
import { type Config, StartError } from './platform/config.ts';
import { createPool } from './platform/database.ts';
import { startEmbeddedPostgres } from './platform/embedded-postgres.ts';
import { startLocalAuth } from './platform/local-auth.ts';
import { createLogger, type Logger } from './platform/logger.ts';
import { findPendingFiles, migrate, readSchemaFiles } from './platform/migrate.ts';
import { lockDataFolder } from './platform/process-lock.ts';
import {
  createSupabaseRoles,
  grantAuthUsage,
  hasSupabaseObjects,
  readLocalAuthSecrets,
} from './platform/supabase.ts';
import { createServices } from './services.ts';

export type RunningServer = {
  /** Where it listens, as an address for a browser. */
  url: string;
  port: number;
  /** Lets running replies end for `patience_ms`, then stops everything that was started. */
  stop: (patience_ms: number) => Promise<void>;
};

type Options = { word_delay_ms?: number };

/**
 * Starts Touchline: takes the port, starts or connects to the database, applies the schema, and serves. Requests that
 * come early wait. Throws a `StartError` with one sentence; whatever had been started is stopped then.
 * `root`: the folder with `schema/`, `coaches/` and `web/dist/`.
 */
export async function startServer(
  config: Config,
  root: string,
  options: Options = {},
): Promise<RunningServer> {
  const logger = createLogger(config.log_level);
  const undo: (() => unknown)[] = [];
  const stopAll = async () => {
    for (const step of undo.splice(0).reverse()) {
      await Promise.resolve(step()).catch((error) => logger.warn({ error }, 'a part did not stop cleanly'));
    }
  };
  try {
    const { promise: serving, resolve: serve } = Promise.withResolvers<RequestListener>();
    let stopping = false;
    const server = createServer(async (request, response) => {
      if (stopping) {
        response.writeHead(503, { 'retry-after': '5', connection: 'close' }).end();
        return;
      }
      (await serving)(request, response);
    });
    const port = await listen(server, config);
    undo.push(() => server.closeAllConnections());
    undo.push(() => server.close());
    const host = config.host.includes(':') ? `[${config.host}]` : config.host;
    const url = `http://${host === '127.0.0.1' ? 'localhost' : host}:${port}`;

    const reading = readCoaches(root);
    reading.catch(() => {});
    const database_url = await prepareDatabaseServer(config, undo);
    // After it: what was started while the coaches turned out to be broken has to be stopped as well.
    const coaches = await reading;
    const local_auth = await prepareDatabase(config, root, database_url, url, logger, undo);
    const web_folder = join(root, 'web', 'dist');
    const services = createServices({
      config,
      logger,
      database_url,
      coaches,
      local_auth,
      web_folder,
      ...options,
    });
    const { database, jobs, running_turns } = services;
    undo.push(() => database.destroy());
    undo.push(() => jobs.stop());
    if (config.mode === 'embedded') await giveBackAbandonedTurns(database, logger, 0);
    undo.push(watchAbandonedTurns(database, logger));
    // Without the override a route that answers by itself (RESPONSE_ALREADY_SENT) is recognised.
    serve(getRequestListener(createApp(services).fetch, { overrideGlobalObjects: false }));
    logger.info({ mode: config.mode, model: config.openai ? 'openai' : 'practice', port }, 'serving');
    return {
      url,
      port,
      async stop(patience_ms) {
        stopping = true;
        server.close();
        server.closeIdleConnections();
        await running_turns.stop(patience_ms);
        await stopAll();
      },
    };
  } catch (error) {
    await stopAll();
    throw error;
  }
}

function listen(server: Server, { host, port }: Config): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      const reason =
        {
          EADDRINUSE: `The port ${port} is in use: stop what uses it, or set PORT to another number.`,
          EACCES: `The port ${port} may not be used by this account: set PORT to a number above 1023.`,
          EADDRNOTAVAIL: `This machine has no address ${host}: set HOST to one that it has, such as 127.0.0.1.`,
          ENOTFOUND: `The address ${host} is not known: set HOST to one of this machine, such as 127.0.0.1.`,
        }[cause.code ?? ''] ?? `The server cannot listen on ${host}, port ${port} (${cause.code}).`;
      reject(new StartError(reason, { cause }));
    });
    server.listen(port, host, () => resolve((server.address() as { port: number }).port));
  });
}

async function readCoaches(root: string) {
  try {
    return await loadCoaches(join(root, 'coaches'));
  } catch (cause) {
    throw new StartError((cause as Error).message, { cause });
  }
}

/** Returns the database's address; starts it first in the embedded mode. */
async function prepareDatabaseServer(config: Config, undo: (() => unknown)[]) {
  if (config.database_url) return config.database_url;
  const lock = lockDataFolder(config.data_folder);
  undo.push(() => lock.release());
  const postgres = await startEmbeddedPostgres(config.data_folder);
  undo.push(() => postgres.stop());
  return postgres.url;
}

/** Brings the database to what this version needs, and starts the Auth in our process where it is ours. */
async function prepareDatabase(
  config: Config,
  root: string,
  database_url: string,
  site_url: string,
  logger: Logger,
  undo: (() => unknown)[],
) {
  const pool = createPool(database_url, 2, logger);
  try {
    const secrets = config.supabase ? undefined : readLocalAuthSecrets(config);
    const local_auth = secrets && { ...startLocalAuth({ ...secrets, database_url, site_url }), secrets };
    if (local_auth) undo.push(() => local_auth.stop());
    const isReady = await hasSupabaseObjects(pool).catch((cause) => {
      throw new StartError(
        `The database cannot be reached (${cause.code ?? 'no answer'}): check DATABASE_URL and that it is running.`,
        { cause },
      );
    });
    if (!isReady && local_auth) {
      await createSupabaseRoles(pool);
      await local_auth.ready.catch((cause) => {
        throw new StartError(
          `The schema "auth" could not be made in the database (${cause.code ?? cause.name}): the account of DATABASE_URL needs the right to create schemas.`,
          { cause },
        );
      });
      await grantAuthUsage(pool);
    }
    const files = readSchemaFiles(join(root, 'schema'));
    if ((await findPendingFiles(pool, files)).length > 0) {
      const applied = await migrate(pool, files);
      logger.info({ files: applied.length }, 'the schema was applied');
    }
    return local_auth;
  } finally {
    await pool.end();
  }
}
