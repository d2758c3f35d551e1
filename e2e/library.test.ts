import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, BrowserContext, Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { launchBrowser } from './launch-browser.ts';
import { startTouchline } from './start-touchline.ts';
import {
  desk,
  expectAccessible,
  look,
  lookAtAll,
  openPage,
  replyEnded,
  send,
  signUp,
  unexpected,
} from './steps.ts';

const fixture = (name: string) => join(import.meta.dirname, '..', 'server', 'testing', 'fixtures', name);
const report = 'ridgeway-bakery-review.pdf';

let browser: Browser;
let touchline: Awaited<ReturnType<typeof startTouchline>>;
beforeAll(async () => {
  browser = await launchBrowser();
  touchline = await startTouchline();
});
afterAll(async () => {
  await touchline?.stop();
  await browser?.close();
});

async function enter() {
  const context = await browser.newContext({ colorScheme: 'light', viewport: desk });
  const { page, complaints } = await openPage(context, touchline.url);
  await signUp(page);
  return { context, page, complaints };
}

const openLibrary = async (page: Page) => {
  await page.getByRole('link', { name: 'Library', exact: true }).click();
  await page.getByRole('heading', { name: 'Library', level: 1 }).waitFor();
};
const files = (page: Page) => page.getByRole('list', { name: 'Your files' }).getByRole('listitem');
const row = (page: Page, name: string) => files(page).filter({ hasText: name });
const onTheirWay = (page: Page) => page.getByRole('list', { name: 'Files on their way' });
const addFiles = (page: Page, ...names: string[]) =>
  page.locator('main input[type=file]').setInputFiles(names.map(fixture));

/** In pixels, once it is loaded. */
const widthOf = (picture: Locator) =>
  picture.evaluate((element) => (element as unknown as { naturalWidth: number }).naturalWidth);

async function choose(page: Page, file_name: string, option: string) {
  await page.getByRole('button', { name: `File options: ${file_name}` }).click();
  await page.getByRole('menuitem', { name: option }).click();
}

/** Holds back requests to a path until they are let go, so that what is under way can be seen. */
async function holdBack(context: BrowserContext, path: string) {
  let letGo = () => {};
  const held = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  await context.route(`**${path}`, async (route) => {
    if (route.request().method() === 'POST') await held;
    await route.continue().catch(() => {});
  });
  return async () => {
    letGo();
    await context.unroute(`**${path}`);
  };
}

it('a member’s files are added, found, looked into, renamed, kept and deleted', async () => {
  const { context, page, complaints } = await enter();
  await openLibrary(page);
  await page.getByText('Nothing here yet').waitFor();
  await lookAtAll(page, 'library-empty');

  await addFiles(page, report, 'orders.csv', 'shopfront.png', 'not-really.pdf');
  await expect.poll(() => files(page).count(), { timeout: 20_000 }).toBe(3);
  const refused = onTheirWay(page).getByRole('listitem');
  expect(await refused.count()).toBe(1);
  expect(await refused.getByRole('alert').innerText()).toContain('named .pdf, but it is plain text');
  await lookAtAll(page, 'library');
  await refused.getByRole('button', { name: 'Remove not-really.pdf' }).click();
  await expect.poll(() => refused.count()).toBe(0);
  expect(await row(page, report).innerText()).toContain('6 pages');
  expect(await row(page, report).innerText()).toContain('In the library');

  const search = page.getByRole('searchbox', { name: 'Search by name' });
  await search.fill('REVIEW bakery');
  await expect.poll(() => files(page).count()).toBe(1);
  await search.fill('nothing like it');
  await page.getByText('No file’s name holds “nothing like it”.').waitFor();
  await search.fill('');
  await expect.poll(() => files(page).count()).toBe(3);

  await page.getByRole('button', { name: report, exact: true }).click();
  const panel = page.getByRole('dialog', { name: `File: ${report}` });
  await panel.getByRole('heading', { name: 'Page 1' }).waitFor();
  expect(await panel.innerText()).toMatch(/bakery/i);
  await lookAtAll(page, 'library-preview');
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    panel.getByRole('button', { name: 'Download the original' }).click(),
  ]);
  expect(download.suggestedFilename()).toBe(report);
  expect(readFileSync(await download.path()).equals(readFileSync(fixture(report)))).toBe(true);
  await page.keyboard.press('Escape');
  await panel.waitFor({ state: 'detached' });

  await page.getByRole('button', { name: 'shopfront.png', exact: true }).click();
  const picture = page.getByRole('dialog', { name: 'File: shopfront.png' }).getByRole('img');
  await expect.poll(() => widthOf(picture)).toBeGreaterThan(100);
  await look(page, 'library-picture');
  await page.keyboard.press('Escape');

  // By keyboard alone; the name keeps the ending of its type.
  await page.getByRole('button', { name: 'File options: orders.csv' }).focus();
  await page.keyboard.press('Enter');
  await page.getByRole('menuitem', { name: 'Rename' }).focus();
  await page.keyboard.press('Enter');
  await page.getByRole('textbox', { name: 'File name' }).waitFor();
  await expect.poll(() => page.evaluate('document.getSelection().toString()')).toBe('orders');
  await page.keyboard.type('Orders of spring');
  await page.keyboard.press('Enter');
  await row(page, 'Orders of spring.csv').waitFor();
  await page.reload();
  await row(page, 'Orders of spring.csv').waitFor();

  await choose(page, 'Orders of spring.csv', 'Delete');
  const dialog = page.getByRole('dialog', { name: 'Delete “Orders of spring.csv”?' });
  await expectAccessible(page, 'delete file');
  await dialog.getByRole('button', { name: 'Cancel' }).click();
  expect(await files(page).count()).toBe(3);
  await choose(page, 'Orders of spring.csv', 'Delete');
  await dialog.getByRole('button', { name: 'Delete file' }).click();
  await expect.poll(() => files(page).count()).toBe(2);
  expect(unexpected(complaints)).toEqual([]);
  await context.close();
});

it('an upload shows its progress, is cancelled, and is sent again when it did not arrive', async () => {
  const { context, page } = await enter();
  await openLibrary(page);
  const letGo = await holdBack(context, '/api/library');
  await addFiles(page, 'founder-notes.md');
  await onTheirWay(page).getByRole('progressbar', { name: 'Uploading founder-notes.md' }).waitFor();
  await onTheirWay(page).getByRole('button', { name: 'Cancel founder-notes.md' }).click();
  await expect.poll(() => onTheirWay(page).count()).toBe(0);
  await letGo();

  await context.route('**/api/library', (route) =>
    route.request().method() === 'POST' ? route.abort() : route.continue(),
  );
  await addFiles(page, 'founder-notes.md');
  await onTheirWay(page).getByRole('alert').waitFor();
  await context.unroute('**/api/library');
  // It goes on while the member is elsewhere.
  await onTheirWay(page).getByRole('button', { name: 'Try founder-notes.md again' }).click();
  await page.getByRole('link', { name: 'New chat' }).click();
  await openLibrary(page);
  await row(page, 'founder-notes.md').waitFor({ timeout: 20_000 });
  expect(await files(page).count()).toBe(1);

  // Dropped, and pasted.
  const text = 'What customers say: the rye keeps for a week.';
  await page.evaluate(`{
    const transfer = new DataTransfer();
    transfer.items.add(new File([${JSON.stringify(text)}], 'dropped.txt', { type: 'text/plain' }));
    const main = document.querySelector('main section');
    for (const name of ['dragenter', 'dragover', 'drop'])
      main.dispatchEvent(new DragEvent(name, { dataTransfer: transfer, bubbles: true, cancelable: true }));
  }`);
  await row(page, 'dropped.txt').waitFor({ timeout: 20_000 });
  await page.evaluate(`{
    const transfer = new DataTransfer();
    transfer.items.add(new File([${JSON.stringify(text)}], 'pasted.txt', { type: 'text/plain' }));
    dispatchEvent(new ClipboardEvent('paste', { clipboardData: transfer, bubbles: true, cancelable: true }));
  }`);
  await row(page, 'pasted.txt').waitFor({ timeout: 20_000 });
  expect(await files(page).count()).toBe(3);
  await context.close();
});

it('a file that is being made ready says when it is, and nothing else is asked for again meanwhile', async () => {
  const { context, page, complaints } = await enter();
  await openLibrary(page);
  await addFiles(page, report, 'shopfront.jpg');
  await files(page).nth(1).waitFor();
  const asked = { lists: 0, states: 0 };
  await context.route('**/api/library?**', async (route) => {
    const is_state = new URL(route.request().url()).searchParams.has('ids');
    asked[is_state ? 'states' : 'lists']++;
    const response = await route.fetch();
    const page_of_files = await response.json();
    for (const file of page_of_files.files) {
      if (file.file_name === report && asked.states < 3) file.state = 'indexing';
    }
    await route.fulfill({ response, json: page_of_files });
  });
  await page.reload();
  await row(page, report).getByText('Being made ready').waitFor();
  await row(page, report).getByText('Being made ready').waitFor({ state: 'hidden' });
  expect(asked).toEqual({ lists: 1, states: 3 });
  expect(await files(page).count()).toBe(2);
  expect(unexpected(complaints)).toEqual([]);
  await context.close();
});

it('a coach answers from the library, a message brings files of it along, and a deleted one leaves a note', async () => {
  const { context, page, complaints } = await enter();
  await openLibrary(page);
  await addFiles(page, report, 'shopfront.jpg');
  await expect.poll(() => files(page).count(), { timeout: 20_000 }).toBe(2);

  // Nothing is attached: the library is enough.
  await page.getByRole('link', { name: 'New chat' }).click();
  await page.getByRole('link', { name: 'Carousel coach', exact: true }).click();
  await send(
    page,
    'I want a carousel about the Wednesday sourdough subscription of my bakery. What does the report say about it?',
  );
  await replyEnded(page, 1);
  expect(await page.getByRole('list', { name: 'From your files' }).first().innerText()).toContain(report);

  await page.getByRole('button', { name: 'Attach files' }).click();
  await expectAccessible(page, 'attach menu');
  await page.getByRole('menuitem', { name: 'From your library' }).click();
  const picker = page.getByRole('dialog', { name: 'From your library' });
  await picker.getByRole('checkbox').first().waitFor();
  await lookAtAll(page, 'library-picker');
  await picker.getByRole('checkbox', { name: report }).check();
  await picker.getByRole('checkbox', { name: 'shopfront.jpg' }).check();
  await picker.getByRole('button', { name: 'Attach 2 files' }).click();
  const attached = page.getByRole('list', { name: 'Attached files' });
  await attached.getByText(report).waitFor();
  // What is taken out of the draft stays in the library.
  await attached.getByRole('button', { name: `Remove ${report}` }).click();
  await page.getByRole('button', { name: 'Attach files' }).click();
  await page.getByRole('menuitem', { name: 'From your library' }).click();
  expect(await picker.getByRole('checkbox', { name: 'shopfront.jpg Attached already' }).isDisabled()).toBe(
    true,
  );
  await picker.getByRole('checkbox', { name: report }).check();
  await picker.getByRole('button', { name: 'Attach file' }).click();
  await attached.getByText(report).waitFor();
  await look(page, 'library-attached');
  await send(page, 'Here they are once more; keep to what they say.');
  await replyEnded(page, 2);
  const sent = page.getByRole('article', { name: 'You' }).last();
  const small = sent.getByRole('img', { name: 'shopfront.jpg' });
  await expect.poll(() => widthOf(small)).toBeGreaterThan(100);
  await small.scrollIntoViewIfNeeded();
  await lookAtAll(page, 'library-sent');
  await small.click();
  const large = page.getByRole('dialog', { name: 'shopfront.jpg' }).getByRole('img');
  await expect.poll(() => widthOf(large)).toBeGreaterThan(320);
  await look(page, 'library-sent-large');
  await page.keyboard.press('Escape');
  await openLibrary(page);
  const chat_link = row(page, report).getByRole('link');
  await chat_link.waitFor();
  expect(await chat_link.innerText()).toContain('sourdough');
  await choose(page, report, 'Delete');
  const dialog = page.getByRole('dialog', { name: `Delete “${report}”?` });
  expect(await dialog.innerText()).toContain('The chat that has it keeps a note that it was there.');
  await dialog.getByRole('button', { name: 'Delete file' }).click();
  await expect.poll(() => files(page).count()).toBe(1);
  await row(page, 'shopfront.jpg').getByRole('link').click();
  await sent.getByText('deleted').waitFor();
  expect(await sent.getByRole('button', { name: new RegExp(report) }).count()).toBe(0);
  await sent.scrollIntoViewIfNeeded();
  await lookAtAll(page, 'library-note');
  // What was quoted of it stays, and nobody says that it is somebody else's.
  const citation = page.getByRole('list', { name: 'From your files' }).first().getByRole('button').first();
  await citation.click();
  const passage = page.getByRole('region', { name: 'Passage text' });
  await passage.getByText('The file is not there any more').waitFor();
  expect(await page.getByRole('button', { name: 'Download the original' }).isVisible()).toBe(false);
  await look(page, 'library-passage-gone');
  await page.keyboard.press('Escape');

  // The message is edited without it.
  await sent.getByRole('button', { name: 'Edit message' }).click();
  await page.getByText(`“${report}” was deleted, and will not go along with the message.`).waitFor();
  await page.getByRole('textbox', { name: 'Edit your message' }).fill('Keep to what the picture shows.');
  await page.getByRole('button', { name: 'Save & send' }).click();
  await sent.getByText('Keep to what the picture shows.').waitFor();
  await replyEnded(page, 2);
  expect(await sent.getByText('deleted').count()).toBe(0);

  // Nobody else has any of it.
  const other = await enter();
  await openLibrary(other.page);
  await other.page.getByText('Nothing here yet').waitFor();
  expect(unexpected([...complaints, ...other.complaints])).toEqual([]);
  await other.context.close();
  await context.close();
});
