import { readFile } from 'node:fs/promises';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import sharp from 'sharp';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { launchBrowser } from './launch-browser.ts';
import { confirmEmail, readMailLink } from './read-outbox.ts';
import { startTouchline } from './start-touchline.ts';
import { expectAccessible, look, openPage, replyEnded, send } from './steps.ts';

const password = 'a long password';
const desk = { width: 1280, height: 860 };
const phone = { width: 390, height: 844 };

let browser: Browser;
let touchline: Awaited<ReturnType<typeof startTouchline>>;
beforeAll(async () => {
  browser = await launchBrowser();
  touchline = await startTouchline();
});
afterAll(async () => {
  await touchline.stop();
  await browser.close();
});

const post = (path: string, body: unknown, headers: Record<string, string> = {}) =>
  fetch(touchline.url + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });

/** A new member on a page of the app. */
async function signUp(name: string, { viewport = desk, path = '/' } = {}) {
  const email = `${name}@example.org`;
  const context = await browser.newContext({ colorScheme: 'light', viewport, locale: 'en-GB' });
  const { page, complaints } = await openPage(
    context,
    `${touchline.url}/sign-up?next=${encodeURIComponent(path)}`,
  );
  await page.getByRole('textbox', { name: 'Email' }).fill(email);
  await page.getByLabel('Password', { exact: true }).fill(password);
  await page.getByRole('button', { name: 'Create account' }).click();
  await page.waitForURL(touchline.url + path);
  return { email, context, page, complaints };
}

async function signIn(context: BrowserContext, email: string, with_password = password) {
  const { page, complaints } = await openPage(context, `${touchline.url}/sign-in`);
  await page.getByRole('textbox', { name: 'Email' }).fill(email);
  await page.getByLabel('Password', { exact: true }).fill(with_password);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  return { page, complaints };
}

const banner = (page: Page) => page.getByRole('region', { name: 'Confirm your email' });
const composer = (page: Page) => page.getByRole('textbox', { name: 'Message', exact: true });
const focused = (page: Page) =>
  page.evaluate('document.activeElement.textContent || document.activeElement.name');
/** A request that is refused stands in the browser's console, whatever the page makes of it. */
const unexpected = (complaints: string[]) =>
  complaints.filter((words) => !words.startsWith('Failed to load'));

it('before the address is confirmed the words of the fourth message wait, and go on once it is', async () => {
  const { email, context, page, complaints } = await signUp('waits', { path: '/coaches/carousel' });
  await banner(page).getByText(`We mailed a link to ${email}`).waitFor();
  // The first mail has only just gone out.
  const again = banner(page).getByRole('button', { name: /^Send again \(\d+ s\)$/ });
  expect(await again.getAttribute('aria-disabled')).toBe('true');
  await look(page, 'confirm-banner');
  await expectAccessible(page, 'banner');
  expect(await banner(page).getByRole('link', { name: 'Outbox' }).getAttribute('href')).toBe('/outbox');

  await banner(page).getByRole('button', { name: 'Dismiss' }).click();
  await page.reload();
  await composer(page).waitFor();
  expect(await banner(page).count()).toBe(0);

  await send(page, 'A carousel about the bakery that bakes at night');
  await replyEnded(page, 1);
  await send(page, 'For owners of small bakeries who are tired');
  await replyEnded(page, 2);
  await send(page, 'Most people think bread has to be cheap');
  await replyEnded(page, 3);
  await send(page, 'Fourth words, not to be lost');
  await page.getByText('Your message waits here until your email is confirmed.').waitFor();
  await expect.poll(() => composer(page).inputValue()).toBe('Fourth words, not to be lost');
  expect(await page.getByRole('button', { name: 'Send', exact: true }).isDisabled()).toBe(true);
  await look(page, 'message-waits');
  await expectAccessible(page, 'message waits');

  await confirmEmail(touchline.url, email);
  await page
    .getByText('Your email is confirmed. You can send your message now.')
    .waitFor({ timeout: 25_000 });
  expect(await composer(page).inputValue()).toBe('Fourth words, not to be lost');
  await composer(page).press('Enter');
  await replyEnded(page, 4);
  expect(unexpected(complaints)).toEqual([]);
  await context.close();
});

it('a mail that is asked for too soon is refused in words, and the page waits as long as the server says', async () => {
  const { context, page } = await signUp('impatient');
  await banner(page)
    .getByRole('button', { name: /^Send again \(/ })
    .waitFor();
  // A page whose clock has run ahead thinks that the minute is over.
  await page.clock.install({ time: Date.now() + 61_000 });
  await page.reload();
  await banner(page).getByRole('button', { name: 'Send again', exact: true }).click();
  await expect.poll(() => banner(page).getByRole('alert').innerText()).toMatch(/wait|again|minute/i);
  await banner(page)
    .getByRole('button', { name: /^Send again \(/ })
    .waitFor();
  await context.close();
});

it('a profile is saved, outlives an error, and tells how dates are written', async () => {
  const { email, context, page, complaints } = await signUp('profile');
  await page.getByRole('button', { name: /^Account:/ }).click();
  await page.getByRole('menuitem', { name: 'Settings' }).press('Enter');
  await page.getByRole('heading', { name: 'Profile' }).waitFor();
  await expect.poll(() => focused(page)).toBe('Profile');
  await page.getByLabel('Name').fill('Ann Lindqvist');
  await page.getByLabel('Organisation').fill('Ridgeway Bakery');
  await page.getByLabel('Language').selectOption('de-AT');
  await page.getByLabel('Time zone').selectOption('Asia/Tokyo');
  const save = page.getByRole('button', { name: 'Save changes' });

  await page.route('**/api/me', (route) =>
    route.request().method() === 'PATCH' ? route.abort() : route.fallback(),
  );
  await save.click();
  await page.getByText('Your changes are not saved yet.').waitFor();
  expect(await page.getByLabel('Organisation').inputValue()).toBe('Ridgeway Bakery');
  await page.unroute('**/api/me');

  // The sign-in ended meanwhile: what was typed is there again after the next one.
  await page.route('**/api/me', (route) =>
    route.request().method() === 'PATCH' ? route.fulfill({ status: 401, body: '{}' }) : route.fallback(),
  );
  await save.click();
  await page.getByRole('heading', { name: 'Sign in' }).waitFor();
  await page.unroute('**/api/me');
  await page.getByRole('textbox', { name: 'Email' }).fill(email);
  await page.getByLabel('Password', { exact: true }).fill(password);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  await page.getByText('Your changes are not saved yet.').waitFor();
  expect(await page.getByLabel('Organisation').inputValue()).toBe('Ridgeway Bakery');
  await page.getByLabel('Name').press('Enter');
  await page.getByText('Saved.', { exact: true }).waitFor();
  await look(page, 'settings-profile');
  await expectAccessible(page, 'profile');

  await page.reload();
  await page.getByRole('button', { name: 'Account: Ann Lindqvist' }).waitFor();
  expect(await page.getByLabel('Language').inputValue()).toBe('de-AT');
  expect(await page.getByLabel('Time zone').inputValue()).toBe('Asia/Tokyo');
  const now = new Intl.DateTimeFormat('de-AT', { dateStyle: 'long', timeZone: 'Asia/Tokyo' }).format(
    new Date(),
  );
  await page.getByText(now).waitFor();
  await page.getByLabel('Organisation').fill('');
  await page.getByLabel('Time zone').selectOption('');
  await save.click();
  await page.getByText('Saved.', { exact: true }).waitFor();
  await page.reload();
  await page.getByRole('button', { name: 'Account: Ann Lindqvist' }).waitFor();
  expect(await page.getByLabel('Organisation').inputValue()).toBe('');
  expect(await page.getByLabel('Time zone').inputValue()).toBe('');
  expect(unexpected(complaints)).toEqual([]);
  await context.close();
});

it('a picture is looked at before it is used, stands in the menu, and is removed', async () => {
  const { context, page, complaints } = await signUp('picture', { path: '/settings/profile' });
  await page.getByRole('button', { name: 'Choose a picture' }).waitFor();
  const choose = (name: string, mimeType: string, buffer: Buffer) =>
    page.setInputFiles('input[type=file]', { name, mimeType, buffer });
  await choose('a.svg', 'image/svg+xml', Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>'));
  await page.getByText('not a PNG, JPEG or WebP picture').waitFor();
  await choose('a.png', 'image/png', Buffer.from('no picture at all'));
  await page.getByText('does not open as a picture').waitFor();

  const background = { r: 197, g: 139, b: 60 };
  const picture = await sharp({ create: { width: 600, height: 400, channels: 3, background } })
    .png()
    .toBuffer();
  await choose('me.png', 'image/png', picture);
  await page.getByRole('img', { name: 'As it will look' }).waitFor();
  await page.getByRole('button', { name: 'Use this picture' }).click();
  await page.getByText('Your new picture is in place.').waitFor();
  expect(await focused(page)).toBe('Change picture');
  const drawn = page.getByRole('button', { name: /^Account:/ }).locator('img');
  await expect.poll(() => drawn.evaluate((image: any) => image.naturalWidth)).toBe(256);
  await look(page, 'settings-picture');
  await expectAccessible(page, 'picture');

  await page.reload();
  await expect.poll(() => drawn.evaluate((image: any) => image.naturalWidth)).toBe(256);
  await page.getByRole('button', { name: 'Remove', exact: true }).click();
  await page.getByText('Your picture is removed.').waitFor();
  await expect.poll(() => drawn.count()).toBe(0);
  expect(unexpected(complaints)).toEqual([]);
  await context.close();
});

it('an address changes when both mailboxes have said yes', async () => {
  const { email, context, page, complaints } = await signUp('moves', { path: '/settings/sign-in' });
  await confirmEmail(touchline.url, email);
  const field = page.getByLabel('New email address');
  await field.fill(email);
  await page.getByRole('button', { name: 'Change address' }).click();
  await page.getByText('This is your address already.').waitFor();
  await field.fill('moved@example.org');
  await field.press('Enter');
  await page.getByText('Two mailboxes have to say yes.').waitFor();
  await page.reload();
  await page.getByText('Two mailboxes have to say yes.').waitFor();
  await look(page, 'settings-sign-in');
  await expectAccessible(page, 'sign-in settings');

  const { auth_key } = (await (await fetch(`${touchline.url}/api/config`)).json()) as { auth_key: string };
  for (const [to, subject] of [
    [email, 'Confirm the new address'],
    ['moved@example.org', 'Confirm this address'],
  ] as const) {
    const token_hash = (await readMailLink(touchline.url, to, subject)).get('token_hash');
    const answer = await post('/auth/v1/verify', { type: 'email_change', token_hash }, { apikey: auth_key });
    expect(answer.status).toBe(200);
  }
  await page.reload();
  await page.getByText('You sign in with moved@example.org.').waitFor();
  expect(await banner(page).count()).toBe(0);
  expect(unexpected(complaints)).toEqual([]);
  await context.close();
});

it('a new password asks for the old one; every device is signed out by one of them', async () => {
  const { email, context, page, complaints } = await signUp('guards', { path: '/settings/sign-in' });
  const current = page.getByLabel('Current password', { exact: true });
  await current.fill('not the password');
  await page.getByLabel('New password', { exact: true }).fill('another long password');
  await page.getByRole('button', { name: 'Change password' }).click();
  await page.getByText('This is not the password you have now.').waitFor();
  expect(await focused(page)).toBe('current_password');
  expect(await page.getByLabel('New password', { exact: true }).inputValue()).toBe('another long password');
  await current.fill(password);
  await current.press('Enter');
  await page.getByText('Your new password holds.').waitFor();
  expect(await current.inputValue()).toBe('');

  // Whoever does not know it has a link mailed.
  await page.getByRole('button', { name: 'I do not know the current one' }).click();
  expect(await focused(page)).toBe('Mail me the link');
  await page.keyboard.press('Enter');
  await page.getByText(`A link is on its way to ${email}`).waitFor();
  expect((await readMailLink(touchline.url, email, 'Set a new password')).get('type')).toBe('recovery');

  const elsewhere = await browser.newContext({ viewport: desk });
  const other = await signIn(elsewhere, email, 'another long password');
  await other.page.getByRole('heading', { name: 'What do you want to finish?' }).waitFor();

  await page.getByRole('button', { name: 'Sign out everywhere' }).press('Enter');
  const dialog = page.getByRole('dialog', { name: 'Sign out everywhere?' });
  await dialog.waitFor();
  await expectAccessible(page, 'sign out everywhere');
  await page.keyboard.press('Escape');
  await dialog.waitFor({ state: 'detached' });
  expect(await focused(page)).toBe('Sign out everywhere');
  await page.keyboard.press('Enter');
  await dialog.getByRole('button', { name: 'Sign out everywhere' }).click();
  await page.getByRole('heading', { name: 'Sign in' }).waitFor();
  await expect
    .poll(
      async () => {
        await other.page.reload();
        return other.page.getByRole('heading', { name: 'Sign in' }).isVisible();
      },
      { timeout: 30_000, interval: 2_000 },
    )
    .toBe(true);
  expect(unexpected([...complaints, ...other.complaints])).toEqual([]);
  await elsewhere.close();
  await context.close();
});

it('a member takes a copy along, deletes the account by keyboard, and restores it', async () => {
  const { email, context, page, complaints } = await signUp('leaves', { path: '/coaches/carousel' });
  await send(page, 'A carousel about the bakery that bakes at night');
  await replyEnded(page, 1);
  await page.goto(`${touchline.url}/settings/data`);
  await page.getByRole('button', { name: 'Make a copy' }).click();
  const download_button = page.getByRole('button', { name: 'Download' });
  await download_button.waitFor({ timeout: 30_000 });
  await look(page, 'settings-data');
  await expectAccessible(page, 'data');
  const [download] = await Promise.all([page.waitForEvent('download'), download_button.click()]);
  expect(download.suggestedFilename()).toMatch(/^touchline-\d{4}-\d\d-\d\d\.zip$/);
  const zip = (await readFile(await download.path())).toString('latin1');
  expect(zip.slice(0, 2)).toBe('PK');
  for (const name of ['profile.json', 'chats.json', 'usage.json']) expect(zip).toContain(name);

  const opener = page.getByRole('button', { name: 'Delete account' });
  await opener.press('Enter');
  const dialog = page.getByRole('dialog', { name: 'Delete your account?' });
  await dialog.waitFor();
  await page.keyboard.type('somebody@example.org');
  await page.keyboard.press('Enter');
  await dialog.getByText('This is not the address of your account.').waitFor();
  await look(page, 'delete-account');
  await expectAccessible(page, 'delete account');
  await page.keyboard.press('Escape');
  await dialog.waitFor({ state: 'detached' });
  expect(await focused(page)).toBe('Delete account');
  await page.keyboard.press('Enter');
  await page.keyboard.type(email);
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'Your account is closed' }).waitFor();
  await page.getByText(/^You can restore it until \d/).waitFor();
  await look(page, 'account-closed-signed-out');
  await expectAccessible(page, 'closed, signed out');
  expect(await page.evaluate('localStorage.getItem("touchline.auth")')).toBe(null);
  expect(unexpected(complaints)).toEqual([]);
  await page.close();

  const back = await signIn(context, email);
  await back.page.getByRole('button', { name: 'Restore my account' }).waitFor();
  expect(new URL(back.page.url()).pathname).toBe('/account-closed');
  await back.page.getByText(/^You closed it on /).waitFor();
  await look(back.page, 'account-closed');
  await expectAccessible(back.page, 'closed');
  // Whatever else is opened leads here too.
  await back.page.goto(`${touchline.url}/coaches/carousel`);
  await back.page.getByRole('button', { name: 'Restore my account' }).click();
  await back.page.getByText('Your account is open again').waitFor();
  await back.page
    .getByRole('link', { name: /bakes at night|bakery/ })
    .first()
    .waitFor();
  expect(unexpected(back.complaints)).toEqual([]);
  await context.close();
});

it('on a phone nothing of it is wider than the screen', async () => {
  const { context, page } = await signUp('phone', { viewport: phone, path: '/settings/profile' });
  const pages = [
    ['/', 'What do you want to finish?'],
    ['/settings/profile', 'Profile'],
    ['/settings/sign-in', 'Sign-in'],
    ['/settings/data', 'Your data'],
  ] as const;
  for (const [path, heading] of pages) {
    await page.goto(touchline.url + path);
    await page.getByRole('heading', { name: heading }).waitFor();
    await banner(page).waitFor();
    await look(page, `${path === '/' ? 'home' : path.slice(1).replace('/', '-')}-phone`);
    await expectAccessible(page, `phone ${path}`);
    const wider = await page.evaluate(
      `[...document.querySelectorAll('#root *')].filter((one) => one.scrollWidth > innerWidth).map((one) => one.className)`,
    );
    expect(wider).toEqual([]);
  }
  await context.close();
});
