import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import AxeBuilder from '@axe-core/playwright';
import type { BrowserContext, Page } from 'playwright-core';
import { expect } from 'vitest';
import { confirmEmail } from './read-outbox.ts';

const output = join(import.meta.dirname, 'output');
/** `UPDATE_SCREENSHOTS=1 npm test` renews the pictures of the documentation. */
const pictures = process.env.UPDATE_SCREENSHOTS
  ? join(import.meta.dirname, '..', 'docs', 'screenshots')
  : output;
for (const folder of [output, pictures]) mkdirSync(folder, { recursive: true });

/** A page that remembers what its console complained about. */
export async function openPage(context: BrowserContext, url: string) {
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(String(error)));
  await page.goto(url);
  return { page, complaints };
}

/** Takes a picture for the documentation. */
export const take = (page: Page, name: string) => draw(page, join(pictures, `${name}.png`));

/** Takes a picture to look at while developing. */
export const look = (page: Page, name: string) => draw(page, join(output, `${name}.png`));

async function draw(page: Page, path: string) {
  // Replies are drawn by a part of the page that comes a moment later.
  await expect.poll(() => page.locator('.appear-late').count()).toBe(0);
  await page.screenshot({ path, animations: 'disabled' });
}

export async function expectAccessible(page: Page, name: string) {
  const { violations } = await new AxeBuilder({ page: page as never }).analyze();
  expect(violations.map(({ id, nodes }) => `${name}: ${id} at ${nodes[0]?.target}`)).toEqual([]);
}

export const desk = { width: 1280, height: 900 };
export const phone = { width: 390, height: 844 };

/** Looks at a page on a desk and on a phone, in the light and in the dark. */
export async function lookAtAll(page: Page, name: string) {
  for (const [viewport, place] of [
    [desk, ''],
    [phone, '-phone'],
  ] as const) {
    await page.setViewportSize(viewport);
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      // Colours change gradually; what is half-way is not looked at.
      await page.evaluate('Promise.all(document.getAnimations().map((change) => change.finished))');
      await expectAccessible(page, `${name}${place} ${colorScheme}`);
      await look(page, `${name}${place}${colorScheme === 'dark' ? '-dark' : ''}`);
    }
    expect(
      await page.evaluate('document.documentElement.scrollWidth <= document.documentElement.clientWidth'),
      `${name} is no wider than the screen`,
    ).toBe(true);
  }
  await page.emulateMedia({ colorScheme: 'light' });
  await page.setViewportSize(desk);
}

/** What a page complained about. A request that is refused stands there too, whatever the page makes of it. */
export const unexpected = (complaints: string[]) =>
  complaints.filter((words) => !words.startsWith('Failed to load'));

/** A new member, whose address is confirmed. */
export async function signUp(page: Page) {
  const email = `member-${Date.now()}@example.org`;
  await page.getByRole('link', { name: 'Create an account' }).click();
  await page.getByRole('textbox', { name: 'Email' }).fill(email);
  await page.getByLabel('Password', { exact: true }).fill('a long password');
  await page.getByRole('button', { name: 'Create account' }).click();
  await page.getByRole('heading', { name: 'What do you want to finish?' }).waitFor();
  await confirmEmail(new URL(page.url()).origin, email);
  await page.reload();
  await page.getByRole('heading', { name: 'What do you want to finish?' }).waitFor();
}

export async function send(page: Page, text: string) {
  await page.getByRole('textbox', { name: 'Message', exact: true }).fill(text);
  await page.getByRole('button', { name: 'Send', exact: true }).click();
}

/** Waits until so many replies of the chat are complete. */
export async function replyEnded(page: Page, count: number) {
  await page
    .getByRole('button', { name: 'Copy reply' })
    .nth(count - 1)
    .waitFor({ timeout: 30_000 });
}
