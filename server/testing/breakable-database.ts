import { connect, createServer, type Socket } from 'node:net';

/**
 * A proxy in front of PostgreSQL that can go away: `cut` breaks every connection and refuses new ones, `hang` passes
 * nothing on in either direction and answers nobody, `restore` ends both.
 */
export async function breakableDatabase(database_url: string) {
  const target = new URL(database_url);
  const sockets = new Set<Socket>();
  let away = false;
  let hanging = false;
  const server = createServer((client) => {
    if (away) {
      client.resetAndDestroy();
      return;
    }
    const upstream = connect(Number(target.port), target.hostname);
    for (const [one, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(one);
      if (hanging) one.pause();
      one.on('data', (chunk) => other.write(chunk));
      one.on('error', () => other.destroy());
      one.on('close', () => {
        sockets.delete(one);
        other.destroy();
      });
    }
    if (hanging) for (const one of [client, upstream]) one.pause();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = new URL(database_url);
  url.host = `127.0.0.1:${(server.address() as { port: number }).port}`;
  return {
    url: url.href,
    cut() {
      away = true;
      for (const socket of sockets) socket.resetAndDestroy();
    },
    hang() {
      hanging = true;
      for (const socket of sockets) socket.pause();
    },
    restore() {
      away = false;
      hanging = false;
      for (const socket of sockets) socket.resume();
    },
    async close() {
      this.restore();
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
