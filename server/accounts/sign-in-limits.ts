import type { RateLimit, RateLimits } from '../platform/rate-limit.ts';

const minute_ms = 60_000;
const hour_ms = 60 * minute_ms;
const day_ms = 24 * hour_ms;

const sign_ups: RateLimit = { name: 'sign_up_client', points: 100, per_ms: hour_ms };
/** Where only this machine can reach the site, whoever tries it out or tests it is no stranger. */
const sign_ups_here: RateLimit = { name: 'sign_up_here', points: 1_000, per_ms: hour_ms };

/** Where somebody signs up with an address that has an account, its owner is told this often. */
const told_of_sign_up: RateLimit = { name: 'told_of_sign_up', points: 3, per_ms: day_ms };

const mails_of_account: RateLimit = { name: 'sign_in_mail_account', points: 3, per_ms: 15 * minute_ms };
/** The day's limits of an account are more than one client can use up: nobody else is to lock an owner out. */
const mails_of_account_here: RateLimit = { name: 'sign_in_mail_account_client', points: 10, per_ms: day_ms };
const mails_of_account_a_day: RateLimit = { name: 'sign_in_mail_account_day', points: 50, per_ms: day_ms };
const mails_of_client: RateLimit = { name: 'sign_in_mail_client', points: 30, per_ms: hour_ms };

const links_of_client: RateLimit = { name: 'link_client', points: 60, per_ms: hour_ms };
const redirects_of_client: RateLimit = { name: 'sign_in_redirect_client', points: 100, per_ms: hour_ms };
const email_changes: RateLimit = { name: 'email_change', points: 5, per_ms: hour_ms };

const wrong_passwords_here: RateLimit = {
  name: 'password_account_client',
  points: 10,
  per_ms: 15 * minute_ms,
};
const wrong_passwords_of_client: RateLimit = { name: 'password_client', points: 100, per_ms: hour_ms };
/** At ten a quarter of an hour one client has 960 a day. */
const wrong_passwords_of_account: RateLimit = { name: 'password_account', points: 1_000, per_ms: day_ms };

/** Whose tries are counted: an address of an account, whether it exists or not, and where the request came from. */
type Trier = { email: string; client: string };

/**
 * The limits in front of Auth, shared by all server processes. All throw `too_many_requests`; none depends on whether an
 * address has an account.
 */
export function createSignInLimits(rate_limits: RateLimits, is_local: boolean) {
  return {
    countSignUp: (client: string) => rate_limits.consume(is_local ? sign_ups_here : sign_ups, client),
    countToldOfSignUp: (email: string) => rate_limits.consume(told_of_sign_up, email.toLowerCase()),
    async countMail({ email, client }: Trier) {
      const account = email.toLowerCase();
      await rate_limits.consume(mails_of_client, client);
      await rate_limits.consume(mails_of_account_here, `${account} ${client}`);
      await rate_limits.consume(mails_of_account, account);
      await rate_limits.consume(mails_of_account_a_day, account);
    },
    countLink: (client: string) => rate_limits.consume(links_of_client, client),
    countRedirect: (client: string) => rate_limits.consume(redirects_of_client, client),
    async countEmailChange({ auth_id, client }: { auth_id: string; client: string }) {
      await rate_limits.consume(mails_of_client, client);
      await rate_limits.consume(email_changes, auth_id);
    },

    /**
     * Tries a password. It is counted as wrong before it is tried, so that a hundred tries at once are counted too, and
     * taken back when it was right, or when nobody could say.
     */
    async tryPassword<Outcome extends { is_right: boolean }>(
      { email, client }: Trier,
      attempt: () => Promise<Outcome>,
    ): Promise<Outcome> {
      const account = email.toLowerCase();
      const account_here = `${account} ${client}`;
      // One after the other: who is stopped here does not use up what the account has left elsewhere.
      await rate_limits.consume(wrong_passwords_here, account_here);
      await rate_limits.consume(wrong_passwords_of_client, client);
      await rate_limits.consume(wrong_passwords_of_account, account);
      const takeBack = () =>
        Promise.all([
          rate_limits.giveBack(wrong_passwords_of_client, client),
          rate_limits.giveBack(wrong_passwords_of_account, account),
        ]);
      try {
        const outcome = await attempt();
        if (outcome.is_right) {
          await Promise.all([takeBack(), rate_limits.forget(wrong_passwords_here, account_here)]);
        }
        return outcome;
      } catch (error) {
        await Promise.all([takeBack(), rate_limits.giveBack(wrong_passwords_here, account_here)]);
        throw error;
      }
    },
  };
}

export type SignInLimits = ReturnType<typeof createSignInLimits>;
