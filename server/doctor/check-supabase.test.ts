import { afterEach, beforeEach, expect, test } from 'vitest';
import { type FakeSupabaseAuth, startFakeSupabaseAuth } from '../testing/fake-supabase-auth.ts';
import { checkSupabase } from './check-supabase.ts';

let project: FakeSupabaseAuth;
beforeEach(async () => {
  project = await startFakeSupabaseAuth();
});
afterEach(() => project.close());

async function checkProject(settings: { url?: string; publishable_key?: string; jwt_secret?: string } = {}) {
  const { url, publishable_key } = project;
  const findings = await checkSupabase({ url, publishable_key, jwt_secret: undefined, ...settings });
  return findings.map(({ verdict, sentence }) => `${verdict} ${sentence}`);
}

test('a project that is set up well is good all over', async () => {
  expect(await checkProject()).toEqual([
    'good The sign-in answers and takes the publishable key.',
    'good "Confirm email" is off: who signs up can begin at once.',
    'good The project signs its tokens with public keys.',
  ]);
});

test('without Supabase there is nothing to say', async () => {
  expect(await checkSupabase(undefined)).toEqual([]);
});

test('a wrong key is told with where the right one is', async () => {
  const findings = await checkProject({ publishable_key: 'sb_publishable_of_another_project' });
  expect(findings).toEqual([
    expect.stringMatching(/^wrong The project refuses SUPABASE_PUBLISHABLE_KEY \(401\): copy .* API keys\.$/),
  ]);
});

test('an address that is no project, and one that nobody answers at, are told apart', async () => {
  expect(await checkProject({ url: `${project.url}/elsewhere` })).toEqual([
    expect.stringMatching(/^wrong SUPABASE_URL does not answer as a Supabase project \(404\)/),
  ]);
  const gone = await startFakeSupabaseAuth();
  await gone.close();
  expect(await checkProject({ url: gone.url })).toEqual([
    expect.stringMatching(/^wrong The project cannot be reached \(ECONNREFUSED\)/),
  ]);
});

test('a project that never answers costs five seconds, not more', async () => {
  project.silent = true;
  const started_ms = performance.now();
  expect(await checkProject()).toEqual([expect.stringContaining('(no answer within 5 seconds)')]);
  // Two silences, one after the other, would be ten.
  expect(performance.now() - started_ms).toBeLessThan(9_500);
});

test('what the dashboard has to be set to is told', async () => {
  project.settings = { external: { email: false }, disable_signup: true, mailer_autoconfirm: false };
  expect((await checkProject()).slice(1, 4)).toEqual([
    expect.stringMatching(/^wrong Nobody can sign in by email: turn on Authentication/),
    expect.stringMatching(/^note Nobody new can sign up/),
    expect.stringMatching(/^note "Confirm email" is on/),
  ]);
});

test('tokens must be checkable: by public keys, else by the shared secret', async () => {
  const jwt_secret = 'a shared secret of the project';
  expect((await checkProject({ jwt_secret })).at(-1)).toMatch(/^note .*SUPABASE_JWT_SECRET is set too/);
  project.keys = [];
  expect((await checkProject({ jwt_secret })).at(-1)).toMatch(/^good .*the secret in SUPABASE_JWT_SECRET/);
  expect((await checkProject()).at(-1)).toMatch(/^wrong The project has no public signing key/);
});
