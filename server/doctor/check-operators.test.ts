import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { readConfig } from '../platform/config.ts';
import { insertMember, type TestMember } from '../testing/factories.ts';
import { openDatabase, type TestDatabase } from '../testing/open-database.ts';
import { checkOperators } from './check-operators.ts';

const public_site = {
  PUBLIC_URL: 'https://coach.example.org',
  SMTP_HOST: '127.0.0.1',
  MAIL_FROM: 'a@example.org',
};

let database: TestDatabase;
let named: TestMember;
let other: TestMember;
beforeAll(async () => {
  database = await openDatabase();
});
afterAll(() => database.close());
beforeEach(async () => {
  await database.pool.query('delete from public.user_roles');
  named = await insertMember(database.pool, { email_confirmed: false });
  other = await insertMember(database.pool);
});

/** What is said; never with an address. */
async function check(settings: Record<string, string> = {}) {
  const findings = await checkOperators(database.pool, readConfig(settings));
  const lines = findings.map(({ verdict, about, sentence }) => `${verdict} ${about}: ${sentence}`);
  expect(lines.join()).not.toContain(named.email);
  return lines;
}

const give = ({ id }: TestMember, role = 'operator') =>
  database.pool.query('insert into public.user_roles (user_id, role) values ($1, $2)', [id, role]);

test('that there is none is a note with the command', async () => {
  expect(await check()).toEqual([
    'note operators: There is none yet: sign up, then npm run operator -- add someone@example.org',
  ]);
});

test('operators are counted, and that is good', async () => {
  await give(named);
  expect(await check()).toEqual(['good operators: There is one.']);
  await give(other);
  expect(await check({ OPERATOR_EMAIL: named.email })).toEqual(['good operators: There are 2.']);
});

test('why OPERATOR_EMAIL has made nobody an operator is told', async () => {
  const only = async (settings: Record<string, string>, sentence: RegExp) =>
    expect(await check(settings)).toEqual([expect.stringMatching(sentence)]);
  await only(
    { OPERATOR_EMAIL: 'nobody@example.org' },
    /^note .* no account has the address in OPERATOR_EMAIL/,
  );
  const OPERATOR_EMAIL = named.email;
  await only(
    { OPERATOR_EMAIL, ...public_site },
    /^note .* has not been confirmed: .* npm run operator -- add/,
  );
  await only({ OPERATOR_EMAIL }, /^note .* becomes one when it opens the site\.$/);
  await database.pool.query('update public.profiles set email_confirmed = true where id = $1', [named.id]);
  await only({ OPERATOR_EMAIL, ...public_site }, /^note .* becomes one when it opens the site\.$/);
  await give(named, 'member');
  await only({ OPERATOR_EMAIL }, /^note .* was removed before, .* npm run operator -- add/);
  await database.pool.query(
    'update public.profiles set is_deleted = true, deleted_at = now() where id = $1',
    [named.id],
  );
  await only({ OPERATOR_EMAIL }, /^note .* no account has the address in OPERATOR_EMAIL/);
});

test('that OPERATOR_EMAIL does nothing for another account any more is told', async () => {
  await give(other);
  expect(await check({ OPERATOR_EMAIL: named.email })).toEqual([
    'good operators: There is one.',
    expect.stringMatching(/^note .* is none of them: .* npm run operator -- add/),
  ]);
});
