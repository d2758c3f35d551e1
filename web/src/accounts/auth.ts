import { AuthClient, type Session } from '@supabase/auth-js';
import type { TokenSource } from '../platform/api.ts';
import type { Config } from '../platform/config.ts';

export type Auth = ReturnType<typeof createAuth>;

/** The sign-in: Supabase's Auth protocol in every mode. The session lies in localStorage and renews itself. */
export function createAuth(config: Config) {
  const client = new AuthClient({
    url: new URL(config.auth_url, location.origin).href.replace(/\/$/, ''),
    headers: { apikey: config.auth_key },
    storageKey: 'touchline.auth',
    autoRefreshToken: true,
    persistSession: true,
  });
  // The last one known, so that what is written while a sign-in ends is still kept for the right member.
  let member_id = 'nobody';
  const note = (session: Session | null) => {
    member_id = session?.user.id ?? member_id;
    return session;
  };
  client.onAuthStateChange((_event, session) => void note(session));

  const tokens: TokenSource = {
    token: async () => (await client.getSession()).data.session?.access_token ?? null,
    refresh: async () => (await client.refreshSession()).data.session?.access_token ?? null,
  };

  return {
    client,
    tokens,
    /** The member who is signed in, read from the browser's storage. */
    currentSession: async () => note((await client.getSession()).data.session),
    /** The member's id as last seen; for names of things kept in this browser. */
    memberId: () => member_id,
    /** Forgets the session in this browser only: for when the server no longer takes it. */
    forget: () => client.signOut({ scope: 'local' }),
  };
}
