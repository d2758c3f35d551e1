import { Readable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { ZipFile } from 'yazl';
import type { Database } from '../platform/database.ts';
import type { Job } from '../platform/jobs.ts';
import type { Logger } from '../platform/logger.ts';
import type { Mailer } from '../platform/mail/mailer.ts';
import type { Storage } from '../platform/storage.ts';
import type { Exporter } from './export.ts';
import { createUniquePaths } from './export-name.ts';
import {
  type ClaimedExport,
  claimExport,
  claimExportMail,
  deleteExpiredExports,
  finishExport,
  forgetExportMail,
  giveUpExports,
  keepExport,
  putOffExport,
} from './export-queries.ts';
import { exportReadyMail } from './mails/closing-mails.ts';
import { sendOrGiveUp } from './send-or-give-up.ts';

export type ExportParts = {
  database: Database;
  storage: Storage;
  exporters: Exporter[];
  mailer: Mailer;
  logger: Logger;
  site_url: string;
};

export const exports_job = 'make_exports';

const most_attempts = 3;
/** A server may be restarted in the middle of one, and another one too. */
const most_left = 6;
const keep_every_ms = 1_000;

/** Makes each minute the exports that were asked for, and deletes those whose time is over; asking wakes it at once. */
export function exportsJob(parts: ExportParts): Job {
  return { name: exports_job, schedule: '* * * * *', run: () => makeExports(parts) };
}

/** Any number of servers may do so at once: each export and each mail is taken by one. */
export async function makeExports(parts: ExportParts): Promise<void> {
  const { database, logger } = parts;
  await deleteExpiredExports(database);
  await giveUpExports(database, most_left);
  for (;;) {
    const claimed = await claimExport(database);
    if (!claimed) break;
    try {
      await makeExport(parts, claimed);
    } catch (error) {
      logger.warn({ error, export_id: claimed.id }, 'an export failed');
      await putOffExport(database, claimed, most_attempts);
    }
    await sendExportMails(parts);
  }
  await sendExportMails(parts);
}

/** The account was closed meanwhile, or another server makes the export. */
class ExportDropped extends Error {}

/** Writes one export into the storage, one entry at a time: however much there is, little of it is in memory. */
async function makeExport({ database, storage, exporters }: ExportParts, claimed: ClaimedExport) {
  const zip = new ZipFile();
  const output = zip.outputStream as Readable;
  const abort = new AbortController();
  // What breaks off ends both sides: the writing of the file, and the reading of what goes in.
  abort.signal.addEventListener('abort', () => output.destroy(abort.signal.reason));
  output.on('error', () => {});
  zip.on('error', (error) => abort.abort(error));
  const progress = { parts_done: 0, parts_total: 0 };
  let keeping: Promise<void> | undefined;
  const timer = setInterval(() => {
    keeping ??= keepExport(database, claimed, progress)
      .then((kept) => {
        if (!kept) abort.abort(new ExportDropped());
      })
      // It was not heard of: should another server take it for left, this one finds out with the next.
      .catch(() => {})
      .finally(() => {
        keeping = undefined;
      });
  }, keep_every_ms);
  timer.unref();
  const orEndBoth = (error: unknown): never => {
    abort.abort(error);
    throw abort.signal.reason;
  };
  try {
    const storing = storage.putStream(claimed.storage_key, output).catch(orEndBoth);
    const filling = fill(zip, exporters, claimed.user_id, progress, abort.signal).catch(orEndBoth);
    await Promise.allSettled([storing, filling]);
    const [size_bytes] = await Promise.all([storing, filling]);
    if (!(await finishExport(database, claimed, { parts: progress.parts_done, size_bytes }))) {
      throw new ExportDropped();
    }
  } catch (error) {
    // Its key was noted for erasure when it was dropped, but that may have been before the file had its name.
    await storage.delete(claimed.storage_key);
    if (!(error instanceof ExportDropped)) throw error;
  } finally {
    clearInterval(timer);
    await keeping;
  }
}

async function fill(
  zip: ZipFile,
  exporters: Exporter[],
  user_id: string,
  progress: { parts_done: number; parts_total: number },
  signal: AbortSignal,
) {
  const counts = await Promise.all(exporters.map((exporter) => exporter.count(user_id)));
  progress.parts_total = counts.reduce((sum, count) => sum + count, 1);
  const uniquePath = createUniquePaths();
  const missing: string[] = [];

  async function add(path: string, content: Readable, modified_at: string | undefined, compress: boolean) {
    const mtime = modified_at === undefined ? new Date() : new Date(modified_at);
    const breakOff = () => content.destroy(signal.reason);
    signal.addEventListener('abort', breakOff);
    try {
      signal.throwIfAborted();
      // It listens for errors, which the ZIP does not.
      const read = finished(content);
      zip.addReadStream(content, path, { mtime, compress, mode: 0o100600 });
      await read;
    } finally {
      signal.removeEventListener('abort', breakOff);
      content.destroy();
    }
    progress.parts_done++;
    progress.parts_total = Math.max(progress.parts_total, progress.parts_done + 1);
  }

  for (const exporter of exporters) {
    for await (const { path, content, modified_at, is_compressed } of exporter.entries(user_id)) {
      signal.throwIfAborted();
      const unique = uniquePath(path);
      const bytes = typeof content === 'string' ? textStream(content) : await content();
      if (bytes) await add(unique, bytes, modified_at, !is_compressed);
      else missing.push(unique);
    }
  }
  const readme = describeExport(exporters, missing);
  await add(uniquePath('README.txt'), textStream(readme), undefined, true);
  zip.end();
}

function textStream(text: string) {
  return Readable.from([Buffer.from(text)]);
}

function describeExport(exporters: Exporter[], missing: string[]) {
  const lines = [
    'This is a copy of everything that is held of you here.',
    '',
    ...exporters.flatMap(({ describe }) => describe),
    '',
    'Files whose names end in .md are text with simple marks (Markdown); those in .json are for programs.',
  ];
  if (missing.length > 0) {
    lines.push(
      '',
      'These files of yours could not be found in the storage any more, and are not in this copy:',
    );
    lines.push(...missing.map((path) => `  ${path}`));
  }
  return `${lines.join('\n')}\n`;
}

async function sendExportMails({ database, mailer, logger, site_url }: ExportParts) {
  for (;;) {
    const due = await claimExportMail(database);
    if (!due) return;
    try {
      await sendOrGiveUp(mailer, exportReadyMail({ ...due, to: due.email, site_url }));
      await forgetExportMail(database, due.id);
    } catch (error) {
      logger.warn({ error, export_id: due.id }, 'the mail about an export was not sent and comes again');
    }
  }
}
