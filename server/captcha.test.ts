import { afterAll, beforeAll, expect, test } from 'vitest';
import { type FakeSupabaseAuth, startFakeSupabaseAuth } from './testing/fake-supabase-auth.ts';
import { openDatabase, type TestDatabase } from './testing/open-database.ts';
import { startTestServer } from './testing/start-test-server.ts';

let project: FakeSupabaseAuth;
let database: TestDatabase;
beforeAll(async () => {
  project = await startFakeSupabaseAuth();
  database = await openDatabase({ pool_size: 2 });
});
afterAll(async () => {
  await database?.close();
  await project?.close();
});

/** What a page may load by its policy, and what it is told of the CAPTCHA. */
async function readPage(settings: Record<string, string>) {
  const server = await startTestServer({
    DATABASE_URL: database.url,
    SUPABASE_URL: project.url,
    SUPABASE_PUBLISHABLE_KEY: project.publishable_key,
    ...settings,
  });
  try {
    const policy = (await fetch(`${server.url}/sign-in`)).headers.get('content-security-policy')!;
    const { captcha } = (await (await fetch(`${server.url}/api/config`)).json()) as { captcha: unknown };
    const sources = Object.fromEntries(
      policy.split('; ').map((directive) => {
        const [name, ...allowed] = directive.split(' ');
        return [name, allowed.join(' ')];
      }),
    );
    return { captcha, sources };
  } finally {
    await server.stop();
  }
}

test('pages load what a CAPTCHA needs only where one is set up, and only of its maker', async () => {
  const without = await readPage({});
  expect(without.captcha).toBeNull();
  expect(without.sources).toMatchObject({ 'script-src': "'self'", 'style-src': "'self'" });
  expect(without.sources).not.toHaveProperty('frame-src');

  const site_key = '0x4AAAAAAAexample';
  const turnstile = await readPage({ CAPTCHA_PROVIDER: 'turnstile', CAPTCHA_SITE_KEY: site_key });
  expect(turnstile.captcha).toEqual({ provider: 'turnstile', site_key });
  expect(turnstile.sources).toEqual({
    ...without.sources,
    'script-src': "'self' https://challenges.cloudflare.com",
    'frame-src': 'https://challenges.cloudflare.com',
  });

  const hcaptcha = await readPage({ CAPTCHA_PROVIDER: 'hcaptcha', CAPTCHA_SITE_KEY: site_key });
  const theirs = 'https://hcaptcha.com https://*.hcaptcha.com';
  expect(hcaptcha.sources).toEqual({
    ...without.sources,
    'script-src': `'self' ${theirs}`,
    'style-src': `'self' ${theirs}`,
    'connect-src': `${without.sources['connect-src']} ${theirs}`,
    'frame-src': theirs,
  });
}, 60_000);
