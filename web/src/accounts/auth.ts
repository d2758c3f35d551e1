import { AuthClient, type Session } from '@supabase/auth-js';
import type { TokenSource } from '../platform/api.ts';
import type { Config } from '../platform/config.ts';
import type { ArrivedLink } from './arrived-link.ts';
import { authErrorSentence } from './auth-errors.ts';

export type Auth = ReturnType<typeof createAuth>;

/**
 * The sign-in: Supabase's Auth protocol in every mode. The session lies in localStorage and renews itself. `arrived`: what
 * a link brought; the pages that links lead to use it when they are told to.
 */
export function createAuth(config: Config, arrived: ArrivedLink | null = null) {
  const url = new URL(config.auth_url, location.origin).href.replace(/\/$/, '');
  const headers = { apikey: config.auth_key };
  let refused_wait_s: number | null = null;
  const client = new AuthClient({
    url,
    headers,
    storageKey: 'touchline.auth',
    autoRefreshToken: true,
    persistSession: true,
    flowType: 'pkce',
    detectSessionInUrl: false,
    // The library keeps the answer's headers to itself, and one of them says how long to wait.
    fetch: async (input, init) => {
      const answer = await fetch(input, init);
      if (answer.status === 429) refused_wait_s = Number(answer.headers.get('retry-after')) || null;
      return answer;
    },
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
    arrived,
    /** The member who is signed in, read from the browser's storage. */
    currentSession: async () => note((await client.getSession()).data.session),
    /** The member's id as last seen; for names of things kept in this browser. */
    memberId: () => member_id,
    /** Forgets the session in this browser only: for when the server no longer takes it. */
    forget: () => client.signOut({ scope: 'local' }),
    /** The sentence to show for an error that a call just had, with how long to wait where that was said. */
    sentenceFor: (error: Parameters<typeof authErrorSentence>[0]) => authErrorSentence(error, refused_wait_s),
    /** The providers of which one can sign in with; throws when the sign-in does not answer. */
    async listProviders(signal: AbortSignal): Promise<Provider[]> {
      const answer = await fetch(`${url}/settings`, { headers, signal });
      if (!answer.ok) throw new Error(`The sign-in's settings were answered with ${answer.status}.`);
      const { external = {} } = await answer.json();
      return providers.filter((name) => external[name] === true);
    },
  };
}

const providers = ['google', 'github'] as const;
export type Provider = (typeof providers)[number];
