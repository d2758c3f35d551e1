import AxeBuilder from '@axe-core/playwright';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { operatorAddedMail } from '../server/accounts/mails.ts';
import { readConfig } from '../server/platform/config.ts';
import { createLogger } from '../server/platform/logger.ts';
import { createMailer, type Mailer } from '../server/platform/mail/mailer.ts';
import { launchBrowser } from './launch-browser.ts';
import { startTouchline } from './start-touchline.ts';

let browser: Browser;
let touchline: Awaited<ReturnType<typeof startTouchline>>;
/** As of a command beside the server: another process on the same data folder. */
let mailer: Mailer;
beforeAll(async () => {
  browser = await launchBrowser();
  touchline = await startTouchline();
  mailer = createMailer(readConfig({ DATA_DIR: touchline.folder }), createLogger('silent'));
});
afterAll(async () => {
  await mailer.close();
  await touchline.stop();
  await browser.close();
});

it('who is signed out sees a mail come while the page is open, reads it, and follows its link', async () => {
  const context = await browser.newContext();
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(String(error)));
  const expectAccessible = async () => {
    const { violations } = await new AxeBuilder({ page: page as never }).analyze();
    expect(violations.map(({ id, nodes }) => `${id} at ${nodes[0]?.target}`)).toEqual([]);
  };
  await page.goto(touchline.url);
  await page.getByRole('link', { name: 'outbox' }).click();
  await page.getByText('SMTP_HOST').waitFor();
  await expectAccessible();

  const site_url = touchline.url;
  await mailer.send(operatorAddedMail({ to: 'owner@example.org', site_url }));
  const article = page.getByRole('article', { name: /^You can now run localhost/ });
  await article.waitFor();
  expect(await article.innerText()).toContain('To owner@example.org');
  await mailer.send({
    to: 'member@example.org',
    subject: '<b>Second</b>',
    paragraphs: ['<img src=x onerror=alert(1)> https://example.org/path.'],
  });
  const mails = page.getByRole('navigation', { name: 'Mails' }).getByRole('link');
  await mails.nth(1).waitFor();
  const elsewhere = page.getByRole('article', { name: '<b>Second</b>' }).getByRole('link');
  expect(await elsewhere.getAttribute('href')).toBe('https://example.org/path');
  expect(await elsewhere.getAttribute('rel')).toBe('noopener noreferrer');
  await expectAccessible();

  // What was chosen stays, whatever comes.
  await mails.nth(1).click();
  await article.waitFor();
  await mailer.send({ to: 'member@example.org', subject: 'Third', paragraphs: ['Hello.'] });
  await mails.nth(2).waitFor();
  expect(await article.isVisible()).toBe(true);
  await article.getByRole('link', { name: `${site_url}/` }).click();
  await page.getByRole('button', { name: 'Sign in' }).waitFor();
  expect(complaints).toEqual([]);
  await context.close();
});

it('a member comes to it by the account menu', async () => {
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(`${touchline.url}/sign-up`);
  await page.getByRole('textbox', { name: 'Email' }).fill('menu@example.org');
  await page.getByLabel('Password', { exact: true }).fill('a long password');
  await page.getByRole('button', { name: 'Create account' }).click();
  await page.getByRole('button', { name: /^Account:/ }).click();
  await page.getByRole('menuitem', { name: 'Outbox' }).press('Enter');
  await page.getByRole('heading', { name: 'Outbox' }).waitFor();
  expect(new URL(page.url()).pathname).toBe('/outbox');
  await context.close();
});
