import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { SignJWT } from 'jose';
import pg from 'pg';

/** A member with a chat session whose conversation is in place upstream, so that a turn is begin, model, finish. */
export type Member = { auth_id: string; token: string; session_id: string };

const past_turns = 10;

/**
 * Signs members up through the server's Auth, lifts their quota and gives each a chat session. A password takes a tenth of a
 * second to hash, so the members above `sign_ups` are written beside Auth, with tokens that the server's secret signs.
 */
export async function prepareMembers(
  server_url: string,
  database_url: string,
  data_folder: string,
  count: number,
  sign_ups: number,
): Promise<Member[]> {
  const signed_up: { auth_id: string; token: string }[] = [];
  while (signed_up.length < Math.min(sign_ups, count)) signed_up.push(await signUp(server_url));

  const beside_auth = Array.from({ length: count - signed_up.length }, () => randomUUID());
  const tokens = await signTokens(data_folder, beside_auth);
  const written = beside_auth.map((auth_id, index) => ({ auth_id, token: tokens[index]! }));

  const members = [...signed_up, ...written].map((member) => ({ ...member, session_id: randomUUID() }));
  const pool = new pg.Pool({ connectionString: database_url });
  try {
    await pool.query(
      `insert into auth.users (id, email, raw_user_meta_data)
       select id, email, '{}' from unnest($1::uuid[], $2::text[]) as written (id, email)`,
      [written.map(({ auth_id }) => auth_id), written.map(({ auth_id }) => emailOf(auth_id))],
    );
    await pool.query(
      `update public.profiles
       set subscription_quota = '{"messages": null, "files": null, "tokens": null}', email_confirmed = true`,
    );
    await pool.query(
      `insert into public.chat_sessions (id, user_id, assistant_slug, title, thread_id)
       select made.id, profiles.id, 'carousel', 'A title', 'conv_' || row_number() over ()
       from unnest($1::uuid[], $2::uuid[]) as made (id, auth_id)
       join public.profiles on profiles.auth_id = made.auth_id`,
      [members.map(({ session_id }) => session_id), members.map(({ auth_id }) => auth_id)],
    );
    // A chat has a past, so that PostgreSQL plans for tables that are filled.
    await pool.query(
      `with messages as (
         insert into public.chat_messages (session_id, sender, content, created_at)
         select id, case when number % 2 = 0 then 'user' else 'assistant' end, repeat('A few words of a chat. ', 10),
           now() - make_interval(mins => 1000 - number)
         from public.chat_sessions, generate_series(0, $1::integer * 2 - 1) as number
         returning id, session_id, sender, created_at
       )
       insert into public.turns (id, user_id, session_id, user_message_id, assistant_message_id, status, created_at,
         finished_at)
       select gen_random_uuid(), sessions.user_id, asked.session_id, asked.id, answered.id, 'done', asked.created_at,
         answered.created_at
       from messages as asked
       join messages as answered on answered.session_id = asked.session_id
         and answered.created_at = asked.created_at + interval '1 minute'
       join public.chat_sessions as sessions on sessions.id = asked.session_id
       where asked.sender = 'user'`,
      [past_turns],
    );
    await pool.query(
      `update public.chat_sessions set conversation_message_id = (
         select id from public.chat_messages where session_id = chat_sessions.id order by created_at desc limit 1
       )`,
    );
    await pool.query('vacuum analyze');
  } finally {
    await pool.end();
  }
  return members;
}

/** Tokens for members, as Auth would sign them: with the secret of the server whose data folder it is. */
export function signTokens(data_folder: string, auth_ids: string[]): Promise<string[]> {
  const { jwt_secret } = JSON.parse(readFileSync(join(data_folder, 'auth-secrets.json'), 'utf8'));
  const secret = new TextEncoder().encode(jwt_secret);
  return Promise.all(
    auth_ids.map((auth_id) =>
      new SignJWT({ role: 'authenticated', email: emailOf(auth_id), session_id: randomUUID() })
        .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
        .setSubject(auth_id)
        .setAudience('authenticated')
        .setIssuedAt()
        .setExpirationTime('1d')
        .sign(secret),
    ),
  );
}

async function signUp(server_url: string) {
  const { auth_key } = (await (await fetch(`${server_url}/api/config`)).json()) as { auth_key: string };
  const answer = await fetch(`${server_url}/auth/v1/signup`, {
    method: 'POST',
    headers: { apikey: auth_key, 'content-type': 'application/json' },
    body: JSON.stringify({ email: emailOf(randomUUID()), password: 'a long password' }),
  });
  if (!answer.ok) throw new Error(`a sign-up was answered with ${answer.status}`);
  const { access_token, user } = (await answer.json()) as { access_token: string; user: { id: string } };
  return { auth_id: user.id, token: access_token };
}

export function emailOf(id: string) {
  return `member-${id}@example.org`;
}
