import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type FakeGitHub, startFakeGitHub } from '../server/testing/fake-github.ts';
import { launchBrowser } from './launch-browser.ts';
import { readMailLink } from './read-outbox.ts';
import { startTouchline } from './start-touchline.ts';
import { expectAccessible, look, openPage } from './steps.ts';

const password = 'a long password';
const new_password = 'another long password';
const desk = { width: 1280, height: 860 };
const phone = { width: 390, height: 844 };

let browser: Browser;
let github: FakeGitHub;
let touchline: Awaited<ReturnType<typeof startTouchline>>;
beforeAll(async () => {
  browser = await launchBrowser();
  github = await startFakeGitHub();
  touchline = await startTouchline({
    GITHUB_CLIENT_ID: github.client_id,
    GITHUB_CLIENT_SECRET: github.client_secret,
    GITHUB_URL: github.url,
  });
});
afterAll(async () => {
  await touchline?.stop();
  await github?.close();
  await browser?.close();
});

/** A browser of its own, with nobody signed in. */
async function openBrowser(path: string, { viewport = desk, dark = false } = {}) {
  const colorScheme = dark ? 'dark' : 'light';
  const context = await browser.newContext({ viewport, colorScheme, locale: 'en-GB' });
  const { page, complaints } = await openPage(context, touchline.url + path);
  /** A request that is refused stands in the browser's console, whatever the page makes of it. */
  const unexpected = () => complaints.filter((words) => !words.startsWith('Failed to load'));
  return { context, page, unexpected };
}

const emailField = (page: Page) => page.getByRole('textbox', { name: 'Email' });
const passwordField = (page: Page, label = 'Password') => page.getByLabel(label, { exact: true });
const heading = (page: Page, name: string) => page.getByRole('heading', { name, exact: true });
const button = (page: Page, name: string) => page.getByRole('button', { name, exact: true });
const coaches = (page: Page) => heading(page, 'What do you want to finish?');
const focused = (page: Page) =>
  page.evaluate('document.activeElement.textContent || document.activeElement.name');

async function signUp(name: string, path = '/sign-up') {
  const email = `${name}@example.org`;
  const opened = await openBrowser(path);
  await emailField(opened.page).fill(email);
  await passwordField(opened.page).fill(password);
  await button(opened.page, 'Create account').click();
  return { email, ...opened };
}

async function signIn(page: Page, email: string, with_password: string) {
  await emailField(page).fill(email);
  await passwordField(page).fill(with_password);
  await button(page, 'Sign in').click();
}

/** Opens the newest mail's link as a mail program does: in a page that the address bar of which is ours to read. */
async function openLink(page: Page, path: string, email: string, subject: string) {
  const fragment = await readMailLink(touchline.url, email, subject);
  await page.goto('about:blank');
  await page.goto(`${touchline.url}${path}#${fragment}`);
  await expect.poll(() => page.url()).toBe(touchline.url + path);
  return fragment;
}

it('whoever signs up confirms the address by the mail, and every tab hears of it', async () => {
  const { email, context, page, unexpected } = await signUp('ada', '/sign-up?next=/coaches/carousel');
  await page.waitForURL(`${touchline.url}/coaches/carousel`);
  const banner = page.getByRole('region', { name: 'Confirm your email' });
  await banner.waitFor();
  const other = await openPage(context, `${touchline.url}/`);
  const fragment = await openLink(other.page, '/verify-email', email, 'Confirm your address');
  // Nothing is used up by looking at the page: programs that look into mails do that, too.
  await button(other.page, 'Confirm my email').waitFor();
  await look(other.page, 'verify-email');
  await expectAccessible(other.page, 'verify email');
  expect(await banner.isVisible()).toBe(true);
  await button(other.page, 'Confirm my email').press('Enter');
  await heading(other.page, 'Your email is confirmed').waitFor();
  await look(other.page, 'verify-email-done');
  await expectAccessible(other.page, 'email confirmed');
  await banner.waitFor({ state: 'detached', timeout: 10_000 });

  const elsewhere = await openBrowser(`/verify-email#${fragment}`);
  await button(elsewhere.page, 'Confirm my email').click();
  await heading(elsewhere.page, 'Your email was confirmed before').waitFor();
  await elsewhere.page.getByRole('link', { name: 'Sign in' }).click();
  await heading(elsewhere.page, 'Sign in').waitFor();
  await elsewhere.page.goto(`${touchline.url}/verify-email#token=${'x'.repeat(43)}`);
  await button(elsewhere.page, 'Confirm my email').click();
  await heading(elsewhere.page, 'This link does not work any more').waitFor();
  await elsewhere.page.reload();
  await heading(elsewhere.page, 'The link is missing').waitFor();
  await look(elsewhere.page, 'link-missing');
  await expectAccessible(elsewhere.page, 'link missing');
  expect([...unexpected(), ...elsewhere.unexpected()]).toEqual([]);
  await elsewhere.context.close();
  await context.close();
});

it('an address that has an account is not told of, and the way to sign in is there', async () => {
  const { email, context } = await signUp('taken');
  await context.close();
  const { page, context: other, unexpected } = await openBrowser('/sign-up');
  await emailField(page).fill('not an address');
  await button(page, 'Create account').click();
  await page.getByText('Enter your email address.').waitFor();
  expect(await focused(page)).toBe('email');
  await emailField(page).fill(email);
  await passwordField(page).fill('short');
  await page.keyboard.press('Enter');
  await page.getByText('Choose a password of at least 8 characters.').waitFor();
  expect(await focused(page)).toBe('password');
  await passwordField(page).fill('something else');
  await page.keyboard.press('Enter');
  const alert = page.getByRole('alert').filter({ hasText: 'An account could not be made' });
  await alert.waitFor();
  await look(page, 'sign-up-refused');
  await expectAccessible(page, 'sign-up refused');
  expect(await passwordField(page).inputValue()).toBe('something else');
  await alert.getByRole('link', { name: 'set a new password' }).click();
  await heading(page, 'Forgot your password?').waitFor();
  expect(await emailField(page).inputValue()).toBe(email);
  expect(await focused(page)).toBe('Forgot your password?');
  expect(unexpected()).toEqual([]);
  await other.close();
});

it('a forgotten password is replaced by a link: signed in here, signed out elsewhere, the old one refused', async () => {
  const { email, context: elsewhere, page: signed_in } = await signUp('forgets');
  await coaches(signed_in).waitFor();
  const { page, context, unexpected } = await openBrowser('/sign-in?next=/settings/profile');
  await emailField(page).fill(email);
  await page.getByRole('link', { name: 'Forgot your password?' }).press('Enter');
  await heading(page, 'Forgot your password?').waitFor();
  await look(page, 'forgot-password');
  await expectAccessible(page, 'forgot password');
  await emailField(page).press('Enter');
  await heading(page, 'Look into your inbox').waitFor();
  expect(await focused(page)).toBe('Look into your inbox');
  await look(page, 'mail-sent');
  await expectAccessible(page, 'mail sent');

  const fragment = await openLink(page, '/reset-password', email, 'Set a new password');
  await passwordField(page, 'New password').fill('short');
  await page.keyboard.press('Enter');
  await page.getByText('Choose a password of at least 8 characters.').waitFor();
  await look(page, 'reset-password');
  await expectAccessible(page, 'reset password');
  // The connection breaks at the worst moment: the link has been used, the password is not set yet.
  await page.route('**/auth/v1/user', (route) => route.abort());
  await passwordField(page, 'New password').fill(new_password);
  await page.keyboard.press('Enter');
  await page.getByText('No answer came').waitFor();
  await page.unroute('**/auth/v1/user');
  await button(page, 'Set password').click();
  await heading(page, 'Your new password holds').waitFor();
  await look(page, 'password-set');
  await expectAccessible(page, 'password set');
  expect(await focused(page)).toBe('Your new password holds');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await page.waitForURL(`${touchline.url}/settings/profile`);
  await page.getByRole('button', { name: /^Account:/ }).waitFor();

  await expect
    .poll(
      async () => {
        await signed_in.reload();
        return heading(signed_in, 'Sign in').isVisible();
      },
      { timeout: 30_000, interval: 2_000 },
    )
    .toBe(true);
  await signIn(signed_in, email, password);
  await signed_in.getByText('do not belong together').waitFor();
  await look(signed_in, 'sign-in-refused');
  expect(await passwordField(signed_in).inputValue()).toBe(password);
  await signIn(signed_in, email, new_password);
  await coaches(signed_in).waitFor();

  // The link again, as from the browser's history or by somebody who reads the mailbox later.
  await signed_in.goto(`${touchline.url}/reset-password#${fragment}`);
  await passwordField(signed_in, 'New password').fill('a third long password');
  await button(signed_in, 'Set password').click();
  await heading(signed_in, 'This link does not work any more').waitFor();
  await look(signed_in, 'link-spent');
  await expectAccessible(signed_in, 'link spent');
  await signed_in.getByRole('link', { name: 'Ask for a new link' }).click();
  await heading(signed_in, 'Forgot your password?').waitFor();
  expect(unexpected()).toEqual([]);
  await elsewhere.close();
  await context.close();
});

it('a link by mail signs in on a click, once, and leads to where one wanted to go', async () => {
  const { email, context: elsewhere } = await signUp('linked');
  await elsewhere.close();
  const { page, context, unexpected } = await openBrowser('/sign-in?next=/settings/data');
  await button(page, 'Mail me a link instead').click();
  await page.getByText('Enter your email address.').waitFor();
  await emailField(page).fill(email);
  await button(page, 'Mail me a link instead').press('Enter');
  await heading(page, 'Look into your inbox').waitFor();
  const fragment = await openLink(page, '/magic-link', email, 'link to sign in');
  await look(page, 'magic-link');
  await expectAccessible(page, 'magic link');
  await button(page, 'Sign in').press('Enter');
  await page.waitForURL(`${touchline.url}/settings/data`);
  await heading(page, 'Your data').waitFor();
  await page.goto(`${touchline.url}/magic-link#${fragment}`);
  await button(page, 'Sign in').click();
  await heading(page, 'This link does not work any more').waitFor();
  expect(unexpected()).toEqual([]);
  await context.close();
});

it('too many mails: the page says how long to wait, and keeps what was typed', async () => {
  const { page, context } = await openBrowser('/forgot-password');
  for (let asked = 1; asked <= 3; asked++) {
    await emailField(page).fill('many@example.org');
    await button(page, 'Mail me the link').click();
    await heading(page, 'Look into your inbox').waitFor();
    await button(page, 'Use another address, or send it again').click();
  }
  expect(await emailField(page).inputValue()).toBe('many@example.org');
  await button(page, 'Mail me the link').click();
  await page.getByText(/^There were too many tries\. Wait 1[45] minutes, then try again\.$/).waitFor();
  await look(page, 'too-many');
  await expectAccessible(page, 'too many');
  expect(await emailField(page).inputValue()).toBe('many@example.org');
  await context.close();
});

it('signs in with a provider that is set up, and says so when somebody stops on the way', async () => {
  github.person.emails = [{ email: 'nora@example.org', verified: true, primary: true }];
  const { page, context, unexpected } = await openBrowser('/sign-in?next=/settings/sign-in');
  await button(page, 'Continue with GitHub').waitFor();
  expect(await page.getByRole('button', { name: 'Continue with Google' }).count()).toBe(0);
  await look(page, 'sign-in-provider');
  await expectAccessible(page, 'sign in with a provider');
  await button(page, 'Continue with GitHub').press('Enter');
  await page.waitForURL(`${touchline.url}/settings/sign-in`);
  await page.getByText('You sign in with nora@example.org.').waitFor();
  expect(await page.getByRole('region', { name: 'Confirm your email' }).count()).toBe(0);
  await context.close();

  const stopped = await openBrowser('/auth/callback?error=access_denied&error_description=x');
  await stopped.page.getByText('You stopped on the way, and nothing was changed.').waitFor();
  expect(stopped.page.url()).toBe(`${touchline.url}/auth/callback`);
  await look(stopped.page, 'provider-stopped');
  await expectAccessible(stopped.page, 'provider stopped');
  // A code that somebody else began is worth nothing here.
  await stopped.page.goto(`${touchline.url}/auth/callback?code=00000000-0000-4000-8000-000000000000`);
  await stopped.page.getByText('only in the browser in which you asked for it').waitFor();
  await stopped.page.getByRole('link', { name: 'Back to signing in' }).click();
  await heading(stopped.page, 'Sign in').waitFor();
  expect([...unexpected(), ...stopped.unexpected()]).toEqual([]);
  await stopped.context.close();
});

it('what a Supabase project leads back to is told in words, and nothing of it stays in the address', async () => {
  const refused = 'error=access_denied&error_code=otp_expired&error_description=Email+link+is+invalid';
  const { page, context, unexpected } = await openBrowser(`/reset-password?${refused}#${refused}`);
  await heading(page, 'This link does not work any more').waitFor();
  expect(page.url()).toBe(`${touchline.url}/reset-password`);
  await page.goto(`${touchline.url}/?${refused}#${refused}`);
  await heading(page, 'You are not signed in').waitFor();
  await page.getByText('This link was used before, is too old').waitFor();
  await page.goto(`${touchline.url}/magic-link?code=00000000-0000-4000-8000-000000000000`);
  expect(page.url()).toBe(`${touchline.url}/magic-link`);
  await button(page, 'Sign in').click();
  await heading(page, 'This link does not work any more').waitFor();
  await page.getByText('only in the browser in which you asked for it').waitFor();
  await page.goto(`${touchline.url}/confirm-email#message=Confirmation+link+accepted`);
  await heading(page, 'One of two is confirmed').waitFor();
  expect(page.url()).toBe(`${touchline.url}/confirm-email`);
  expect(unexpected()).toEqual([]);
  await context.close();
});

it('where the sign-in asks for a CAPTCHA, each try carries an answer of its own', async () => {
  const maker = 'https://challenges.cloudflare.com';
  const { page, context } = await openBrowser('/sign-up');
  await context.route('**/api/config', async (route) => {
    const config = await (await route.fetch()).json();
    await route.fulfill({ json: { ...config, captcha: { provider: 'turnstile', site_key: 'a-key' } } });
  });
  await context.route('**/sign-in', async (route) => {
    const response = await route.fetch();
    const policy = response.headers()['content-security-policy']!;
    const headers = {
      ...response.headers(),
      'content-security-policy': policy.replace("script-src 'self'", `script-src 'self' ${maker}`),
    };
    await route.fulfill({ response, headers });
  });
  let blocked = true;
  // A widget that is solved by a click and gives every answer once.
  await context.route(`${maker}/**`, (route) =>
    blocked
      ? route.abort()
      : route.fulfill({
          contentType: 'text/javascript',
          headers: { 'cross-origin-resource-policy': 'cross-origin' },
          body: `let solved = 0;
            window.turnstile = {
              render(element, options) {
                const button = document.createElement('button');
                button.type = 'button';
                button.textContent = 'I am a person';
                button.onclick = () => options.callback(options.sitekey + ' ' + ++solved);
                element.append(button);
                return 'one';
              },
              reset() {},
              remove() { document.querySelectorAll('form button').forEach((one) => one.textContent === 'I am a person' && one.remove()); },
            };`,
        }),
  );
  await page.goto(`${touchline.url}/sign-in`);
  await page.getByText('could not be loaded').waitFor();
  blocked = false;
  await page.reload();
  const tries: unknown[] = [];
  page.on('request', (request) => {
    if (request.url().includes('/token?')) tries.push(request.postDataJSON().gotrue_meta_security);
  });
  await signIn(page, 'person@example.org', password);
  await page.getByText('Do the check that you are a person first').waitFor();
  expect(tries).toEqual([]);
  for (const _ of [1, 2]) {
    await button(page, 'I am a person').click();
    await button(page, 'Sign in').click();
    await page.getByText('do not belong together').waitFor();
    await button(page, 'Sign in').click();
    await page.getByText('Do the check that you are a person first').waitFor();
  }
  expect(tries).toEqual([{ captcha_token: 'a-key 1' }, { captcha_token: 'a-key 2' }]);
  await context.close();
});

it('in the dark and on a phone every page is as well made', async () => {
  for (const { name, viewport, dark } of [
    { name: 'phone', viewport: phone, dark: false },
    { name: 'dark', viewport: desk, dark: true },
    { name: 'phone-dark', viewport: phone, dark: true },
  ]) {
    const { page, context } = await openBrowser('/sign-in', { viewport, dark });
    for (const [path, title] of [
      ['/sign-in', 'Sign in'],
      ['/sign-up', 'Create your account'],
      ['/forgot-password', 'Forgot your password?'],
      ['/reset-password#token_hash=abc&type=recovery', 'Set a new password'],
      ['/magic-link#token_hash=abc&type=magiclink', 'Sign in with your link'],
      ['/verify-email#token=abc', 'Confirm your email'],
      ['/confirm-email#token_hash=abc&type=email_change', 'Confirm the change of address'],
      ['/confirm-email', 'The link is missing'],
    ] as const) {
      await page.goto(touchline.url + path);
      await heading(page, title).waitFor();
      if (path.startsWith('/sign-')) await button(page, 'Continue with GitHub').waitFor();
      await look(page, `out${path.replace(/#.*/, '').replace('/', '-')}-${title.slice(0, 3)}-${name}`);
      await expectAccessible(page, `${name} ${path}`);
      const wider = await page.evaluate(
        `[...document.querySelectorAll('#root *')].filter((one) => one.scrollWidth > innerWidth).map((one) => one.className)`,
      );
      expect(wider).toEqual([]);
    }
    await context.close();
  }
});
