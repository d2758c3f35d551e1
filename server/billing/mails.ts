import type { Mail } from '../platform/mail/mail.ts';

/** To an operator, when Stripe and our rows did not agree, or a meter and the ledger. */
export function billingDifferenceMail({ to, site_url }: { to: string; site_url: string }): Mail {
  const site = new URL(site_url).host;
  return {
    to,
    subject: `Billing on ${site}: something did not agree`,
    paragraphs: [
      `What ${site} has of its members’ plans was compared with Stripe, and something did not agree. What could be mended has been: members have the plan that they pay for.`,
      'The server’s log says what it was, by ids. For what is left to do, such as two plans of one member or a price that is not in plans.yaml, look it up at Stripe.',
      'npm run billing:check compares again at any time and lists what it finds.',
    ],
    action: { label: 'Open Stripe', url: 'https://dashboard.stripe.com/' },
    footnote: 'You get this once, and again only if it comes back after a day without it.',
  };
}

/**
 * To a member whose payment did not go through. `plan`: what it is called; null: it is none of ours.
 * `next_attempt_at`: ISO 8601; null: Stripe plans no other.
 */
export function paymentFailedMail({
  to,
  site_url,
  plan,
  next_attempt_at,
}: {
  to: string;
  site_url: string;
  plan: string | null;
  next_attempt_at: string | null;
}): Mail {
  const site = new URL(site_url).host;
  return {
    to,
    subject: `Your payment on ${site} did not go through`,
    paragraphs: [
      `The last payment for ${plan === null ? 'your plan' : `your plan ${plan}`} on ${site} did not go through. The bank may have declined it, or the card has run out; it happens.`,
      ...(next_attempt_at === null
        ? [
            'It is not tried again by itself, as far as we know. To keep your plan, open the page below and choose Update your card; it is Stripe’s, and we never see the card. Your chats and files are safe.',
          ]
        : [
            `You keep your plan while it is tried again, next on ${formatDay(next_attempt_at)}. Your chats and files are safe, and nothing is charged twice.`,
            'Where the card works again you need do nothing. To pay with another one, open the page below and choose Update your card; it is Stripe’s, and we never see the card.',
          ]),
    ],
    action: { label: 'Open your plan', url: `${site_url}/billing` },
    footnote: 'You get this once for each payment that does not go through, however often it is tried.',
  };
}

/**
 * To a member whose plan ended because no try to be paid went through. `plan`: what it was called; null: it was none of ours.
 * `present`: what the account is left with.
 */
export function planEndedMail({
  to,
  site_url,
  plan,
  present,
}: {
  to: string;
  site_url: string;
  plan: string | null;
  present: string;
}): Mail {
  const site = new URL(site_url).host;
  const name = plan === null ? 'Your plan' : `Your plan ${plan}`;
  return {
    to,
    subject: `${name} on ${site} has ended`,
    paragraphs: [
      `The last payment for it did not go through, and neither did the tries after it, so ${name.replace('Your', 'your')} has ended and nothing more is charged. You are on ${present} now.`,
      'Your chats and files are safe and stay yours. So do messages that you bought on top.',
      'To go on as before, open the page below and choose a plan again, with another card if need be.',
    ],
    action: { label: 'Choose a plan', url: `${site_url}/billing` },
    footnote: 'You get this once, when a plan ends because it was not paid.',
  };
}

/** `26 November 2026 (UTC)` */
function formatDay(time: string): string {
  const day = new Date(time).toLocaleDateString('en-GB', { dateStyle: 'long', timeZone: 'UTC' });
  return `${day} (UTC)`;
}
