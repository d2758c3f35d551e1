import { connect, createServer } from 'node:net';

/**
 * A proxy in front of PostgreSQL that counts round trips: how often a client that calls itself `application_name`
 * sent a statement and waited (a Query or a Sync message of the frontend protocol, PostgreSQL 17, chapter 53).
 */
export async function countRoundTrips(database_url: string, application_name: string) {
  const target = new URL(database_url);
  let count = 0;
  const server = createServer((client) => {
    const upstream = connect(Number(target.port), target.hostname);
    let rest = Buffer.alloc(0);
    let counts: boolean | undefined;
    client.on('data', (chunk) => {
      upstream.write(chunk);
      rest = Buffer.concat([rest, chunk]);
      for (;;) {
        const header = counts === undefined ? 0 : 1;
        if (rest.length < header + 4) return;
        const length = header + rest.readInt32BE(header);
        if (rest.length < length) return;
        const message = rest.subarray(0, length);
        rest = rest.subarray(length);
        if (counts === undefined)
          counts = message.toString().includes(`application_name\0${application_name}\0`);
        else if (counts && (message[0] === 0x51 || message[0] === 0x53)) count++;
      }
    });
    upstream.on('data', (chunk) => client.write(chunk));
    for (const [one, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      one.on('close', () => other.destroy());
      one.on('error', () => other.destroy());
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = new URL(database_url);
  url.host = `127.0.0.1:${(server.address() as { port: number }).port}`;
  return {
    url: url.href,
    get count() {
      return count;
    },
    close: () => server.close(),
  };
}
