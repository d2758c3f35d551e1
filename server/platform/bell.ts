import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { socketOf } from './database.ts';
import type { Logger } from './logger.ts';
import { withTimeLimit } from './time-limit.ts';

/** Hears that something has changed in another process. A ring says where to look; the row there is the truth. */
export type Bell = {
  /** Hears the rings that name an id. `stop` ends a `next` that waits. */
  listen: (id: string) => Ringing;
  /** False while rings do not arrive: no connection, or a pooler in transaction mode between. Then: look by the clock. */
  readonly works: boolean;
  stop: () => Promise<void>;
};

type Ringing = {
  /** Resolves with the next ring, with one that came since the last call, or after `timeout_ms`. */
  next: (timeout_ms: number) => Promise<void>;
  stop: () => void;
};

const reconnect_ms = 2_000;
const idle_ms = 60_000;
const trial_ms = 5_000;
const goodbye_ms = 1_000;

/**
 * Listens on a channel of PostgreSQL (LISTEN) over a connection of its own, which is made for the first listener and
 * closed a minute after the last one. A notification's payload is one id or several, with a space between.
 * `channel`: a name that needs no quotes.
 */
export function createBell(database_url: string, channel: string, logger: Logger): Bell {
  const listeners = new Map<string, Set<() => void>>();
  let client: pg.Client | undefined;
  let works = false;
  let stopped = false;
  let reconnecting: NodeJS.Timeout | undefined;
  let idling: NodeJS.Timeout | undefined;

  function connect() {
    if (client || stopped || reconnecting) return;
    const connecting = new pg.Client({
      connectionString: database_url,
      connectionTimeoutMillis: 10_000,
      keepAlive: true,
      application_name: 'touchline bell',
    });
    client = connecting;
    // A ring of our own: behind a pooler in transaction mode LISTEN is answered, and nothing is ever heard.
    const trial = `trial-${randomUUID()}`;
    const lost = (error?: Error) => {
      if (client !== connecting) return;
      client = undefined;
      works = false;
      socketOf(connecting).destroy();
      if (stopped || listeners.size === 0) return;
      if (error) logger.warn({ error }, 'the connection that hears of other processes was lost');
      reconnecting = setTimeout(() => {
        reconnecting = undefined;
        connect();
      }, reconnect_ms);
      reconnecting.unref();
    };
    connecting.on('error', lost);
    connecting.on('end', () => lost());
    connecting.on('notification', ({ payload }) => {
      if (payload === trial) {
        works = true;
        // What rang while nobody heard is not known.
        for (const rings of listeners.values()) for (const ring of rings) ring();
      } else {
        for (const id of (payload ?? '').split(' ')) for (const ring of listeners.get(id) ?? []) ring();
      }
    });
    connecting
      .connect()
      .then(() => connecting.query(`listen ${channel}`))
      .then(() => connecting.query('select pg_notify($1, $2)', [channel, trial]))
      .then(() => {
        setTimeout(() => {
          if (client === connecting && !works) {
            logger.warn(
              'notifications of the database do not arrive; running replies are looked at twice a second',
            );
          }
        }, trial_ms).unref();
      }, lost);
  }

  async function disconnect() {
    const ending = client;
    client = undefined;
    works = false;
    if (!ending) return;
    await withTimeLimit(ending.end(), goodbye_ms).catch(() => socketOf(ending).destroy());
  }

  return {
    get works() {
      return works;
    },
    listen(id) {
      clearTimeout(idling);
      connect();
      let rung = false;
      let wake: (() => void) | undefined;
      const ring = () => {
        rung = true;
        wake?.();
      };
      const rings = listeners.get(id) ?? new Set();
      listeners.set(id, rings.add(ring));
      return {
        async next(timeout_ms) {
          if (!rung) {
            let timer: NodeJS.Timeout | undefined;
            await new Promise<void>((resolve) => {
              wake = resolve;
              timer = setTimeout(resolve, timeout_ms);
            });
            clearTimeout(timer);
          }
          rung = false;
        },
        stop() {
          rings.delete(ring);
          if (rings.size === 0 && listeners.get(id) === rings) listeners.delete(id);
          ring();
          if (listeners.size > 0) return;
          clearTimeout(idling);
          idling = setTimeout(disconnect, idle_ms);
          idling.unref();
        },
      };
    },
    async stop() {
      stopped = true;
      clearTimeout(reconnecting);
      clearTimeout(idling);
      await disconnect();
    },
  };
}
