import { join } from 'node:path';
import { loadConfig, StartError } from './platform/config.ts';
import { startServer } from './start-server.ts';

const root = join(import.meta.dirname, '..');

/** How long replies may go on after the signal: a service manager waits, a person at the terminal does not. */
const patience_ms = { SIGTERM: 30_000, SIGINT: 3_000, disconnect: 3_000 };

try {
  const starting = startServer(loadConfig(root), root);
  let stopping = false;
  // Already while it starts: a PostgreSQL of ours would live on.
  const stop = async (reason: keyof typeof patience_ms) => {
    if (stopping) return;
    stopping = true;
    const server = await starting.catch(() => undefined);
    await server?.stop(patience_ms[reason]);
    process.exit(0);
  };
  process.on('SIGTERM', () => stop('SIGTERM'));
  process.on('SIGINT', () => stop('SIGINT'));
  // Started by scripts/start.mjs: when that is killed, nobody is left to stop us.
  process.on('disconnect', () => stop('disconnect'));

  const server = await starting;
  if (!stopping) process.stdout.write(`Touchline is ready at ${server.url}\n`);
} catch (error) {
  if (!(error instanceof StartError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exit(1);
}
