import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestServer, type TestClient } from '../testing/start-test-server.ts';

let server: Awaited<ReturnType<typeof startTestServer>>;
let pool: pg.Pool;
beforeAll(async () => {
  server = await startTestServer();
  pool = new pg.Pool({ connectionString: server.database_url, max: 2 });
});
afterAll(async () => {
  await pool.end();
  await server.stop();
});

const patch = (member: TestClient, changes: unknown) =>
  member.fetch('/api/me', { method: 'PATCH', body: JSON.stringify(changes) });

describe('PATCH /api/me', () => {
  it('changes what is given, clears with null, and leaves the rest and everybody else alone', async () => {
    const [member, other] = [await server.signUp(), await server.signUp()];
    const given = {
      user_name: ' Nora Ní Bhriain ',
      organization_name: 'Bäckerei “Zum Ofen” 🥖',
      language: 'de-AT',
      time_zone: 'Europe/Vienna',
    };
    const answer = await patch(member, given);
    expect(answer.status).toBe(200);
    const after = { ...given, user_name: 'Nora Ní Bhriain' };
    expect(await answer.json()).toMatchObject({ email: member.email, ...after });
    expect(await member.json('/api/me')).toMatchObject(after);
    expect(await (await patch(member, { language: null, user_name: '  ' })).json()).toMatchObject({
      ...after,
      language: null,
      user_name: null,
    });
    expect((await patch(member, {})).status).toBe(200);
    expect(await other.json('/api/me')).toMatchObject({
      user_name: null,
      organization_name: null,
      language: null,
      time_zone: null,
    });
  });

  it.each([
    ['a name that is too long', { user_name: 'a'.repeat(101) }],
    ['an organisation that is too long', { organization_name: 'a'.repeat(101) }],
    ['a name of two lines', { user_name: 'Nora\nBcc: all@example.org' }],
    ['a name with a zero byte', { user_name: 'Nora\0' }],
    ['a name that is none', { user_name: { first: 'Nora' } }],
    ['a time zone that does not exist', { time_zone: 'Mars/Olympus_Mons' }],
    ['an offset in place of a time zone', { time_zone: '+01:00' }],
    ['an empty time zone', { time_zone: '' }],
    ['a time zone with something behind it', { time_zone: "Europe/Vienna'; drop table profiles; --" }],
    ['a language that is no tag', { language: 'German---' }],
    ['a language with an underscore', { language: 'de_AT' }],
    ['a language that is too long', { language: `de-${'abcdefgh-'.repeat(5)}abcdefgh` }],
    ['the address', { email: 'other@example.org' }],
    ['the confirmation', { email_confirmed: true }],
    ['the plan', { subscription_plan: 'enterprise' }],
    ['a role', { role: 'operator' }],
    ['a picture', { avatar_url: 'https://example.org/x.png' }],
    ['a list', []],
  ])('refuses %s, and changes nothing', async (_, changes) => {
    const member = await server.signUp();
    const before = await member.json('/api/me');
    const answer = await patch(member, changes);
    expect(answer.status).toBe(400);
    expect(await answer.json()).toMatchObject({ code: 'invalid_request' });
    expect(await member.json('/api/me')).toEqual(before);
  });

  it('is for open accounts only', async () => {
    const member = await server.signUp();
    await pool.query('update public.profiles set is_deleted = true, deleted_at = now() where email = $1', [
      member.email,
    ]);
    expect((await patch(member, { user_name: 'Nora' })).status).toBe(403);
  });
});

it('over the Data API a member changes neither language nor time zone nor what confirms the address', async () => {
  const member = await server.signUp({ is_confirmed: false });
  const { rows } = await pool.query('select auth_id from public.profiles where email = $1', [member.email]);
  const columns = [
    'language',
    'time_zone',
    'email_confirmed',
    'email_verification_token',
    'email_verification_sent_at',
  ];
  for (const column of columns) {
    const client = await pool.connect();
    try {
      await client.query('begin');
      await client.query('set local role authenticated');
      await client.query(`select set_config('request.jwt.claims', $1, true)`, [
        JSON.stringify({ sub: rows[0].auth_id, role: 'authenticated' }),
      ]);
      const changed = client.query(`update public.profiles set ${column} = null where auth_id = $1`, [
        rows[0].auth_id,
      ]);
      await expect(changed, column).rejects.toThrow('permission denied');
    } finally {
      await client.query('rollback');
      client.release();
    }
  }
});

describe('GET /api/me/sign-in-methods', () => {
  it('tells by what the own account can be entered', async () => {
    const [member, other] = [await server.signUp(), await server.signUp()];
    expect(await member.json('/api/me/sign-in-methods')).toEqual({ password: true, providers: [] });
    await pool.query(
      `insert into auth.identities (id, provider, provider_id, user_id, identity_data)
       select gen_random_uuid(), provider, $2, id, '{}' from auth.users, unnest(array['google', 'github']) as provider
       where email = $1`,
      [member.email, randomUUID()],
    );
    await pool.query('update auth.users set encrypted_password = null where email = $1', [member.email]);
    expect(await member.json('/api/me/sign-in-methods')).toEqual({
      password: false,
      providers: ['github', 'google'],
    });
    expect(await other.json('/api/me/sign-in-methods')).toEqual({ password: true, providers: [] });
  });

  it('has nothing for whoever Auth does not know any more', async () => {
    const member = await server.signUp();
    await pool.query('delete from auth.users where email = $1', [member.email]);
    expect((await member.fetch('/api/me/sign-in-methods')).status).toBe(401);
  });
});
