import type pg from 'pg';
import { expect, vi } from 'vitest';

/** The one that `services.ts` hands over last: when it stands, all do. */
const last_scheduled = 'send_operator_notices';

/**
 * Has a started server's jobs run only when they are woken, for tests that do themselves what the schedule would: that must
 * not come in between.
 */
export async function endSchedule(pool: pg.Pool): Promise<void> {
  await vi.waitFor(
    async () => {
      const { rows } = await pool.query('select name from pgboss.schedule');
      expect(rows.map(({ name }) => name)).toContain(last_scheduled);
    },
    { timeout: 30_000, interval: 200 },
  );
  await pool.query('delete from pgboss.schedule');
}
