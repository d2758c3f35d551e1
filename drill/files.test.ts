/** The drills of files in short; `npm run drill` runs them at full length. */
import { expect, it } from 'vitest';
import { loseFiles } from './lose-files.ts';
import { rebuildStores } from './rebuild-stores.ts';
import { setShortDrill } from './short-drill.ts';

const options = setShortDrill();

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
