import { join } from 'node:path';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { launchBrowser } from './launch-browser.ts';
import { startTouchline } from './start-touchline.ts';
import { expectAccessible, look, openPage, replyEnded, send, signUp } from './steps.ts';

const report = join(import.meta.dirname, '..', 'server', 'testing', 'fixtures', 'ridgeway-bakery-review.pdf');
const desk = { width: 1280, height: 860 };

let browser: Browser;
let touchline: Awaited<ReturnType<typeof startTouchline>>;
let context: BrowserContext;
beforeAll(async () => {
  browser = await launchBrowser();
  touchline = await startTouchline();
  context = await browser.newContext({ colorScheme: 'light', viewport: desk });
  const { page } = await openPage(context, touchline.url);
  await signUp(page);
  await page.close();
});
afterAll(async () => {
  await context.close();
  await touchline.stop();
  await browser.close();
});

const mine = (page: Page) => page.getByRole('article', { name: 'You' });
const replies = (page: Page) => page.getByRole('article', { name: 'Carousel coach' });
const composer = (page: Page) => page.getByRole('textbox', { name: 'Message', exact: true });
const editor = (page: Page) => page.getByRole('textbox', { name: 'Edit your message' });
const answerAgain = (page: Page) => page.getByRole('button', { name: 'Answer again' });
const stop = (page: Page) => page.getByRole('button', { name: 'Stop', exact: true });

/** A chat with the Carousel coach, one message and its reply. */
async function openChat(words: string, { with_report = false } = {}) {
  const { page, complaints } = await openPage(context, touchline.url);
  await page.getByRole('link', { name: 'Carousel coach', exact: true }).click();
  if (with_report) await attachReport(page);
  await send(page, words);
  await answerAgain(page).waitFor({ timeout: 30_000 });
  return { page, complaints };
}

async function attachReport(page: Page) {
  await page.setInputFiles('input[type=file]', report);
  await page.getByRole('list', { name: 'Attached files' }).getByText('6 pages').waitFor();
}

/** The member on another device: nothing that happens in the first browser is told to it. */
async function openElsewhere(url: string) {
  const elsewhere = await browser.newContext({ storageState: await context.storageState(), viewport: desk });
  const { page } = await openPage(elsewhere, url);
  await answerAgain(page).waitFor();
  return page;
}

async function expectLine(page: Page, words: RegExp[]) {
  await expect.poll(() => page.getByRole('article').count()).toBe(words.length);
  const texts = await page.getByRole('article').allInnerTexts();
  for (const [position, expected] of words.entries()) expect(texts[position]).toMatch(expected);
}

it('a reply is made again and a message edited in place; a second tab and a reload show the same line', async () => {
  const { page, complaints } = await openChat('A carousel about the bakery that bakes at night', {
    with_report: true,
  });
  const second = await openPage(context, page.url());
  await answerAgain(second.page).waitFor();

  const before = await replies(page).innerText();
  await answerAgain(page).click();
  await expect.poll(async () => (await replies(page).innerText()).length).toBeLessThan(before.length / 2);
  await stop(second.page).waitFor();
  for (const tab of [page, second.page]) {
    await answerAgain(tab).waitFor({ timeout: 30_000 });
    await expectLine(tab, [/bakes at night/, /practice coach/]);
  }
  expect(await composer(page).evaluate('document.activeElement.getAttribute("aria-label")')).toBe('Message');

  await send(page, 'For owners of small bakeries who are tired');
  await replyEnded(page, 2);
  const line_before = [/bakes at night/, /practice coach/, /owners of small bakeries/, /./];
  await expectLine(second.page, line_before);

  // Left by Escape, the message is as it was, and the focus is where it came from.
  await page.getByRole('button', { name: 'Edit message' }).focus();
  await page.keyboard.press('Enter');
  await expect.poll(() => editor(page).inputValue()).toBe('For owners of small bakeries who are tired');
  await page.keyboard.type(' of the night shift');
  await page.keyboard.press('Escape');
  await expectLine(page, line_before);
  expect(await page.evaluate('document.activeElement.getAttribute("aria-label")')).toBe('Edit message');

  // Nothing is sent without words.
  await page.keyboard.press('Enter');
  await editor(page).fill('');
  await editor(page).press('Control+Enter');
  expect(await page.getByRole('button', { name: 'Save & send' }).getAttribute('aria-disabled')).toBe('true');
  await editor(page).fill('For bakers who sell out by nine\nand still lose money');
  await look(page, 'edit-message');
  await expectAccessible(page, 'edit');
  await editor(page).press('Control+Enter');
  await mine(page).getByText('sell out by nine').waitFor();
  await replyEnded(page, 2);
  const line_after = [/bakes at night/, /practice coach/, /sell out by nine\nand still lose money/, /./];
  for (const tab of [page, second.page]) await expectLine(tab, line_after);
  await look(page, 'answer-again');
  await expectAccessible(page, 'answer again');
  await page.reload();
  await answerAgain(page).waitFor();
  await expectLine(page, line_after);
  expect([...complaints, ...second.complaints]).toEqual([]);
  await second.page.close();
  await page.close();
});

it('an edited message keeps its files, but for those that are taken out', async () => {
  const { page, complaints } = await openChat('What does the report say about Wednesdays?', {
    with_report: true,
  });
  const chip = mine(page).getByRole('button', { name: /ridgeway-bakery-review/ });
  await page.getByRole('button', { name: 'Edit message' }).click();
  await page.getByRole('list', { name: 'Attached files' }).getByText('ridgeway-bakery-review.pdf').waitFor();
  await editor(page).fill('What does it say about the sourdough subscription?');
  await page.getByRole('button', { name: 'Save & send' }).click();
  await answerAgain(page).waitFor({ timeout: 30_000 });
  await expectLine(page, [/sourdough subscription/, /ridgeway-bakery-review\.pdf, page/]);
  await chip.waitFor();

  // What is left out of an edit that is given up stays with the message; so it does after a reload in between.
  await page.getByRole('button', { name: 'Edit message' }).click();
  await page.getByRole('button', { name: 'Remove ridgeway-bakery-review.pdf' }).click();
  await page.reload();
  await editor(page).waitFor();
  expect(await page.getByRole('list', { name: 'Attached files' }).count()).toBe(0);
  await page.getByRole('button', { name: 'Cancel' }).click();
  const [download] = await Promise.all([page.waitForEvent('download'), chip.click()]);
  expect(download.suggestedFilename()).toBe('ridgeway-bakery-review.pdf');

  await page.getByRole('button', { name: 'Edit message' }).click();
  await page.getByRole('button', { name: 'Remove ridgeway-bakery-review.pdf' }).click();
  await page.getByRole('button', { name: 'Save & send' }).click();
  await answerAgain(page).waitFor({ timeout: 30_000 });
  await page.reload();
  await answerAgain(page).waitFor();
  expect(await chip.count()).toBe(0);
  expect(complaints).toEqual([]);
  await page.close();
});

it('a reply that is stopped, before its first word too, can be made again', async () => {
  const { page } = await openChat('A carousel about rye');
  // The stop is there before the first word when the request is held up on its way.
  let goOn = () => {};
  const held = new Promise<void>((resolve) => {
    goOn = resolve;
  });
  await page.route('**/turns', async (route) => {
    await held;
    await route.continue();
  });
  await answerAgain(page).click();
  await page.getByText('Asking your coach again').waitFor();
  await expectLine(page, [/rye/, /Asking your coach again/]);
  goOn();
  await expect.poll(async () => (await replies(page).innerText()).length).toBeGreaterThan(40);
  await stop(page).click();
  await page.getByText('You stopped this reply here.').waitFor();
  await page.unroute('**/turns');
  await answerAgain(page).click();
  await page.getByText('You stopped this reply here.').waitFor({ state: 'detached' });
  await answerAgain(page).waitFor({ timeout: 30_000 });
  await expectLine(page, [/rye/, /practice coach/]);

  // As the server tells a chat whose reply was stopped before its first word.
  await page.route('**/messages?*', async (route) => {
    const response = await route.fetch();
    const chat = await response.json();
    await route.fulfill({ response, json: { ...chat, messages: chat.messages.slice(0, 1) } });
  });
  await page.reload();
  await page.getByText('Your coach has not answered this.').waitFor();
  await expectAccessible(page, 'not answered');
  await page.unroute('**/messages?*');
  await answerAgain(page).click();
  await replyEnded(page, 1);
  await expectLine(page, [/rye/, /practice coach/]);
  await page.close();
});

it('a server that dies in the middle: trying again leaves the message once, here and after a reload', async () => {
  const { page } = await openPage(context, touchline.url);
  await page.getByRole('link', { name: 'Carousel coach', exact: true }).click();
  await attachReport(page);
  await send(
    page,
    'A carousel about the Wednesday sourdough subscription. What does the report say about it?',
  );
  await expect.poll(async () => (await replies(page).innerText()).length).toBeGreaterThan(100);
  await touchline.restart({ kill: true });
  await page.getByRole('button', { name: 'Try again' }).click({ timeout: 60_000 });
  await answerAgain(page).waitFor({ timeout: 30_000 });
  const line = [/Wednesday sourdough subscription/, /practice coach/];
  await expectLine(page, line);
  expect(await page.getByRole('button', { name: 'Try again' }).count()).toBe(0);
  await page.reload();
  await answerAgain(page).waitFor();
  await expectLine(page, line);
  await page.close();
});

it('what the server refuses comes back: the old line, and the words where they were written', async () => {
  const { page } = await openChat('A carousel about spelt');
  const other = await openElsewhere(page.url());
  const sentence = /^The coach is still answering your last message\. Nothing was sent or counted\./;

  // While a reply runs that this page has not heard of: an edit, then a new message.
  await other.getByRole('button', { name: 'Edit message' }).click();
  await editor(other).fill('A carousel about einkorn');
  await answerAgain(page).click();
  await stop(page).waitFor();
  await editor(other).press('Enter');
  await other.getByRole('alert').getByText(sentence).waitFor();
  expect(await editor(other).inputValue()).toBe('A carousel about einkorn');
  expect(await composer(other).inputValue()).toBe('');
  await look(other, 'edit-refused');
  for (const tab of [page, other]) await answerAgain(tab).waitFor({ timeout: 30_000 });
  await other.getByRole('button', { name: 'Cancel' }).click();
  await expectLine(other, [/spelt/, /practice coach/]);

  await composer(other).fill('My next answer');
  await answerAgain(page).click();
  await stop(page).waitFor();
  await composer(other).press('Enter');
  await other.getByRole('alert').getByText(sentence).waitFor();
  expect(await composer(other).inputValue()).toBe('My next answer');
  for (const tab of [page, other]) await answerAgain(tab).waitFor({ timeout: 30_000 });
  await expectLine(other, [/spelt/, /practice coach/]);

  // A repetition has no words to give back: what is being written stays.
  await other.route('**/turns', (route) =>
    route.fulfill({
      status: 429,
      contentType: 'application/problem+json',
      body: JSON.stringify({ code: 'quota_exhausted', detail: 'You have used all the messages.' }),
    }),
  );
  await answerAgain(other).click();
  await other.getByRole('alert').getByText('You have used all the messages.').waitFor();
  expect(await composer(other).inputValue()).toBe('My next answer');
  await expectLine(other, [/spelt/, /practice coach/]);
  await other.unroute('**/turns');

  // The message that is edited is gone: its words are not.
  await composer(other).fill('');
  await other.getByRole('button', { name: 'Edit message' }).click();
  await editor(other).fill('A carousel about oats');
  await page.getByRole('button', { name: 'Edit message' }).click();
  await editor(page).fill('A carousel about barley');
  await editor(page).press('Enter');
  await answerAgain(page).waitFor({ timeout: 30_000 });
  await editor(other).press('Enter');
  await other.getByText('is not part of this chat any more. Your words are here.').waitFor();
  expect(await composer(other).inputValue()).toBe('A carousel about oats');
  await expectLine(other, [/barley/, /practice coach/]);
  await other.context().close();
  await page.close();
});

it('what cannot go out says so, and can be sent again or left', async () => {
  const { page } = await openChat('A carousel about millet');
  const { page: other } = await openChat('A carousel about teff');
  const alert = (tab: Page) => tab.getByRole('alert');
  for (const tab of [page, other]) await tab.route('**/turns', (route) => route.abort());
  await answerAgain(page).click();
  await other.getByRole('button', { name: 'Edit message' }).click();
  await editor(other).fill('A carousel about sorghum');
  await editor(other).press('Enter');

  await alert(page).getByText('Your coach was not asked again').waitFor({ timeout: 60_000 });
  await page.getByRole('button', { name: 'Leave it as it was' }).click();
  await expectLine(page, [/millet/, /practice coach/]);

  await alert(other).getByText('Your message has not gone out').waitFor({ timeout: 60_000 });
  await expectLine(other, [/sorghum/]);
  await other.getByRole('button', { name: 'Change the message' }).click();
  expect(await editor(other).inputValue()).toBe('A carousel about sorghum');
  await other.unroute('**/turns');
  await editor(other).press('Enter');
  await answerAgain(other).waitFor({ timeout: 30_000 });
  await expectLine(other, [/sorghum/, /practice coach/]);
  await other.close();
  await page.close();
});

it('a long chat says what the coach no longer reads, and code is copied as it stands', async () => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  const { page } = await openChat('A carousel about oats');
  const code =
    'First line, which is long enough to be scrolled: one two three four five six seven eight nine\n\n  Third';
  await page.route('**/messages?*', async (route) => {
    const response = await route.fetch();
    const chat = await response.json();
    const content = `Take this caption:\n\n\`\`\`\n${code}\n\`\`\`\n\nAnd post it on Wednesday.`;
    Object.assign(chat.messages.at(-1), { content, history_shortened: true });
    await route.fulfill({ response, json: chat });
  });
  await page.reload();
  await page.getByText('This chat has grown long: your coach no longer reads its beginning.').waitFor();
  await page.getByRole('button', { name: 'Copy code' }).click();
  await page.getByRole('button', { name: 'Copied' }).waitFor();
  expect(await page.evaluate('navigator.clipboard.readText()')).toBe(code);
  await look(page, 'chat-long');
  await expectAccessible(page, 'long chat');
  await page.close();
});

it('a chat that is renamed or deleted in one tab is so in the other', async () => {
  const { page } = await openChat('A carousel about crumpets');
  const { page: second } = await openPage(context, page.url());
  await answerAgain(second).waitFor();
  const chats = (tab: Page) => tab.getByRole('navigation', { name: 'Chats' });
  await page.getByRole('button', { name: 'Chat options: A carousel about crumpets' }).click();
  await page.getByRole('menuitem', { name: 'Rename' }).click();
  await page.getByRole('textbox', { name: 'Chat title' }).fill('Crumpets on Sunday');
  await page.keyboard.press('Enter');
  await chats(second).getByRole('link', { name: 'Carousel coach: Crumpets on Sunday' }).waitFor();
  await expect.poll(() => second.title()).toBe('Crumpets on Sunday · Touchline');

  await page.getByRole('button', { name: 'Chat options: Crumpets on Sunday' }).click();
  await page.getByRole('menuitem', { name: 'Delete' }).click();
  await page.getByRole('button', { name: 'Delete chat' }).click();
  await second.getByRole('heading', { name: 'This chat is not here' }).waitFor();
  expect(
    await chats(second)
      .getByRole('link', { name: /Crumpets/ })
      .count(),
  ).toBe(0);
  await second.close();
  await page.close();
});

it('looks right in the dark and on a phone', async () => {
  const { page } = await openChat('A carousel about the bread that nobody buys on Mondays', {
    with_report: true,
  });
  const storageState = await context.storageState();
  const dark = await browser.newContext({ storageState, colorScheme: 'dark', viewport: desk });
  const night = (await openPage(dark, page.url())).page;
  await answerAgain(night).waitFor();
  await look(night, 'answer-again-dark');
  await night.getByRole('button', { name: 'Edit message' }).click();
  await look(night, 'edit-message-dark');
  await expectAccessible(night, 'edit in the dark');
  await dark.close();

  const phone = await browser.newContext({
    storageState,
    viewport: { width: 390, height: 844 },
    deviceScaleFactor: 2,
    isMobile: true,
    hasTouch: true,
  });
  const small = (await openPage(phone, page.url())).page;
  await answerAgain(small).waitFor();
  await look(small, 'answer-again-phone');
  await mine(small).scrollIntoViewIfNeeded();
  await small.getByRole('button', { name: 'Edit message' }).tap();
  await editor(small).waitFor();
  await look(small, 'edit-message-phone');
  await expectAccessible(small, 'edit on a phone');
  expect(await small.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(390);
  // On a touch screen Enter begins a new line.
  await editor(small).press('End');
  await editor(small).press('Enter');
  expect(await editor(small).inputValue()).toMatch(/\n/);
  await small.getByRole('button', { name: 'Save & send' }).tap();
  await answerAgain(small).waitFor({ timeout: 30_000 });
  await phone.close();
  await page.close();
});
