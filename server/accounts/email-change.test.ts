import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type FakeSmtp, startFakeSmtp } from '../testing/fake-smtp.ts';
import { linkOf, mailsTo, nthMail, smtpSettings } from '../testing/mailbox.ts';
import { signInAgain } from '../testing/sign-in-again.ts';
import { startTestServer, type TestClient } from '../testing/start-test-server.ts';

let smtp: FakeSmtp;
let server: Awaited<ReturnType<typeof startTestServer>>;
let pool: pg.Pool;
let auth_key: string;
beforeAll(async () => {
  smtp = await startFakeSmtp();
  server = await startTestServer(smtpSettings(smtp));
  pool = new pg.Pool({ connectionString: server.database_url, max: 2 });
  auth_key = ((await (await fetch(`${server.url}/api/config`)).json()) as { auth_key: string }).auth_key;
});
afterAll(async () => {
  await pool.end();
  await server.stop();
  await smtp.close();
});
afterEach(async () => {
  smtp.refused.clear();
  await pool.query('delete from public.rate_limits');
});

const newAddress = () => `new-${randomUUID()}@example.org`;

const ask = (member: TestClient, email: string) =>
  member.fetch('/auth/v1/user', {
    method: 'PUT',
    headers: { apikey: auth_key },
    body: JSON.stringify({ email }),
  });

/** Clicks a link: `half`, `done`, or why not. */
async function confirm(token_hash: string) {
  const answer = await fetch(`${server.url}/auth/v1/verify`, {
    method: 'POST',
    headers: { apikey: auth_key, 'content-type': 'application/json' },
    body: JSON.stringify({ type: 'email_change', token_hash }),
  });
  const body = (await answer.json()) as any;
  if (!answer.ok) return `${answer.status} ${body.error_code}`;
  return body.user ? 'done' : 'half';
}

const tokenOf = (mail: { text?: string | undefined }) => linkOf(mail).fragment.get('token_hash')!;

/** A member who has asked for another address, and the tokens of the two mails. `count`: the how manieth time. */
async function askedFor(email: string, member?: TestClient, count = 1) {
  const asking = member ?? (await server.signUp());
  expect((await ask(asking, email)).status).toBe(200);
  const current = tokenOf(await nthMail(smtp, asking.email, count));
  return { member: asking, current, next: tokenOf(await nthMail(smtp, email)) };
}

async function standing({ email }: { email: string }) {
  const { rows } = await pool.query(
    `select users.email as auth, profiles.email as profile, email_confirmed,
       coalesce(identity_data ->> 'email', (identity_data #>> '{}')::jsonb ->> 'email') as identity
     from auth.users join public.profiles on auth_id = users.id join auth.identities on user_id = users.id
     where users.email = $1`,
    [email],
  );
  return rows;
}
const whole = (email: string) => [{ auth: email, profile: email, email_confirmed: true, identity: email }];

describe('a change of address', () => {
  it('is not begun while the present address is not confirmed, nor to what a mail program would make a link of', async () => {
    const stranger = await server.signUp({ is_confirmed: false });
    const refused = await ask(stranger, newAddress());
    expect([refused.status, ((await refused.json()) as any).error_code]).toEqual([403, 'email_unconfirmed']);
    const member = await server.signUp();
    for (const email of [
      'www.evil.example/reset?x=@evil.example',
      'a b@example.org',
      'https://evil@example.org',
    ]) {
      expect((await ask(member, email)).status, email).toBe(400);
    }
    expect((await pool.query('select from public.email_changes')).rows).toEqual([]);
  });

  it.each(['the present one first', 'the new one first'])(
    'is made once both mailboxes have confirmed it, %s',
    async (order) => {
      const email = newAddress();
      const { member, current, next } = await askedFor(email);
      const tokens = order === 'the new one first' ? [next, current] : [current, next];
      expect(await confirm(tokens[0]!)).toBe('half');
      // The same mailbox twice is not both.
      expect(await confirm(tokens[0]!)).toBe('half');
      expect(await standing(member)).toEqual(whole(member.email));
      expect(await confirm(tokens[1]!)).toBe('done');
      expect(await standing({ email })).toEqual(whole(email));
      expect(await standing(member)).toEqual([]);
      expect(await member.json('/api/me')).toMatchObject({ email, email_confirmed: true });
      await signInAgain(server, { email });
      await expect(signInAgain(server, member)).rejects.toThrow('400');
      // Whoever clicks again is told the truth.
      expect(await confirm(tokens[1]!)).toBe('done');
      expect(await confirm(tokens[0]!)).toBe('done');
    },
  );

  it('is made once, however the two clicks meet', async () => {
    const email = newAddress();
    const { current, next } = await askedFor(email);
    const clicks = await Promise.all([current, next, current, next].map(confirm));
    expect(clicks).toContain('done');
    expect(clicks.every((click) => click === 'half' || click === 'done')).toBe(true);
    expect(await standing({ email })).toEqual(whole(email));
  });

  it('dies after 24 hours, in both mailboxes', async () => {
    const email = newAddress();
    const { member, current, next } = await askedFor(email);
    expect(await confirm(current)).toBe('half');
    await pool.query(
      `update public.email_changes set created_at = now() - interval '24 hours' where new_email = $1`,
      [email],
    );
    expect(await confirm(next)).toBe('403 otp_expired');
    expect(await confirm(current)).toBe('403 otp_expired');
    expect(await standing(member)).toEqual(whole(member.email));
  });

  it.each(['current', 'next'] as const)(
    'dies when the member asks for another one, also where one mailbox (%s) had confirmed it',
    async (mailbox) => {
      const [first, second] = [newAddress(), newAddress()];
      const earlier = await askedFor(first);
      expect(await confirm(earlier[mailbox])).toBe('half');
      const later = await askedFor(second, earlier.member, 2);
      for (const token of [earlier.current, earlier.next])
        expect(await confirm(token)).toBe('403 otp_expired');
      const other = mailbox === 'current' ? 'next' : 'current';
      expect(await confirm(later[other])).toBe('half');
      expect(await standing(earlier.member)).toEqual(whole(earlier.member.email));
      expect(await confirm(later[mailbox])).toBe('done');
      expect(await standing({ email: second })).toEqual(whole(second));
    },
  );

  it('is cancelled by asking for the address that is there, which mails nobody', async () => {
    const { member, current, next } = await askedFor(newAddress());
    expect((await ask(member, member.email)).status).toBe(200);
    expect(await confirm(current)).toBe('403 otp_expired');
    expect(await confirm(next)).toBe('403 otp_expired');
    expect(mailsTo(smtp, member.email)).toHaveLength(1);
  });

  it('to an address that somebody took meanwhile is not made, and nothing is changed', async () => {
    const email = newAddress();
    const { member, current, next } = await askedFor(email);
    expect(await confirm(current)).toBe('half');
    const other = await server.signUp();
    await pool.query('update auth.users set email = $2 where email = $1', [other.email, email]);
    expect(await confirm(next)).toBe('403 otp_expired');
    expect(await standing(member)).toEqual(whole(member.email));
    expect((await other.json('/api/me')).email).toBe(email);
  });

  it('to an address of a profile that Auth does not know of is not made either', async () => {
    const email = newAddress();
    const { member, current, next } = await askedFor(email);
    const other = await server.signUp();
    await pool.query('update public.profiles set email = $2 where email = $1', [other.email, email]);
    expect(await confirm(next)).toBe('half');
    expect(await confirm(current)).toBe('403 otp_expired');
    expect(await standing(member)).toEqual(whole(member.email));
  });

  it('to an address that has an account looks the same to whoever asks, and its owner is told', async () => {
    const owner = await server.signUp();
    const free = newAddress();
    const member = await server.signUp();
    const answers = [];
    for (const email of [free, owner.email]) {
      const answer = await ask(member, email);
      const { updated_at: _, ...body } = (await answer.json()) as any;
      answers.push({ status: answer.status, body: JSON.stringify(body).replaceAll(email, '…') });
    }
    expect(answers[1]).toEqual(answers[0]);
    const [to_free, to_taken] = [await nthMail(smtp, member.email, 1), await nthMail(smtp, member.email, 2)];
    const normal = ({ text = '' }) =>
      text
        .replaceAll(free, '…')
        .replaceAll(owner.email, '…')
        .replace(/token_hash=[\w-]+/g, '')
        .replace(/\s+/g, ' ');
    expect(normal(to_taken)).toBe(normal(to_free));
    // In the mailbox of whoever asks even the link does what it always does.
    expect(await confirm(tokenOf(to_taken))).toBe('half');
    const told = await nthMail(smtp, owner.email);
    expect(told.text).toContain('has an account already');
    expect(told.text).not.toContain('token');
    expect(told.text).not.toContain(member.email);
    expect(await standing(owner)).toEqual(whole(owner.email));
  });

  it('does not tell the new mailbox whose account it is', async () => {
    const email = newAddress();
    const { member } = await askedFor(email);
    expect((await nthMail(smtp, email)).text).not.toContain(member.email);
  });

  it('whose mails cannot be sent is not begun, and the one before still can be confirmed', async () => {
    const [first, second] = [newAddress(), newAddress()];
    const { member, current, next } = await askedFor(first);
    for (const address of [second, member.email]) {
      smtp.refused.clear();
      smtp.refused.set(address, 451);
      expect((await ask(member, second)).status).toBe(503);
    }
    expect(await confirm(current)).toBe('half');
    expect(await confirm(next)).toBe('done');
    expect(await standing({ email: first })).toEqual(whole(first));
  });

  it('lets no link work any more that was mailed to the old address', async () => {
    const email = newAddress();
    const { member, current, next } = await askedFor(email);
    await fetch(`${server.url}/auth/v1/recover`, {
      method: 'POST',
      headers: { apikey: auth_key, 'content-type': 'application/json' },
      body: JSON.stringify({ email: member.email }),
    });
    const recovery = linkOf(await nthMail(smtp, member.email, 2)).fragment;
    expect(recovery.get('type')).toBe('recovery');
    await confirm(current);
    expect(await confirm(next)).toBe('done');
    const answer = await fetch(`${server.url}/auth/v1/verify`, {
      method: 'POST',
      headers: { apikey: auth_key, 'content-type': 'application/json' },
      body: JSON.stringify({ type: 'recovery', token_hash: recovery.get('token_hash') }),
    });
    expect(answer.status).toBe(403);
  });

  it('of a closed account is not made', async () => {
    const email = newAddress();
    const { member, current, next } = await askedFor(email);
    expect(await confirm(current)).toBe('half');
    await pool.query('update public.profiles set is_deleted = true, deleted_at = now() where email = $1', [
      member.email,
    ]);
    expect(await confirm(next)).toBe('403 otp_expired');
  });

  it.each(['no address', 'two@at@example.org', 'a b@example.org', ''])(
    'to what is no address is refused: "%s"',
    async (email) => {
      const member = await server.signUp();
      expect((await ask(member, email)).status).toBeGreaterThanOrEqual(400);
      expect(mailsTo(smtp, member.email)).toHaveLength(0);
      const { rows } = await pool.query(
        'select 1 from public.email_changes join public.profiles on id = user_id where email = $1',
        [member.email],
      );
      expect(rows).toEqual([]);
    },
  );

  it('keeps only hashes of its tokens', async () => {
    const email = newAddress();
    const { current, next } = await askedFor(email);
    const { rows } = await pool.query('select * from public.email_changes where new_email = $1', [email]);
    expect(rows).toHaveLength(1);
    for (const token of [current, next]) expect(JSON.stringify(rows)).not.toContain(token);
  });

  it('mails one address only so often, whoever asks', async () => {
    const email = newAddress();
    for (let asked = 0; asked < 5; asked++)
      expect((await ask(await server.signUp(), email)).status).toBe(200);
    const answer = await ask(await server.signUp(), email);
    expect(answer.status).toBe(429);
    expect(mailsTo(smtp, email)).toHaveLength(5);
  });
});
