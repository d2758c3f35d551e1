import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { no_settings } from '../server/testing/no-settings.ts';

const root = join(import.meta.dirname, '..');

/**
 * Runs Touchline as `npm start` does, in a process of its own with the embedded database. `settings`: environment
 * variables. `restart` stops it (`kill`: with SIGKILL, all of it but the database) and starts it on the same data.
 */
export async function startTouchline(settings: Record<string, string> = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'touchline-e2e-'));
  let child = start('0');
  let url = await child.ready;
  return {
    folder,
    get url() {
      return url;
    },
    get pid() {
      return child.process.pid!;
    },
    async restart({ kill = false } = {}) {
      await child.stop(kill ? 'SIGKILL' : 'SIGTERM');
      child = start(new URL(url).port);
      url = await child.ready;
    },
    async stop() {
      await child.stop('SIGTERM');
      rmSync(folder, { recursive: true, force: true });
    },
  };

  function start(port: string) {
    const process_ = spawn(process.execPath, [join('server', 'main.ts')], {
      cwd: root,
      env: { ...process.env, ...no_settings, ...settings, DATA_DIR: folder, PORT: port },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let errors = '';
    process_.stderr.on('data', (chunk) => {
      errors += chunk;
    });
    const ready = new Promise<string>((resolve, reject) => {
      process_.stdout.on('data', (chunk) => {
        const found = /http:\/\/\S+/.exec(String(chunk));
        if (found) resolve(found[0]);
      });
      process_.on('exit', () => reject(new Error(`Touchline ended: ${errors}`)));
    });
    return {
      process: process_,
      ready,
      async stop(signal: 'SIGTERM' | 'SIGKILL') {
        if (process_.exitCode !== null) return;
        process_.kill(signal);
        await once(process_, 'exit');
      },
    };
  }
}
