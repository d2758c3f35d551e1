import type { Config } from '../platform/config.ts';
import { type Asked, ask } from './ask.ts';
import { type Finding, findingsAbout } from './finding.ts';

const { good, note, wrong } = findingsAbout('supabase');

/** Whether the project's Auth answers to the publishable key, is set as Touchline needs it, and signs its tokens. */
export async function checkSupabase(supabase: Config['supabase']): Promise<Finding[]> {
  if (!supabase) return [];
  const headers = { apikey: supabase.publishable_key };
  const [settings, keys] = await Promise.all([
    ask(`${supabase.url}/auth/v1/settings`, headers),
    ask(`${supabase.url}/auth/v1/.well-known/jwks.json`, headers),
  ]);
  if (settings.status === undefined) {
    return [
      wrong(
        `The project cannot be reached (${settings.failure}): check SUPABASE_URL, and in the dashboard whether the project is paused.`,
      ),
    ];
  }
  if (settings.status === 401 || settings.status === 403) {
    return [
      wrong(
        `The project refuses SUPABASE_PUBLISHABLE_KEY (${settings.status}): copy the publishable key of this project from the dashboard, Settings, API keys.`,
      ),
    ];
  }
  if (settings.status !== 200 || typeof settings.body !== 'object' || settings.body === null) {
    return [
      wrong(
        `SUPABASE_URL does not answer as a Supabase project (${settings.status}): copy the project's URL from the dashboard, under Connect.`,
      ),
    ];
  }
  return [
    good('The sign-in answers and takes the publishable key.'),
    ...checkSettings(settings.body),
    checkKeys(keys, supabase.jwt_secret !== undefined),
  ];
}

type AuthSettings = {
  mailer_autoconfirm?: boolean;
  disable_signup?: boolean;
  external?: { email?: boolean };
};

function checkSettings({ mailer_autoconfirm, disable_signup, external }: AuthSettings) {
  const findings: Finding[] = [];
  if (external?.email === false) {
    findings.push(
      wrong(
        'Nobody can sign in by email: turn on Authentication, Sign In / Providers, Email in the dashboard.',
      ),
    );
  }
  if (disable_signup) {
    findings.push(
      note(
        'Nobody new can sign up: unless you want that, turn on Authentication, Sign In / Providers, "Allow new users to sign up".',
      ),
    );
  }
  findings.push(
    mailer_autoconfirm
      ? good('"Confirm email" is off: who signs up can begin at once.')
      : note(
          '"Confirm email" is on: who signs up can begin only after the click in Supabase\'s mail. To change it, turn it off under Authentication, Sign In / Providers, Email.',
        ),
  );
  return findings;
}

function checkKeys(answer: Asked, hasSecret: boolean) {
  const keys = (answer.status === 200 && (answer.body as { keys?: unknown } | undefined)?.keys) || [];
  const hasKeys = Array.isArray(keys) && keys.length > 0;
  if (hasKeys && hasSecret) {
    return note(
      'The project signs with public keys, and SUPABASE_JWT_SECRET is set too: take it away an hour after the project has moved to them.',
    );
  }
  if (hasKeys) return good('The project signs its tokens with public keys.');
  if (hasSecret) return good('The project signs its tokens with the secret in SUPABASE_JWT_SECRET.');
  if (answer.status === 200) {
    return wrong(
      'The project has no public signing key, so no token can be checked: move to signing keys in the dashboard, Settings, JWT keys, or set SUPABASE_JWT_SECRET to the shared secret there.',
    );
  }
  return wrong(
    `The project's public keys cannot be read (${answer.status ?? answer.failure}): try again, and check SUPABASE_URL.`,
  );
}
