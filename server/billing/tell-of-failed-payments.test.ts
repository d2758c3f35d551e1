import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { readConfig } from '../platform/config.ts';
import { createLogger } from '../platform/logger.ts';
import { createMailer } from '../platform/mail/mailer.ts';
import { type FakeSmtp, startFakeSmtp } from '../testing/fake-smtp.ts';
import { mailsTo, smtpSettings } from '../testing/mailbox.ts';
import { startBillingServer } from '../testing/start-billing-server.ts';
import type { TestClient } from '../testing/start-test-server.ts';
import { tellOfFailedPayments } from './tell-of-failed-payments.ts';

let smtp: FakeSmtp;
let site: Awaited<ReturnType<typeof startBillingServer>>;
let tell: () => Promise<void>;
beforeAll(async () => {
  smtp = await startFakeSmtp();
  // The server's own job sends to the same place, so that whatever is sent twice is found.
  site = await startBillingServer(smtpSettings(smtp));
  const mailer = createMailer(readConfig(smtpSettings(smtp)), createLogger('silent'));
  tell = () => tellOfFailedPayments({ ...site.parts, mailer });
});
afterAll(async () => {
  await site.stop();
  await smtp.close();
});
afterEach(() => {
  site.stripe.state.declines_cards = false;
  smtp.refused.clear();
});

const mailsAbout = (member: TestClient, about: string) =>
  mailsTo(smtp, member.email).filter(({ subject }) => subject?.includes(about));
const words = (member: TestClient) => mailsAbout(member, 'did not go through');
const lastWords = (member: TestClient) => mailsAbout(member, 'has ended');

async function buy() {
  const member = await site.signUp();
  await site.buy(member, { plan: 'pro', interval: 'month' });
  const { stripe_subscription_id: subscription } = await site.profileOf(member);
  /** The period ends, and is not paid. */
  const fail = async () => {
    const from = site.stripe.events.length;
    site.stripe.state.declines_cards = true;
    site.stripe.renew(subscription);
    site.stripe.state.declines_cards = false;
    await site.deliverEvents(from);
  };
  /** Stripe's retries end. */
  const giveUp = async (status: 'unpaid' | 'canceled') => {
    const from = site.stripe.events.length;
    site.stripe.giveUp(subscription, status);
    await site.deliverEvents(from);
  };
  return { member, subscription: subscription as string, fail, giveUp };
}

it('a member is told once of each payment that did not go through, in kind words and with a link', async () => {
  const { member, subscription, fail } = await buy();
  await tell();
  expect(words(member)).toEqual([]);
  await fail();
  await Promise.all([tell(), tell()]);
  // Stripe tries again, and tells of it again.
  await site.deliverEvents();
  await tell();
  await expect.poll(() => words(member)).toHaveLength(1);
  const [mail] = words(member);
  const invoice = site.stripe
    .list('invoice')
    .find(({ id }) => id === site.stripe.subscription(subscription).latest_invoice)!;
  const next = new Date(invoice.next_payment_attempt * 1000);
  const day = next.toLocaleDateString('en-GB', { dateStyle: 'long', timeZone: 'UTC' });
  const text = mail!.text!.replaceAll(/\s+/g, ' ');
  expect(text).toContain('your plan Pro');
  expect(text).toContain(`next on ${day} (UTC)`);
  expect(text).toContain('You keep your plan');
  expect(text).toContain('/billing');
  expect(mail!.html).toContain('You keep your plan');

  await fail();
  await tell();
  await expect.poll(() => words(member)).toHaveLength(2);
});

it('what was paid meanwhile needs no mail', async () => {
  const { member, subscription, fail } = await buy();
  const { id } = await site.profileOf(member);
  const setEmail = (email: string | null) =>
    site.pool.query('update public.profiles set email = $1 where id = $2', [email, id]);
  // Nobody can be told yet, and it is paid before that changes.
  await setEmail(null);
  await fail();
  await tell();
  const { latest_invoice } = site.stripe.subscription(subscription);
  site.stripe.list('invoice').find((invoice) => invoice.id === latest_invoice)!.status = 'paid';
  await setEmail(member.email);
  await tell();
  expect(words(member)).toEqual([]);
  const { rows } = await site.pool.query('select told_invoice_id from public.subscriptions where id = $1', [
    subscription,
  ]);
  expect(rows).toEqual([{ told_invoice_id: latest_invoice }]);
});

it('a mail that could not be sent is sent by a later run', async () => {
  const { member, fail } = await buy();
  smtp.refused.set(member.email, 450);
  await fail();
  await tell().catch(() => {});
  expect(words(member)).toEqual([]);
  smtp.refused.clear();
  await expect
    .poll(async () => {
      await tell();
      return words(member).length;
    })
    .toBe(1);
});

it('whoever has closed the account is left alone', async () => {
  const { member, fail } = await buy();
  await site.pool.query('update public.profiles set is_deleted = true, deleted_at = now() where email = $1', [
    member.email,
  ]);
  await fail();
  await tell();
  expect(words(member)).toEqual([]);
});

it('a server that dies while it tells somebody loses no other member’s mail', async () => {
  const members = [await buy(), await buy()];
  for (const { member } of members) smtp.refused.set(member.email, 450);
  for (const { fail } of members) await fail();
  let sends = 0;
  const stuck = () => new Promise<never>(() => void sends++);
  const mailer = { ...createMailer(readConfig(smtpSettings(smtp)), createLogger('silent')), send: stuck };
  void tellOfFailedPayments({ ...site.parts, mailer });
  await expect.poll(() => sends).toBe(1);
  smtp.refused.clear();
  await tell();
  await expect.poll(() => members.flatMap(({ member }) => words(member))).toHaveLength(1);
});

it.each(['unpaid', 'canceled'] as const)(
  'who loses a plan because nothing was paid is told once, and again for another one (%s)',
  async (status) => {
    const { member, fail, giveUp } = await buy();
    await fail();
    await tell();
    expect(lastWords(member)).toEqual([]);
    await giveUp(status);
    await Promise.all([tell(), tell()]);
    await site.deliverEvents();
    await tell();
    await expect.poll(() => lastWords(member)).toHaveLength(1);
    const [mail] = lastWords(member);
    const text = mail!.text!.replaceAll(/\s+/g, ' ');
    expect(mail!.subject).toContain('Your plan Pro on');
    expect(text).toContain('your plan Pro has ended and nothing more is charged. You are on Free now.');
    expect(text).toContain('Your chats and files are safe');
    expect(text).toContain('/billing');
  },
);

it('who cancels, or has another plan by then, is not told that one has ended', async () => {
  const leaves = await buy();
  const from = site.stripe.events.length;
  await site.post(leaves.member, '/api/billing/cancel');
  site.stripe.renew(leaves.subscription);
  await site.deliverEvents(from);
  expect(await site.profileOf(leaves.member)).toMatchObject({ subscription_plan: 'free' });

  const returns = await buy();
  smtp.refused.set(returns.member.email, 450);
  await returns.fail();
  await returns.giveUp('canceled');
  await site.buy(returns.member, { plan: 'starter', interval: 'month' });
  smtp.refused.clear();
  await tell();
  expect([...lastWords(leaves.member), ...lastWords(returns.member)]).toEqual([]);
});
