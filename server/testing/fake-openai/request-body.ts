import type { IncomingMessage } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { Busboy } from '@fastify/busboy';
import { badRequest } from './api-error.ts';

type UploadedFile = { filename: string; content: Buffer };

export type RequestBody = {
  /** The parsed JSON; undefined for an empty body and for a form. */
  json: unknown;
  form: { fields: Record<string, unknown>; files: Record<string, UploadedFile> } | null;
};

/** Reads the whole body, JSON or a multipart form. Broken JSON is a 400. */
export async function readBody(request: IncomingMessage): Promise<RequestBody> {
  const contentType = request.headers['content-type'] ?? '';
  if (contentType.startsWith('multipart/form-data'))
    return { json: undefined, form: await readForm(request) };

  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  const text = Buffer.concat(chunks).toString('utf8');
  if (text === '') return { json: undefined, form: null };
  try {
    return { json: JSON.parse(text), form: null };
  } catch {
    throw badRequest('We could not parse the JSON body of your request.');
  }
}

/** Fields with brackets become objects: `expires_after[seconds]` is `{ expires_after: { seconds } }`. */
async function readForm(request: IncomingMessage): Promise<NonNullable<RequestBody['form']>> {
  const fields: Record<string, unknown> = {};
  const files: Record<string, UploadedFile> = {};
  const contentType = request.headers['content-type']!;
  if (!contentType.includes('boundary=')) throw badRequest('Could not parse multipart form: no boundary.');
  const parser = Busboy({ headers: { ...request.headers, 'content-type': contentType } });

  parser.on('field', (name, value) => {
    const [, outer, inner] = /^([^[]+)\[([^\]]+)\]$/.exec(name) ?? [];
    if (outer && inner) fields[outer] = { ...(fields[outer] as object | undefined), [inner]: value };
    else fields[name] = value;
  });
  parser.on('file', (name, stream, filename) => {
    const chunks: Buffer[] = [];
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.on('end', () => {
      files[name] = { filename, content: Buffer.concat(chunks) };
    });
  });
  try {
    await pipeline(request, parser);
  } catch (cause) {
    if (request.errored) throw cause;
    throw badRequest('Could not parse multipart form.');
  }
  return { fields, files };
}
