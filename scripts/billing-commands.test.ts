import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { insertMember } from '../server/testing/factories.ts';
import { type FakeStripe, startFakeStripe } from '../server/testing/fake-stripe/fake-stripe.ts';
import { no_settings } from '../server/testing/no-settings.ts';
import { openDatabase, type TestDatabase } from '../server/testing/open-database.ts';

const root = join(import.meta.dirname, '..');
let folder: string;
let database: TestDatabase;
let stripe: FakeStripe;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'touchline-billing-'));
  database = await openDatabase();
  stripe = await startFakeStripe();
});
afterAll(async () => {
  await stripe.close();
  await database.close();
  rmSync(folder, { recursive: true, force: true });
});

/** A command as a process of its own; says what it printed and how it ended. */
async function run(script: string, words: string[] = [], settings: Record<string, string> = {}) {
  const child = spawn(process.execPath, [join('scripts', script), ...words], {
    cwd: root,
    env: { ...process.env, ...no_settings, DATA_DIR: folder, DATABASE_URL: database.url, ...settings },
  });
  let output = '';
  child.stdout.on('data', (chunk) => {
    output += chunk;
  });
  child.stderr.on('data', (chunk) => {
    output += chunk;
  });
  const [code] = await once(child, 'close');
  return { code, output };
}

const with_stripe = () => ({ STRIPE_SECRET_KEY: stripe.secret_key, STRIPE_API_URL: stripe.url });

test('npm run grant gives a plan, lists it and ends it, and says why it cannot', async () => {
  const { email, id } = await insertMember(database.pool);
  const given = await run('grant.ts', [email, 'pro', '2999-01-31', 'a trial']);
  expect(given).toMatchObject({
    code: 0,
    output: expect.stringContaining(`${email} has pro until 2999-01-31.`),
  });
  const { rows } = await database.pool.query(
    'select subscription_plan, subscription_quota from public.profiles where id = $1',
    [id],
  );
  expect(rows[0]).toMatchObject({ subscription_plan: 'pro', subscription_quota: { messages: 1000 } });
  expect((await run('grant.ts', ['list'])).output).toContain(`${email}  pro  until 2999-01-31  a trial`);
  const grant_id = given.output.trim().split(' ').at(-1)!;
  expect(await run('grant.ts', ['end', grant_id])).toMatchObject({ code: 0 });
  expect(await run('grant.ts', ['end', grant_id])).toMatchObject({ code: 1 });
  expect(await run('grant.ts', [email, 'gold', '2999-01-31'])).toMatchObject({
    code: 1,
    output: 'There is no plan gold, only free, starter, pro, enterprise. Nothing was changed.\n',
  });
  expect(await run('grant.ts', ['nobody@example.org', 'pro', '2999-01-31'])).toMatchObject({ code: 1 });
  expect(await run('grant.ts', [email, 'pro', 'tomorrow'])).toMatchObject({ code: 2 });
}, 60_000);

test('npm run stripe:sync makes the prices, and says the second time that all is right', async () => {
  expect(await run('stripe-sync.ts')).toMatchObject({
    code: 1,
    output: expect.stringMatching(/^STRIPE_SECRET_KEY is not set/),
  });
  const made = await run('stripe-sync.ts', [], with_stripe());
  expect(made).toMatchObject({
    code: 0,
    output: expect.stringContaining('made the price touchline_pro_month'),
  });
  expect(await run('stripe-sync.ts', [], with_stripe())).toEqual({
    code: 0,
    output: 'All is as plans.yaml says.\n',
  });
  const refused = await run('stripe-sync.ts', [], {
    ...with_stripe(),
    STRIPE_SECRET_KEY: 'sk_test_of_somebody',
  });
  expect(refused).toMatchObject({ code: 1, output: expect.stringMatching(/^Stripe did not do it .*401/) });
  expect(refused.output).not.toContain('of_somebody');
}, 60_000);

test('npm run billing:check finds a meter that is not what the ledger says', async () => {
  const { id } = await insertMember(database.pool);
  expect(await run('billing-check.ts', [], with_stripe())).toEqual({
    code: 0,
    output: 'The meters are what the ledger says, and Stripe agrees.\n',
  });
  await database.pool.query('update public.profiles set message_credits = 5 where id = $1', [id]);
  expect(await run('billing-check.ts')).toEqual({
    code: 1,
    output: `${id}: credits 5 on the meter, 0 in the ledger\n`,
  });
}, 60_000);
