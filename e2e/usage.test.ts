import type pg from 'pg';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createPool } from '../server/platform/database.ts';
import { createLogger } from '../server/platform/logger.ts';
import { createTestServer } from '../server/testing/test-postgres.ts';
import { launchBrowser } from './launch-browser.ts';
import { confirmEmail } from './read-outbox.ts';
import { startTouchline } from './start-touchline.ts';
import { desk, expectAccessible, lookAtAll, openPage, phone, replyEnded, send, unexpected } from './steps.ts';

const operator_email = 'operator@example.org';
const time_zone = 'Asia/Kathmandu';

let browser: Browser;
let postgres: Awaited<ReturnType<typeof createTestServer>>;
let pool: pg.Pool;
let touchline: Awaited<ReturnType<typeof startTouchline>>;
beforeAll(async () => {
  browser = await launchBrowser();
  postgres = await createTestServer();
  const database_url = await postgres.createDatabase();
  pool = createPool(database_url, 2, createLogger('silent'));
  touchline = await startTouchline({ DATABASE_URL: database_url, OPERATOR_EMAIL: operator_email });
});
afterAll(async () => {
  // First, so that its connections are closed when the database stops.
  await pool?.end();
  await touchline?.stop();
  await postgres?.stop();
  await browser?.close();
});

/** A new member with a confirmed address, on the page of the coaches. */
async function signUp(name: string, viewport = desk) {
  const email = `${name}@example.org`;
  const context = await browser.newContext({
    ...{ colorScheme: 'light', viewport, locale: 'en-GB', timezoneId: time_zone },
  });
  const { page, complaints } = await openPage(context, `${touchline.url}/sign-up`);
  await page.getByRole('textbox', { name: 'Email' }).fill(email);
  await page.getByLabel('Password', { exact: true }).fill('a long password');
  await page.getByRole('button', { name: 'Create account' }).click();
  await page.getByRole('heading', { name: 'What do you want to finish?' }).waitFor();
  await confirmEmail(touchline.url, email);
  return { email, context, page, complaints };
}

/** Sets what a member has used this month, of 50 messages and 10 files. */
const setUsed = (email: string, used: { messages?: number; files?: number; tokens?: number }) =>
  pool.query('update public.profiles set subscription_usage = $2 where email = $1', [
    email,
    { messages: 0, files: 0, tokens: 0, ...used },
  ]);

/** The words for when a member's plan renews, in the time zone that the browser has. */
async function renewalOf(email: string) {
  const { rows } = await pool.query(
    `select public.period_end(coalesce(quota_anchor, created_at), now()) as at from public.profiles where email = $1`,
    [email],
  );
  return new Intl.DateTimeFormat('en-GB', {
    ...{ timeZone: time_zone, day: 'numeric', month: 'long', hour: '2-digit', minute: '2-digit' },
  }).format(new Date(rows[0].at));
}

const open = (page: Page, path: string) => page.goto(touchline.url + path);
const composer = (page: Page) => page.getByRole('textbox', { name: 'Message', exact: true });
const sendButton = (page: Page) => page.getByRole('button', { name: 'Send', exact: true });
const settings = (page: Page) => page.getByRole('navigation', { name: 'Settings' });
const focusedText = (page: Page) =>
  page.evaluate('document.activeElement.textContent || document.activeElement.name');
it('when little is left the composer says so, and counts down in every tab', async () => {
  const { email, context, page, complaints } = await signUp('low');
  await setUsed(email, { messages: 40 });
  await open(page, '/coaches/carousel');
  await page.getByRole('button', { name: /^Account:.*10 messages left/ }).waitFor();
  expect(await page.getByText('left this month').count()).toBe(0);

  await setUsed(email, { messages: 45 });
  await page.reload();
  const renewal = await renewalOf(email);
  await page.getByText(`5 messages left this month. They renew on ${renewal}.`).waitFor();
  await lookAtAll(page, 'usage-low');
  const second = await openPage(context, `${touchline.url}/coaches/storyteller`);
  await second.page.getByText('5 messages left this month').waitFor();

  await send(page, 'A carousel about the bakery that bakes at night');
  await replyEnded(page, 1);
  await page.getByText('4 messages left this month').waitFor();
  await second.page.getByText('4 messages left this month').waitFor();
  await send(page, 'For owners of small bakeries who are tired');
  await replyEnded(page, 2);
  await page.getByText('3 messages left this month').waitFor();
  await second.page.getByText('3 messages left this month').waitFor();

  await page.getByRole('link', { name: 'Get more' }).click();
  await page.waitForURL(`${touchline.url}/settings/plan`);
  expect(unexpected([...complaints, ...second.complaints])).toEqual([]);
  await context.close();
});

it('when the plan is used up the words stay, and go out once an operator has given more', async () => {
  const { email, context, page, complaints } = await signUp('used-up');
  await setUsed(email, { messages: 49 });
  await open(page, '/coaches/carousel');
  await page.getByText('1 message left this month').waitFor();
  // Another device takes the last one: this page learns it by the refusal.
  await setUsed(email, { messages: 50 });
  await send(page, 'Words that are not to be lost');
  const notice = page.getByRole('alert').filter({ hasText: 'You have used all the messages of your plan' });
  await notice.getByText(`They renew on ${await renewalOf(email)}.`).waitFor();
  await page.getByText('ask whoever runs this site for').waitFor();
  await expect.poll(() => composer(page).inputValue()).toBe('Words that are not to be lost');
  expect(await sendButton(page).isDisabled()).toBe(true);
  await composer(page).press('Enter');
  await lookAtAll(page, 'usage-used-up');

  // Known beforehand now, wherever one writes.
  await page.reload();
  await page.getByText('You have used all the messages of your plan').waitFor();
  expect(await composer(page).inputValue()).toBe('Words that are not to be lost');
  await composer(page).press('Enter');
  await open(page, '/coaches/storyteller');
  await page.getByText('You have used all the messages of your plan').waitFor();
  await composer(page).fill('A story for later');
  expect(await sendButton(page).isDisabled()).toBe(true);
  await open(page, '/coaches/carousel');
  await page.getByText('You have used all the messages of your plan').waitFor();

  const operator = await signUp('operator');
  await open(operator.page, '/settings/grants');
  await operator.page.getByText('Nothing yet.').waitFor();
  await operator.page.getByRole('textbox', { name: 'The member’s email address' }).fill(email);
  await operator.page.getByLabel('Note').fill('Apology');
  await operator.page.getByRole('button', { name: 'Give the plan' }).press('Enter');
  await operator.page.getByText(`${email} has the Starter plan until`).waitFor();

  await expect.poll(() => sendButton(page).isEnabled(), { timeout: 25_000 }).toBe(true);
  expect(await page.getByText('You have used all').count()).toBe(0);
  expect(await composer(page).inputValue()).toBe('Words that are not to be lost');
  await composer(page).press('Enter');
  await replyEnded(page, 1);
  await open(page, '/coaches/storyteller');
  await expect.poll(() => composer(page).inputValue()).toBe('A story for later');
  expect(unexpected([...complaints, ...operator.complaints])).toEqual([]);
  await Promise.all([context.close(), operator.context.close()]);
});

it('a plan that renews by itself lets a message go that was refused', async () => {
  const { email, context, page } = await signUp('renews');
  await open(page, '/coaches/carousel');
  await page.getByRole('button', { name: /^Account:.*50 messages left/ }).waitFor();
  await setUsed(email, { messages: 50 });
  await send(page, 'Words for the next month');
  await page.getByText('You have used all the messages of your plan').waitFor();
  // The month ends.
  await pool.query(
    `update public.profiles
     set quota_anchor = now() - interval '1 month', quota_last_reset = now() - interval '1 month'
     where email = $1`,
    [email],
  );
  await page
    .getByRole('alert')
    .getByText('Your plan has messages again. You can go on now.')
    .waitFor({ timeout: 25_000 });
  await expectAccessible(page, 'renewed');
  await composer(page).press('Enter');
  await replyEnded(page, 1);
  await context.close();
});

it('a file that the plan refuses says when there is more', async () => {
  const { email, context, page } = await signUp('files');
  await setUsed(email, { files: 10 });
  await open(page, '/coaches/carousel');
  await page.locator('input[type=file]').setInputFiles({
    ...{ name: 'notes.txt', mimeType: 'text/plain', buffer: Buffer.from('Bread that is baked at night.') },
  });
  const list = page.getByRole('list', { name: 'Attached files' });
  await list.getByText('You have used all the files of your plan for this month.').waitFor();
  await list.getByText(`They renew on ${await renewalOf(email)}.`).waitFor();
  await expectAccessible(page, 'file refused');
  await setUsed(email, { files: 9 });
  await list.getByRole('button', { name: 'Try notes.txt again' }).click();
  await list.getByRole('button', { name: 'Remove notes.txt' }).waitFor();
  await expect.poll(() => list.getByRole('alert').count()).toBe(0);
  await context.close();
});

it('a coach that the plan does not include says which one does, before anything is sent', async () => {
  const { context, page } = await signUp('closed');
  await page.route('**/api/coaches', async (route) => {
    const answer = await route.fetch();
    const { coaches } = await answer.json();
    Object.assign(coaches[0], { plans: ['pro', 'enterprise'], plan_titles: ['Pro', 'Enterprise'] });
    await route.fulfill({ response: answer, json: { coaches } });
  });
  await page.reload();
  await page.getByText('Comes with the Pro or Enterprise plan').waitFor();
  await lookAtAll(page, 'usage-coach-card');
  await page.getByRole('link', { name: 'Carousel coach', exact: true }).click();
  await page.getByText('Carousel coach comes with the Pro or Enterprise plan.').waitFor();
  await composer(page).fill('Words for when I have it');
  expect(await sendButton(page).isDisabled()).toBe(true);
  await lookAtAll(page, 'usage-coach-closed');
  await page.getByRole('link', { name: 'See plans' }).click();
  await page.waitForURL(`${touchline.url}/settings/plan`);
  await open(page, '/coaches/storyteller');
  await composer(page).fill('Another one is open');
  expect(await sendButton(page).isEnabled()).toBe(true);
  await context.close();
});

/** Writes entries into the ledger, `days_ago` each. */
async function addUsage(email: string, entries: [number, string | null, number][]) {
  for (const [days_ago, slug, amount] of entries) {
    await pool.query(
      `insert into public.usage_entries (user_id, counter, amount, reason, assistant_slug, period_start, created_at)
       select id, case when $3::text is null then 'files' else 'messages' end, $4, 'reserved', $3, now(),
         now() - make_interval(days => $2)
       from public.profiles where email = $1`,
      [email, days_ago, slug, amount],
    );
  }
}

it('the usage page shows the month, and a chart that keyboard and screen readers can read', async () => {
  const { email, context, page, complaints } = await signUp('usage');
  await page.getByRole('button', { name: /^Account:/ }).click();
  await page.getByRole('menuitem', { name: 'Usage' }).press('Enter');
  await page.getByRole('heading', { name: 'Usage', exact: true }).waitFor();
  await expect.poll(() => focusedText(page)).toBe('Usage');
  await page.getByText('No message in the last 30 days.').waitFor();
  await lookAtAll(page, 'usage-empty');

  const coaches = ['carousel', 'storyteller', 'video_scripts', 'captions', 'headlines', 'linkedin_personal'];
  await addUsage(email, [
    ...coaches.map((slug, position): [number, string, number] => [1, slug, position + 1]),
    ...Array.from({ length: 20 }, (_, day): [number, string, number] => [
      day + 2,
      coaches[day % 2]!,
      1 + (day % 5),
    ]),
  ]);
  await setUsed(email, { messages: 44, files: 10, tokens: 120_000 });
  await page.reload();
  await page.getByText('44 of 50').waitFor();
  // Browsers know some places by their former names.
  await page.getByText(/in the time of Asia\/Kath?mandu/).waitFor();
  await page.getByText('None left.').waitFor();
  const legend = page.getByRole('list', { name: 'By coach' });
  await legend.getByText('Headlines (no longer here)').waitFor();
  expect(await legend.getByRole('listitem').count()).toBe(6);

  const day = page.getByRole('slider', { name: 'Day' });
  await day.focus();
  await page.keyboard.press('End');
  await page.keyboard.press('ArrowLeft');
  expect(await day.getAttribute('aria-valuetext')).toMatch(
    /^\w+ \d+ \w+: 21 messages\. Carousel coach 1, Storyteller 2, Captions \(no longer here\) 4, /,
  );
  // Each has a colour of its own, whether its coach is still here or not.
  const colours = (await page.evaluate(
    `[...document.querySelectorAll('figure svg rect.coach-accent')].map((bar) => getComputedStyle(bar).fill)`,
  )) as string[];
  expect(new Set(colours).size).toBe(6);
  expect(colours).not.toContain('rgb(0, 0, 0)');
  await lookAtAll(page, 'usage-chart');
  await page.keyboard.press('Escape');
  await day.hover({ position: { x: 300, y: 60 } });
  await page.getByText(/^\w+day \d+ \w+$/).waitFor();
  expect(unexpected(complaints)).toEqual([]);
  await context.close();
});

it('the usage page reaches further back, shows its figures as a table, and says when it has none', async () => {
  const { email, context, page, complaints } = await signUp('table');
  await addUsage(email, [
    [1, 'carousel', 1],
    [1, 'video_scripts', 2],
    [2, null, 3],
    [50, 'carousel', 5000],
  ]);
  await open(page, '/settings/usage');
  await page.getByText('3 messages', { exact: true }).waitFor();
  await page.getByRole('radio', { name: '90 days' }).check();
  await page.getByText('5,003 messages', { exact: true }).first().waitFor();
  const day = page.getByRole('slider', { name: 'Day' });
  expect(await day.getAttribute('aria-valuemax')).toBe('90');
  await page.getByRole('radio', { name: 'Files' }).check();
  await page.getByText('3 files').first().waitFor();
  await page.getByRole('button', { name: 'Show as table' }).press('Enter');
  const table = page.getByRole('table', { name: /What you used/ });
  await table.getByRole('cell', { name: '5,000' }).waitFor();
  expect(await table.getByRole('row').count()).toBe(1 + 4);
  await lookAtAll(page, 'usage-table');

  // Without an answer the page says so, and asks again.
  await page.route('**/api/billing/usage*', (route) => route.fulfill({ status: 503, body: '' }));
  await page.reload();
  await page.getByText('What you used could not be read.').waitFor({ timeout: 20_000 });
  await page.unroute('**/api/billing/usage*');
  await page.getByRole('button', { name: 'Try again' }).click();
  await day.waitFor();
  expect(unexpected(complaints)).toEqual([]);
  await context.close();
});

it('an operator gives a plan and takes it back, and hears what does not go', async () => {
  const member = await signUp('granted');
  const context = await browser.newContext({ viewport: desk, locale: 'en-GB', timezoneId: time_zone });
  const page = await signInAsOperator(context);
  await open(page, '/settings/profile');
  await settings(page).getByRole('link', { name: 'Grants' }).click();
  const address = page.getByRole('textbox', { name: 'The member’s email address' });
  await address.waitFor();
  await lookAtAll(page, 'grants');

  await page.getByRole('button', { name: 'Give the plan' }).click();
  await page.getByText('Type the address that the member signs in with.').waitFor();
  await address.fill('nobody@example.org');
  const until = page.getByLabel('Until the end of');
  const chosen = await until.inputValue();
  await until.fill('2020-02-29');
  await page.getByRole('button', { name: 'Give the plan' }).click();
  await page.getByText('This day is over. Choose one that is to come.').waitFor();
  await until.fill(chosen);
  await page.getByRole('button', { name: 'Give the plan' }).click();
  await page.getByRole('alert').getByText('No open account has this address.').waitFor();
  expect(await address.inputValue()).toBe('nobody@example.org');
  await lookAtAll(page, 'grants-refused');

  await address.fill(member.email);
  await page.getByRole('combobox', { name: 'Plan' }).selectOption('pro');
  await page.getByLabel('Note').fill('Partner');
  await address.press('Enter');
  await page.getByRole('status').getByText(`${member.email} has the Pro plan until`).waitFor();
  const grant = page
    .getByRole('list', { name: 'Grants' })
    .getByRole('listitem')
    .filter({ hasText: member.email });
  await grant.getByText(': Partner').waitFor();
  await open(member.page, '/settings/usage');
  await member.page.getByText('0 of 1,000').waitFor();

  const take_back = grant.getByRole('button', { name: `Take back from ${member.email}` });
  await take_back.press('Enter');
  const dialog = page.getByRole('dialog', { name: 'Take the Pro plan back?' });
  await dialog.waitFor();
  await lookAtAll(page, 'grants-take-back');
  await page.keyboard.press('Escape');
  await expect.poll(() => dialog.count()).toBe(0);
  await take_back.press('Enter');
  await dialog.getByRole('button', { name: 'Take back' }).press('Enter');
  await grant.getByText('taken back on').waitFor();
  await member.page.reload();
  await member.page.getByText('0 of 50').waitFor();
  await Promise.all([context.close(), member.context.close()]);
});

it('to a member there is no page of grants', async () => {
  const { context, page } = await signUp('curious', phone);
  await open(page, '/settings/usage');
  await settings(page).getByRole('link', { name: 'Usage' }).waitFor();
  expect(await settings(page).getByRole('link', { name: 'Grants' }).count()).toBe(0);
  const asked: string[] = [];
  page.on('request', (request) => asked.push(request.url()));
  await open(page, '/settings/grants');
  await page.getByRole('heading', { name: 'There is nothing here' }).waitFor();
  expect(asked.filter((url) => url.includes('/api/admin'))).toEqual([]);
  await expectAccessible(page, 'no grants');
  await context.close();
});

async function signInAsOperator(context: BrowserContext) {
  const { page } = await openPage(context, `${touchline.url}/sign-in`);
  await page.getByRole('textbox', { name: 'Email' }).fill(operator_email);
  await page.getByLabel('Password', { exact: true }).fill('a long password');
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  await page.getByRole('heading', { name: 'What do you want to finish?' }).waitFor();
  return page;
}
