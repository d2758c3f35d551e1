import { createServer, type RequestListener, type Server } from 'node:http';
import { join } from 'node:path';
import { getRequestListener } from '@hono/node-server';
import { appointFirstOperator } from './accounts/roles.ts';
import { createApp } from './app.ts';
import { loadPlans } from './billing/load-plans.ts';
import { setPlans } from './billing/queries.ts';
import { giveBackAllTurns, watchAbandonedTurns } from './chat/abandoned-turns.ts';
import { loadCoaches } from './coaches/load-coaches.ts';
import { type Config, listensEverywhere, StartError } from './platform/config.ts';
import { createLogger } from './platform/logger.ts';
import { prepareDatabase, prepareDatabaseServer, runUndo, type Undo } from './prepare-database.ts';
import { createServices } from './services.ts';

type RunningServer = {
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
 * `root`: the folder with `schema/`, `coaches/`, `plans.yaml` and `web/dist/`.
 */
export async function startServer(
  config: Config,
  root: string,
  options: Options = {},
): Promise<RunningServer> {
  if (!config.is_local && !config.smtp) {
    throw new StartError(
      'Others can reach this server, so it needs a way to send mail: set SMTP_HOST and MAIL_FROM, or let HOST and PUBLIC_URL be addresses of this machine alone.',
    );
  }
  if (listensEverywhere(config) && !config.public_url) {
    throw new StartError(
      'The links in mails need the address that people use: set PUBLIC_URL to it, such as https://coach.example.org.',
    );
  }
  const logger = createLogger(config.log_level);
  const undo: Undo = [];
  const stopAll = () => runUndo(undo, logger);
  try {
    const { promise: serving, resolve: serve } = Promise.withResolvers<RequestListener>();
    let stopping = false;
    const server = createServer(async (request, response) => {
      // Replies may still be read, joined and stopped; a proxy sends the next request to another process.
      if (stopping) response.setHeader('connection', 'close');
      (await serving)(request, response);
    });
    const port = await listen(server, config);
    undo.push(() => server.closeAllConnections());
    undo.push(() => server.close());
    const host = config.host.includes(':') ? `[${config.host}]` : config.host;
    const url = `http://${host === '127.0.0.1' ? 'localhost' : host}:${port}`;
    const site_url = config.public_url ?? url;

    const reading = readCoachesAndPlans(root);
    reading.catch(() => {});
    const database_url = await prepareDatabaseServer(config, undo, logger);
    // After it: what was started while the coaches turned out to be broken has to be stopped as well.
    const { coaches, plans } = await reading;
    const { local_auth } = await prepareDatabase(config, root, database_url, site_url, logger, undo);
    const web_folder = join(root, 'web', 'dist');
    const services = createServices({
      config,
      logger,
      database_url,
      site_url,
      coaches,
      plans,
      local_auth,
      web_folder,
      ...options,
    });
    const { bell, database, jobs, mailer, running_turns, sign_outs, vector_stores } = services;
    undo.push(() => mailer.close());
    undo.push(() => database.destroy());
    undo.push(() => jobs.stop());
    undo.push(() => vector_stores?.stop());
    undo.push(() => bell.stop());
    undo.push(() => sign_outs.stop());
    await setPlans(database, plans);
    if (config.mode === 'embedded') await giveBackAllTurns(database, logger);
    await Promise.all([sign_outs.ready, appointFirstOperator(services, false)]);
    undo.push(watchAbandonedTurns(database, running_turns, logger));
    // Without the override a route that answers by itself (RESPONSE_ALREADY_SENT) is recognised.
    serve(getRequestListener(createApp(services).fetch, { overrideGlobalObjects: false }));
    logger.info({ mode: config.mode, model: config.openai ? 'openai' : 'practice', port }, 'serving');
    return {
      url,
      port,
      async stop(patience_ms) {
        stopping = true;
        server.closeIdleConnections();
        await running_turns.stop(patience_ms);
        server.close();
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

/** Throws a `StartError`, also for a coach whose file names a plan that there is not. */
async function readCoachesAndPlans(root: string) {
  const plans = await loadPlans(join(root, 'plans.yaml'));
  try {
    const slugs = plans.plans.map(({ slug }) => slug);
    return { plans, coaches: await loadCoaches(join(root, 'coaches'), slugs) };
  } catch (cause) {
    throw new StartError((cause as Error).message, { cause });
  }
}
