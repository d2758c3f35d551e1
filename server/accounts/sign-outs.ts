import type { Config } from '../platform/config.ts';
import type { Database } from '../platform/database.ts';
import type { Job } from '../platform/jobs.ts';
import type { Logger } from '../platform/logger.ts';
import {
  deleteOldSignInRows,
  deleteSessions,
  isSessionAlive,
  listSignOuts,
  noteSignOut,
} from './sign-in-queries.ts';

/** A token as it was verified. `session_id`: undefined where it carries none. */
type Token = { auth_id: string; session_id: string | undefined; issued_at_s: number };

export type SignOuts = {
  /** Resolves when the sign-outs up to now are known here. */
  ready: Promise<void>;
  /**
   * Whether a token's session was ended, though its signature is good: at once for what this process has ended, within
   * ten seconds for the others. Asks the database only about tokens of a person who has signed out elsewhere, once each.
   */
  hasEnded: (token: Token) => boolean | Promise<boolean>;
  /** Ends a person's sessions but one, here and in every process. */
  endSessions: (auth_id: string, except_session_id?: string) => Promise<void>;
  /** Notes that sessions of a person were ended by somebody else, such as Auth. */
  note: (auth_id: string) => Promise<void>;
  /** The same where a statement has written the row already. */
  remember: (auth_id: string) => void;
  stop: () => void;
};

/** Lite's tokens live as long as its default; with a Supabase project its dashboard decides, up to a week. */
function tokenLifetime(config: Config): number {
  return config.supabase ? 7 * 24 * 3600 : 3600;
}

const look_again_ms = 10_000;
/** Clocks of several machines, and a token's time in whole seconds: who is near is asked about. */
const slack_ms = 60_000;

/**
 * Who has signed out everywhere, or everywhere else. A token is made for an hour; when sessions end before that, the
 * tokens of those that ended are refused from then on.
 */
export function createSignOuts(config: Config, database: Database, logger: Logger): SignOuts {
  const lifetime_ms = tokenLifetime(config) * 1000;
  /** When somebody signed out, and which of the sessions were found to live on. */
  const known = new Map<string, { at_ms: number; row_ms: number; alive: Map<string, boolean> }>();
  let looked_ms = Date.now() - lifetime_ms - slack_ms;
  let failing = false;

  function learn(auth_id: string, at_ms: number) {
    const before = known.get(auth_id);
    if (before && before.at_ms >= at_ms) return;
    known.set(auth_id, { at_ms, row_ms: before?.row_ms ?? 0, alive: new Map() });
  }

  /** By the row's own time: this process's clock may be ahead of the database's, and what it noted itself look newer. */
  function read(auth_id: string, row_ms: number) {
    const before = known.get(auth_id);
    if (before?.row_ms === row_ms) return;
    known.set(auth_id, { at_ms: Math.max(before?.at_ms ?? 0, row_ms), row_ms, alive: new Map() });
  }

  async function look() {
    const now_ms = Date.now();
    const rows = await listSignOuts(database, new Date(looked_ms - slack_ms).toISOString());
    for (const row of rows) read(row.auth_id, Date.parse(row.signed_out_at));
    for (const [auth_id, { at_ms }] of known) {
      if (at_ms < now_ms - lifetime_ms - slack_ms) known.delete(auth_id);
    }
    looked_ms = now_ms;
    failing = false;
  }

  const ready = look();
  ready.catch(() => {});
  let looking = false;
  const timer = setInterval(() => {
    if (looking) return;
    looking = true;
    look()
      .catch((error) => {
        // Once for an outage: it is looked for again ten seconds later.
        if (!failing) logger.warn({ error }, 'sign-outs could not be read');
        failing = true;
      })
      .finally(() => {
        looking = false;
      });
  }, look_again_ms);
  timer.unref();

  const remember = (auth_id: string) => learn(auth_id, Date.now());

  return {
    ready,
    hasEnded({ auth_id, session_id, issued_at_s }) {
      const sign_out = known.get(auth_id);
      if (!sign_out || issued_at_s * 1000 > sign_out.at_ms + slack_ms) return false;
      if (!session_id) return true;
      const alive = sign_out.alive.get(session_id);
      if (alive !== undefined) return !alive;
      return isSessionAlive(database, auth_id, session_id).then((is_alive) => {
        sign_out.alive.set(session_id, is_alive);
        return !is_alive;
      });
    },
    async endSessions(auth_id, except_session_id) {
      await database
        .transaction()
        .execute((transaction) => deleteSessions(transaction, auth_id, except_session_id));
      remember(auth_id);
    },
    async note(auth_id) {
      await noteSignOut(database, auth_id);
      remember(auth_id);
    },
    remember,
    stop: () => clearInterval(timer),
  };
}

/** Deletes each hour what signing in does not need any more. */
export function signInJob(config: Config, database: Database): Job {
  return {
    name: 'delete_old_sign_in_rows',
    schedule: '23 * * * *',
    run: () => deleteOldSignInRows(database, tokenLifetime(config)),
  };
}
