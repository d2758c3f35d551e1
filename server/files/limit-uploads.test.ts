import { expect, it } from 'vitest';
import { limitUploads } from './limit-uploads.ts';

it('ten uploads of a member go on at once; the eleventh is told when to come back, other members are not', async () => {
  const limited = limitUploads();
  const { promise, resolve } = Promise.withResolvers<void>();
  const running = Array.from({ length: 10 }, (_, n) =>
    limited('one', async () => {
      await promise;
      return n;
    }),
  );
  await expect(limited('one', async () => 11)).rejects.toMatchObject({
    code: 'too_many_requests',
    retry_after_ms: 5_000,
  });
  expect(await limited('other', async () => 'taken')).toBe('taken');
  resolve();
  expect(await Promise.all(running)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  expect(await limited('one', async () => 'taken')).toBe('taken');
});

it('an upload that fails frees its place', async () => {
  const limited = limitUploads();
  for (let n = 0; n < 11; n++) {
    await expect(limited('one', () => Promise.reject(new Error('broken')))).rejects.toThrow('broken');
  }
});
