import { expect, vi } from 'vitest';

type Mail = { id: string; to: string; subject: string; text: string };

/** The words of the newest mail to an address whose subject says this; waits until it is there. */
async function readMail(url: string, to: string, subject: string) {
  const ask = async (path: string) => (await fetch(`${url}/api/outbox${path}`)).json();
  // Not `expect.poll`, which works inside a test only: members sign up before it.
  const { id } = await vi.waitFor(
    async () => {
      const { mails } = (await ask('')) as { mails: Mail[] };
      const found = mails.find((mail) => mail.to === to && mail.subject.includes(subject));
      if (found === undefined) throw new Error(`No mail “${subject}” came.`);
      return found;
    },
    { timeout: 15_000, interval: 100 },
  );
  return ((await ask(`/${id}`)) as Mail).text;
}

/** What follows `#` in the link of such a mail. */
export async function readMailLink(url: string, to: string, subject: string) {
  const [, fragment] = /#(\S+)/.exec(await readMail(url, to, subject)) ?? [];
  return new URLSearchParams(fragment);
}

/** Opens the link that confirms a member's address, as on another device. */
export async function confirmEmail(url: string, email: string) {
  const token = (await readMailLink(url, email, 'Confirm your address')).get('token');
  const answer = await fetch(`${url}/api/email-verification`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ token }),
  });
  expect(answer.status).toBe(200);
}
