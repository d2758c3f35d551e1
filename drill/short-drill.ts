import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, inject } from 'vitest';

/** What the drills of a test file are told: the tests' PostgreSQL, and a log that goes with the file's last test. */
export function setShortDrill(): { seed: string; admin_url: string; log_path: string } {
  const folder = mkdtempSync(join(tmpdir(), 'touchline-drill-test-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return { seed: '1', admin_url: inject('admin_url'), log_path: join(folder, 'servers.log') };
}
