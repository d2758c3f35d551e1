import { randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
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

/**
 * Streams the one `file` part of a multipart form into a file of its own in `folder`, without holding it in memory.
 * The caller discards it. Throws `file_too_large` past `max_bytes`, and `invalid_request` for anything but one file.
 */
export async function receiveUpload(
  request: IncomingMessage,
  folder: string,
  max_bytes: number,
): Promise<ReceivedUpload> {
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
  let received: Promise<{ file_name: string; size_bytes: number }> | undefined;
  let tooLarge = false;
  parser.on('file', (field: string, stream: BusboyFileStream, file_name: string) => {
    if (field !== 'file' || received) {
      stream.resume();
      return;
    }
    stream.on('limit', () => {
      tooLarge = true;
    });
    const target = createWriteStream(path, { mode: 0o600 });
    received = pipeline(stream, target).then(() => ({
      file_name: file_name ?? '',
      size_bytes: target.bytesWritten,
    }));
    received.catch(() => {});
  });
  try {
    await pipeline(request, parser);
  } catch (cause) {
    throw new AppError(
      'invalid_request',
      'The upload broke off. Nothing was saved or counted; add the file again.',
      {
        cause,
      },
    );
  }
  if (!received) {
    throw new AppError('invalid_request', 'The upload holds no file. Nothing was saved; add the file again.');
  }
  const result = await received;
  if (tooLarge) {
    throw new AppError(
      'file_too_large',
      `This file is larger than ${Math.floor(max_bytes / 1_000_000)} MB. Nothing was saved or counted; make it smaller or split it.`,
    );
  }
  return result;
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
