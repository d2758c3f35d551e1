/** The drills of files in short; `npm run drill` runs them at full length. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { loseFiles } from './lose-files.ts';
import { rebuildStores } from './rebuild-stores.ts';

let folder: string;
let options: { seed: string; admin_url: string; log_path: string };

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'touchline-drill-test-'));
  options = { seed: '1', admin_url: inject('admin_url'), log_path: join(folder, 'servers.log') };
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const timeout_ms = 300_000;

it(
  'turns at once on a store that is gone, on two servers, have it made once; a server killed in the middle of it is replaced',
  async () => {
    expect(await rebuildStores({ ...options, times: 20 })).toMatchObject({ differences: [] });
  },
  timeout_ms,
);

it(
  'whatever OpenAI loses, every turn is answered from its file, and nothing is left that nobody names',
  async () => {
    expect(await loseFiles({ ...options, times: 60 })).toMatchObject({ differences: [] });
  },
  timeout_ms,
);
