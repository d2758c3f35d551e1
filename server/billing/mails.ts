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
