import type { startTestServer, TestClient } from './start-test-server.ts';

type Server = Awaited<ReturnType<typeof startTestServer>>;

/** A member of `signUp` in a new session. Throws with the status where the sign-in is refused. */
export async function signInAgain(server: Server, { email }: { email: string }): Promise<TestClient> {
  const { auth_key } = (await (await fetch(`${server.url}/api/config`)).json()) as { auth_key: string };
  const answer = await fetch(`${server.url}/auth/v1/token?grant_type=password`, {
    method: 'POST',
    headers: { apikey: auth_key, 'content-type': 'application/json' },
    body: JSON.stringify({ email, password: 'a long password' }),
  });
  if (!answer.ok) throw new Error(`the sign-in was refused with ${answer.status}`);
  const { access_token } = (await answer.json()) as { access_token: string };
  return server.signedIn({ email, token: access_token } as TestClient);
}
