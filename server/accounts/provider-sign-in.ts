import { clientAddress } from '../platform/client-address.ts';
import { type Config, isLoopback } from '../platform/config.ts';
import type { Database } from '../platform/database.ts';
import type { LocalAuth } from '../platform/local-auth.ts';
import { type AuthContext, AuthRefusal, asAuthRefusal, askAuth } from './auth-answers.ts';
import type { SignInLimits } from './sign-in-limits.ts';
import { findUserOfAuthCode } from './sign-in-queries.ts';

type ProviderParts = {
  config: Config;
  database: Database;
  site_url: string;
  auth: LocalAuth;
  limits: SignInLimits;
  /** Somebody has shown at a provider that an account is theirs. */
  onProven: (auth_id: string) => Promise<void>;
};

/** Our page that a provider's answer ends at. */
const landing_path = '/auth/callback';

/**
 * Sends a browser to a sign-in provider, and back to our own site only. Only by way of a code whose other half stays in
 * the browser: a link that somebody else has made signs nobody in. What else the address carries goes no further, because
 * Lite would pass it to the provider, even in place of its own.
 */
export async function redirectToProvider(parts: ProviderParts, c: AuthContext): Promise<Response> {
  const { provider = '', redirect_to, code_challenge, code_challenge_method = '' } = c.req.query();
  if (!Object.hasOwn(parts.config.sign_in_providers, provider)) {
    throw new AuthRefusal(400, 'validation_failed', 'This site does not sign in with this provider.');
  }
  const target = redirect_to === undefined ? new URL(landing_path, parts.site_url) : readTarget(redirect_to);
  if (!target || !isOurs(parts, target)) {
    throw new AuthRefusal(400, 'validation_failed', 'A sign-in can lead back to this site only.');
  }
  if (!code_challenge || code_challenge_method.toLowerCase() !== 's256') {
    throw new AuthRefusal(
      400,
      'validation_failed',
      'A sign-in with a provider needs a code challenge (S256).',
    );
  }
  try {
    await parts.limits.countRedirect(clientAddress(c, parts.config.trust_proxy));
    const query = new URLSearchParams({
      provider,
      redirect_to: target.href,
      code_challenge,
      code_challenge_method,
    });
    const answer = await askAuth(c, parts.auth, { path: `authorize?${query}` });
    const location = answer.headers.get('location');
    if (location) return c.redirect(location, 302);
  } catch (error) {
    return tellOnPage(parts, c, error);
  }
  return tellOnPage(parts, c);
}

/** Takes the browser that comes back from a provider on to our page. */
export async function returnFromProvider(parts: ProviderParts, c: AuthContext): Promise<Response> {
  try {
    await parts.limits.countRedirect(clientAddress(c, parts.config.trust_proxy));
    const given = c.req.query();
    const query = new URLSearchParams();
    for (const name of ['code', 'state', 'error', 'error_description']) {
      if (given[name] !== undefined) query.set(name, given[name]);
    }
    const answer = await askAuth(c, parts.auth, { path: `callback?${query}` });
    const target = readTarget(answer.headers.get('location') ?? '');
    if (!target || !isOurs(parts, target)) return tellOnPage(parts, c);
    // A state that is not known any more leads to the front page, which has no words for it.
    if (target.pathname === '/') target.pathname = landing_path;
    const code = target.searchParams.get('code');
    const auth_id = code ? await findUserOfAuthCode(parts.database, code) : undefined;
    if (auth_id) await parts.onProven(auth_id);
    return c.redirect(target.href, 302);
  } catch (error) {
    return tellOnPage(parts, c, error);
  }
}

/** A browser that was sent here shows a page, and no JSON. Throws what nobody has words for. */
function tellOnPage({ site_url }: ProviderParts, c: AuthContext, error?: unknown) {
  const refusal = error === undefined ? undefined : asAuthRefusal(error);
  if (error !== undefined && !refusal) throw error;
  const target = new URL(landing_path, site_url);
  target.searchParams.set('error', 'server_error');
  target.searchParams.set('error_code', refusal?.error_code ?? 'unexpected_failure');
  target.searchParams.set('error_description', refusal?.message ?? 'Signing in with the provider failed.');
  return c.redirect(target.href, 302);
}

function readTarget(address: string) {
  return URL.canParse(address) ? new URL(address) : undefined;
}

/** Whether an address is on this site; on this machine by any of its names. */
function isOurs({ config, site_url }: ProviderParts, target: URL) {
  const site = new URL(site_url);
  if (target.origin === site.origin) return true;
  return (
    config.is_local &&
    target.protocol === site.protocol &&
    target.port === site.port &&
    isLoopback(target.hostname) &&
    isLoopback(site.hostname)
  );
}
