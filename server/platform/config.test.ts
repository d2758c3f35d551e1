import { join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readConfig, StartError } from './config.ts';

const supabase = {
  SUPABASE_URL: 'https://project.supabase.co',
  SUPABASE_PUBLISHABLE_KEY: 'sb_publishable_key',
  DATABASE_URL: 'postgresql://postgres:secret@db.project.supabase.co:5432/postgres',
};

function refusal(environment: Record<string, string>) {
  try {
    readConfig(environment);
  } catch (error) {
    expect(error).toBeInstanceOf(StartError);
    return (error as Error).message;
  }
  throw new Error('the settings were taken');
}

test('without any setting it is embedded, for this machine only, with the practice coach', () => {
  expect(readConfig({})).toEqual({
    mode: 'embedded',
    host: '127.0.0.1',
    port: 3000,
    is_local: true,
    public_url: undefined,
    data_folder: resolve('.data'),
    database_url: undefined,
    database_pool_size: 10,
    supabase: undefined,
    auth_jwt_secret: undefined,
    openai: undefined,
    max_file_bytes: 25_000_000,
    s3: undefined,
    operator_email: undefined,
    smtp: undefined,
    stripe: undefined,
    trust_proxy: 0,
    sign_in_providers: {},
    captcha: undefined,
    log_level: 'warn',
  });
});

test('settings that stand there empty, as in a copied example, are as good as missing', () => {
  const names = Object.keys({ ...supabase, HOST: 1, PORT: 1, DATA_DIR: 1, AUTH_JWT_SECRET: 1 }).concat(
    ...['OPENAI_API_KEY', 'OPENAI_BASE_URL', 'OPENAI_MODEL', 'OPENAI_STORE_DAYS', 'MAX_FILE_MB'],
    ...[
      'LOG_LEVEL',
      'DATABASE_POOL_SIZE',
      'SUPABASE_JWT_SECRET',
      'PUBLIC_URL',
      'OPERATOR_EMAIL',
      'SMTP_HOST',
    ],
    ...['SMTP_PORT', 'SMTP_USER', 'SMTP_PASSWORD', 'SMTP_TLS', 'MAIL_FROM', 'STRIPE_SECRET_KEY'],
    ...['STRIPE_WEBHOOK_SECRET', 'STRIPE_API_URL'],
    ...['S3_ENDPOINT', 'S3_REGION', 'S3_BUCKET', 'S3_ACCESS_KEY_ID', 'S3_SECRET_ACCESS_KEY'],
  );
  for (const empty of ['', '   ']) {
    expect(readConfig(Object.fromEntries(names.map((name) => [name, empty])))).toEqual(readConfig({}));
  }
});

describe('modes', () => {
  test('DATABASE_URL alone means a PostgreSQL of your own', () => {
    const config = readConfig({ DATABASE_URL: 'postgres://coach@localhost/touchline' });
    expect(config.mode).toBe('postgres');
    expect(config.database_url).toBe('postgres://coach@localhost/touchline');
  });

  test('a PostgreSQL on a socket is an address too', () => {
    for (const address of [
      'postgresql:///touchline?host=/var/run/postgresql',
      'postgres://coach@/touchline',
    ]) {
      expect(readConfig({ DATABASE_URL: address }).database_url).toBe(address);
    }
  });

  test('SUPABASE_URL with its partners means Supabase; a slash at the end does not matter', () => {
    const config = readConfig({ ...supabase, SUPABASE_URL: 'https://project.supabase.co//' });
    expect(config.mode).toBe('supabase');
    expect(config.supabase).toEqual({
      url: 'https://project.supabase.co',
      publishable_key: 'sb_publishable_key',
      jwt_secret: undefined,
    });
  });

  test('a key turns OpenAI on, and a compatible server takes its place', () => {
    expect(readConfig({ OPENAI_API_KEY: 'sk-1' }).openai).toEqual({
      api_key: 'sk-1',
      base_url: 'https://api.openai.com/v1',
      model: undefined,
      store_days: 30,
      patience_ms: 45_000,
    });
    const compatible = { OPENAI_API_KEY: 'sk-1', OPENAI_BASE_URL: 'http://localhost:11434/v1/' };
    expect(readConfig(compatible).openai?.base_url).toBe('http://localhost:11434/v1');
  });
});

test('every setting arrives', () => {
  expect(
    readConfig({
      HOST: ' 0.0.0.0 ',
      PORT: '8080',
      DATA_DIR: join('/srv', 'touchline'),
      DATABASE_POOL_SIZE: '40',
      AUTH_JWT_SECRET: 'a'.repeat(32),
      OPENAI_API_KEY: 'sk-1',
      OPENAI_MODEL: 'gpt-6',
      OPENAI_STORE_DAYS: '7',
      MAX_FILE_MB: '100',
      LOG_LEVEL: 'debug',
    }),
  ).toMatchObject({
    host: '0.0.0.0',
    port: 8080,
    data_folder: resolve('/srv/touchline'),
    database_pool_size: 40,
    auth_jwt_secret: 'a'.repeat(32),
    openai: { model: 'gpt-6', store_days: 7 },
    max_file_bytes: 100_000_000,
    log_level: 'debug',
  });
});

describe('a broken setting', () => {
  test.each([
    ['PORT', 'hunter2', 'must be a whole number from 0 to 65535'],
    ['PORT', '65536', 'must be a whole number from 0 to 65535'],
    ['PORT', '-1', 'must be a whole number from 0 to 65535'],
    ['PORT', '3000.5', 'must be a whole number from 0 to 65535'],
    ['PORT', '0x1F90', 'must be a whole number from 0 to 65535'],
    ['DATABASE_URL', 'mysql://root:hunter2@localhost/db', 'must be an address like postgresql://'],
    [
      'DATABASE_URL',
      'postgresql://coach:hun#ter2@localhost:5432/db',
      'must be an address like postgresql://',
    ],
    ['DATABASE_URL', 'localhost:5432', 'must be an address like postgresql://'],
    ['DATABASE_POOL_SIZE', '1', 'must be a whole number from 2 to 200'],
    ['DATABASE_POOL_SIZE', '201', 'must be a whole number from 2 to 200'],
    ['SUPABASE_URL', 'hunter2.supabase.co', 'must be an http or https address'],
    ['SUPABASE_URL', 'ftp://hunter2.supabase.co', 'must be an http or https address'],
    ['AUTH_JWT_SECRET', 'hunter2', 'must have at least 32 characters'],
    ['OPENAI_BASE_URL', 'file:///hunter2', 'must be an http or https address'],
    ['OPENAI_STORE_DAYS', '0', 'must be a whole number from 1 to 365'],
    ['OPENAI_STORE_DAYS', '366', 'must be a whole number from 1 to 365'],
    ['MAX_FILE_MB', '25MB', 'must be a whole number from 1 to 500'],
    ['MAX_FILE_MB', '501', 'must be a whole number from 1 to 500'],
    ['LOG_LEVEL', 'hunter2', 'must be fatal, error, warn, info, debug or silent'],
  ])('%s=%s is refused in one sentence that names it and keeps its value back', (name, value, reason) => {
    const message = refusal({ [name]: value });
    expect(message).toMatch(new RegExp(`^The setting ${name} is not usable: ${reason}[^\\n.]*\\.$`));
    if (value.length > 3) expect(message).not.toContain(value);
    expect(message).not.toContain('hunter2');
  });

  test('two of them are told one after the other', () => {
    expect(refusal({ PORT: 'x', LOG_LEVEL: 'y' })).toContain('PORT');
    expect(refusal({ LOG_LEVEL: 'y' })).toContain('LOG_LEVEL');
  });

  test.each(['DATABASE_URL', 'SUPABASE_PUBLISHABLE_KEY'])(
    'SUPABASE_URL without %s says which one is missing and where to find it',
    (missing) => {
      const message = refusal({ ...supabase, [missing]: '' });
      expect(message).toMatch(new RegExp(`^SUPABASE_URL is set but ${missing} is not: .*Supabase dashboard`));
      expect(message).not.toContain('project');
      expect(message).not.toContain('secret');
    },
  );
});

describe('a Supabase key that every browser would get', () => {
  const token = (claims: unknown) =>
    ['{"alg":"HS256","typ":"JWT"}', JSON.stringify(claims), 'signature']
      .map((part) => Buffer.from(part).toString('base64url'))
      .join('.');

  test.each([
    ['of the new kind', 'sb_secret_4vQ0Zz8rJd2nY6pTt1xKcw'],
    ['of the old kind', token({ iss: 'supabase', role: 'service_role' })],
    ['with spaces around it', '  sb_secret_4vQ0Zz8rJd2nY6pTt1xKcw '],
  ])('is refused when it is a secret one: %s', (_kind, key) => {
    const message = refusal({ ...supabase, SUPABASE_PUBLISHABLE_KEY: key });
    expect(message).toMatch(/^SUPABASE_PUBLISHABLE_KEY holds a secret key, .* delete this one/);
    expect(message).not.toContain(key.trim());
  });

  test.each([
    'sb_publishable_4vQ0Zz8rJd2nY6pTt1xKcw',
    token({ iss: 'supabase', role: 'anon' }),
    token(null),
    'a.b.c',
    'x',
  ])('is taken when it is not: %s', (key) => {
    const config = readConfig({ ...supabase, SUPABASE_PUBLISHABLE_KEY: key });
    expect(config.supabase?.publishable_key).toBe(key);
  });
});

describe('who can reach it', () => {
  test.each([
    [{}, true],
    [{ HOST: 'localhost' }, true],
    [{ HOST: '127.1.2.3' }, true],
    [{ HOST: '::1' }, true],
    [{ HOST: '0.0.0.0' }, false],
    [{ HOST: '::' }, false],
    [{ HOST: 'localhost.example.org' }, false],
    [{ HOST: '192.168.1.2' }, false],
    // Behind a proxy on the same machine.
    [{ PUBLIC_URL: 'https://coach.example.org' }, false],
    [{ PUBLIC_URL: 'http://localhost:8080/' }, true],
    [{ PUBLIC_URL: 'http://[::1]:8080' }, true],
    [{ HOST: '0.0.0.0', PUBLIC_URL: 'http://localhost' }, false],
  ])('%o: only this machine: %s', (settings: Record<string, string>, is_local) => {
    expect(readConfig(settings).is_local).toBe(is_local);
  });
});

describe('mail', () => {
  const smtp = { SMTP_HOST: 'smtp.example.org', MAIL_FROM: 'Touchline <hello@example.org>' };

  test('needs a host and a sender; the rest has the defaults of a mail account', () => {
    expect(readConfig(smtp).smtp).toEqual({
      host: 'smtp.example.org',
      port: 587,
      user: undefined,
      password: undefined,
      tls: 'required',
      from: { name: 'Touchline', address: 'hello@example.org' },
    });
    expect(readConfig({ ...smtp, MAIL_FROM: 'hello@example.org' }).smtp?.from).toEqual({
      name: '',
      address: 'hello@example.org',
    });
    expect(refusal({ SMTP_HOST: 'smtp.example.org' })).toMatch(/MAIL_FROM is not/);
    expect(refusal({ ...smtp, SMTP_USER: 'me' })).toMatch(/SMTP_PASSWORD is not/);
    expect(refusal({ ...smtp, MAIL_FROM: 'Touchline' })).toMatch(/MAIL_FROM .* must be an address/);
    expect(refusal({ ...smtp, MAIL_FROM: 'a@example.org\r\nBcc: all@example.org' })).toMatch(/MAIL_FROM/);
    expect(refusal({ ...smtp, SMTP_TLS: 'perhaps' })).toMatch(/SMTP_TLS .* required or off/);
  });
});

test('the first operator is an address, whatever its case', () => {
  expect(readConfig({ OPERATOR_EMAIL: ' Owner@Example.org ' }).operator_email).toBe('owner@example.org');
  expect(refusal({ OPERATOR_EMAIL: 'owner' })).toMatch(/OPERATOR_EMAIL .* address/);
});

test("a Stripe key turns Stripe on, at Stripe's own address", () => {
  expect(readConfig({ STRIPE_SECRET_KEY: 'sk_test_1' }).stripe).toEqual({
    secret_key: 'sk_test_1',
    webhook_secret: undefined,
    automatic_tax: false,
    api_url: 'https://api.stripe.com',
  });
});

describe('signing in', () => {
  const github = { GITHUB_CLIENT_ID: 'an-id', GITHUB_CLIENT_SECRET: 'a-secret' };
  const google = { GOOGLE_CLIENT_ID: 'an-id', GOOGLE_CLIENT_SECRET: 'a-secret' };
  const supabase = {
    SUPABASE_URL: 'https://project.supabase.co',
    SUPABASE_PUBLISHABLE_KEY: 'sb_publishable_1',
    DATABASE_URL: 'postgresql://localhost/postgres',
  };

  test('with a provider needs both its id and its secret, and offers no other', () => {
    expect(readConfig({}).sign_in_providers).toEqual({});
    expect(readConfig(google).sign_in_providers).toEqual({
      google: { client_id: 'an-id', client_secret: 'a-secret' },
    });
    expect(readConfig({ ...github, GITHUB_URL: 'https://git.example.org/' }).sign_in_providers).toEqual({
      github: { client_id: 'an-id', client_secret: 'a-secret', url: 'https://git.example.org' },
    });
    expect(refusal({ GITHUB_CLIENT_ID: 'an-id' })).toMatch(/GITHUB_CLIENT_SECRET belong together/);
    expect(refusal({ GOOGLE_CLIENT_SECRET: 'a-secret' })).toMatch(/GOOGLE_CLIENT_ID/);
    expect(refusal({ ...github, GITHUB_URL: 'git.example.org' })).toMatch(/GITHUB_URL/);
  });

  test('on Supabase is set up there', () => {
    expect(refusal({ ...supabase, ...github })).toMatch(/GITHUB_CLIENT_ID .* dashboard/);
    const captcha = { CAPTCHA_PROVIDER: 'turnstile', CAPTCHA_SITE_KEY: '1x00' };
    expect(readConfig({ ...supabase, ...captcha }).captcha).toEqual({
      provider: 'turnstile',
      site_key: '1x00',
    });
    expect(refusal(captcha)).toMatch(/CAPTCHA_PROVIDER .* SUPABASE_URL/);
    expect(refusal({ ...supabase, CAPTCHA_PROVIDER: 'hcaptcha' })).toMatch(/CAPTCHA_SITE_KEY/);
  });

  test('counts by the address that so many proxies are to be believed', () => {
    expect(readConfig({}).trust_proxy).toBe(0);
    expect(readConfig({ TRUST_PROXY: '2' }).trust_proxy).toBe(2);
    expect(refusal({ TRUST_PROXY: 'true' })).toMatch(/TRUST_PROXY .* whole number/);
  });
});

describe('a bucket for the files', () => {
  const bucket = {
    S3_ENDPOINT: 'https://project.supabase.co/storage/v1/s3/',
    S3_REGION: 'eu-central-1',
    S3_BUCKET: 'files',
    S3_ACCESS_KEY_ID: 'key',
    S3_SECRET_ACCESS_KEY: 'lantern',
  };

  test('is taken as it is set', () => {
    expect(readConfig(bucket).s3).toEqual({
      endpoint: 'https://project.supabase.co/storage/v1/s3',
      region: 'eu-central-1',
      bucket: 'files',
      access_key_id: 'key',
      secret_access_key: 'lantern',
    });
  });

  test.each(Object.keys(bucket))('without %s it is refused, and no secret is told', (name) => {
    const message = refusal({ ...bucket, [name]: '' });
    expect(message).toContain(`but ${name} is not: set all five`);
    expect(message).not.toContain('lantern');
  });
});
