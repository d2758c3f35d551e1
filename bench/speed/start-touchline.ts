import { join } from 'node:path';
import { findFreePort } from '../../server/platform/free-port.ts';
import { type Part, startPart } from './ask.ts';

const main = join(import.meta.dirname, '..', '..', 'server', 'main.ts');

/**
 * Starts Touchline on the core of what is measured, and waits until it can serve. `settings`: environment variables; at least
 * `DATA_DIR` and `DATABASE_URL`. `nodeArgs` stand before the script.
 */
export async function startTouchline(settings: Record<string, string>, nodeArgs: string[]) {
  const port = await findFreePort();
  const server = startPart(main, 'measured', {
    nodeArgs,
    env: {
      NODE_ENV: 'production',
      HOST: '127.0.0.1',
      PORT: String(port),
      LOG_LEVEL: 'warn',
      ...settings,
    },
  });
  for (;;) {
    if (server.child.exitCode !== null) throw new Error('Touchline did not start');
    const answer = await fetch(`http://127.0.0.1:${port}/readyz`).catch(() => undefined);
    if (answer?.ok) break;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return { port, server: server as Part, stop: () => server.stop() };
}
