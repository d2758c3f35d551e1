import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { expect } from 'vitest';
import { loadPlans } from '../server/billing/load-plans.ts';
import { createStripeClient } from '../server/billing/stripe-client.ts';
import { syncCatalog } from '../server/billing/sync-catalog.ts';
import { startFakeStripe } from '../server/testing/fake-stripe/fake-stripe.ts';
import { launchBrowser } from './launch-browser.ts';
import { startTouchline } from './start-touchline.ts';
import { openPage } from './steps.ts';

const plans_file = join(import.meta.dirname, '..', 'plans.yaml');
export const desk = { width: 1280, height: 1000 };
export const phone = { width: 390, height: 844 };

type SignUpOptions = {
  viewport?: typeof desk;
  path?: string;
  colorScheme?: 'light' | 'dark';
};

/** Touchline with a Stripe of its own, which has the prices of plans.yaml and tells nothing by itself; and a browser. */
export async function startBillingSite() {
  const browser = await launchBrowser();
  const stripe = await startFakeStripe();
  const { secret_key, webhook_secret, url: api_url } = stripe;
  const client = createStripeClient({ secret_key, webhook_secret, api_url, automatic_tax: false });
  await syncCatalog(await client.load(), await loadPlans(plans_file), 'https://coach.example.org');
  const touchline = await startTouchline({
    STRIPE_SECRET_KEY: secret_key,
    STRIPE_WEBHOOK_SECRET: webhook_secret,
    STRIPE_API_URL: api_url,
  });
  const { url } = touchline;
  return {
    browser,
    stripe,
    url,
    signUp: (name: string, options: SignUpOptions = {}) => signUp(browser, url, name, options),
    /** Sends what has happened at Stripe since `from`. */
    async deliverEvents(from: number) {
      for (const event of stripe.events.slice(from)) {
        expect((await stripe.deliver(event, url)).status).toBe(200);
      }
    },
    lastSubscription: () => stripe.list('subscription').at(-1)!,
    countOf: (object: string) => stripe.list(object).length,
    /** Cards are taken and questions answered, as at the start. */
    mend() {
      stripe.state.declines_cards = false;
      stripe.state.wants_confirmation = false;
      stripe.outage = undefined;
    },
    async stop() {
      await touchline.stop();
      await stripe.close();
      await browser.close();
    },
  };
}

/** A new member on the page of the plans, in Vienna. */
export async function signUp(
  browser: Browser,
  url: string,
  name: string,
  { viewport = desk, path = '/settings/plan', colorScheme = 'light' }: SignUpOptions = {},
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

export const press = (page: Page, name: string | RegExp) =>
  page.getByRole('button', typeof name === 'string' ? { name, exact: true } : { name }).click();
export const section = (page: Page, name: string) => page.getByRole('region', { name, exact: true });
export const dialog = (page: Page) => page.getByRole('dialog');
/** What has just happened, at the top of the page. */
export const news = (page: Page) => page.locator('main [role=status][tabindex]');

/** Pays at Stripe's page, and comes back. */
export async function pay(page: Page) {
  await page.getByRole('button', { name: /^Pay / }).click();
  await page.waitForURL(/\/settings\/plan/);
}

export async function buy(page: Page, plan: 'Starter' | 'Pro' | 'Enterprise') {
  await press(page, new RegExp(`^Choose ${plan}`));
  await pay(page);
  await news(page).getByText(`${plan} is active`).waitFor();
}

/** Loads the page again until something holds there: events are worked off behind their answer. */
export async function reloadUntil(page: Page, holds: () => Promise<boolean>) {
  await expect
    .poll(
      async () => {
        await page.reload();
        await section(page, 'Your plan').waitFor();
        return holds();
      },
      { timeout: 30_000, interval: 250 },
    )
    .toBe(true);
}

/** Waits until the address carries nothing of a checkout any more. */
export const cleaned = (page: Page) => page.waitForURL(({ search }) => search === '');

/** The day of an instant, as the member of `signUp` reads it. */
export const dayOf = (at_s: number) =>
  new Intl.DateTimeFormat('en-GB', { dateStyle: 'long', timeZone: 'Europe/Vienna' }).format(at_s * 1000);
