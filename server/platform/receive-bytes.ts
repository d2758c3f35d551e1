import type { IncomingMessage } from 'node:http';

/**
 * The body of a request that may weigh `max_bytes`, held in memory. Throws what `tooLarge` makes as soon as it is known to
 * be larger (at once where the length is announced), without reading the rest, and what `brokenOff` makes where it ends
 * too early.
 */
export async function receiveBytes(
  request: IncomingMessage,
  max_bytes: number,
  { tooLarge, brokenOff }: { tooLarge: () => Error; brokenOff: (cause: unknown) => Error },
): Promise<Buffer> {
  if (Number(request.headers['content-length']) > max_bytes) throw tooLarge();
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  const chunks: Buffer[] = [];
  let size_bytes = 0;
  const onData = (chunk: Buffer) => {
    size_bytes += chunk.length;
    if (size_bytes > max_bytes) reject(tooLarge());
    else chunks.push(chunk);
  };
  const onEnd = () => resolve(Buffer.concat(chunks));
  const onBreak = () => reject(brokenOff(request.errored));
  request.on('data', onData).on('end', onEnd).on('error', onBreak).on('close', onBreak);
  if (request.destroyed) onBreak();
  try {
    return await promise;
  } finally {
    // Not destroyed: that would close the connection on which the answer goes back.
    request.pause().off('data', onData).off('end', onEnd).off('close', onBreak);
  }
}
