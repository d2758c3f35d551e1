import type { Mail } from '../../platform/mail/mail.ts';
import type { ErasureCounts } from '../closing-queries.ts';

type To = { to: string; site_url: string };

/** To somebody who has just closed the account. Times: ISO 8601. */
export function accountClosedMail({ to, site_url, erase_after }: To & { erase_after: string }): Mail {
  const site = new URL(site_url).host;
  return {
    to,
    subject: `Your account on ${site} is closed`,
    paragraphs: [
      `Your account ${to} on ${site} is closed, as you asked. You are signed out everywhere.`,
      `You can restore it until ${formatTime(erase_after)}: sign in again and choose Restore. Your chats and files will be as they were.`,
      'After that it is erased for good: your profile, your chats, your files and what the coaches’ language model keeps of them. You will get a mail that lists what was erased.',
    ],
    action: { label: 'Sign in to restore it', url: `${site_url}/sign-in` },
    footnote:
      'If it was not you who closed it: sign in, restore it, and change your password. Somebody else may know it.',
  };
}

/** To somebody who has opened the closed account again. */
export function accountRestoredMail({ to, site_url }: To): Mail {
  const site = new URL(site_url).host;
  return {
    to,
    subject: `Your account on ${site} is open again`,
    paragraphs: [
      `Your account ${to} on ${site} was restored. Your chats and files are as they were, and nothing of it will be erased.`,
    ],
    action: { label: 'Open the site', url: `${site_url}/` },
    footnote: 'If this was not you, change your password: somebody else may know it.',
  };
}

/** The receipt, to somebody of whom nothing is held any more. */
export function accountErasedMail({
  to,
  site_url,
  counts,
  closed_at,
  erased_at,
}: To & { counts: ErasureCounts; closed_at: string; erased_at: string }): Mail {
  const site = new URL(site_url).host;
  return {
    to,
    subject: `Your account on ${site} is erased`,
    paragraphs: [
      `You closed your account ${to} on ${site} on ${formatTime(closed_at)}. By ${formatTime(erased_at)} it was erased for good:`,
      listErased(counts).join('\n'),
      `With this mail your address is deleted there too. You may sign up with it again at any time; nothing of the old account comes back.`,
    ],
    footnote: `Backups that the people who run ${site} may keep are not covered by this; ask them how long they keep those.`,
  };
}

/** A line for each place where something was, with what and how much. */
function listErased(counts: ErasureCounts): string[] {
  const places: [string, (string | undefined)[]][] = [
    ['In our database', ['your profile', count(counts.chats, 'chat'), count(counts.messages, 'message')]],
    [
      'In our file storage',
      [
        counts.files > 0 ? `${count(counts.files, 'file')} (${formatBytes(counts.file_bytes)})` : undefined,
        counts.avatars > 0 ? 'your picture' : undefined,
        count(counts.exports, 'export of your data', 'exports of your data'),
      ],
    ],
    ['For signing in', [counts.sign_ins > 0 ? 'your sign-in with its sessions and its log' : undefined]],
    [
      'At OpenAI',
      [
        count(counts.openai_conversation, 'conversation'),
        count(counts.openai_file, 'file'),
        count(counts.openai_vector_store, 'search index', 'search indexes'),
      ],
    ],
    ['At Stripe', [counts.stripe_customer ? 'your customer record' : undefined]],
  ];
  return places.flatMap(([place, things]) => {
    const erased = things.filter((thing) => thing !== undefined);
    return erased.length > 0 ? [`${place}: ${erased.join(', ')}`] : [];
  });
}

function count(number: number | undefined, one: string, many = `${one}s`): string | undefined {
  if (!number) return undefined;
  return `${number.toLocaleString('en')} ${number === 1 ? one : many}`;
}

/** To somebody whose export can be fetched. `expires_at`: until when. */
export function exportReadyMail({
  to,
  site_url,
  size_bytes,
  expires_at,
}: To & { size_bytes: number; expires_at: string }): Mail {
  const site = new URL(site_url).host;
  return {
    to,
    subject: `Your data from ${site} is ready`,
    paragraphs: [
      `The copy that you asked for of everything that ${site} holds of you is ready: one ZIP file of ${formatBytes(size_bytes)} with your profile, your chats, your files and your usage.`,
      `You can download it until ${formatTime(expires_at)}, signed in as ${to}. Nobody else can.`,
    ],
    action: { label: 'Go to your data', url: `${site_url}/settings/data` },
    footnote: 'If you did not ask for it, change your password: somebody else may know it.',
  };
}

/** `22 December 2026, 14:05 UTC`. */
function formatTime(time: string): string {
  const date = new Date(time);
  const day = date.toLocaleDateString('en-GB', {
    day: 'numeric',
    month: 'long',
    year: 'numeric',
    timeZone: 'UTC',
  });
  return `${day}, ${date.toISOString().slice(11, 16)} UTC`;
}

/** `3.2 MB`, in powers of a thousand. */
function formatBytes(bytes: number): string {
  if (bytes < 1_000) return `${bytes} bytes`;
  const unit = bytes < 1_000_000 ? 'kB' : bytes < 1_000_000_000 ? 'MB' : 'GB';
  const amount = bytes / { kB: 1e3, MB: 1e6, GB: 1e9 }[unit];
  return `${amount.toLocaleString('en', { maximumFractionDigits: 1 })} ${unit}`;
}
