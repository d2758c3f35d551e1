import { expect, test } from 'vitest';
import { safeReturnPath } from './use-return.ts';

test('signing in returns to a path of this site with its search', () => {
  expect(safeReturnPath('/chats/1?x=2')).toBe('/chats/1?x=2');
});

test('signing in never leads to another site', () => {
  for (const next of ['//evil.example', '/\\evil.example', 'https://evil.example', 'javascript:alert(1)']) {
    expect(safeReturnPath(next)).toBe('/');
  }
});

test('signing in does not lead back to signing in', () => {
  expect(safeReturnPath('/sign-in')).toBe('/');
  expect(safeReturnPath(undefined)).toBe('/');
});
