import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  buy,
  dayOf,
  dialog,
  news,
  press,
  reloadUntil,
  section,
  startBillingSite,
} from './start-billing-site.ts';
import { expectAccessible, look, lookAtAll } from './steps.ts';

let site: Awaited<ReturnType<typeof startBillingSite>>;
beforeAll(async () => {
  site = await startBillingSite();
});
afterAll(() => site.stop());
afterEach(() => site.mend());

describe('changing the plan', () => {
  it('shows what a larger one costs today before it is paid, and asks anew where that does not hold any more', async () => {
    const { context, page, complaints } = await site.signUp('grows');
    await buy(page, 'Starter');
    await press(page, 'Upgrade to Pro');
    await dialog(page)
      .getByText(/^You pay US\$30.* today\.$/)
      .waitFor();
    await look(page, 'plan-upgrade');
    await expectAccessible(page, 'upgrade');
    await page.keyboard.press('Escape');
    expect(await page.evaluate('document.activeElement.textContent')).toBe('Upgrade to Pro');
    expect(site.lastSubscription().items.data[0].price.unit_amount).toBe(1900);

    await page.keyboard.press('Enter');
    const confirm = dialog(page).getByRole('button', { name: /^Pay US\$30/ });
    await confirm.waitFor();
    // Another tab pays by the year meanwhile.
    const other = await context.newPage();
    await other.goto(`${site.url}/settings/plan`);
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
    const invoices = site.countOf('invoice');
    await press(page, 'Upgrade to Pro');
    await dialog(page).getByRole('button', { name: 'Pay US$300 now' }).dblclick();
    await news(page).getByText('Pro is yours from now on.').waitFor();
    await section(page, 'Your plan').getByText('US$490 a year').waitFor();
    expect(site.countOf('invoice') - invoices).toBe(1);
    expect(complaints.filter((words) => !words.startsWith('Failed to load'))).toEqual([]);
    await context.close();
  });

  it('with a card that is declined leaves the plan as it was, and says so', async () => {
    const { context, page } = await site.signUp('declined');
    await buy(page, 'Starter');
    site.stripe.state.declines_cards = true;
    await press(page, 'Upgrade to Pro');
    await dialog(page).getByRole('button', { name: /^Pay / }).click();
    await dialog(page)
      .getByText(/did not go through, so your plan is as it was\. Nothing was charged/)
      .waitFor();
    await expectAccessible(page, 'declined');
    site.stripe.state.declines_cards = false;
    await dialog(page).getByRole('button', { name: /^Pay / }).click();
    await news(page).getByText('Pro is yours from now on.').waitFor();
    await context.close();
  });

  it('that the bank wants confirmed is paid on a page beside it, and is there by itself', async () => {
    const { context, page, complaints } = await site.signUp('confirms');
    await buy(page, 'Starter');
    site.stripe.state.wants_confirmation = true;
    await press(page, 'Upgrade to Pro');
    await dialog(page).getByRole('button', { name: /^Pay / }).click();
    await dialog(page).getByText('Nothing has been charged, and your plan is as it was.').waitFor();
    await lookAtAll(page, 'plan-confirm');
    await expectAccessible(page, 'confirm');
    // Left, and begun once more: one page at Stripe holds.
    await press(page, 'Not now');
    await section(page, 'Your plan').getByText('US$19 a month').waitFor();
    await press(page, 'Upgrade to Pro');
    await dialog(page).getByRole('button', { name: /^Pay / }).click();
    const opened = context.waitForEvent('page');
    await dialog(page)
      .getByRole('link', { name: /^Confirm the payment/ })
      .click();
    const bank = await opened;
    await press(bank, 'Confirm to your bank');
    await bank.getByRole('heading', { name: 'Invoice paid' }).waitFor();
    await bank.close();
    await news(page).getByText('Pro is yours from now on.').waitFor();
    await section(page, 'Your plan').getByText('US$49 a month').waitFor();
    expect(site.stripe.list('invoice').filter(({ status }) => status === 'open')).toEqual([]);
    expect(complaints).toEqual([]);
    await context.close();
  });

  it('whose answer is lost is said to be uncertain, and the page shows how it stands', async () => {
    const { context, page } = await site.signUp('lost');
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
    const invoices = site.countOf('invoice');
    await dialog(page).getByRole('button', { name: /^Pay / }).click();
    await news(page).getByText('Pro is yours from now on.').waitFor();
    expect(site.countOf('invoice')).toBe(invoices);
    await context.close();
  });

  it('to a smaller one begins at the end of the period, stands on the page until then, and is taken back', async () => {
    const { context, page } = await site.signUp('shrinks');
    await buy(page, 'Pro');
    const end = dayOf(site.lastSubscription().items.data[0].current_period_end);
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
    expect(site.lastSubscription().schedule).toBe(null);
    await context.close();
  });

  it('cancelling says until when it stays and what stays after, by the keyboard alone, and is taken back', async () => {
    const { context, page } = await site.signUp('undecided');
    await buy(page, 'Starter');
    const end = dayOf(site.lastSubscription().items.data[0].current_period_end);
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
    expect(site.lastSubscription().cancel_at_period_end).toBe(true);
    await look(page, 'plan-cancelled');
    await expectAccessible(page, 'plan, cancelled');
    await page.getByRole('button', { name: 'Keep Starter' }).press('Enter');
    await news(page).getByText('Starter goes on as before.').waitFor();
    expect(site.lastSubscription().cancel_at_period_end).toBe(false);

    // Cancelled again, and the period ends.
    await press(page, 'Cancel plan');
    await dialog(page).getByRole('button', { name: 'Cancel Starter' }).click();
    await news(page).getByText('Starter is cancelled').waitFor();
    const events = site.stripe.events.length;
    site.stripe.renew(site.lastSubscription().id);
    await site.deliverEvents(events);
    await reloadUntil(page, async () =>
      (await section(page, 'Your plan').innerText()).includes('Starter has ended on'),
    );
    await page.getByRole('button', { name: /^Choose Starter/ }).waitFor();
    await context.close();
  });
});

describe('a payment that fails', () => {
  it('keeps the plan, says so kindly, and leads to the card', async () => {
    const { context, page } = await site.signUp('overdrawn');
    await buy(page, 'Pro');
    let events = site.stripe.events.length;
    site.stripe.state.declines_cards = true;
    site.stripe.renew(site.lastSubscription().id);
    await site.deliverEvents(events);
    const notice = section(page, 'Your last payment did not go through');
    await reloadUntil(page, async () => (await notice.count()) === 1);
    await notice.getByText('You keep Pro while Stripe tries again').waitFor();
    await section(page, 'Your plan').getByText('1,000 messages left').waitFor();
    await expectAccessible(page, 'plan, past due');
    await look(page, 'plan-past-due');
    events = site.stripe.events.length;
    await notice.getByRole('button', { name: 'Update your card' }).click();
    await page.getByRole('button', { name: 'Use a card that works' }).click();
    await section(page, 'Your plan').waitFor();
    await site.deliverEvents(events);
    await reloadUntil(page, async () => (await notice.count()) === 0);
    await context.close();
  });

  it('to the end takes the plan and nothing else, and another one can be bought', async () => {
    const { context, page } = await site.signUp('insolvent');
    await buy(page, 'Pro');
    const events = site.stripe.events.length;
    site.stripe.state.declines_cards = true;
    site.stripe.renew(site.lastSubscription().id);
    site.stripe.giveUp(site.lastSubscription().id, 'unpaid');
    site.stripe.state.declines_cards = false;
    await site.deliverEvents(events);
    await reloadUntil(page, async () =>
      (await section(page, 'Your plan').innerText()).includes('Your chats and files are safe'),
    );
    await section(page, 'Your plan').getByText('50 messages left').waitFor();
    await look(page, 'plan-unpaid');
    await buy(page, 'Starter');
    await section(page, 'Your plan').getByText('300 of 300').waitFor();
    await context.close();
  });
});
