import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readConfig } from '../platform/config.ts';
import { checkDataFolder } from './check-data-folder.ts';

let root: string;
let folder: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'touchline-doctor-'));
  folder = join(root, '.data');
  mkdirSync(folder, { mode: 0o700 });
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function checkFolder(path = folder) {
  return checkDataFolder(readConfig({ DATA_DIR: path }), root).map(
    ({ verdict, sentence }) => `${verdict} ${sentence}`,
  );
}

test('a private folder with private secrets is good all over', () => {
  writeFileSync(join(folder, 'auth-secrets.json'), '{"jwt_secret":"hush"}', { mode: 0o600 });
  writeFileSync(join(folder, 'postgres-password'), 'hush', { mode: 0o600 });
  writeFileSync(join(root, '.env'), 'OPENAI_API_KEY=hush', { mode: 0o600 });
  const findings = checkFolder();
  expect(findings.filter((finding) => !finding.startsWith('good') && !finding.includes('disk'))).toEqual([]);
  expect(findings).toHaveLength(4);
  expect(findings.join()).not.toContain('hush');
});

test('a folder that is not there yet is no fault', () => {
  expect(checkFolder(join(root, 'elsewhere'))).toEqual([
    `note ${join(root, 'elsewhere')} is not there yet: the first start makes it.`,
  ]);
});

test('a file in place of the folder is told', () => {
  const file = join(root, 'file');
  writeFileSync(file, '');
  expect(checkFolder(file)).toEqual([expect.stringMatching(/^wrong .* is not a folder/)]);
});

test('what others may read is told with the command that mends it', () => {
  for (const name of ['auth-secrets.json', 'postgres-password']) {
    writeFileSync(join(folder, name), '{}');
    chmodSync(join(folder, name), 0o640);
  }
  writeFileSync(join(root, '.env'), 'OPENAI_API_KEY=hush');
  chmodSync(join(root, '.env'), 0o644);
  chmodSync(folder, 0o755);
  const findings = checkFolder().join('\n');
  for (const command of [
    `chmod 700 '${folder}'`,
    `chmod 600 '${join(folder, 'auth-secrets.json')}'`,
    `chmod 600 '${join(folder, 'postgres-password')}'`,
    `chmod 600 '${join(root, '.env')}'`,
  ]) {
    expect(findings).toContain(command);
  }
  // Passing through is no reading: PostgreSQL may have to.
  chmodSync(folder, 0o711);
  expect(checkFolder()[0]).toMatch(/^good/);
});

test('a damaged secrets file is told, not quoted', () => {
  writeFileSync(join(folder, 'auth-secrets.json'), '{"jwt_secret":"hush', { mode: 0o600 });
  const findings = checkFolder();
  expect(findings).toContainEqual(expect.stringMatching(/^wrong .*auth-secrets\.json is damaged/));
  expect(findings.join()).not.toContain('hush');
});
