import { expect, test } from 'vitest';
import { safeReturnPath } from './use-return.ts';

test('signing in returns to a path of this site with its search', () => {
  expect(safeReturnPath('/chats/1?x=2')).toBe('/chats/1?x=2');
});

test('signing in never leads to another site', () => {
  for (const next of [
    '//evil.example',
    '/\\evil.example',
    '/\t/evil.example',
    '/.//evil.example',
    '/x/..//evil.example',
    'https://evil.example',
    'javascript:alert(1)',
  ]) {
    expect(safeReturnPath(next)).toBe('/');
  }
});

test('signing in does not lead back to signing in', () => {
  for (const path of ['/sign-in', '/sign-up?next=/x', '/reset-password', '/auth/callback']) {
    expect(safeReturnPath(path)).toBe('/');
  }
  expect(safeReturnPath('/settings/sign-in')).toBe('/settings/sign-in');
  expect(safeReturnPath(undefined)).toBe('/');
});
