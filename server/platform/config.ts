import { join, resolve } from 'node:path';
import { z } from 'zod';

/**
 * A setting, a file or a folder is such that the server cannot start. The message is the one sentence that the
 * person at the terminal reads; it never holds a secret.
 */
export class StartError extends Error {
  constructor(message: string, options: { cause?: unknown } = {}) {
    super(message, options);
    this.name = 'StartError';
  }
}

const text = z
  .string()
  .trim()
  .transform((value) => (value === '' ? undefined : value))
  .optional();
const url = text.pipe(z.url({ protocol: /^https?$/, error: 'must be an http or https address' }).optional());
const postgresUrl = text.pipe(
  z
    .string()
    .refine(
      (value) => /^postgres(ql)?:\/\//.test(value) && URL.canParse(value.replace('@/', '@localhost/')),
      'must be an address like postgresql://name:password@host:5432/database, where # / ? and spaces in the password are written as %23 %2F %3F and %20',
    )
    .optional(),
);
const email = text
  .transform((value) => value?.toLowerCase())
  .pipe(z.email('must be an address like someone@example.org').optional());
function wholeNumber(min: number, max: number, fallback: number) {
  return text
    .transform((value) => (value === undefined ? fallback : /^\d+$/.test(value) ? Number(value) : Number.NaN))
    .pipe(z.int(`must be a whole number from ${min} to ${max}`).min(min).max(max));
}

const settings = z.object({
  HOST: text.transform((value) => value ?? '127.0.0.1'),
  PUBLIC_URL: url,
  PORT: wholeNumber(0, 65535, 3000),
  DATA_DIR: text.transform((value) => resolve(value ?? '.data')),
  DATABASE_URL: postgresUrl,
  DATABASE_POOL_SIZE: wholeNumber(2, 200, 10),
  SUPABASE_URL: url,
  SUPABASE_PUBLISHABLE_KEY: text,
  SUPABASE_JWT_SECRET: text,
  SUPABASE_ACCESS_TOKEN: text,
  AUTH_JWT_SECRET: text.pipe(z.string().min(32, 'must have at least 32 characters').optional()),
  OPENAI_API_KEY: text,
  OPENAI_BASE_URL: url,
  OPENAI_MODEL: text,
  OPENAI_STORE_DAYS: wholeNumber(1, 365, 30),
  OPENAI_PATIENCE_S: wholeNumber(1, 600, 45),
  MAX_FILE_MB: wholeNumber(1, 500, 25),
  S3_ENDPOINT: url,
  S3_REGION: text,
  S3_BUCKET: text,
  S3_ACCESS_KEY_ID: text,
  S3_SECRET_ACCESS_KEY: text,
  OPERATOR_EMAIL: email,
  SMTP_HOST: text,
  SMTP_PORT: wholeNumber(1, 65535, 587),
  SMTP_USER: text,
  SMTP_PASSWORD: text,
  SMTP_TLS: text
    .transform((value) => value ?? 'required')
    .pipe(z.enum(['required', 'off'], { error: 'must be required or off' })),
  MAIL_FROM: text.pipe(
    z
      .string()
      .refine((value) => parseSender(value) !== undefined, {
        error:
          'must be an address like hello@example.org, or a name with one, like Touchline <hello@example.org>',
      })
      .optional(),
  ),
  STRIPE_SECRET_KEY: text,
  STRIPE_WEBHOOK_SECRET: text,
  STRIPE_API_URL: url,
  STRIPE_TAX: text
    .transform((value) => value ?? 'off')
    .pipe(z.enum(['automatic', 'off'], { error: 'must be automatic or off' })),
  TRUST_PROXY: wholeNumber(0, 10, 0),
  GOOGLE_CLIENT_ID: text,
  GOOGLE_CLIENT_SECRET: text,
  GITHUB_CLIENT_ID: text,
  GITHUB_CLIENT_SECRET: text,
  GITHUB_URL: url,
  CAPTCHA_PROVIDER: text.pipe(
    z.enum(['hcaptcha', 'turnstile'], { error: 'must be hcaptcha or turnstile' }).optional(),
  ),
  CAPTCHA_SITE_KEY: text,
  LOG_LEVEL: text.pipe(
    z
      .enum(['fatal', 'error', 'warn', 'info', 'debug', 'silent'], {
        error: 'must be fatal, error, warn, info, debug or silent',
      })
      .optional(),
  ),
});

type Mode = 'embedded' | 'postgres' | 'supabase';

export type S3Config = {
  /** Without a slash at the end. */
  endpoint: string;
  region: string;
  bucket: string;
  access_key_id: string;
  secret_access_key: string;
};

export type SmtpConfig = {
  host: string;
  port: number;
  user: string | undefined;
  password: string | undefined;
  tls: 'required' | 'off';
  from: MailAddress;
};

/** `url`: of a server of one's own, such as GitHub Enterprise; undefined: the public one. */
type SignInProvider = { client_id: string; client_secret: string; url?: string | undefined };

export type StripeConfig = {
  secret_key: string;
  /** Undefined: no event of Stripe is taken. */
  webhook_secret: string | undefined;
  api_url: string;
  /** Whether Stripe works out the tax, which has to be set up there. */
  automatic_tax: boolean;
};

/** `name` is empty where there is none. */
type MailAddress = { name: string; address: string };

export type Config = {
  mode: Mode;
  host: string;
  port: number;
  /** Whether only this machine can reach it: it listens on a loopback address and is not said to be elsewhere. */
  is_local: boolean;
  /** The address that people use, without a slash at the end; undefined: the one that it listens on. */
  public_url: string | undefined;
  data_folder: string;
  database_url: string | undefined;
  database_pool_size: number;
  supabase:
    | {
        url: string;
        publishable_key: string;
        jwt_secret: string | undefined;
        /** For the doctor alone: it opens the whole Supabase account. */
        access_token?: string | undefined;
      }
    | undefined;
  auth_jwt_secret: string | undefined;
  openai:
    | {
        api_key: string;
        base_url: string;
        model: string | undefined;
        store_days: number;
        /** How long a reply may take to begin, or be silent in the middle. */
        patience_ms: number;
      }
    | undefined;
  max_file_bytes: number;
  /** Where the members' original files lie; undefined: in the data folder. */
  s3: S3Config | undefined;
  /** Becomes the first operator. Lower case. */
  operator_email: string | undefined;
  /** Undefined: mails land in the outbox page. */
  smtp: SmtpConfig | undefined;
  stripe: StripeConfig | undefined;
  /** How many proxies of ours stand in front: so many addresses at the end of X-Forwarded-For are to be believed. */
  trust_proxy: number;
  /** Where Auth runs in our process; a Supabase project has its own in the dashboard. */
  sign_in_providers: Partial<Record<'google' | 'github', SignInProvider>>;
  /** Only with a Supabase project, whose Auth checks the answer. */
  captcha: { provider: 'hcaptcha' | 'turnstile'; site_key: string } | undefined;
  log_level: string;
};

/**
 * The settings, read once from the environment (README lists them).
 * Throws a `StartError` that names the first broken setting, never its value.
 */
export function readConfig(environment: Record<string, string | undefined>): Config {
  const parsed = settings.safeParse(environment);
  if (!parsed.success) {
    const issue = parsed.error.issues[0]!;
    throw new StartError(`The setting ${issue.path.join('.')} is not usable: ${issue.message}.`);
  }
  const values = parsed.data;
  if (values.SUPABASE_URL && !values.DATABASE_URL) {
    throw new StartError(
      'SUPABASE_URL is set but DATABASE_URL is not: set it to the connection string that the Supabase dashboard shows under Connect.',
    );
  }
  if (values.SUPABASE_URL && !values.SUPABASE_PUBLISHABLE_KEY) {
    throw new StartError(
      'SUPABASE_URL is set but SUPABASE_PUBLISHABLE_KEY is not: copy it from the Supabase dashboard, Settings, API keys.',
    );
  }
  if (values.SUPABASE_URL && isSecretKey(values.SUPABASE_PUBLISHABLE_KEY!)) {
    throw new StartError(
      'SUPABASE_PUBLISHABLE_KEY holds a secret key, and every browser would get it: make a new secret key in the dashboard, delete this one, and set the publishable (or anon) key from Settings, API keys.',
    );
  }
  if (values.SMTP_HOST && !values.MAIL_FROM) {
    throw new StartError(
      'SMTP_HOST is set but MAIL_FROM is not: set it to the address that mails come from.',
    );
  }
  if (values.SMTP_USER && values.SMTP_PASSWORD === undefined) {
    throw new StartError(
      'SMTP_USER is set but SMTP_PASSWORD is not: set it to the password of the mail account.',
    );
  }
  for (const name of ['GOOGLE', 'GITHUB'] as const) {
    if (Boolean(values[`${name}_CLIENT_ID`]) !== Boolean(values[`${name}_CLIENT_SECRET`])) {
      throw new StartError(
        `${name}_CLIENT_ID and ${name}_CLIENT_SECRET belong together: set both, or neither.`,
      );
    }
    if (values[`${name}_CLIENT_ID`] && values.SUPABASE_URL) {
      throw new StartError(
        `${name}_CLIENT_ID is set, but people sign in at Supabase: set the provider up in the dashboard, Authentication, Sign In / Providers, and take the setting out.`,
      );
    }
  }
  if (Boolean(values.CAPTCHA_PROVIDER) !== Boolean(values.CAPTCHA_SITE_KEY)) {
    throw new StartError('CAPTCHA_PROVIDER and CAPTCHA_SITE_KEY belong together: set both, or neither.');
  }
  if (values.CAPTCHA_PROVIDER && !values.SUPABASE_URL) {
    throw new StartError(
      'CAPTCHA_PROVIDER is set without SUPABASE_URL: only a Supabase project checks the answers; here the limits on signing in guard.',
    );
  }
  return {
    mode: values.SUPABASE_URL ? 'supabase' : values.DATABASE_URL ? 'postgres' : 'embedded',
    host: values.HOST,
    port: values.PORT,
    is_local:
      isLoopback(values.HOST) && (!values.PUBLIC_URL || isLoopback(new URL(values.PUBLIC_URL).hostname)),
    public_url: values.PUBLIC_URL?.replace(/\/+$/, ''),
    data_folder: values.DATA_DIR,
    database_url: values.DATABASE_URL,
    database_pool_size: values.DATABASE_POOL_SIZE,
    supabase: values.SUPABASE_URL
      ? {
          url: values.SUPABASE_URL.replace(/\/+$/, ''),
          publishable_key: values.SUPABASE_PUBLISHABLE_KEY!,
          jwt_secret: values.SUPABASE_JWT_SECRET,
          access_token: values.SUPABASE_ACCESS_TOKEN,
        }
      : undefined,
    auth_jwt_secret: values.AUTH_JWT_SECRET,
    openai: values.OPENAI_API_KEY
      ? {
          api_key: values.OPENAI_API_KEY,
          base_url: (values.OPENAI_BASE_URL ?? 'https://api.openai.com/v1').replace(/\/+$/, ''),
          model: values.OPENAI_MODEL,
          store_days: values.OPENAI_STORE_DAYS,
          patience_ms: values.OPENAI_PATIENCE_S * 1000,
        }
      : undefined,
    max_file_bytes: values.MAX_FILE_MB * 1_000_000,
    s3: readS3(values),
    operator_email: values.OPERATOR_EMAIL,
    smtp: values.SMTP_HOST
      ? {
          host: values.SMTP_HOST,
          port: values.SMTP_PORT,
          user: values.SMTP_USER,
          password: values.SMTP_PASSWORD,
          tls: values.SMTP_TLS,
          from: parseSender(values.MAIL_FROM!)!,
        }
      : undefined,
    stripe: values.STRIPE_SECRET_KEY
      ? {
          secret_key: values.STRIPE_SECRET_KEY,
          webhook_secret: values.STRIPE_WEBHOOK_SECRET,
          api_url: (values.STRIPE_API_URL ?? 'https://api.stripe.com').replace(/\/+$/, ''),
          automatic_tax: values.STRIPE_TAX === 'automatic',
        }
      : undefined,
    trust_proxy: values.TRUST_PROXY,
    sign_in_providers: {
      ...(values.GOOGLE_CLIENT_ID && values.GOOGLE_CLIENT_SECRET
        ? { google: { client_id: values.GOOGLE_CLIENT_ID, client_secret: values.GOOGLE_CLIENT_SECRET } }
        : {}),
      ...(values.GITHUB_CLIENT_ID && values.GITHUB_CLIENT_SECRET
        ? {
            github: {
              client_id: values.GITHUB_CLIENT_ID,
              client_secret: values.GITHUB_CLIENT_SECRET,
              url: values.GITHUB_URL?.replace(/\/+$/, ''),
            },
          }
        : {}),
    },
    captcha:
      values.CAPTCHA_PROVIDER && values.CAPTCHA_SITE_KEY
        ? { provider: values.CAPTCHA_PROVIDER, site_key: values.CAPTCHA_SITE_KEY }
        : undefined,
    log_level: values.LOG_LEVEL ?? 'warn',
  };
}

const s3_settings = [
  'S3_ENDPOINT',
  'S3_REGION',
  'S3_BUCKET',
  'S3_ACCESS_KEY_ID',
  'S3_SECRET_ACCESS_KEY',
] as const;

/** All five, or none: half of them would leave files on the disk that nobody looks for there. */
function readS3(values: z.output<typeof settings>): S3Config | undefined {
  const missing = s3_settings.filter((name) => !values[name]);
  if (missing.length === s3_settings.length) return undefined;
  if (missing.length > 0) {
    const given = s3_settings.find((name) => values[name]);
    throw new StartError(
      `${given} is set but ${missing[0]} is not: set all five of ${s3_settings.join(', ')}, or none, and files lie in DATA_DIR.`,
    );
  }
  return {
    endpoint: values.S3_ENDPOINT!.replace(/\/+$/, ''),
    region: values.S3_REGION!,
    bucket: values.S3_BUCKET!,
    access_key_id: values.S3_ACCESS_KEY_ID!,
    secret_access_key: values.S3_SECRET_ACCESS_KEY!,
  };
}

/** Whether a Supabase key opens everything: one of the new kind by its beginning, one of the old kind by its role. */
function isSecretKey(key: string) {
  if (key.startsWith('sb_secret_')) return true;
  try {
    return JSON.parse(Buffer.from(key.split('.')[1] ?? '', 'base64url').toString()).role === 'service_role';
  } catch {
    return false;
  }
}

/** Whether it listens on every address of the machine, none of which is the one that people use. */
export function listensEverywhere({ host }: Config): boolean {
  return host === '0.0.0.0' || host === '::';
}

/** Whether a host name or address means this machine alone. */
export function isLoopback(host: string) {
  const bare = host.replace(/^\[|\]$/g, '').toLowerCase();
  return bare === 'localhost' || bare === '::1' || /^127(\.\d{1,3}){3}$/.test(bare);
}

/** A bare address, or a name with the address in angle brackets. */
function parseSender(value: string): MailAddress | undefined {
  const [, name, inBrackets] = /^"?([^"<>\r\n]*?)"?\s*<([^<>]+)>$/.exec(value) ?? [];
  const address = z.email().safeParse(inBrackets ?? value);
  return address.success ? { name: name ?? '', address: address.data } : undefined;
}

/** The settings of this process: its environment and, behind it, the file `.env` in `root`. Throws as `readConfig`. */
export function loadConfig(root: string): Config {
  try {
    process.loadEnvFile(join(root, '.env'));
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code !== 'ENOENT') throw new StartError(`The file .env cannot be read (${code}).`, { cause });
  }
  return readConfig(process.env);
}
