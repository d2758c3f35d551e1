import { afterAll, beforeAll, expect, it } from 'vitest';
import { createLogger } from '../platform/logger.ts';
import { openDatabase, type TestDatabase } from '../testing/open-database.ts';
import { runErasures } from './run-erasures.ts';

let test: TestDatabase;
const logger = createLogger('silent');
beforeAll(async () => {
  test = await openDatabase();
});
afterAll(() => test.close());

function note(kind: string, external_id: string) {
  return test.pool.query('select public.note_erasure($1, $2, null)', [kind, external_id]);
}

async function listNoted() {
  const { rows } = await test.pool.query(
    'select kind, external_id, attempts, next_attempt_at > now() as later from public.erasures order by id',
  );
  return rows;
}

it('erases what is due until nothing is, puts off what fails, and leaves kinds that have no eraser', async () => {
  for (let number = 0; number < 120; number++) await note('openai_file', `file-${number}`);
  await note('stored_file', 'fails');
  await note('openai_conversation', 'conv_waits');
  const erased: string[] = [];
  const erasers = {
    openai_file: async (id: string) => void erased.push(id),
    stored_file: async () => {
      throw new Error('the disk is away');
    },
  };
  await runErasures(test.database, erasers, logger);
  expect(new Set(erased).size).toBe(120);
  expect(await listNoted()).toEqual([
    { kind: 'stored_file', external_id: 'fails', attempts: 1, later: true },
    { kind: 'openai_conversation', external_id: 'conv_waits', attempts: 0, later: false },
  ]);
});

it('notes the same thing once', async () => {
  await note('openai_file', 'twice');
  await note('openai_file', 'twice');
  expect((await listNoted()).filter(({ external_id }) => external_id === 'twice')).toHaveLength(1);
});
