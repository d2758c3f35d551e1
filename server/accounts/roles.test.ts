import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { readConfig } from '../platform/config.ts';
import { createDatabase, createPool, type Database } from '../platform/database.ts';
import { createLogger } from '../platform/logger.ts';
import { createMailer } from '../platform/mail/mailer.ts';
import { createRateLimits } from '../platform/rate-limit.ts';
import { createRouter } from '../platform/routes.ts';
import { countRoundTrips } from '../testing/count-round-trips.ts';
import { insertMember, type TestMember } from '../testing/factories.ts';
import { openDatabase, type TestDatabase } from '../testing/open-database.ts';
import { startTestServer } from '../testing/start-test-server.ts';
import { findRole, grantRole, listOperators, revokeRole } from './queries.ts';
import { appointFirstOperator, requireOperator } from './roles.ts';
import { accountRoutes } from './routes.ts';

const logger = createLogger('silent');
/** A site that others reach; nothing listens where its mail server should be. */
const public_site = {
  PUBLIC_URL: 'https://coach.example.org',
  SMTP_HOST: '127.0.0.1',
  SMTP_PORT: '9',
  MAIL_FROM: 'hello@example.org',
};

let test: TestDatabase;
let folder: string;
beforeAll(async () => {
  test = await openDatabase();
  folder = mkdtempSync(join(tmpdir(), 'touchline-roles-'));
});
afterAll(async () => {
  await test.close();
  rmSync(folder, { recursive: true, force: true });
});
beforeEach(() => test.pool.query('delete from public.user_roles'));

/** What the accounts need of a server; each has an outbox of its own. */
function serverParts(
  OPERATOR_EMAIL: string,
  settings: Record<string, string> = {},
  database = test.database,
) {
  const config = readConfig({ DATA_DIR: mkdtempSync(join(folder, 'data-')), OPERATOR_EMAIL, ...settings });
  const mailer = createMailer(config, logger);
  const rate_limits = createRateLimits(test.pool);
  const sign_outs = { remember: () => {} };
  return { config, database, mailer, site_url: 'http://localhost:3000', logger, rate_limits, sign_outs };
}

/** `GET /api/me` as a member, from this machine unless `headers` say otherwise. */
async function askMe(
  parts: ReturnType<typeof serverParts>,
  { auth_id, email }: TestMember,
  headers: Record<string, string> = {},
) {
  const app = createRouter().use((c, next) => {
    c.set('signed_in', { auth_id, email });
    return next();
  });
  const answer = await app
    .route('/', accountRoutes(parts))
    .request(
      '/api/me',
      { headers: { host: 'localhost:3000', ...headers } },
      { incoming: { httpVersion: '1.1' } },
    );
  expect(answer.status).toBe(200);
  return (await answer.json()) as { role: string };
}

const listMails = async (...all: ReturnType<typeof serverParts>[]) =>
  (await Promise.all(all.map(({ mailer }) => mailer.outbox!.list()))).flat();

/** Somebody whose address is not confirmed, and who has the mail that asks for it. */
async function insertUnconfirmed() {
  const member = await insertMember(test.pool, { email_confirmed: false });
  await test.pool.query('update public.profiles set email_verification_sent_at = now() where id = $1', [
    member.id,
  ]);
  return member;
}

const confirm = ({ id }: TestMember) =>
  test.pool.query('update public.profiles set email_confirmed = true where id = $1', [id]);
const close = ({ id }: TestMember) =>
  test.pool.query('update public.profiles set is_deleted = true, deleted_at = now() where id = $1', [id]);

async function listOperatorIds(database: Database = test.database) {
  return (await listOperators(database)).map((operator) => operator.user_id);
}

describe('a role', () => {
  it('is a member’s for whoever was given none, and goes and comes with what an operator does', async () => {
    const [member, operator] = [await insertMember(test.pool), await insertMember(test.pool)];
    expect(await findRole(test.database, member.id)).toBe('member');
    expect(await grantRole(test.database, operator.id, null)).toBe(true);
    expect(await grantRole(test.database, member.id, operator.id)).toBe(true);
    expect(await findRole(test.database, member.id)).toBe('operator');
    expect(await listOperators(test.database)).toMatchObject([
      { user_id: operator.id, email: operator.email, granted_by: null },
      { user_id: member.id, email: member.email, granted_by: operator.id },
    ]);
    expect(await revokeRole(test.database, member.id, operator.id)).toBe(true);
    expect(await findRole(test.database, member.id)).toBe('member');
    expect(await listOperatorIds()).toEqual([operator.id]);
  });

  it('is not given or taken twice, and what was there stays', async () => {
    const operator = await insertMember(test.pool);
    await grantRole(test.database, operator.id, null);
    const before = await listOperators(test.database);
    expect(await grantRole(test.database, operator.id, operator.id)).toBe(false);
    expect(await listOperators(test.database)).toEqual(before);
    await revokeRole(test.database, operator.id, null);
    expect(await revokeRole(test.database, operator.id, null)).toBe(false);
    expect(await grantRole(test.database, operator.id, null)).toBe(true);
  });

  it('is given to no closed account and to no id that is nobody’s', async () => {
    const closed = await insertMember(test.pool);
    await close(closed);
    expect(await grantRole(test.database, closed.id, null)).toBe(false);
    expect(await grantRole(test.database, randomUUID(), null)).toBe(false);
    expect(await revokeRole(test.database, randomUUID(), null)).toBe(false);
    expect(await listOperatorIds()).toEqual([]);
  });

  it('stays when the operator who gave it leaves', async () => {
    const [giver, operator] = [await insertMember(test.pool), await insertMember(test.pool)];
    await grantRole(test.database, operator.id, giver.id);
    await test.pool.query('delete from public.profiles where id = $1', [giver.id]);
    expect(await listOperators(test.database)).toMatchObject([{ user_id: operator.id, granted_by: null }]);
  });
});

describe('what is for operators alone', () => {
  const notFound = { code: 'not_found', message: 'There is nothing at this address.' };
  const ask = ({ auth_id, email }: TestMember) => requireOperator(test.database, { auth_id, email });

  it('is there for an operator, until the role is taken away or the account closed', async () => {
    const [first, second] = [await insertMember(test.pool), await insertMember(test.pool)];
    for (const operator of [first, second]) {
      await expect(ask(operator)).rejects.toMatchObject(notFound);
      await grantRole(test.database, operator.id, null);
      expect(await ask(operator)).toEqual({ user_id: operator.id });
    }
    await revokeRole(test.database, first.id, null);
    await close(second);
    for (const operator of [first, second]) await expect(ask(operator)).rejects.toMatchObject(notFound);
  });

  it('is not there for a stranger, for an operator’s profile id in a token, or for an id of nobody', async () => {
    const operator = await insertMember(test.pool);
    await grantRole(test.database, operator.id, null);
    const stranger = await insertMember(test.pool);
    for (const auth_id of [stranger.auth_id, operator.id, randomUUID()]) {
      // The address in a token says nothing.
      await expect(ask({ ...operator, auth_id })).rejects.toMatchObject(notFound);
    }
  });
});

describe('OPERATOR_EMAIL', () => {
  it('makes the account with that address the first operator when it opens the site, and a mail says so', async () => {
    const [member, other] = [await insertUnconfirmed(), await insertUnconfirmed()];
    const parts = serverParts(member.email.toUpperCase());
    expect(await askMe(parts, other)).toMatchObject({ role: 'member' });
    expect(await listOperatorIds()).toEqual([]);
    expect(await askMe(parts, member)).toMatchObject({ role: 'operator' });
    expect(await askMe(parts, member)).toMatchObject({ role: 'operator' });
    expect(await askMe(parts, other)).toMatchObject({ role: 'member' });
    expect(await listOperatorIds()).toEqual([member.id]);
    await parts.mailer.close();
    expect(await listMails(parts)).toMatchObject([
      { to: member.email, subject: 'You can now run localhost:3000' },
    ]);
  });

  it('makes it one at the start of the server too, once its address is confirmed', async () => {
    const member = await insertUnconfirmed();
    const settings = { DATABASE_URL: test.url, OPERATOR_EMAIL: member.email };
    const start = async (more = {}) => (await startTestServer({ ...settings, ...more })).stop();
    await start(public_site);
    await start();
    expect(await listOperatorIds()).toEqual([]);
    await confirm(member);
    await start();
    expect(await listOperatorIds()).toEqual([member.id]);
  }, 60_000);

  it('gives a stranger nothing who signs up with that address where others reach the site and it is unconfirmed', async () => {
    const stranger = await insertUnconfirmed();
    const parts = serverParts(stranger.email, public_site);
    expect(await askMe(parts, stranger)).toMatchObject({ role: 'member' });
    expect(await appointFirstOperator(parts, false)).toBe(false);
    // Behind a proxy the server may take itself for one that nobody else reaches.
    const behind_proxy = serverParts(stranger.email);
    const passed_on: Record<string, string>[] = [
      { 'x-forwarded-for': '203.0.113.7' },
      { host: 'coach.example.org' },
    ];
    for (const headers of passed_on) {
      expect(await askMe(behind_proxy, stranger, headers)).toMatchObject({ role: 'member' });
    }
    expect(await listOperatorIds()).toEqual([]);
    await confirm(stranger);
    expect(await askMe(parts, stranger)).toMatchObject({ role: 'operator' });
  });

  it('gives the role even if the mail cannot be sent', async () => {
    const member = await insertUnconfirmed();
    await confirm(member);
    const parts = serverParts(member.email, public_site);
    expect(await askMe(parts, member)).toMatchObject({ role: 'operator' });
    await parts.mailer.close();
    expect(await listOperatorIds()).toEqual([member.id]);
  });

  it('does nothing while there is an operator', async () => {
    const [operator, member] = [await insertUnconfirmed(), await insertUnconfirmed()];
    await grantRole(test.database, operator.id, null);
    const parts = serverParts(member.email);
    expect(await askMe(parts, member)).toMatchObject({ role: 'member' });
    expect(await appointFirstOperator(parts, true)).toBe(false);
    expect(await listOperatorIds()).toEqual([operator.id]);
    expect(await listMails(parts)).toEqual([]);
  });

  it('does not bring a role back that was taken away', async () => {
    const member = await insertUnconfirmed();
    const parts = serverParts(member.email);
    await appointFirstOperator(parts, true);
    await revokeRole(test.database, member.id, null);
    expect(await askMe(parts, member)).toMatchObject({ role: 'member' });
    expect(await appointFirstOperator(parts, true)).toBe(false);
  });

  it('does not make a closed account one', async () => {
    const member = await insertUnconfirmed();
    await close(member);
    expect(await appointFirstOperator(serverParts(member.email), true)).toBe(false);
    expect(await listOperatorIds()).toEqual([]);
  });

  it('however many servers and requests do it at once, it is done once, and one mail is sent', async () => {
    const member = await insertUnconfirmed();
    const servers = Array.from({ length: 3 }, () => serverParts(member.email));
    const pools = servers.map(() => createPool(test.url, 3, logger));
    try {
      const asked = servers.flatMap((parts, index) => {
        const own = { ...parts, database: createDatabase(pools[index]!) };
        return [askMe(own, member), askMe(own, member), appointFirstOperator(own, true)];
      });
      const answers = await Promise.all(asked);
      for (const answer of answers) {
        if (typeof answer === 'object') expect(answer.role).toBe('operator');
      }
      expect(await listOperatorIds()).toEqual([member.id]);
      await Promise.all(servers.map(({ mailer }) => mailer.close()));
      expect(await listMails(...servers)).toHaveLength(1);
    } finally {
      await Promise.all(pools.map((pool) => pool.end()));
    }
  });

  it('of two servers that name two people, one is heard', async () => {
    const people = [await insertUnconfirmed(), await insertUnconfirmed()];
    const client = await test.pool.connect();
    try {
      // The first has not committed while the second asks.
      await client.query('begin');
      await client.query('select public.grant_first_operator($1, true)', [people[0]!.email]);
      const second = appointFirstOperator(serverParts(people[1]!.email), true);
      await vi.waitFor(async () => {
        const { rows } = await test.pool.query(
          `select 1 from pg_stat_activity where datname = current_database() and wait_event = 'advisory'`,
        );
        expect(rows).toHaveLength(1);
      }, 10_000);
      await client.query('commit');
      expect(await second).toBe(false);
    } finally {
      client.release();
    }
    expect(await listOperatorIds()).toEqual([people[0]!.id]);
  });

  it('costs nobody a round trip but the account that it names, and that one none once it has the role', async () => {
    const counted = await countRoundTrips(test.url, 'touchline');
    const pool = createPool(counted.url, 1, logger);
    try {
      const [named, other] = [await insertUnconfirmed(), await insertUnconfirmed()];
      const local = serverParts(named.email, {}, createDatabase(pool));
      const elsewhere = serverParts(named.email, public_site, createDatabase(pool));
      await pool.query('select 1');
      async function count(parts: ReturnType<typeof serverParts>, member: TestMember) {
        const before = counted.count;
        await askMe(parts, member);
        return counted.count - before;
      }
      expect(await count(local, other)).toBe(1);
      expect(await count(elsewhere, named)).toBe(1);
      expect(await count(local, named)).toBe(2);
      expect(await count(local, named)).toBe(1);
      expect(await count({ ...local, config: readConfig({}) }, named)).toBe(1);
    } finally {
      await pool.end();
      counted.close();
    }
  });
});
