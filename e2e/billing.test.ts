import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { no_settings } from '../server/testing/no-settings.ts';
import {
  buy,
  cleaned,
  dayOf,
  desk,
  dialog,
  news,
  pay,
  phone,
  press,
  section,
  signUp,
  startBillingSite,
} from './start-billing-site.ts';
import { startTouchline } from './start-touchline.ts';
import { expectAccessible, look, openPage } from './steps.ts';

const run = promisify(execFile);

let site: Awaited<ReturnType<typeof startBillingSite>>;
beforeAll(async () => {
  site = await startBillingSite();
});
afterAll(() => site.stop());
afterEach(() => site.mend());

describe('buying a plan', () => {
  it('pays at Stripe, is active on coming back before any event, and stays so when the page is loaded again', async () => {
    const { context, page, complaints } = await site.signUp('buys', { path: '/' });
    await page.getByRole('button', { name: /^Account:/ }).click();
    await page.getByRole('menuitem', { name: 'Plan and billing' }).press('Enter');
    await page.getByRole('heading', { name: 'Plan', exact: true }).waitFor();
    await section(page, 'Your plan').getByText('50 of 50 messages left').waitFor();
    await expectAccessible(page, 'plan, free');
    await look(page, 'plan-free');

    const events = site.stripe.events.length;
    await press(page, /^Choose Pro/);
    await page.getByRole('heading', { name: 'Pay 49.00 USD' }).waitFor();
    await pay(page);
    await news(page).getByText('Pro is active').waitFor();
    await cleaned(page);
    await section(page, 'Your plan').getByText('1,000 of 1,000 messages left').waitFor();
    const { current_period_end } = site.lastSubscription().items.data[0];
    await section(page, 'Your plan')
      .getByText(`Paid until ${dayOf(current_period_end)}`)
      .waitFor();
    await section(page, 'Your plan')
      .getByText(`Next payment: US$49 on ${dayOf(current_period_end)}.`)
      .waitFor();
    await expectAccessible(page, 'plan, bought');
    await look(page, 'plan-bought');

    await page.reload();
    await section(page, 'Your plan').getByText('1,000 of 1,000').waitFor();
    expect(await news(page).innerText()).toBe('');
    // Back to the page at Stripe, which is done, and from there to the site once more.
    await page.goBack();
    await page.goto(`${site.url}/settings/plan`);
    await site.deliverEvents(events);
    await section(page, 'Your plan').getByText('1,000 of 1,000').waitFor();
    expect(site.countOf('subscription')).toBe(1);
    expect(complaints).toEqual([]);
    await context.close();
  });

  it('waits while Stripe cannot be asked, also when the page is loaded again, and says after a while that nothing is lost', async () => {
    const { context, page } = await site.signUp('waits');
    await press(page, /^Choose Starter/);
    await page.getByRole('button', { name: /^Pay / }).waitFor();
    const events = site.stripe.events.length;
    await page.clock.install();
    site.stripe.outage = 503;
    // The page at Stripe works; only the questions of the server are not answered.
    await page.getByRole('button', { name: /^Pay / }).click();
    await news(page).getByText('We are waiting for Stripe').waitFor();
    await page.reload();
    await news(page).getByText('We are waiting for Stripe').waitFor();
    await page.clock.fastForward(21_000);
    await news(page).getByText('What you have paid is not lost').waitFor();
    await expectAccessible(page, 'plan, waiting');
    await look(page, 'plan-waiting');
    // The rest of the page works meanwhile.
    await section(page, 'Your plan').getByText('50 of 50 messages left').waitFor();
    site.stripe.outage = undefined;
    await page.clock.fastForward(31_000);
    await news(page).getByText('Starter is active').waitFor();
    await cleaned(page);
    // The events come an hour late, and change nothing.
    await site.deliverEvents(events);
    await page.reload();
    await section(page, 'Your plan').getByText('300 of 300 messages left').waitFor();
    await context.close();
  });

  it('whoever leaves before paying hears that nothing was charged, and two presses open one page', async () => {
    const { context, page } = await site.signUp('leaves');
    const before = site.countOf('checkout.session');
    await page.getByRole('button', { name: /^Choose Pro/ }).dblclick();
    await page.getByRole('link', { name: 'Back' }).click();
    await news(page).getByText('You came back without paying').waitFor();
    await news(page).getByText('Nothing was charged').waitFor();
    await page.waitForURL(`${site.url}/settings/plan`);
    expect(site.countOf('checkout.session') - before).toBe(1);
    await look(page, 'plan-came-back');
    await page.reload();
    await section(page, 'Your plan').waitFor();
    expect(await news(page).innerText()).toBe('');
    // Out to Stripe and back by the browser's own button: the page can be used.
    await press(page, /^Choose Starter/);
    await page.getByRole('heading', { name: /^Pay / }).waitFor();
    await page.goBack();
    await press(page, /^Choose Pro/);
    await page.getByRole('heading', { name: 'Pay 49.00 USD' }).waitFor();
    await context.close();
  });

  it('of two tabs one pays; the other is told that there is a plan, and shows it', async () => {
    const { context, page } = await site.signUp('tabs');
    const other = await context.newPage();
    await other.goto(`${site.url}/settings/plan`);
    await other.getByRole('button', { name: /^Choose Pro/ }).waitFor();
    await press(page, /^Choose Starter/);
    await page.getByRole('button', { name: /^Pay / }).waitFor();
    site.stripe.pay(page.url());
    await press(other, /^Choose Pro/);
    await other.getByRole('alert').getByText('You have a plan already. Nothing was charged').waitFor();
    await other.getByRole('button', { name: 'Upgrade to Pro' }).waitFor();
    // The first one's page at Stripe is done; whoever comes back from it has the plan.
    await page.goto(
      `${site.url}/billing?checkout_session_id=${site.stripe.list('checkout.session').at(-1)!.id}`,
    );
    await news(page).getByText('Starter is active').waitFor();
    expect(site.lastSubscription().customer).not.toBe(undefined);
    await context.close();
  });

  it('whoever stops Stripe’s page on its way can press again', async () => {
    const { context, page } = await site.signUp('stops');
    await page.clock.install();
    // An answer that leads nowhere: the browser stays where it is.
    await context.route('**/c/pay/**', (route) => route.fulfill({ status: 204 }));
    const [on_its_way] = await Promise.all([page.waitForRequest('**/c/pay/**'), press(page, /^Choose Pro/)]);
    expect(on_its_way.isNavigationRequest()).toBe(true);
    await page.getByText('Opening Stripe').waitFor();
    await page.clock.fastForward(15_000);
    await context.unroute('**/c/pay/**');
    await press(page, /^Choose Pro/);
    await page.getByRole('heading', { name: 'Pay 49.00 USD' }).waitFor();
    await context.close();
  });

  it('whoever is signed out meanwhile signs in and has what was paid', async () => {
    const { context, page } = await site.signUp('away');
    await press(page, /^Choose Pro/);
    await page.getByRole('button', { name: /^Pay / }).waitFor();
    const { id } = site.stripe.pay(page.url());
    await context.close();
    const fresh = await site.browser.newContext({ viewport: desk, locale: 'en-GB' });
    const { page: back } = await openPage(fresh, `${site.url}/billing?checkout_session_id=${id}`);
    await back.getByRole('textbox', { name: 'Email' }).fill('away@example.org');
    await back.getByLabel('Password', { exact: true }).fill('a long password');
    await back.getByRole('button', { name: 'Sign in', exact: true }).click();
    await news(back).getByText('Pro is active').waitFor();
    await fresh.close();
  });

  it('a payment that takes days, and a checkout that has run out, say what that means', async () => {
    const { context, page } = await site.signUp('patient');
    const answer = (outcome: string) =>
      page.route('**/api/billing/confirm', (route) =>
        route.fulfill({ json: { outcome, bought: { top_up: 'messages_50', messages: 50 } } }),
      );
    for (const [outcome, words] of [
      ['processing', 'Your payment is on its way'],
      ['expired', 'This checkout has run out'],
    ] as const) {
      await answer(outcome);
      await page.goto(`${site.url}/billing?checkout_session_id=cs_test_1`);
      await news(page).getByText(words).waitFor();
      await cleaned(page);
      await page.unrouteAll();
    }
    await context.close();
  });

  it('somebody else’s checkout, and one that is none, tell nothing', async () => {
    const { context, page } = await site.signUp('curious');
    for (const id of [site.stripe.list('checkout.session')[0]!.id, 'cs_test_none', 'not one']) {
      await page.goto(`${site.url}/billing?checkout_session_id=${encodeURIComponent(id)}`);
      await news(page).getByText('There is no such checkout').waitFor();
      await cleaned(page);
    }
    await section(page, 'Your plan').getByText('50 of 50').waitFor();
    await context.close();
  });

  it('each error says that nothing was charged, and the button can be pressed again', async () => {
    const { context, page } = await site.signUp('unlucky');
    const problem = section(page, 'Plans').getByRole('alert').filter({ hasText: /./ });
    const choose = () => press(page, /^Choose Pro/);
    await page.getByRole('button', { name: /^Choose Pro/ }).waitFor();
    site.stripe.outage = 500;
    await choose();
    await problem.getByText(/cannot be reached.*nothing was charged/).waitFor();
    await look(page, 'plan-stripe-away');
    await expectAccessible(page, 'plan, an error');
    site.stripe.outage = undefined;
    const refuse = (status: number, body: string) =>
      page.route('**/api/billing/checkout', (route) => route.fulfill({ status, body }));
    await refuse(
      429,
      JSON.stringify({
        code: 'too_many_requests',
        detail: 'This was tried too often. Try again in 2 minutes.',
      }),
    );
    await choose();
    await problem
      .getByText('Nothing was charged. This was tried too often. Try again in 2 minutes.')
      .waitFor();
    await page.unrouteAll();
    await refuse(502, '<html>Bad gateway</html>');
    await choose();
    await problem.getByText(/Nothing was charged\. The server answered with an error \(502\)/).waitFor();
    await page.unrouteAll();
    await context.setOffline(true);
    await choose();
    await problem.getByText(/Nothing was charged\. Touchline could not be reached/).waitFor();
    await context.setOffline(false);
    await choose();
    await page.getByRole('heading', { name: 'Pay 49.00 USD' }).waitFor();
    await context.close();
  });
});

it('messages on top say what they do, are paid for once, and are shown', async () => {
  const { context, page } = await site.signUp('tops-up');
  const top_ups = section(page, 'More messages');
  await top_ups.getByText('50 messages, used after those of your plan. They never expire.').waitFor();
  await top_ups.getByRole('button', { name: 'Buy 50 messages for US$6' }).click();
  const events = site.stripe.events.length;
  await pay(page);
  await news(page).getByText('50 messages added').waitFor();
  await section(page, 'Your plan').getByText('50 of 50 messages left, and 50 that you bought.').waitFor();
  await page
    .getByRole('button', { name: /^Account:/ })
    .getByText('100 messages left')
    .waitFor();
  await site.deliverEvents(events);
  await page.reload();
  await top_ups.getByText('You have 50 bought messages left.').waitFor();
  await context.close();
});

it('on a phone and in the dark everything is in reach, and nothing is wider than the screen', async () => {
  const { context, page } = await site.signUp('phone', { viewport: phone, colorScheme: 'dark' });
  await section(page, 'More messages').waitFor();
  expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(390);
  await look(page, 'plan-phone-dark');
  await section(page, 'Plans').getByRole('heading', { name: 'Starter' }).scrollIntoViewIfNeeded();
  await look(page, 'plan-phone-cards');
  await expectAccessible(page, 'plan, phone, dark');
  await buy(page, 'Starter');
  await press(page, 'Upgrade to Pro');
  await dialog(page)
    .getByText(/^You pay /)
    .waitFor();
  await look(page, 'plan-phone-upgrade');
  await expectAccessible(page, 'upgrade, phone, dark');
  await page.keyboard.press('Escape');
  await page.setViewportSize({ width: 1280, height: 2100 });
  await look(page, 'plan-dark');
  await context.close();
});

it('without Stripe plans are shown, nothing can be bought, and a sentence says whom to ask', async () => {
  const plain = await startTouchline();
  try {
    const { context, page, complaints } = await signUp(site.browser, plain.url, 'asks');
    await section(page, 'Plans').getByText('whoever runs this site gives plans by hand').waitFor();
    await section(page, 'Plans').getByRole('heading', { name: 'Pro' }).waitFor();
    expect(await page.getByRole('button', { name: /Choose|Buy|Cards|Cancel/ }).count()).toBe(0);
    expect(await section(page, 'More messages').count()).toBe(0);
    await expectAccessible(page, 'plan, without Stripe');
    await look(page, 'plan-without-stripe');
    expect(complaints).toEqual([]);
    // An operator gives one.
    const until = new Date(Date.now() + 60 * 86_400_000).toISOString().slice(0, 10);
    await run(process.execPath, [join('scripts', 'grant.ts'), 'asks@example.org', 'pro', until, 'a trial'], {
      cwd: join(import.meta.dirname, '..'),
      env: { ...process.env, ...no_settings, DATA_DIR: plain.folder },
    });
    await page.reload();
    await section(page, 'Your plan')
      .getByText(/^Given to you until .+ It ends by itself, and costs nothing\.$/)
      .waitFor();
    await section(page, 'Your plan').getByText('After that you are on Free.').waitFor();
    await section(page, 'Your plan').getByText('1,000 of 1,000 messages left').waitFor();
    await look(page, 'plan-granted');
    await context.close();
  } finally {
    await plain.stop();
  }
});
