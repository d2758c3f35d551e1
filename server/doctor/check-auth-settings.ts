import type { Config } from '../platform/config.ts';
import { ask } from './ask.ts';
import { type Finding, findingsAbout } from './finding.ts';

const { good, note, wrong } = findingsAbout('supabase');

/** What of the project's Auth only its owner can read: AuthConfigResponse of Supabase's Management API, v1. */
type AuthConfig = {
  mailer_secure_email_change_enabled?: boolean;
  security_update_password_require_current_password?: boolean;
  security_captcha_enabled?: boolean;
  security_captcha_provider?: string | null;
  password_min_length?: number;
  site_url?: string;
  uri_allow_list?: string;
};

const signIn = 'Authentication, Sign In / Providers, Email';

/**
 * Whether the project guards accounts as Touchline's own gate does where Auth runs in the process. Browsers talk to the
 * project's Auth themselves, so nothing but the dashboard's settings can see to it.
 */
export async function checkAuthSettings(
  supabase: NonNullable<Config['supabase']>,
  { captcha, public_url }: Pick<Config, 'captcha' | 'public_url'>,
  api_url = 'https://api.supabase.com',
): Promise<Finding[]> {
  const [project] = new URL(supabase.url).hostname.split('.');
  if (!supabase.access_token) {
    return [
      note(
        `How the project guards a change of email and of password cannot be seen without SUPABASE_ACCESS_TOKEN: in the dashboard, ${signIn}, turn on "Secure email change" and "Require current password when updating", and under URL Configuration allow this site's addresses; or set the token for one run of the doctor.`,
      ),
    ];
  }
  const answer = await ask(`${api_url}/v1/projects/${project}/config/auth`, {
    authorization: `Bearer ${supabase.access_token}`,
  });
  if (answer.status === undefined) {
    return [wrong(`Supabase's management interface cannot be reached (${answer.failure}): try again.`)];
  }
  if (answer.status !== 200 || typeof answer.body !== 'object' || answer.body === null) {
    return [
      wrong(
        `SUPABASE_ACCESS_TOKEN may not read the project's settings (${answer.status}): make one under Account, Access Tokens, in the account that owns the project.`,
      ),
    ];
  }
  return judge(answer.body, captcha, public_url);
}

function judge(settings: AuthConfig, captcha: Config['captcha'], public_url: string | undefined) {
  const findings = [
    settings.mailer_secure_email_change_enabled
      ? good('A change of email is confirmed in both mailboxes.')
      : wrong(
          `A change of email is confirmed in one mailbox only: turn on "Secure email change" under ${signIn}.`,
        ),
    settings.security_update_password_require_current_password
      ? good('A new password asks for the old one.')
      : wrong(
          `Whoever holds a session can set a new password: turn on "Require current password when updating" under ${signIn}.`,
        ),
    ...judgeCaptcha(settings, captcha),
  ];
  if ((settings.password_min_length ?? 0) < 8) {
    findings.push(
      wrong(`Passwords may be shorter than 8 characters: raise the minimum to 8 under ${signIn}.`),
    );
  }
  if (public_url && !isAllowed(public_url, settings)) {
    findings.push(
      wrong(
        'Links in mails and sign-ins with Google or GitHub may not lead back here: under Authentication, URL Configuration, set the Site URL to PUBLIC_URL, or add it with /** to the redirect URLs.',
      ),
    );
  }
  return findings;
}

function judgeCaptcha(settings: AuthConfig, captcha: Config['captcha']): Finding[] {
  if (settings.security_captcha_enabled && !captcha) {
    return [
      wrong(
        'The project asks for a CAPTCHA, and nobody can sign in without: set CAPTCHA_PROVIDER and CAPTCHA_SITE_KEY.',
      ),
    ];
  }
  if (!settings.security_captcha_enabled) {
    return [
      captcha
        ? wrong(
            'CAPTCHA_PROVIDER is set, and the project does not check the answers: turn it on under Authentication, Attack Protection.',
          )
        : note(
            "Nothing but the project's own rate limits holds back guessed passwords: a CAPTCHA can be turned on under Authentication, Attack Protection, together with CAPTCHA_PROVIDER and CAPTCHA_SITE_KEY.",
          ),
    ];
  }
  return settings.security_captcha_provider === captcha!.provider
    ? [good('The project checks the CAPTCHA.')]
    : [
        wrong(
          'CAPTCHA_PROVIDER is not the one that the project checks: set the one that stands under Authentication, Attack Protection.',
        ),
      ];
}

function isAllowed(public_url: string, { site_url = '', uri_allow_list = '' }: AuthConfig) {
  const { origin } = new URL(public_url);
  return [site_url, ...uri_allow_list.split(',')].some((allowed) => {
    const address = allowed.trim().replace(/\/?\*+$/, '');
    return URL.canParse(address) && new URL(address).origin === origin;
  });
}
