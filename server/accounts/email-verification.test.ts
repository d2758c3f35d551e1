import { createHash, randomUUID } from 'node:crypto';
import { SignJWT } from 'jose';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { insertMember, type TestMember } from '../testing/factories.ts';
import { type FakeSmtp, startFakeSmtp } from '../testing/fake-smtp.ts';
import { type FakeSupabaseAuth, startFakeSupabaseAuth } from '../testing/fake-supabase-auth.ts';
import { linkOf, mailsTo, nthMail, smtpSettings } from '../testing/mailbox.ts';
import { openDatabase, type TestDatabase } from '../testing/open-database.ts';
import { readTurn } from '../testing/read-turn.ts';
import { startTestServer, type TestClient } from '../testing/start-test-server.ts';

let smtp: FakeSmtp;
let server: Awaited<ReturnType<typeof startTestServer>>;
let pool: pg.Pool;
beforeAll(async () => {
  smtp = await startFakeSmtp();
  server = await startTestServer(smtpSettings(smtp));
  pool = new pg.Pool({ connectionString: server.database_url, max: 2 });
});
afterAll(async () => {
  await pool.end();
  await server.stop();
  await smtp.close();
});
afterEach(() => smtp.refused.clear());

const tokenOf = (mail: { text?: string | undefined }) => linkOf(mail).fragment.get('token')!;

/** As if the pauses between two mails had passed. */
const letTimePass = () => pool.query('delete from public.rate_limits');

async function confirm(token: string, url = server.url) {
  const answer = await fetch(`${url}/api/email-verification`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ token }),
  });
  return { status: answer.status, body: (await answer.json()) as any };
}

const resend = (member: TestClient) => member.fetch('/api/me/email-verification', { method: 'POST' });

/** Somebody who has just signed up, and the token of the first mail. */
async function newcomer() {
  const member = await server.signUp({ is_confirmed: false });
  await member.json('/api/me');
  return { member, token: tokenOf(await nthMail(smtp, member.email)) };
}

const isConfirmed = async (member: TestClient) => (await member.json('/api/me')).email_confirmed as boolean;

describe('the first mail', () => {
  it('goes out once, however many requests look at the profile at once, and the database keeps a hash', async () => {
    const member = await server.signUp({ is_confirmed: false });
    const looks = await Promise.all(Array.from({ length: 5 }, () => member.json('/api/me')));
    expect(looks.every((me) => !me.email_confirmed)).toBe(true);
    const mail = await nthMail(smtp, member.email);
    expect((await member.json('/api/me')).email_verification.sent_at).toMatch(/^20\d\d-.*Z$/);
    expect(mailsTo(smtp, member.email)).toHaveLength(1);
    const { url } = linkOf(mail);
    expect(url.origin + url.pathname).toBe(`${server.url.replace('127.0.0.1', 'localhost')}/verify-email`);
    const { rows } = await pool.query(
      'select email_verification_token from public.profiles where email = $1',
      [member.email],
    );
    const hash = createHash('sha256').update(tokenOf(mail)).digest('hex');
    expect(rows).toEqual([{ email_verification_token: hash }]);
  });

  it('that could not be sent is not said to have been, and goes out with a later look', async () => {
    const member = await server.signUp({ is_confirmed: false });
    smtp.refused.set(member.email, 451);
    await member.json('/api/me');
    await vi.waitFor(async () => {
      const { rows } = await pool.query(
        'select 1 from public.profiles where email = $1 and email_verification_sent_at is null and email_verification_token is null',
        [member.email],
      );
      expect(rows).toHaveLength(1);
    }, 10_000);
    smtp.refused.clear();
    // Not with the very next one: the mail server may be down for long.
    expect((await member.json('/api/me')).email_verification).toEqual({ sent_at: null });
    expect(mailsTo(smtp, member.email)).toHaveLength(0);
    await letTimePass();
    await member.json('/api/me');
    expect(await confirm(tokenOf(await nthMail(smtp, member.email)))).toMatchObject({ status: 200 });
  });

  it('is not sent to a confirmed address', async () => {
    const member = await server.signUp();
    await member.json('/api/me');
    expect(mailsTo(smtp, member.email)).toHaveLength(0);
    const { rows } = await pool.query(
      'select email_verification_sent_at from public.profiles where email = $1',
      [member.email],
    );
    expect(rows).toEqual([{ email_verification_sent_at: null }]);
  });
});

describe('the link', () => {
  it('confirms the address once, without a sign-in, and says afterwards that it did', async () => {
    const { member, token } = await newcomer();
    expect(await confirm(token)).toEqual({ status: 200, body: { status: 'confirmed' } });
    expect(await isConfirmed(member)).toBe(true);
    expect(await confirm(token)).toEqual({ status: 200, body: { status: 'already_confirmed' } });
    expect((await resend(member)).status).toBe(409);
    expect(mailsTo(smtp, member.email)).toHaveLength(1);
  });

  it('clicked many times at once confirms once, and nobody is told that it is bad', async () => {
    const { token } = await newcomer();
    const clicks = await Promise.all(Array.from({ length: 6 }, () => confirm(token)));
    expect(clicks.map(({ body }) => body.status).sort()).toEqual([
      ...Array.from({ length: 5 }, () => 'already_confirmed'),
      'confirmed',
    ]);
  });

  it('dies after 24 hours', async () => {
    const { member, token } = await newcomer();
    const age = (hours: string) =>
      pool.query(
        'update public.profiles set email_verification_sent_at = now() - $2::interval where email = $1',
        [member.email, hours],
      );
    await age('24 hours');
    expect(await confirm(token)).toMatchObject({ status: 410, body: { code: 'link_expired' } });
    expect(await isConfirmed(member)).toBe(false);
    await age('23 hours 59 minutes');
    expect(await confirm(token)).toMatchObject({ status: 200 });
  });

  it('dies with a newer mail', async () => {
    const { member, token } = await newcomer();
    await letTimePass();
    expect((await resend(member)).status).toBe(204);
    const newer = tokenOf(await nthMail(smtp, member.email, 2));
    expect(await confirm(token)).toMatchObject({ status: 410, body: { code: 'link_expired' } });
    expect(await isConfirmed(member)).toBe(false);
    expect(await confirm(newer)).toMatchObject({ status: 200, body: { status: 'confirmed' } });
  });

  it('dies with a change of address, which is to be confirmed by a mail of its own', async () => {
    const { member, token } = await newcomer();
    expect(await confirm(token)).toMatchObject({ status: 200 });
    const email = `new-${randomUUID()}@example.org`;
    await pool.query('update auth.users set email = $2 where email = $1', [member.email, email]);
    expect(await confirm(token)).toMatchObject({ status: 410 });
    await letTimePass();
    expect(await member.json('/api/me')).toMatchObject({ email, email_confirmed: false });
    expect(await confirm(tokenOf(await nthMail(smtp, email)))).toMatchObject({ status: 200 });
    expect(await isConfirmed(member)).toBe(true);
  });

  it('of a closed account confirms nothing', async () => {
    const { member, token } = await newcomer();
    await pool.query('update public.profiles set is_deleted = true, deleted_at = now() where email = $1', [
      member.email,
    ]);
    expect(await confirm(token)).toMatchObject({ status: 410 });
  });

  it.each(['', 'x', 'A'.repeat(43), 'A'.repeat(10_000)])(
    'that nobody made is refused: %.20s',
    async (token) => {
      const { status } = await confirm(token);
      expect(status === 410 || status === 400).toBe(true);
    },
  );
});

describe('another mail', () => {
  it('is sent once a minute and five times a day, and the answer says when to try again', async () => {
    const { member } = await newcomer();
    const early = await resend(member);
    expect(early.status).toBe(429);
    expect(Number(early.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(Number(early.headers.get('retry-after'))).toBeLessThanOrEqual(60);
    expect(mailsTo(smtp, member.email)).toHaveLength(1);
    for (let sent = 0; sent < 5; sent++) {
      await pool.query(`delete from public.rate_limits where key like 'verification_mail:%'`);
      expect((await resend(member)).status).toBe(204);
    }
    await pool.query(`delete from public.rate_limits where key like 'verification_mail:%'`);
    const late = await resend(member);
    expect(late.status).toBe(429);
    expect(Number(late.headers.get('retry-after'))).toBeGreaterThan(3_600);
    expect(mailsTo(smtp, member.email)).toHaveLength(6);
  });

  it('that the mail server does not take is said to be not sent, and the earlier link still works', async () => {
    const { member, token } = await newcomer();
    const { email_verification } = await member.json('/api/me');
    smtp.refused.set(member.email, 451);
    await letTimePass();
    const answer = await resend(member);
    expect(answer.status).toBe(503);
    expect(await answer.json()).toMatchObject({ code: 'mail_not_sent' });
    expect((await member.json('/api/me')).email_verification).toEqual(email_verification);
    expect(await confirm(token)).toMatchObject({ status: 200, body: { status: 'confirmed' } });
  });

  it('while no mail server answers: the same, and a token of one installation is nothing to another', async () => {
    const gone = await startFakeSmtp();
    const other = await startTestServer(smtpSettings(gone));
    try {
      const there = await other.signUp({ is_confirmed: false });
      await there.json('/api/me');
      const token = tokenOf(await nthMail(gone, there.email));
      await gone.close();
      const here = await newcomer();
      expect(await confirm(token)).toMatchObject({ status: 410, body: { code: 'link_expired' } });
      expect(await confirm(here.token, other.url)).toMatchObject({ status: 410 });
      expect(await isConfirmed(here.member)).toBe(false);
      expect(await isConfirmed(there)).toBe(false);
      const other_pool = new pg.Pool({ connectionString: other.database_url, max: 1 });
      await other_pool.query('delete from public.rate_limits');
      await other_pool.end();
      const answer = await there.fetch('/api/me/email-verification', { method: 'POST' });
      expect(answer.status).toBe(503);
      expect(await answer.json()).toMatchObject({ code: 'mail_not_sent' });
      expect(await confirm(token, other.url)).toMatchObject({ status: 200, body: { status: 'confirmed' } });
    } finally {
      await other.stop();
    }
  });
});

it('the fourth message waits for the address, also when the chats are gone, and goes through once it is confirmed', async () => {
  const { member, token } = await newcomer();
  for (let sent = 0; sent < 3; sent++) {
    const session_id = randomUUID();
    await readTurn(await member.send({ session_id, content: 'A carousel about bread' }));
    if (sent === 2) {
      expect((await member.fetch(`/api/chat-sessions/${session_id}`, { method: 'DELETE' })).status).toBe(204);
    }
  }
  const refused = await member.send({ content: 'And one about tea' });
  expect(refused.status).toBe(403);
  expect(await refused.json()).toMatchObject({ code: 'email_unconfirmed' });
  expect((await member.json('/api/me')).subscription_usage.messages).toBe(3);
  await confirm(token);
  const { end } = await readTurn(await member.send({ content: 'And one about tea' }));
  expect(end).toMatchObject({ event: 'end', data: { status: 'done' } });
});

describe('on Supabase', () => {
  const secret = 'a secret of at least thirty-two characters';
  let project: FakeSupabaseAuth;
  let database: TestDatabase;
  let hosted: Awaited<ReturnType<typeof startTestServer>>;
  beforeAll(async () => {
    project = await startFakeSupabaseAuth();
    database = await openDatabase({ pool_size: 2 });
    hosted = await startTestServer({
      ...smtpSettings(smtp),
      DATABASE_URL: database.url,
      SUPABASE_URL: project.url,
      SUPABASE_PUBLISHABLE_KEY: project.publishable_key,
      SUPABASE_JWT_SECRET: secret,
    });
  });
  afterAll(async () => {
    await hosted.stop();
    await database.close();
    await project.close();
  });

  /** A member with a token of a session that was opened by `methods`. */
  async function signedIn(
    member: TestMember,
    methods: string[],
    email = member.email,
    session_id: string = randomUUID(),
  ) {
    const timestamp = Math.floor(Date.now() / 1000);
    const token = await new SignJWT({
      sub: member.auth_id,
      email,
      role: 'authenticated',
      session_id,
      amr: methods.map((method) => ({ method, timestamp })),
    })
      .setProtectedHeader({ alg: 'HS256' })
      .setIssuer(`${project.url}/auth/v1`)
      .setAudience('authenticated')
      .setIssuedAt()
      .setExpirationTime('1h')
      .sign(new TextEncoder().encode(secret));
    return hosted.signedIn({ email: member.email, token } as TestClient);
  }

  const unconfirmed = () => insertMember(database.pool, { email_confirmed: false });

  const addIdentity = ({ auth_id }: TestMember, identity_data: object, provider = 'google') =>
    database.pool.query(
      'insert into auth.identities (id, provider, provider_id, user_id, identity_data) values (gen_random_uuid(), $1, $2, $3, $4)',
      [provider, randomUUID(), auth_id, identity_data],
    );

  it('our own mail goes out too', async () => {
    const member = await unconfirmed();
    const client = await signedIn(member, ['password']);
    await Promise.all([client.json('/api/me'), client.json('/api/me')]);
    const token = tokenOf(await nthMail(smtp, member.email));
    expect(await confirm(token, hosted.url)).toMatchObject({ body: { status: 'confirmed' } });
    expect(await isConfirmed(client)).toBe(true);
    expect(mailsTo(smtp, member.email)).toHaveLength(1);
  });

  it.each(['otp', 'magiclink', 'recovery'])(
    'a sign-in by a mailed link (%s) confirms the address',
    async (method) => {
      const member = await unconfirmed();
      const client = await signedIn(member, [method], member.email.toUpperCase());
      expect(await isConfirmed(client)).toBe(true);
      expect(mailsTo(smtp, member.email)).toHaveLength(0);
    },
  );

  it('a sign-in by password, by a link to another address, or by SMS does not', async () => {
    const [first, second, third] = [await unconfirmed(), await unconfirmed(), await unconfirmed()];
    expect(await isConfirmed(await signedIn(first, ['password']))).toBe(false);
    expect(await isConfirmed(await signedIn(second, ['otp'], 'elsewhere@example.org'))).toBe(false);
    await database.pool.query(`update auth.users set phone = '436601234567' where id = $1`, [third.auth_id]);
    expect(await isConfirmed(await signedIn(third, ['otp']))).toBe(false);
  });

  it('a provider that has verified the same address confirms it, for the session that came from there', async () => {
    const member = await unconfirmed();
    await addIdentity(member, { email: member.email.toUpperCase(), email_verified: true });
    expect(await isConfirmed(await signedIn(member, ['password']))).toBe(false);
    expect(await isConfirmed(await signedIn(member, ['oauth']))).toBe(true);
  });

  it('a provider that has verified none, or another one, does not; nor does what a sign-up says of itself', async () => {
    const [first, second, third] = [await unconfirmed(), await unconfirmed(), await unconfirmed()];
    await addIdentity(first, { email: first.email, email_verified: false });
    await addIdentity(second, { email: 'elsewhere@example.org', email_verified: true });
    await addIdentity(third, { email: third.email, email_verified: true }, 'email');
    await database.pool.query(
      `update auth.users set email_confirmed_at = now(), raw_user_meta_data = '{"email_verified": true}' where id = $1`,
      [third.auth_id],
    );
    for (const member of [first, second, third]) {
      expect(await isConfirmed(await signedIn(member, ['oauth']))).toBe(false);
    }
  });

  /** Somebody signed up with an address that is another's, and is still signed in: the sessions of the two. */
  async function takenBySomebody() {
    const member = await unconfirmed();
    await database.pool.query(`update auth.users set encrypted_password = 'a hash' where id = $1`, [
      member.auth_id,
    ]);
    const [theirs, own] = [randomUUID(), randomUUID()];
    await database.pool.query('insert into auth.sessions (id, user_id) values ($1, $3), ($2, $3)', [
      theirs,
      own,
      member.auth_id,
    ]);
    const read = async () => {
      const user = await database.pool.query('select encrypted_password from auth.users where id = $1', [
        member.auth_id,
      ]);
      const sessions = await database.pool.query('select id from auth.sessions where user_id = $1', [
        member.auth_id,
      ]);
      return { password: user.rows[0].encrypted_password, sessions: sessions.rows.map(({ id }) => id) };
    };
    return { member, theirs, own, read };
  }

  it.each(['oauth', 'magiclink'])(
    'whoever proves the address (%s) is rid of who had signed up with it before',
    async (method) => {
      const { member, theirs, own, read } = await takenBySomebody();
      await addIdentity(member, { email: member.email, email_verified: true });
      const stranger = await signedIn(member, ['password'], member.email, theirs);
      expect(await isConfirmed(stranger)).toBe(false);
      expect(await isConfirmed(await signedIn(member, [method], member.email, own))).toBe(true);
      expect(await read()).toEqual({ password: null, sessions: [own] });
      expect((await stranger.fetch('/api/me')).status).toBe(401);
      await vi.waitFor(() => {
        const subjects = mailsTo(smtp, member.email).map(({ subject }) => subject);
        expect(subjects.some((subject) => subject?.includes('has no password now'))).toBe(true);
      }, 10_000);
    },
  );

  it('a recovery leaves the password, which may be the new one, and no other session', async () => {
    const { member, own, read } = await takenBySomebody();
    expect(await isConfirmed(await signedIn(member, ['recovery'], member.email, own))).toBe(true);
    expect(await read()).toEqual({ password: 'a hash', sessions: [own] });
  });

  it('a sign-in that proves nothing takes nobody anything', async () => {
    const { member, theirs, own, read } = await takenBySomebody();
    await addIdentity(member, { email: member.email, email_verified: false });
    expect(await isConfirmed(await signedIn(member, ['oauth'], member.email, own))).toBe(false);
    const { password, sessions } = await read();
    expect(password).toBe('a hash');
    expect(sessions.sort()).toEqual([theirs, own].sort());
  });

  it('where the project does not let us write to Auth, the address waits for our own mail', async () => {
    const { member, own, read } = await takenBySomebody();
    await addIdentity(member, { email: member.email, email_verified: true });
    await database.pool.query(`
      create function auth.refuse() returns trigger language plpgsql as
        $$ begin raise insufficient_privilege; end $$;
      create trigger refuse before update on auth.users for each row execute function auth.refuse();
    `);
    try {
      const client = await signedIn(member, ['oauth'], member.email, own);
      expect(await isConfirmed(client)).toBe(false);
      expect((await read()).password).toBe('a hash');
      expect(await confirm(tokenOf(await nthMail(smtp, member.email)), hosted.url)).toMatchObject({
        status: 200,
      });
    } finally {
      await database.pool.query('drop trigger refuse on auth.users; drop function auth.refuse');
    }
  });
});
