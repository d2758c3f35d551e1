import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findFreePort } from '../../server/platform/free-port.ts';
import { emailOf } from './prepare-members.ts';

const root = join(import.meta.dirname, '..', '..');

/**
 * Milliseconds from `node scripts/start.mjs` to the answer of a member's first request, which reads the embedded database,
 * for each of `times` starts after the first one on a folder.
 */
export async function measureSecondStart(times: number): Promise<number[]> {
  const folder = mkdtempSync(join(tmpdir(), 'touchline-start-'));
  try {
    const port = await findFreePort();
    const url = `http://127.0.0.1:${port}`;
    const first = start(folder, port);
    const { auth_key } = JSON.parse(await askUntilAnswered(`${url}/api/config`)) as { auth_key: string };
    const email = emailOf('at-the-start');
    const answer = await fetch(`${url}/auth/v1/signup`, {
      method: 'POST',
      headers: { apikey: auth_key, 'content-type': 'application/json' },
      body: JSON.stringify({ email, password: 'a long password' }),
    });
    const { access_token } = (await answer.json()) as { access_token: string };
    await stop(first);

    const took_ms: number[] = [];
    for (let time = 0; time < times; time++) {
      const started_ms = performance.now();
      const server = start(folder, port);
      await askUntilAnswered(`${url}/api/chat-sessions`, access_token);
      took_ms.push(performance.now() - started_ms);
      await stop(server);
    }
    return took_ms;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function start(folder: string, port: number) {
  return spawn(process.execPath, [join(root, 'scripts', 'start.mjs')], {
    cwd: root,
    env: {
      ...process.env,
      DATA_DIR: folder,
      PORT: String(port),
      HOST: '127.0.0.1',
      DATABASE_URL: '',
      SUPABASE_URL: '',
      OPENAI_API_KEY: '',
    },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
}

async function stop(server: ReturnType<typeof start>) {
  server.kill('SIGTERM');
  await once(server, 'exit');
}

async function askUntilAnswered(url: string, token?: string) {
  for (;;) {
    const answer = await fetch(url, token ? { headers: { authorization: `Bearer ${token}` } } : {}).catch(
      () => undefined,
    );
    if (answer?.ok) return await answer.text();
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
