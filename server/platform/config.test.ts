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
    data_folder: resolve('.data'),
    database_url: undefined,
    database_pool_size: 10,
    supabase: undefined,
    auth_jwt_secret: undefined,
    openai: undefined,
    max_file_bytes: 25_000_000,
    log_level: 'warn',
  });
});

test('settings that stand there empty, as in a copied example, are as good as missing', () => {
  const names = Object.keys({ ...supabase, HOST: 1, PORT: 1, DATA_DIR: 1, AUTH_JWT_SECRET: 1 }).concat(
    ...['OPENAI_API_KEY', 'OPENAI_BASE_URL', 'OPENAI_MODEL', 'OPENAI_STORE_DAYS', 'MAX_FILE_MB'],
    ...['LOG_LEVEL', 'DATABASE_POOL_SIZE', 'SUPABASE_JWT_SECRET'],
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
