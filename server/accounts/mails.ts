import type { Mail } from '../platform/mail/mail.ts';

/** To somebody who has just become an operator. `site_url`: where the site is, without a slash at the end. */
export function operatorAddedMail({ to, site_url }: { to: string; site_url: string }): Mail {
  const site = new URL(site_url).host;
  return {
    to,
    subject: `You can now run ${site}`,
    paragraphs: [
      `Your account ${to} is now an operator of ${site}, a Touchline.`,
      'As an operator you look after its people, their plans and what the coaches cost.',
      'Any other operator can take this back, and so can whoever runs the server.',
    ],
    action: { label: 'Open the site', url: `${site_url}/` },
    footnote: `If you did not expect this, write to whoever runs ${site}; you need not do anything else.`,
  };
}
