import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createDiskStorage, isDiskFull } from './storage.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'touchline-storage-'));
  writeFileSync(join(folder, 'upload'), 'Flour, water, salt and time.'.repeat(1_000));
});
afterAll(() => rmSync(folder, { recursive: true }));

// Linux's device that answers every write as a full disk does.
it.runIf(existsSync('/dev/full'))(
  'a file for which the disk has no room leaves nothing, and the reason can be told',
  async () => {
    mkdirSync(join(folder, 'files', 'member'), { recursive: true });
    symlinkSync('/dev/full', join(folder, 'files', 'member', 'original.part'));
    const error = await createDiskStorage(folder)
      .putFile('member/original', join(folder, 'upload'))
      .then(
        () => expect.fail('it was stored'),
        (thrown) => thrown,
      );
    expect(isDiskFull(error)).toBe(true);
    expect(readdirSync(join(folder, 'files', 'member'))).toEqual([]);
  },
);

it('bytes are stored whole, replaced, read and deleted', async () => {
  const storage = createDiskStorage(folder);
  for (const words of ['one', 'another']) {
    writeFileSync(join(folder, 'small'), words);
    await storage.putFile('other/original', join(folder, 'small'));
    expect(await text(await storage.getStream('other/original'))).toBe(words);
  }
  expect(readdirSync(join(folder, 'files', 'other'))).toEqual(['original']);
  await storage.delete('other/original');
  await storage.delete('other/original');
  expect(readdirSync(join(folder, 'files', 'other'))).toEqual([]);
});

it.each(['ENOSPC', 'EDQUOT', '53100'])('%s is a full disk, however deep it lies', (code) => {
  const error = new Error('not stored', {
    cause: new Error('not written', { cause: Object.assign(new Error(), { code }) }),
  });
  expect(isDiskFull(error)).toBe(true);
});

it.each([[new Error('no')], [Object.assign(new Error(), { code: 'EACCES' })], ['ENOSPC'], [undefined]])(
  '%s is no full disk',
  (error) => {
    expect(isDiskFull(error)).toBe(false);
  },
);
