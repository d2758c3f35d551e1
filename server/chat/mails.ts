import type { Mail } from '../platform/mail/mail.ts';

/** To an operator, when OpenAI refuses replies because the account there has no credit left. */
export function balanceExhaustedMail({ to, site_url }: { to: string; site_url: string }): Mail {
  const site = new URL(site_url).host;
  return {
    to,
    subject: `Coaching on ${site} is paused: no credit left at OpenAI`,
    paragraphs: [
      `OpenAI refuses to answer for ${site}, because your account there has no credit left. Members read that coaching is paused; nothing is counted against their plans.`,
      'Add credit, or raise the monthly limit, in OpenAI’s billing settings. Replies work again with the next message; nothing has to be restarted.',
    ],
    action: {
      label: 'Open OpenAI’s billing',
      url: 'https://platform.openai.com/settings/organization/billing',
    },
    footnote: 'You get this once, and again only if it comes back after a day without it.',
  };
}
