import { join } from 'node:path';
import type { Browser, BrowserContext } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startFakeOpenAI } from '../server/testing/fake-openai/fake-openai.ts';
import { launchBrowser } from './launch-browser.ts';
import { startTouchline } from './start-touchline.ts';
import { expectAccessible, openPage, replyEnded, send, signUp, take } from './steps.ts';

const fixtures = join(import.meta.dirname, '..', 'server', 'testing', 'fixtures');
const report = join(fixtures, 'ridgeway-bakery-review.pdf');
let browser: Browser;
beforeAll(async () => {
  browser = await launchBrowser();
});
afterAll(() => browser.close());

describe('the walk of a new member, with the practice coach', () => {
  let touchline: Awaited<ReturnType<typeof startTouchline>>;
  let context: BrowserContext;
  beforeAll(async () => {
    touchline = await startTouchline();
    context = await browser.newContext({ colorScheme: 'light', viewport: { width: 1280, height: 860 } });
  });
  afterAll(async () => {
    await context.close();
    await touchline.stop();
  });

  it('signs up, gives a file, is answered word by word from it, and comes back to where it stopped', async () => {
    let { page, complaints } = await openPage(context, touchline.url);
    await page.getByRole('button', { name: 'Sign in' }).waitFor();
    await take(page, 'sign-in');
    await expectAccessible(page, 'sign-in');
    await signUp(page);
    await take(page, 'coaches');
    await expectAccessible(page, 'coaches');

    await page.getByRole('link', { name: 'Carousel coach', exact: true }).click();
    await page.getByRole('textbox', { name: 'Message' }).waitFor();
    await take(page, 'coach');
    await page.setInputFiles('input[type=file]', report);
    await page.getByRole('list', { name: 'Attached files' }).getByText('6 pages').waitFor();
    await page
      .getByRole('textbox', { name: 'Message' })
      .fill(
        'Hello, I want a carousel about the Wednesday sourdough subscription of my bakery. What does the report say about it?',
      );
    await take(page, 'file-attached');
    await page.getByRole('button', { name: 'Send' }).click();

    const reply = page.getByRole('article', { name: 'Carousel coach' }).first();
    const lengths = new Set<number>();
    const ended = page.getByRole('button', { name: 'Copy reply' });
    await reply.waitFor();
    while (!(await ended.isVisible())) {
      lengths.add((await reply.innerText()).length);
      await page.waitForTimeout(30);
    }
    expect(lengths.size, 'the reply grows before the reader’s eyes').toBeGreaterThan(10);
    const sources = page.getByRole('list', { name: 'From your files' });
    expect(await sources.first().innerText()).toContain('ridgeway-bakery-review.pdf');
    await take(page, 'chat');
    await expectAccessible(page, 'chat');

    await page
      .getByRole('button', { name: /^Source 1/ })
      .first()
      .click();
    const passage = page.getByRole('complementary', { name: 'Passage' });
    await passage.getByRole('region', { name: 'Passage text' }).waitFor();
    await expect.poll(() => passage.innerText()).toMatch(/sourdough|subscription/i);
    expect(await passage.innerText()).toContain('Page 4');
    await take(page, 'passage');
    await expectAccessible(page, 'passage');
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      passage.getByRole('button', { name: 'Download the original' }).click(),
    ]);
    expect(download.suggestedFilename()).toBe('ridgeway-bakery-review.pdf');
    expect(complaints).toEqual([]);
    await page.close();

    // The next day: the server was started anew, and so was the browser's page.
    await touchline.restart();
    ({ page, complaints } = await openPage(context, touchline.url));
    const chats = page.getByRole('navigation', { name: 'Chats' });
    const title = 'I want a carousel about the Wednesday sourdough subscription…';
    await chats.getByRole('link', { name: `Carousel coach: ${title}` }).click();
    await page.getByRole('article', { name: 'You' }).getByText('Wednesday sourdough subscription').waitFor();
    await send(
      page,
      'Most people think bread has to be cheap, but neighbours pay ahead for a loaf they can rely on.',
    );
    await replyEnded(page, 2);
    expect(await page.getByRole('article', { name: 'Carousel coach' }).count()).toBe(2);

    // A second chat stands above the first.
    await page.getByRole('link', { name: 'New chat' }).first().click();
    await page.getByRole('link', { name: 'Storyteller', exact: true }).click();
    await send(page, 'I want to tell the story of the day our oven broke.');
    await replyEnded(page, 1);
    await take(page, 'chat-storyteller');
    const titles = await chats.getByRole('link').allInnerTexts();
    const position = (words: string) => titles.findIndex((text) => text.includes(words));
    expect(position('oven broke')).toBeGreaterThanOrEqual(0);
    expect(position('oven broke')).toBeLessThan(position('sourdough'));

    await page.getByRole('button', { name: `Chat options: ${title}` }).click();
    await page.getByRole('menuitem', { name: 'Rename' }).click();
    await page.getByRole('textbox', { name: 'Chat title' }).fill('The Wednesday loaf');
    await page.keyboard.press('Enter');
    await chats.getByRole('link', { name: 'Carousel coach: The Wednesday loaf' }).waitFor();
    await page.reload();
    await chats.getByRole('link', { name: 'Carousel coach: The Wednesday loaf' }).waitFor();

    await page.getByRole('button', { name: 'Chat options: The Wednesday loaf' }).click();
    await page.getByRole('menuitem', { name: 'Delete' }).click();
    await page.getByRole('dialog', { name: 'Delete this chat?' }).waitFor();
    await take(page, 'delete-chat');
    await page.getByRole('button', { name: 'Delete chat' }).click();
    await chats
      .getByRole('link', { name: 'Carousel coach: The Wednesday loaf' })
      .waitFor({ state: 'detached' });
    await page.reload();
    await chats.getByRole('link', { name: /oven broke/ }).waitFor();
    expect(await chats.getByRole('link', { name: /Wednesday loaf/ }).count()).toBe(0);
    expect(complaints).toEqual([]);
    await page.close();
  });

  it('a reply that kill -9 cuts off: the message is there, nothing was counted, and it is answered again', async () => {
    const { page } = await openPage(context, touchline.url);
    await page.getByRole('link', { name: 'Carousel coach', exact: true }).click();
    await send(page, 'A carousel about the bakery that survived a broken oven and a flooded cellar.');
    await page.getByRole('article', { name: 'Carousel coach' }).waitFor();
    await page.waitForTimeout(1_600);
    await touchline.restart({ kill: true });
    await page.getByRole('button', { name: 'Try again' }).waitFor({ timeout: 30_000 });
    await page.getByText('This message was not counted').first().waitFor();
    await take(page, 'server-stopped');
    await page.getByRole('button', { name: 'Try again' }).click();
    // The message is answered again: it stands once, and the new reply takes the place of the broken one.
    await page.getByRole('button', { name: 'Answer again' }).waitFor({ timeout: 20_000 });
    const replies = page.getByRole('article', { name: 'Carousel coach' });
    expect(await replies.count()).toBe(1);
    expect(await replies.innerText()).toContain('I am the practice coach');
    expect(await page.getByRole('article', { name: 'You' }).count()).toBe(1);
    expect(await page.getByRole('button', { name: 'Try again' }).count()).toBe(0);
    await page.close();
  });

  it('looks right in the dark and on a phone', async () => {
    const storageState = await context.storageState();
    const dark = await browser.newContext({
      storageState,
      colorScheme: 'dark',
      viewport: { width: 1280, height: 860 },
    });
    const night = (await openPage(dark, touchline.url)).page;
    await night.getByRole('heading', { name: 'What do you want to finish?' }).waitFor();
    await take(night, 'coaches-dark');
    await night.getByRole('navigation', { name: 'Chats' }).getByRole('link').first().click();
    await night.getByRole('article').first().waitFor();
    await take(night, 'chat-dark');
    await expectAccessible(night, 'chat in the dark');
    await dark.close();

    const phone = await browser.newContext({
      storageState,
      viewport: { width: 390, height: 844 },
      deviceScaleFactor: 2,
      isMobile: true,
      hasTouch: true,
    });
    const small = (await openPage(phone, touchline.url)).page;
    await small.getByRole('heading', { name: 'What do you want to finish?' }).waitFor();
    await take(small, 'coaches-phone');
    await small.getByRole('button', { name: 'Open chats' }).click();
    await small.getByRole('dialog', { name: 'Menu' }).waitFor();
    await take(small, 'menu-phone');
    await small
      .getByRole('dialog', { name: 'Menu' })
      .getByRole('link', { name: /Storyteller|Carousel/ })
      .first()
      .click();
    await small.getByRole('article').first().waitFor();
    await take(small, 'chat-phone');
    await expectAccessible(small, 'chat on a phone');
    expect(await small.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(390);
    await phone.close();
  });
});

describe('the same walk with OpenAI', () => {
  let openai: Awaited<ReturnType<typeof startFakeOpenAI>>;
  let touchline: Awaited<ReturnType<typeof startTouchline>>;
  let context: BrowserContext;
  beforeAll(async () => {
    openai = await startFakeOpenAI({ token_delay_ms: 15, file_processing_ms: 1_500 });
    touchline = await startTouchline({ OPENAI_API_KEY: openai.api_key, OPENAI_BASE_URL: openai.url });
    context = await browser.newContext({ viewport: { width: 1280, height: 860 } });
  });
  afterAll(async () => {
    await context.close();
    await touchline.stop();
    await openai.close();
  });

  it('a file is read, searched and cited, the chat goes on the next day, and deleting takes everything along', async () => {
    let { page, complaints } = await openPage(context, touchline.url);
    await signUp(page);
    await page.getByRole('link', { name: 'Storyteller', exact: true }).click();
    await page.setInputFiles('input[type=file]', report);
    await page.getByRole('list', { name: 'Attached files' }).getByText('6 pages').waitFor();
    await send(page, 'How many subscribers does the Wednesday sourdough subscription have?');
    await page
      .getByText(/Getting your files ready/)
      .first()
      .waitFor();
    await replyEnded(page, 1);
    await take(page, 'chat-openai');
    await page
      .getByRole('button', { name: /^Source 1/ })
      .first()
      .click();
    const passage = page.getByRole('complementary', { name: 'Passage' });
    await passage.getByRole('region', { name: 'Passage text' }).waitFor();
    await expect.poll(() => passage.innerText()).toContain('412');
    expect(await passage.innerText()).toContain('Page 4');
    expect(complaints).toEqual([]);
    await page.close();

    await touchline.restart();
    ({ page, complaints } = await openPage(context, touchline.url));
    const chats = page.getByRole('navigation', { name: 'Chats' });
    await chats.getByRole('link', { name: /How many subscribers/ }).click();
    await send(page, 'And what did I ask you first?');
    await replyEnded(page, 2);
    const replies = page.getByRole('article', { name: 'Storyteller' });
    expect(await replies.last().innerText()).toContain('How many subscribers');
    expect(openai.state.conversations.size).toBe(1);

    await page.getByRole('button', { name: /^Chat options/ }).click();
    await page.getByRole('menuitem', { name: 'Delete' }).click();
    await page.getByRole('button', { name: 'Delete chat' }).click();
    await expect
      .poll(
        () => [openai.state.conversations.size, openai.state.files.size, openai.state.vectorStores.size],
        {
          timeout: 20_000,
        },
      )
      .toEqual([0, 0, 0]);
    expect(complaints).toEqual([]);
    await page.close();
  });
});
