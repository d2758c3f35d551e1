import { describe, expect, test } from 'vitest';
import { createFormats } from '../accounts/formats.ts';
import type { Billing, PlanCatalog, Subscription } from './billing.ts';
import { type ChangePreview, changeWords } from './change-words.ts';

const includes = { messages: 300, files: 50, tokens: 2_000_000, storage_mb: 1_000 };
const catalog: PlanCatalog = {
  ...{ is_on: true, currency: 'usd', top_ups: [] },
  plans: [
    { slug: 'free', title: 'Free', summary: '', price: null, includes },
    { slug: 'starter', title: 'Starter', summary: '', price: { month: 1900, year: 19_000 }, includes },
    {
      ...{ slug: 'pro', title: 'Pro', summary: '', price: { month: 4900, year: 49_000 } },
      includes: { ...includes, messages: 1000 },
    },
  ],
};
const formats = createFormats('en-US', 'America/New_York');
const month = (plan: string) => ({ plan, interval: 'month' as const });
const year = (plan: string) => ({ plan, interval: 'year' as const });

function words(preview: Partial<ChangePreview>, subscription: Partial<Subscription> = {}) {
  const billing = {
    subscription: {
      ...{ plan: 'starter', interval: 'month', status: 'active', cancel_at: null, next: null },
      current_period_end: '2026-12-23T02:00:00Z',
      ...subscription,
    },
  } as Billing;
  const full: ChangePreview = {
    ...{ when: 'now', at: '2026-11-23T12:00:00Z', from: month('starter'), to: month('pro') },
    ...{ due_now_minor: 2743, price_minor: 4900, currency: 'usd', previewed_at_s: 0 },
    ...preview,
  };
  return changeWords(full, { catalog, billing, formats });
}

describe('a change is said in words before it is paid', () => {
  test('more begins at once: what is charged today stands first, and on the button', () => {
    const { title, facts, confirm } = words({});
    expect(title).toBe('Upgrade to Pro?');
    expect(facts[0]).toBe('You pay $27.43 today.');
    // The end of the period is the member's own day.
    expect(facts.join(' ')).toContain(
      'Pro until December 22, 2026, less what is left of what you paid for Starter',
    );
    expect(facts.join(' ')).toContain('From December 22, 2026 on it is $49 a month, before tax.');
    expect(facts.join(' ')).toContain('1,000 messages a month');
    expect(confirm).toBe('Pay $27.43 now');
  });

  test('where what is left covers it nothing is charged, and no amount is asked for', () => {
    for (const due_now_minor of [0, -500]) {
      const { facts, confirm } = words({ due_now_minor });
      expect(facts[0]).toMatch(/^Nothing is charged today/);
      expect(confirm).toBe('Upgrade to Pro');
    }
  });

  test('a year begins today, and is not said to renew when the month would have', () => {
    const { title, facts } = words({
      from: month('pro'),
      to: year('pro'),
      price_minor: 49_000,
      due_now_minor: 45_000,
    });
    expect(title).toBe('Pay Pro by the year?');
    expect(facts[0]).toBe('You pay $450 today.');
    expect(facts.join(' ')).toContain('A new year begins today. After it, it is $490 a year');
    expect(facts.join(' ')).not.toContain('December');
  });

  test('less begins when what is paid for is over, and can be taken back', () => {
    const { facts, confirm, done } = words({
      ...{ when: 'at_period_end', from: month('pro'), to: month('starter') },
      ...{ at: '2026-12-23T02:00:00Z', due_now_minor: null, price_minor: 1900 },
    });
    expect(facts[0]).toBe('Nothing is charged today.');
    expect(facts[1]).toMatch(/Until December 22, 2026 at 9:00\sPM .* you keep Pro/);
    expect(facts.join(' ')).toContain('Then Starter begins: $19 a month, before tax.');
    expect(facts.join(' ')).toContain('You can take this back until then.');
    expect(confirm).toBe('Change to Starter');
    expect(done).toContain('Until then you keep Pro.');
  });

  test('a cancellation, and a change that was to come, are said to be taken back', () => {
    expect(words({}, { cancel_at: '2026-12-23T02:00:00Z' }).facts.at(-1)).toContain(
      'cancellation is taken back',
    );
    const next = { plan: 'free', interval: 'month' as const, at: '2026-12-23T02:00:00Z' };
    expect(words({}, { next }).facts.at(-1)).toContain('change to Free that was to come is taken back');
  });

  test('where there is nothing to change there is nothing to press', () => {
    expect(words({ when: 'unchanged', to: month('starter') }).confirm).toBe(null);
  });
});
