import type { MiddlewareHandler } from 'hono';

/** The header by which the worker asks for a password to be looked at and for nothing else. */
export const only_checks = 'x-touchline-only-checks';

/** What Supabase Lite 0.10 makes anew for each request and what is changed of it here. */
type AuthService = {
  repo: { findUserByEmail: (email: string) => Promise<AuthUser | null> };
  signInWithPassword: (email: string, password: string) => Promise<unknown>;
  createSessionForUser: (...given: unknown[]) => Promise<unknown>;
  determineAccountLinking: (emails: ProviderEmail[], provider: string, sub: string) => Promise<unknown>;
};
type AuthUser = { id: string; encrypted_password?: string | null };
type ProviderEmail = { email: string; verified: boolean; primary: boolean };

/** A hash like any other, of no password that anybody knows. */
export const nobodys_hash = '$2b$10$Zq0vXkTqYt7Jm1oB4sWc8eUaR2hLgN5dPfI9xKyE3wVbM6uSjC1Ga';

/**
 * Closes what Supabase Lite leaves open, by changing what it makes for a request: an address without a password costs as
 * much time as a wrong password, and a sign-in provider's word counts only for an address that the provider has verified.
 */
export const guardAuth: MiddlewareHandler = async (c, next) => {
  const service = c.get('authService') as AuthService;
  if (c.req.header(only_checks)) service.createSessionForUser = async () => ({});
  spendAsMuchOnNobody(service);
  const provider = trustVerifiedAddresses(service);
  await next();
  if (provider.is_refused) refuseUnverified(c.res);
};

function spendAsMuchOnNobody(service: AuthService) {
  const signIn = service.signInWithPassword.bind(service);
  service.signInWithPassword = (email, password) => {
    const find = service.repo.findUserByEmail.bind(service.repo);
    service.repo.findUserByEmail = async (address) => {
      const user = await find(address);
      if (user?.encrypted_password) return user;
      return {
        id: '00000000-0000-0000-0000-000000000000',
        encrypted_password: nobodys_hash,
        confirmed_at: 'ever',
      };
    };
    return signIn(email, password);
  };
}

/**
 * Where sign-ups are confirmed at once, Lite links an account by any address that a provider names, verified or not: a
 * stranger who adds somebody's address at GitHub would get that person's account.
 */
function trustVerifiedAddresses(service: AuthService) {
  const outcome = { is_refused: false };
  const decide = service.determineAccountLinking.bind(service);
  service.determineAccountLinking = async (emails, provider, sub) => {
    const main = emails.find(({ primary }) => primary);
    if (!main?.verified) {
      outcome.is_refused = true;
      throw new Error('the provider has not verified the address');
    }
    return decide(
      emails.filter(({ verified }) => verified),
      provider,
      sub,
    );
  };
  return outcome;
}

/** Lite says that something failed; the page that the browser is sent to can say what. */
function refuseUnverified(response: Response) {
  const location = response.headers.get('location');
  if (!location) return;
  const url = new URL(location);
  url.searchParams.set('error', 'access_denied');
  url.searchParams.set('error_code', 'provider_email_needs_verification');
  url.searchParams.set('error_description', 'The provider has not verified this address.');
  url.hash = '';
  response.headers.set('location', url.href);
}
