import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startBalancer } from '../drill/balancer.ts';
import { createServerProcess, findLastingPort, type ServerProcess } from '../drill/server-process.ts';
import { createTestServer } from '../server/testing/test-postgres.ts';
import { launchBrowser } from './launch-browser.ts';
import { openPage, replyEnded, send, signUp } from './steps.ts';

let browser: Browser;
let postgres: Awaited<ReturnType<typeof createTestServer>>;
let folder: string;
let servers: ServerProcess[];
let balancer: Awaited<ReturnType<typeof startBalancer>>;
const deaths: string[] = [];

beforeAll(async () => {
  browser = await launchBrowser();
  postgres = await createTestServer();
  folder = mkdtempSync(join(tmpdir(), 'touchline-two-'));
  const settings = { DATABASE_URL: await postgres.createDatabase(), DATA_DIR: join(folder, 'data') };
  servers = await Promise.all(
    [1, 2].map(async () =>
      createServerProcess(await findLastingPort(), settings, join(folder, 'log'), (how) => deaths.push(how)),
    ),
  );
  for (const server of servers) {
    server.start();
    await server.ready();
  }
  balancer = await startBalancer(servers.map(({ port }) => port));
});
afterAll(async () => {
  await browser?.close();
  await balancer?.close();
  await Promise.all((servers ?? []).map((server) => server.end('SIGTERM')));
  await postgres?.stop();
  rmSync(folder, { recursive: true, force: true });
});

it('a member works on two servers behind a balancer, in two tabs, and goes on when one of them is killed', async () => {
  const context = await browser.newContext();
  const { page, complaints } = await openPage(context, `http://127.0.0.1:${balancer.port}`);
  await signUp(page);
  await page.getByRole('link', { name: 'Carousel coach', exact: true }).click();
  await send(page, 'A carousel about sourdough for people who bake at home');
  await page.getByRole('article', { name: 'Carousel coach' }).waitFor();
  // While the reply grows, a second tab joins it, on whichever server it comes to.
  const second = await openPage(context, page.url());
  await replyEnded(page, 1);
  await replyEnded(second.page, 1);
  const wordsOf = async (shown: Page) => {
    // Replies are drawn by a part of the page that comes a moment later.
    await expect.poll(() => shown.locator('.appear-late').count()).toBe(0);
    return shown.getByRole('article').locator('p').allInnerTexts();
  };
  const words = await wordsOf(page);
  expect(words.join(' ')).toContain('Who is it for?');
  expect(await wordsOf(second.page)).toEqual(words);
  expect(balancer.passed.every((connections) => connections > 0)).toBe(true);
  expect([...complaints, ...second.complaints]).toEqual([]);

  await servers[0]!.end('SIGKILL');
  await send(page, 'Most people knead too long and wait too little');
  await replyEnded(page, 2);
  await page.reload();
  await replyEnded(page, 2);
  expect((await wordsOf(page)).slice(0, words.length)).toEqual(words);
  expect(await page.getByRole('article', { name: 'Carousel coach' }).count()).toBe(2);
  expect(deaths).toEqual([]);
  await context.close();
});
