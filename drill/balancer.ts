import { connect, createServer, type Socket } from 'node:net';

/**
 * A load balancer without sticky sessions: each connection goes to the next server in turn, and to the one after it where
 * that one refuses. Where all refuse, the connection is closed. Until `opens` resolves, connections wait.
 */
export async function startBalancer(ports: number[], { opens }: { opens?: Promise<unknown> } = {}) {
  const sockets = new Set<Socket>();
  const passed = ports.map(() => 0);
  let turn = 0;

  const balancer = createServer({ pauseOnConnect: true, noDelay: true }, async (client) => {
    sockets.add(client);
    client.on('close', () => sockets.delete(client));
    client.on('error', () => client.destroy());
    await opens;
    tryNext(client, ports.length);
  });

  function tryNext(client: Socket, left: number) {
    if (left === 0) return client.destroy();
    const index = turn++ % ports.length;
    const server = connect({ port: ports[index]!, host: '127.0.0.1', noDelay: true });
    const refused = () => tryNext(client, left - 1);
    server.once('error', refused);
    server.once('connect', () => {
      server.off('error', refused);
      server.on('error', () => client.destroy());
      server.on('close', () => client.destroy());
      client.on('close', () => server.destroy());
      if (client.destroyed) return server.destroy();
      passed[index]!++;
      server.pipe(client);
      client.pipe(server);
    });
  }

  balancer.listen(0, '127.0.0.1', 4_096);
  await new Promise((resolve) => balancer.once('listening', resolve));
  return {
    port: (balancer.address() as { port: number }).port,
    /** How many connections each server got. */
    passed,
    async close() {
      const closed = new Promise((resolve) => balancer.close(resolve));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
