import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { loadPlans } from '../server/billing/load-plans.ts';
import { createStripeClient } from '../server/billing/stripe-client.ts';
import { syncCatalog } from '../server/billing/sync-catalog.ts';
import { type FakeStripe, startFakeStripe } from '../server/testing/fake-stripe/fake-stripe.ts';
import { no_settings } from '../server/testing/no-settings.ts';
import { launchBrowser } from './launch-browser.ts';
import { startTouchline } from './start-touchline.ts';
import { expectAccessible, look, openPage } from './steps.ts';

const plans_file = join(import.meta.dirname, '..', 'plans.yaml');
const run = promisify(execFile);
const desk = { width: 1280, height: 1000 };
const phone = { width: 390, height: 844 };

let browser: Browser;
let stripe: FakeStripe;
let touchline: Awaited<ReturnType<typeof startTouchline>>;
beforeAll(async () => {
  browser = await launchBrowser();
  stripe = await startFakeStripe();
  const { secret_key, webhook_secret, url: api_url } = stripe;
  const client = createStripeClient({ secret_key, webhook_secret, api_url, automatic_tax: false });
  await syncCatalog(await client.load(), await loadPlans(plans_file), 'https://coach.example.org');
  touchline = await startTouchline({
    STRIPE_SECRET_KEY: secret_key,
    STRIPE_WEBHOOK_SECRET: webhook_secret,
    STRIPE_API_URL: api_url,
  });
});
afterAll(async () => {
  await touchline.stop();
  await stripe.close();
  await browser.close();
});
afterEach(() => {
  stripe.state.declines_cards = false;
  stripe.outage = undefined;
});

/** A new member on the page of the plans. */
async function signUp(
  name: string,
  {
    url = touchline.url,
    viewport = desk,
    path = '/settings/plan',
    colorScheme = 'light' as 'light' | 'dark',
  } = {},
) {
  const context = await browser.newContext({
    ...{ colorScheme, viewport, locale: 'en-GB', timezoneId: 'Europe/Vienna' },
  });
  const { page, complaints } = await openPage(context, `${url}/sign-up?next=${encodeURIComponent(path)}`);
  await page.getByRole('textbox', { name: 'Email' }).fill(`${name}@example.org`);
  await page.getByLabel('Password', { exact: true }).fill('a long password');
  await page.getByRole('button', { name: 'Create account' }).click();
  await page.waitForURL(url + path);
  return { context, page, complaints };
}

const press = (page: Page, name: string | RegExp) =>
  page.getByRole('button', typeof name === 'string' ? { name, exact: true } : { name }).click();
const section = (page: Page, name: string) => page.getByRole('region', { name, exact: true });
const dialog = (page: Page) => page.getByRole('dialog');
const news = (page: Page) => page.locator('main [role=status][tabindex]');

/** Pays at Stripe's page, and comes back. */
async function pay(page: Page) {
  await page.getByRole('button', { name: /^Pay / }).click();
  await page.waitForURL(/\/settings\/plan/);
}

async function buy(page: Page, plan: 'Starter' | 'Pro' | 'Enterprise') {
  await press(page, new RegExp(`^Choose ${plan}`));
  await pay(page);
  await news(page).getByText(`${plan} is active`).waitFor();
}

/** Sends what has happened at Stripe since `from`. */
async function deliverEvents(from: number) {
  for (const event of stripe.events.slice(from)) {
    expect((await stripe.deliver(event, touchline.url)).status).toBe(200);
  }
}

const lastSubscription = () => stripe.list('subscription').at(-1)!;
const countOf = (object: string) => stripe.list(object).length;
const dayOf = (at_s: number) =>
  new Intl.DateTimeFormat('en-GB', { dateStyle: 'long', timeZone: 'Europe/Vienna' }).format(at_s * 1000);

describe('buying a plan', () => {
  it('pays at Stripe, is active on coming back before any event, and stays so when the page is loaded again', async () => {
    const { context, page, complaints } = await signUp('buys', { path: '/' });
    await page.getByRole('button', { name: /^Account:/ }).click();
    await page.getByRole('menuitem', { name: 'Plan and billing' }).press('Enter');
    await page.getByRole('heading', { name: 'Plan', exact: true }).waitFor();
    await section(page, 'Your plan').getByText('50 of 50 messages left').waitFor();
    await expectAccessible(page, 'plan, free');
    await look(page, 'plan-free');

    const events = stripe.events.length;
    await press(page, /^Choose Pro/);
    await page.getByRole('heading', { name: 'Pay 49.00 USD' }).waitFor();
    await pay(page);
    await news(page).getByText('Pro is active').waitFor();
    await expect.poll(() => new URL(page.url()).search).toBe('');
    await section(page, 'Your plan').getByText('1,000 of 1,000 messages left').waitFor();
    const { current_period_end } = lastSubscription().items.data[0];
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
    await page.goto(`${touchline.url}/settings/plan`);
    await deliverEvents(events);
    await section(page, 'Your plan').getByText('1,000 of 1,000').waitFor();
    expect(countOf('subscription')).toBe(1);
    expect(complaints).toEqual([]);
    await context.close();
  });

  it('waits while Stripe cannot be asked, also when the page is loaded again, and says after a while that nothing is lost', async () => {
    const { context, page } = await signUp('waits');
    await press(page, /^Choose Starter/);
    await page.getByRole('button', { name: /^Pay / }).waitFor();
    const events = stripe.events.length;
    await page.clock.install();
    stripe.outage = 503;
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
    stripe.outage = undefined;
    await page.clock.fastForward(31_000);
    await news(page).getByText('Starter is active').waitFor();
    await expect.poll(() => new URL(page.url()).search).toBe('');
    // The events come an hour late, and change nothing.
    await deliverEvents(events);
    await page.reload();
    await section(page, 'Your plan').getByText('300 of 300 messages left').waitFor();
    await context.close();
  });

  it('whoever leaves before paying hears that nothing was charged, and two presses open one page', async () => {
    const { context, page } = await signUp('leaves');
    const before = countOf('checkout.session');
    await page.getByRole('button', { name: /^Choose Pro/ }).dblclick();
    await page.getByRole('link', { name: 'Back' }).click();
    await news(page).getByText('You came back without paying').waitFor();
    await news(page).getByText('Nothing was charged').waitFor();
    await expect.poll(() => page.url()).toBe(`${touchline.url}/settings/plan`);
    expect(countOf('checkout.session') - before).toBe(1);
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
    const { context, page } = await signUp('tabs');
    const other = await context.newPage();
    await other.goto(`${touchline.url}/settings/plan`);
    await other.getByRole('button', { name: /^Choose Pro/ }).waitFor();
    await press(page, /^Choose Starter/);
    await page.getByRole('button', { name: /^Pay / }).waitFor();
    stripe.pay(page.url());
    await press(other, /^Choose Pro/);
    await other.getByRole('alert').getByText('You have a plan already. Nothing was charged').waitFor();
    await other.getByRole('button', { name: 'Upgrade to Pro' }).waitFor();
    // The first one's page at Stripe is done; whoever comes back from it has the plan.
    await page.goto(
      `${touchline.url}/billing?checkout_session_id=${stripe.list('checkout.session').at(-1)!.id}`,
    );
    await news(page).getByText('Starter is active').waitFor();
    expect(lastSubscription().customer).not.toBe(undefined);
    await context.close();
  });

  it('whoever is signed out meanwhile signs in and has what was paid', async () => {
    const { context, page } = await signUp('away');
    await press(page, /^Choose Pro/);
    await page.getByRole('button', { name: /^Pay / }).waitFor();
    const { id } = stripe.pay(page.url());
    await context.close();
    const fresh = await browser.newContext({ viewport: desk, locale: 'en-GB' });
    const { page: back } = await openPage(fresh, `${touchline.url}/billing?checkout_session_id=${id}`);
    await back.getByRole('textbox', { name: 'Email' }).fill('away@example.org');
    await back.getByLabel('Password', { exact: true }).fill('a long password');
    await back.getByRole('button', { name: 'Sign in', exact: true }).click();
    await news(back).getByText('Pro is active').waitFor();
    await fresh.close();
  });

  it('a payment that takes days, and a checkout that has run out, say what that means', async () => {
    const { context, page } = await signUp('patient');
    const answer = (outcome: string) =>
      page.route('**/api/billing/confirm', (route) =>
        route.fulfill({ json: { outcome, bought: { top_up: 'messages_50', messages: 50 } } }),
      );
    for (const [outcome, words] of [
      ['processing', 'Your payment is on its way'],
      ['expired', 'This checkout has run out'],
    ] as const) {
      await answer(outcome);
      await page.goto(`${touchline.url}/billing?checkout_session_id=cs_test_1`);
      await news(page).getByText(words).waitFor();
      await expect.poll(() => new URL(page.url()).search).toBe('');
      await page.unrouteAll();
    }
    await context.close();
  });

  it('somebody else’s checkout, and one that is none, tell nothing', async () => {
    const { context, page } = await signUp('curious');
    for (const id of [stripe.list('checkout.session')[0]!.id, 'cs_test_none', 'not one']) {
      await page.goto(`${touchline.url}/billing?checkout_session_id=${encodeURIComponent(id)}`);
      await news(page).getByText('There is no such checkout').waitFor();
      await expect.poll(() => new URL(page.url()).search).toBe('');
    }
    await section(page, 'Your plan').getByText('50 of 50').waitFor();
    await context.close();
  });

  it('each error says that nothing was charged, and the button can be pressed again', async () => {
    const { context, page } = await signUp('unlucky');
    const problem = section(page, 'Plans').getByRole('alert').filter({ hasText: /./ });
    const choose = () => press(page, /^Choose Pro/);
    await page.getByRole('button', { name: /^Choose Pro/ }).waitFor();
    stripe.outage = 500;
    await choose();
    await problem.getByText(/cannot be reached.*nothing was charged/).waitFor();
    await look(page, 'plan-stripe-away');
    await expectAccessible(page, 'plan, an error');
    stripe.outage = undefined;
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

describe('changing the plan', () => {
  it('shows what a larger one costs today before it is paid, and asks anew where that does not hold any more', async () => {
    const { context, page, complaints } = await signUp('grows');
    await buy(page, 'Starter');
    await press(page, 'Upgrade to Pro');
    await dialog(page)
      .getByText(/^You pay US\$30.* today\.$/)
      .waitFor();
    await look(page, 'plan-upgrade');
    await expectAccessible(page, 'upgrade');
    await page.keyboard.press('Escape');
    expect(await page.evaluate('document.activeElement.textContent')).toBe('Upgrade to Pro');
    expect(lastSubscription().items.data[0].price.unit_amount).toBe(1900);

    await page.keyboard.press('Enter');
    const confirm = dialog(page).getByRole('button', { name: /^Pay US\$30/ });
    await confirm.waitFor();
    // Another tab pays by the year meanwhile.
    const other = await context.newPage();
    await other.goto(`${touchline.url}/settings/plan`);
    await other.getByRole('radio', { name: /^Yearly/ }).check();
    await press(other, 'Pay by the year');
    await dialog(other).getByText('You pay US$171 today.').waitFor();
    await dialog(other).getByRole('button', { name: 'Pay US$171 now' }).click();
    await news(other).getByText('You now pay Starter by the year.').waitFor();
    await confirm.click();
    await dialog(page).getByText('What stood here before did not hold any more').waitFor();
    await dialog(page)
      .getByText(/^Nothing is charged today/)
      .waitFor();
    await look(page, 'plan-preview-outdated');
    await dialog(page).getByRole('button', { name: 'Not now' }).click();

    // By the year too, in two presses.
    await page.getByRole('radio', { name: /^Yearly/ }).check();
    const invoices = countOf('invoice');
    await press(page, 'Upgrade to Pro');
    await dialog(page).getByRole('button', { name: 'Pay US$300 now' }).dblclick();
    await news(page).getByText('Pro is yours from now on.').waitFor();
    await section(page, 'Your plan').getByText('US$490 a year').waitFor();
    expect(countOf('invoice') - invoices).toBe(1);
    expect(complaints.filter((words) => !words.startsWith('Failed to load'))).toEqual([]);
    await context.close();
  });

  it('with a card that is declined leaves the plan as it was, and says so', async () => {
    const { context, page } = await signUp('declined');
    await buy(page, 'Starter');
    stripe.state.declines_cards = true;
    await press(page, 'Upgrade to Pro');
    await dialog(page).getByRole('button', { name: /^Pay / }).click();
    await dialog(page)
      .getByText(/did not go through, so your plan is as it was\. Nothing was charged/)
      .waitFor();
    await expectAccessible(page, 'declined');
    stripe.state.declines_cards = false;
    await dialog(page).getByRole('button', { name: /^Pay / }).click();
    await news(page).getByText('Pro is yours from now on.').waitFor();
    await context.close();
  });

  it('whose answer is lost is said to be uncertain, and the page shows how it stands', async () => {
    const { context, page } = await signUp('lost');
    await buy(page, 'Starter');
    await press(page, 'Upgrade to Pro');
    await dialog(page).getByRole('button', { name: /^Pay / }).waitFor();
    // The server does it, and its answer does not arrive.
    await page.route('**/api/billing/change', async (route) => {
      await route.fetch();
      await route.abort();
    });
    await dialog(page).getByRole('button', { name: /^Pay / }).click();
    await dialog(page)
      .getByText(/not certain whether this was done.*charges nothing twice/)
      .waitFor();
    await page.unrouteAll();
    await section(page, 'Your plan').getByText('US$49 a month').waitFor();
    const invoices = countOf('invoice');
    await dialog(page).getByRole('button', { name: /^Pay / }).click();
    await news(page).getByText('Pro is yours from now on.').waitFor();
    expect(countOf('invoice')).toBe(invoices);
    await context.close();
  });

  it('to a smaller one begins at the end of the period, stands on the page until then, and is taken back', async () => {
    const { context, page } = await signUp('shrinks');
    await buy(page, 'Pro');
    const end = dayOf(lastSubscription().items.data[0].current_period_end);
    await press(page, 'Change to Starter');
    await dialog(page).getByText('Nothing is charged today.').waitFor();
    await look(page, 'plan-downgrade');
    await dialog(page).getByRole('button', { name: 'Change to Starter' }).click();
    await news(page).getByText(`Starter begins on ${end}. Until then you keep Pro.`).waitFor();
    expect(await page.evaluate('document.activeElement.textContent')).toContain('Starter begins on');
    await section(page, `Starter begins on ${end}`).getByText('US$19 a month, before tax').waitFor();
    await section(page, 'Your plan').getByText(`Next payment: US$19 on ${end}.`).waitFor();
    await section(page, 'Plans').getByText(`Yours from ${end}`).waitFor();
    await expectAccessible(page, 'plan, a change to come');
    await look(page, 'plan-change-to-come');
    await press(page, 'Keep Pro');
    await news(page).getByText('Pro goes on as before.').waitFor();
    await section(page, 'Your plan').getByText(`Next payment: US$49 on ${end}.`).waitFor();
    expect(lastSubscription().schedule).toBe(null);
    await context.close();
  });

  it('cancelling says until when it stays and what stays after, by the keyboard alone, and is taken back', async () => {
    const { context, page } = await signUp('undecided');
    await buy(page, 'Starter');
    const end = dayOf(lastSubscription().items.data[0].current_period_end);
    await page.getByRole('button', { name: 'Cancel plan' }).focus();
    await page.keyboard.press('Enter');
    await dialog(page).getByText(`You keep Starter until ${end}`).waitFor();
    await dialog(page).getByText('Your chats and your files stay.').waitFor();
    await look(page, 'plan-cancel');
    await expectAccessible(page, 'cancel');
    await page.keyboard.press('Tab');
    expect(await page.evaluate('document.activeElement.textContent')).toBe('Cancel Starter');
    await page.keyboard.press('Enter');
    await news(page).getByText('Starter is cancelled. You keep it until').waitFor();
    await section(page, `Starter ends on ${end}`).waitFor();
    expect(lastSubscription().cancel_at_period_end).toBe(true);
    await look(page, 'plan-cancelled');
    await expectAccessible(page, 'plan, cancelled');
    await page.getByRole('button', { name: 'Keep Starter' }).press('Enter');
    await news(page).getByText('Starter goes on as before.').waitFor();
    expect(lastSubscription().cancel_at_period_end).toBe(false);

    // Cancelled again, and the period ends.
    await press(page, 'Cancel plan');
    await dialog(page).getByRole('button', { name: 'Cancel Starter' }).click();
    await news(page).getByText('Starter is cancelled').waitFor();
    const events = stripe.events.length;
    stripe.renew(lastSubscription().id);
    await deliverEvents(events);
    await expect
      .poll(async () => {
        await page.reload();
        await section(page, 'Your plan').waitFor();
        return section(page, 'Your plan').innerText();
      })
      .toContain('Starter has ended on');
    await page.getByRole('button', { name: /^Choose Starter/ }).waitFor();
    await context.close();
  });
});

it('messages on top say what they do, are paid for once, and are shown', async () => {
  const { context, page } = await signUp('tops-up');
  const top_ups = section(page, 'More messages');
  await top_ups.getByText('50 messages, used after those of your plan. They never expire.').waitFor();
  await top_ups.getByRole('button', { name: 'Buy 50 messages for US$6' }).click();
  const events = stripe.events.length;
  await pay(page);
  await news(page).getByText('50 messages added').waitFor();
  await section(page, 'Your plan').getByText('50 of 50 messages left, and 50 that you bought.').waitFor();
  await page
    .getByRole('button', { name: /^Account:/ })
    .getByText('100 messages left')
    .waitFor();
  await deliverEvents(events);
  await page.reload();
  await top_ups.getByText('You have 50 bought messages left.').waitFor();
  await context.close();
});

describe('a payment that fails', () => {
  it('keeps the plan, says so kindly, and leads to the card', async () => {
    const { context, page } = await signUp('overdrawn');
    await buy(page, 'Pro');
    let events = stripe.events.length;
    stripe.state.declines_cards = true;
    stripe.renew(lastSubscription().id);
    await deliverEvents(events);
    const notice = section(page, 'Your last payment did not go through');
    await expect
      .poll(async () => {
        await page.reload();
        await section(page, 'Your plan').waitFor();
        return notice.count();
      })
      .toBe(1);
    await notice.getByText('You keep Pro while Stripe tries again').waitFor();
    await section(page, 'Your plan').getByText('1,000 messages left').waitFor();
    await expectAccessible(page, 'plan, past due');
    await look(page, 'plan-past-due');
    events = stripe.events.length;
    await notice.getByRole('button', { name: 'Update your card' }).click();
    await page.getByRole('button', { name: 'Use a card that works' }).click();
    await section(page, 'Your plan').waitFor();
    await deliverEvents(events);
    await expect
      .poll(async () => {
        await page.reload();
        await section(page, 'Your plan').waitFor();
        return notice.count();
      })
      .toBe(0);
    await context.close();
  });

  it('to the end takes the plan and nothing else, and another one can be bought', async () => {
    const { context, page } = await signUp('insolvent');
    await buy(page, 'Pro');
    const events = stripe.events.length;
    stripe.state.declines_cards = true;
    stripe.renew(lastSubscription().id);
    stripe.giveUp(lastSubscription().id, 'unpaid');
    stripe.state.declines_cards = false;
    await deliverEvents(events);
    await expect
      .poll(async () => {
        await page.reload();
        await section(page, 'Your plan').waitFor();
        return section(page, 'Your plan').innerText();
      })
      .toContain('Your chats and files are safe');
    await section(page, 'Your plan').getByText('50 messages left').waitFor();
    await look(page, 'plan-unpaid');
    await buy(page, 'Starter');
    await section(page, 'Your plan').getByText('300 of 300').waitFor();
    await context.close();
  });
});

it('on a phone and in the dark everything is in reach, and nothing is wider than the screen', async () => {
  const { context, page } = await signUp('phone', { viewport: phone, colorScheme: 'dark' });
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
    const { context, page, complaints } = await signUp('asks', { url: plain.url });
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
