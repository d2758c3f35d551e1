import { randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, readdir, rm, stat } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { Busboy, type BusboyFileStream, type BusboyHeaders } from '@fastify/busboy';
import { AppError } from '../platform/errors.ts';

export type ReceivedUpload = {
  path: string;
  file_name: string;
  size_bytes: number;
  discard: () => Promise<void>;
};

/** What a form may weigh besides the file. */
export const max_form_bytes = 64 * 1024;

/**
 * Streams the one `file` part of a multipart form into a file of its own in `folder`, without holding it in memory.
 * The caller discards it. Throws `file_too_large` past `max_bytes` (at once where the length is announced), and
 * `invalid_request` for anything but one file; what the disk says is thrown as it is. Nothing is left then, and the
 * rest of the request is not read.
 */
export async function receiveUpload(
  request: IncomingMessage,
  folder: string,
  max_bytes: number,
): Promise<ReceivedUpload> {
  if (Number(request.headers['content-length']) > max_bytes + max_form_bytes) throw tooLarge(max_bytes);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const path = join(folder, randomUUID());
  const discard = () => rm(path, { force: true });
  try {
    return { ...(await receive(request, path, max_bytes)), path, discard };
  } catch (error) {
    await discard();
    throw error;
  }
}

async function receive(request: IncomingMessage, path: string, max_bytes: number) {
  const parser = createParser(request, max_bytes);
  let part: BusboyFileStream | undefined;
  let written: Promise<void> | undefined;
  let received: { file_name: string; size_bytes: number } | undefined;
  let failure: unknown;
  const parsed = Promise.withResolvers<void>();
  /** Whichever of the streams breaks first ends the others, and says why. */
  const fail = (error: unknown) => {
    failure ??= error;
    request.unpipe(parser);
    parser.destroy(failure as Error);
    part?.destroy(failure as Error);
    parsed.resolve();
  };
  const breakOff = (cause: unknown) => fail(brokenOff(cause));
  parser.on('file', (field: string, stream: BusboyFileStream, file_name: string) => {
    if (field !== 'file' || part) {
      stream.on('error', breakOff).resume();
      return;
    }
    part = stream;
    part.on('limit', () => fail(tooLarge(max_bytes)));
    part.on('error', breakOff);
    const target = createWriteStream(path, { mode: 0o600 });
    // Heard before the part, which the pipeline then breaks too.
    target.on('error', fail);
    written = pipeline(part, target).then(() => {
      received = { file_name: decodeFileName(file_name ?? ''), size_bytes: target.bytesWritten };
    }, fail);
  });
  parser.on('error', breakOff);
  parser.on('finish', parsed.resolve);
  // No `pipeline`: it would close the connection on which the answer to an upload that fails goes back.
  request.on('error', breakOff);
  request.on('close', () => {
    if (!request.readableEnded) breakOff(request.errored);
  });
  if (request.destroyed) breakOff(request.errored);
  request.pipe(parser);
  await parsed.promise;
  await written;
  if (failure) throw failure;
  if (!received) {
    throw new AppError('invalid_request', 'The upload holds no file. Nothing was saved; add the file again.');
  }
  return received;
}

function createParser(request: IncomingMessage, max_bytes: number) {
  try {
    return new Busboy({
      headers: request.headers as BusboyHeaders,
      limits: { fileSize: max_bytes, files: 1, fields: 10, fieldSize: 1_000, parts: 12 },
    });
  } catch (cause) {
    throw new AppError(
      'invalid_request',
      'Files are sent as multipart/form-data with one part "file". Nothing was saved.',
      {
        cause,
      },
    );
  }
}

/** The three characters that browsers escape in a form's file names, and no others (HTML, "multipart form data"). */
function decodeFileName(name: string) {
  return name.replaceAll('%22', '"').replaceAll('%0D', '\r').replaceAll('%0A', '\n');
}

/** What an upload that ended too early answers, though hardly anybody is there to read it. */
export function brokenOff(cause: unknown) {
  return new AppError(
    'invalid_request',
    'The upload broke off. Nothing was saved or counted; add the file again.',
    { cause },
  );
}

function tooLarge(max_bytes: number) {
  return new AppError(
    'file_too_large',
    `This file is larger than ${Math.floor(max_bytes / 1_000_000)} MB. Nothing was saved or counted; make it smaller or split it.`,
  );
}

/** Older than any upload that still goes on: Node ends a request that takes longer than five minutes to arrive. */
const left_after_ms = 60 * 60_000;

/** Deletes what a process that was killed has left in the folder of uploads: files older than an hour. */
export async function deleteLeftUploads(folder: string): Promise<void> {
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  for (const name of names) {
    const path = join(folder, name);
    // Another process on the same folder may delete it meanwhile.
    const found = await stat(path).catch(() => undefined);
    if (found && Date.now() - found.mtimeMs > left_after_ms) await rm(path, { force: true });
  }
}
