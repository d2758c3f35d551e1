import { randomBytes } from 'node:crypto';
import { chmod, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { RenderedMail } from './render-mail.ts';

const mailFile = z.object({
  id: z.string(),
  to: z.string(),
  subject: z.string(),
  text: z.string(),
  html: z.string(),
  sent_at: z.string(),
});

/** A mail as it lies in the outbox. `sent_at`: ISO 8601, UTC. Ids sort by time. */
export type OutboxMail = z.infer<typeof mailFile>;

export type Outbox = {
  /** Writes the mail down, whole or not at all. Throws what the disk says. */
  add: (mail: RenderedMail) => Promise<void>;
  /** The newest first. */
  list: () => Promise<OutboxMail[]>;
  find: (id: string) => Promise<OutboxMail | undefined>;
};

const most_mails = 100;
const id_pattern = /^\d{15}-[0-9a-f]{16}$/;
/** After that nobody is still writing it: its process has died. */
const part_lifetime_ms = 60_000;

/**
 * Mails as files in the data folder, for a Touchline that only its own machine can reach and that has no mail server:
 * the newest 100. Any number of processes may share the folder.
 */
export function createOutbox(data_folder: string): Outbox {
  const folder = join(data_folder, 'outbox');
  let last_ms = 0;

  async function listNames() {
    try {
      return (await readdir(folder)).sort().reverse();
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
      throw error;
    }
  }

  async function listIds() {
    const names = await listNames();
    return names.filter((name) => name.endsWith('.json')).map((name) => name.slice(0, -'.json'.length));
  }

  async function find(id: string): Promise<OutboxMail | undefined> {
    if (!id_pattern.test(id)) return undefined;
    const content = await readFile(join(folder, `${id}.json`), 'utf8').catch((error) => {
      // Another process may just have taken it out of the newest 100.
      if (error.code === 'ENOENT') return undefined;
      throw error;
    });
    return content === undefined ? undefined : parse(content);
  }

  /** What is older than the newest 100, and what a process left that died while it wrote. */
  async function prune() {
    const names = await listNames();
    const old = names.filter((name) => name.endsWith('.json')).slice(most_mails);
    const left = names.filter(
      (name) => name.endsWith('.part') && Number.parseInt(name, 10) < Date.now() - part_lifetime_ms,
    );
    await Promise.all([...old, ...left].map((name) => rm(join(folder, name), { force: true })));
  }

  return {
    async add(mail) {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      await chmod(folder, 0o700);
      // Never twice the same moment, so that the order of two mails is the order in which they were sent.
      last_ms = Math.max(Date.now(), last_ms + 1);
      const id = `${String(last_ms).padStart(15, '0')}-${randomBytes(8).toString('hex')}`;
      const part = join(folder, `${id}.part`);
      const content: OutboxMail = { id, ...mail, sent_at: new Date(last_ms).toISOString() };
      try {
        await writeFile(part, JSON.stringify(content), { mode: 0o600, flag: 'wx' });
        await rename(part, join(folder, `${id}.json`));
      } catch (error) {
        await rm(part, { force: true }).catch(() => {});
        throw error;
      }
      // The mail is there: that an old one stays is no reason to say otherwise.
      await prune().catch(() => {});
    },
    async list() {
      const ids = (await listIds()).slice(0, most_mails);
      const mails = await Promise.all(ids.map(find));
      return mails.filter((mail) => mail !== undefined);
    },
    find,
  };
}

/** Undefined for a file that is none of ours any more. */
function parse(content: string): OutboxMail | undefined {
  try {
    return mailFile.parse(JSON.parse(content));
  } catch {
    return undefined;
  }
}
