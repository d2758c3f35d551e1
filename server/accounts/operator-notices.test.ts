import type pg from 'pg';
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { AppError } from '../platform/errors.ts';
import type { Mail } from '../platform/mail/mail.ts';
import type { Mailer } from '../platform/mail/mailer.ts';
import { insertMember } from '../testing/factories.ts';
import { openDatabase, type TestDatabase } from '../testing/open-database.ts';
import { noteForOperators } from './operator-notice-queries.ts';
import { operatorNoticeJob } from './operator-notices.ts';

let test_database: TestDatabase;
let pool: pg.Pool;
let send: ReturnType<typeof vi.fn<Mailer['send']>>;
beforeAll(async () => {
  test_database = await openDatabase();
  pool = test_database.pool;
});
afterAll(() => test_database.close());
beforeEach(async () => {
  await pool.query('delete from public.user_roles; delete from public.operator_notices');
  send = vi.fn<Mailer['send']>(async () => {});
});

async function insertOperator() {
  const person = await insertMember(pool);
  await pool.query(`insert into public.user_roles (user_id, role) values ($1, 'operator')`, [person.id]);
  return person;
}

const note = () => noteForOperators(test_database.database, 'model_balance_exhausted');

function runJob() {
  return operatorNoticeJob({
    database: test_database.database,
    mailer: { send } as unknown as Mailer,
    site_url: 'https://coach.example.org',
    mails: {
      billing_difference: ({ to }) => ({ to, subject: 'Billing', paragraphs: [] }),
      model_balance_exhausted: ({ to, site_url }): Mail => ({
        to,
        subject: site_url,
        paragraphs: ['Paused'],
      }),
    },
  }).run();
}

const recipients = () => send.mock.calls.map(([mail]) => mail.to).sort();

test('each operator gets one mail, however often it happens; members get none', async () => {
  const operators = [await insertOperator(), await insertOperator()];
  await insertMember(pool);
  expect(await note()).toEqual({ operators: 2, due: 2 });
  await Promise.all([note(), note(), note()]);
  await runJob();
  await note();
  await runJob();
  expect(recipients()).toEqual(operators.map(({ email }) => email).sort());
});

test('it is told again when it comes back after a day of silence, and not while it lasts', async () => {
  await insertOperator();
  await note();
  await runJob();
  await pool.query(`update public.operator_notices set noticed_at = now() - interval '23 hours'`);
  expect(await note()).toEqual({ operators: 1, due: 0 });
  await pool.query(`update public.operator_notices set noticed_at = now() - interval '25 hours'`);
  expect(await note()).toEqual({ operators: 1, due: 1 });
  await runJob();
  expect(send).toHaveBeenCalledTimes(2);
});

test('a mail that could not be sent comes again, and the others are not sent twice', async () => {
  const [one, other] = [await insertOperator(), await insertOperator()];
  await note();
  send.mockImplementation(async ({ to }) => {
    if (to === one.email)
      throw new AppError('mail_not_sent', 'No.', { details: { recipient_refused: false } });
  });
  await expect(runJob()).rejects.toMatchObject({ code: 'mail_not_sent' });
  send.mockClear();
  send.mockImplementation(async () => {});
  await runJob();
  expect(recipients()).toEqual([one.email]);
  expect(other.email).not.toBe(one.email);
});

test('an address that nobody takes mail for is not tried for ever', async () => {
  await insertOperator();
  await note();
  send.mockRejectedValue(new AppError('mail_not_sent', 'No.', { details: { recipient_refused: true } }));
  await runJob();
  await runJob();
  expect(send).toHaveBeenCalledTimes(1);
});

test('somebody who is no operator any more is told nothing', async () => {
  const operator = await insertOperator();
  await note();
  await pool.query(`update public.user_roles set role = 'member' where user_id = $1`, [operator.id]);
  await runJob();
  expect(send).not.toHaveBeenCalled();
});

test('without an operator nothing is noted', async () => {
  await insertMember(pool);
  expect(await note()).toEqual({ operators: 0, due: 0 });
});
