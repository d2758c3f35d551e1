import { join } from 'node:path';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startFakeOpenAI } from '../server/testing/fake-openai/fake-openai.ts';
import { launchBrowser } from './launch-browser.ts';
import { startTouchline } from './start-touchline.ts';
import { expectAccessible, look, openPage, send, signUp } from './steps.ts';

const fixtures = join(import.meta.dirname, '..', 'server', 'testing', 'fixtures');
const report = join(fixtures, 'ridgeway-bakery-review.pdf');
const desk = { width: 1280, height: 860 };

let browser: Browser;
let touchline: Awaited<ReturnType<typeof startTouchline>>;
let context: BrowserContext;
beforeAll(async () => {
  browser = await launchBrowser();
});
afterAll(() => browser.close());

async function start(settings: Record<string, string> = {}) {
  touchline = await startTouchline(settings);
  context = await browser.newContext({ colorScheme: 'light', viewport: desk });
  const { page } = await openPage(context, touchline.url);
  await signUp(page);
  await page.close();
}
async function stopAll() {
  await context.close();
  await touchline.stop();
}

const mine = (page: Page) => page.getByRole('article', { name: 'You' });
const composer = (page: Page) => page.getByRole('textbox', { name: 'Message', exact: true });
const editor = (page: Page) => page.getByRole('textbox', { name: 'Edit your message' });
const editButton = (page: Page) => page.getByRole('button', { name: 'Edit message' });
const answerAgain = (page: Page) => page.getByRole('button', { name: 'Answer again' });
const stop = (page: Page) => page.getByRole('button', { name: 'Stop', exact: true });
const focused = (page: Page) => page.evaluate('document.activeElement.getAttribute("aria-label")');

/** Does what begins a turn and waits until the chat is read again at its end. Answers with what the server was asked. */
async function answered(page: Page, act: () => Promise<void>) {
  const [request] = await Promise.all([page.waitForRequest('**/turns'), act()]);
  await page.waitForResponse('**/messages?*');
  return request.postDataJSON();
}

/** The messages that are shown, from the first to the last, once no reply runs. */
async function expectLine(page: Page, words: RegExp[]) {
  await answerAgain(page).waitFor({ timeout: 30_000 });
  await expect
    .poll(() => page.getByRole('article').allInnerTexts(), { timeout: 10_000 })
    .toEqual(words.map((expected) => expect.stringMatching(expected)));
}

/** A chat with the Carousel coach, one message and its reply. */
async function openChat(words: string, { with_report = false } = {}) {
  const { page, complaints } = await openPage(context, touchline.url);
  await page.getByRole('link', { name: 'Carousel coach', exact: true }).click();
  if (with_report) {
    await page.setInputFiles('input[type=file]', report);
    await page.getByRole('list', { name: 'Attached files' }).getByText('6 pages').waitFor();
  }
  await send(page, words);
  await answerAgain(page).waitFor({ timeout: 30_000 });
  return { page, complaints };
}

describe('with the practice coach', () => {
  beforeAll(() => start());
  afterAll(stopAll);

  it('a reply is made again and a message edited; a second tab and a reload show the same line', async () => {
    const { page, complaints } = await openChat('A carousel about the bakery that bakes at night', {
      with_report: true,
    });
    const second = await openPage(context, page.url());
    const first_line = [/bakes at night/, /practice coach/];
    const asked = await answered(page, () => answerAgain(page).click());
    expect(asked).toEqual({
      id: expect.any(String),
      assistant_slug: 'carousel',
      repeats_message_id: expect.any(String),
    });
    for (const tab of [page, second.page]) await expectLine(tab, first_line);
    expect(await focused(page)).toBe('Message');

    await answered(page, () => send(page, 'For owners of small bakeries who are tired'));
    const line_before = [...first_line, /owners of small bakeries/, /owners of small bakeries.*Step 3/s];
    for (const tab of [page, second.page]) await expectLine(tab, line_before);

    // Left by Escape, the message is as it was, and the focus is where it came from.
    await editButton(page).focus();
    await page.keyboard.press('Enter');
    await expect.poll(() => editor(page).inputValue()).toBe('For owners of small bakeries who are tired');
    await page.keyboard.type(' of the night shift');
    await page.keyboard.press('Escape');
    await expectLine(page, line_before);
    expect(await focused(page)).toBe('Edit message');

    // Nothing is sent without words.
    await page.keyboard.press('Enter');
    await editor(page).fill('');
    await editor(page).press('Control+Enter');
    const save = page.getByRole('button', { name: 'Save & send' });
    expect(await save.getAttribute('aria-disabled')).toBe('true');
    await editor(page).fill('For bakers who sell out by nine\nand still lose money');
    await look(page, 'edit-message');
    await expectAccessible(page, 'edit');
    await answered(page, () => editor(page).press('Control+Enter'));
    const line_after = [...first_line, /sell out by nine\nand still lose money/, /sell out by nine.*Step 3/s];
    for (const tab of [page, second.page]) await expectLine(tab, line_after);
    await look(page, 'answer-again');
    await expectAccessible(page, 'answer again');
    await page.reload();
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
    const attached = page.getByRole('list', { name: 'Attached files' });
    await editButton(page).click();
    await attached.getByText('ridgeway-bakery-review.pdf').waitFor();
    await editor(page).fill('What does it say about the sourdough subscription?');
    await answered(page, () => page.getByRole('button', { name: 'Save & send' }).click());
    await expectLine(page, [/pdf.*sourdough subscription/s, /ridgeway-bakery-review\.pdf, page/]);

    // What is taken out of an edit that is then given up stays with the message, also after a reload in between.
    await editButton(page).click();
    await page.getByRole('button', { name: 'Remove ridgeway-bakery-review.pdf' }).click();
    await page.reload();
    await editor(page).waitFor();
    expect(await attached.count()).toBe(0);
    await page.getByRole('button', { name: 'Cancel' }).click();
    const [download] = await Promise.all([page.waitForEvent('download'), chip.click()]);
    expect(download.suggestedFilename()).toBe('ridgeway-bakery-review.pdf');

    await editButton(page).click();
    await page.getByRole('button', { name: 'Remove ridgeway-bakery-review.pdf' }).click();
    await answered(page, () => page.getByRole('button', { name: 'Save & send' }).click());
    await page.reload();
    await expectLine(page, [/^What does it say about the sourdough subscription\?$/, /./]);
    expect(complaints).toEqual([]);
    await page.close();
  });

  it('a long chat says what the coach no longer reads, and code is copied as it stands', async () => {
    await context.grantPermissions(['clipboard-read', 'clipboard-write']);
    const { page } = await openChat('A carousel about oats');
    const code =
      'A line that is long enough to be scrolled: one two three four five six seven eight\n\n  Third';
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
    const chats = second.getByRole('navigation', { name: 'Chats' });
    await page.getByRole('button', { name: 'Chat options: A carousel about crumpets' }).click();
    await page.getByRole('menuitem', { name: 'Rename' }).click();
    await page.getByRole('textbox', { name: 'Chat title' }).fill('Crumpets on Sunday');
    await page.keyboard.press('Enter');
    await chats.getByRole('link', { name: 'Carousel coach: Crumpets on Sunday' }).waitFor();
    await expect.poll(() => second.title()).toBe('Crumpets on Sunday · Touchline');

    await page.getByRole('button', { name: 'Chat options: Crumpets on Sunday' }).click();
    await page.getByRole('menuitem', { name: 'Delete' }).click();
    await page.getByRole('button', { name: 'Delete chat' }).click();
    await second.getByRole('heading', { name: 'This chat is not here' }).waitFor();
    expect(await chats.getByRole('link', { name: /Crumpets/ }).count()).toBe(0);
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
    await editButton(night).click();
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
    await editButton(small).tap();
    await editor(small).waitFor();
    await look(small, 'edit-message-phone');
    await expectAccessible(small, 'edit on a phone');
    expect(await small.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(390);
    // On a touch screen Enter begins a new line.
    await editor(small).press('Enter');
    expect(await editor(small).inputValue()).toMatch(/\n/);
    await answered(small, () => small.getByRole('button', { name: 'Save & send' }).tap());
    await expectLine(small, [/nobody buys on Mondays/, /practice coach/]);
    await phone.close();
    await page.close();
  });
});

// A reply of this coach can be made to wait, so that nothing here depends on how long one takes.
describe('with OpenAI', () => {
  let openai: Awaited<ReturnType<typeof startFakeOpenAI>>;
  beforeAll(async () => {
    openai = await startFakeOpenAI();
    await start({ OPENAI_API_KEY: openai.api_key, OPENAI_BASE_URL: openai.url });
  });
  afterAll(async () => {
    await stopAll();
    await openai.close();
  });

  /** The next reply falls silent until it is stopped: after so many events of OpenAI's, of which four come before a word. */
  const holdNextReply = (after = 20) => openai.faults.next('POST /v1/responses', { stall_after: after });
  /** Such a reply has come as far as it will. */
  async function held(page: Page) {
    await stop(page).waitFor();
    await page.getByRole('article').last().getByText('Let us').waitFor();
  }
  const about = (words: string) => [new RegExp(words), new RegExp(`Let us work on this: .*${words}`)];

  it('a reply that is stopped, before its first word too, can be made again', async () => {
    const { page } = await openChat('A carousel about rye');
    holdNextReply();
    await answerAgain(page).click();
    await held(page);
    await stop(page).click();
    await page.getByText('You stopped this reply here.').waitFor();
    await answered(page, () => answerAgain(page).click());
    await expectLine(page, about('rye'));
    expect(await page.getByText('You stopped this reply here.').count()).toBe(0);

    // Another reply that never began leaves the one that was there.
    holdNextReply(3);
    await answerAgain(page).click();
    await stop(page).click();
    await expectLine(page, about('rye'));

    holdNextReply(3);
    await send(page, 'For people who live on rye');
    await stop(page).click();
    const not_answered = page.getByText('Your coach has not answered this.');
    await not_answered.waitFor();
    await expectAccessible(page, 'not answered');
    await look(page, 'not-answered');
    await page.reload();
    await not_answered.waitFor();
    await answered(page, () => answerAgain(page).click());
    await expectLine(page, [...about('rye'), ...about('people who live on rye')]);
    await page.close();
  });

  it('a server that dies in the middle: trying again leaves the message once, here and after a reload', async () => {
    const { page } = await openChat('A carousel about a flooded cellar');
    holdNextReply();
    await editButton(page).click();
    await editor(page).fill('A carousel about a broken oven');
    await editor(page).press('Enter');
    await held(page);
    await touchline.restart({ kill: true });
    const tryAgain = page.getByRole('button', { name: 'Try again' });
    await tryAgain.waitFor({ timeout: 60_000 });
    await look(page, 'try-again');
    await answered(page, () => tryAgain.click());
    await expectLine(page, about('broken oven'));
    expect(await tryAgain.count()).toBe(0);

    // Another reply that breaks off leaves the one that was there, and says so.
    holdNextReply();
    await answerAgain(page).click();
    await held(page);
    await touchline.restart({ kill: true });
    await page.getByText('The reply that was there before stands again.').waitFor({ timeout: 60_000 });
    expect(await page.getByRole('article').allInnerTexts()).toEqual(
      about('broken oven').map((words) => expect.stringMatching(words)),
    );
    await look(page, 'stands-again');
    await answered(page, () => tryAgain.click());
    await expectLine(page, about('broken oven'));
    await page.reload();
    await expectLine(page, about('broken oven'));
    await page.close();
  });

  it('what the server refuses comes back: the old line, and the words where they were written', async () => {
    const { page } = await openChat('A carousel about spelt');
    // The same member on another device: what happens in the first browser is not told to it.
    const storageState = await context.storageState();
    const elsewhere = await browser.newContext({ storageState, viewport: desk });
    const { page: other } = await openPage(elsewhere, page.url());
    await answerAgain(other).waitFor();
    const alert = other.getByRole('alert');
    const sentence = /^The coach is still answering your last message\. Nothing was sent or counted\./;

    await editButton(other).click();
    await editor(other).fill('A carousel about einkorn');
    holdNextReply();
    await answerAgain(page).click();
    await held(page);
    await editor(other).press('Enter');
    await alert.getByText(sentence).waitFor();
    expect(await editor(other).inputValue()).toBe('A carousel about einkorn');
    expect(await composer(other).inputValue()).toBe('');
    await held(other);
    await look(other, 'edit-refused');
    await stop(other).click();
    await other.getByRole('button', { name: 'Cancel' }).click();
    for (const tab of [page, other]) await expectLine(tab, [/spelt/, /You stopped this reply here/]);

    await composer(other).fill('My next answer');
    holdNextReply();
    await answerAgain(page).click();
    await stop(page).waitFor();
    await composer(other).press('Enter');
    await alert.getByText(sentence).waitFor();
    expect(await composer(other).inputValue()).toBe('My next answer');
    await stop(page).click();
    await expectLine(other, [/spelt/, /You stopped this reply here/]);

    // A repetition has no words to give back: what is being written stays.
    await other.route('**/turns', (route) =>
      route.fulfill({
        status: 403,
        contentType: 'application/problem+json',
        body: JSON.stringify({ code: 'account_inactive', detail: 'New messages are paused.' }),
      }),
    );
    await answerAgain(other).click();
    await alert.getByText('New messages are paused.').waitFor();
    expect(await composer(other).inputValue()).toBe('My next answer');
    await expectLine(other, [/spelt/, /You stopped this reply here/]);
    await other.unroute('**/turns');

    // The message that is edited is gone: its words are not.
    await composer(other).fill('');
    await editButton(other).click();
    await editor(other).fill('A carousel about oats');
    await editButton(page).click();
    await editor(page).fill('A carousel about barley');
    await answered(page, () => editor(page).press('Enter'));
    await editor(other).press('Enter');
    await other.getByText('The chat has gone on since you began to edit. Your words are here.').waitFor();
    expect(await composer(other).inputValue()).toBe('A carousel about oats');
    for (const tab of [page, other]) await expectLine(tab, about('barley'));
    await elsewhere.close();
    await page.close();
  });

  it('what cannot go out says so, and can be sent again or left', async () => {
    const { page } = await openChat('A carousel about millet');
    const { page: other } = await openChat('A carousel about teff');
    for (const tab of [page, other]) await tab.route('**/turns', (route) => route.abort());
    await answerAgain(page).click();
    await editButton(other).click();
    await editor(other).fill('A carousel about sorghum');
    await editor(other).press('Enter');

    await page.getByRole('alert').getByText('Your coach was not asked again').waitFor({ timeout: 60_000 });
    await page.getByRole('button', { name: 'Leave it as it was' }).click();
    await expectLine(page, about('millet'));

    await other.getByRole('alert').getByText('Your message has not gone out').waitFor({ timeout: 60_000 });
    await other.getByRole('button', { name: 'Change the message' }).click();
    expect(await editor(other).inputValue()).toBe('A carousel about sorghum');
    await other.unroute('**/turns');
    await answered(other, () => editor(other).press('Enter'));
    await expectLine(other, about('sorghum'));
    await other.close();
    await page.close();
  });
});
