import { expect, test } from 'vitest';
import { linkTarget } from './link-target.ts';

test('a link tells its host, whatever its words or its login part claim', () => {
  expect(linkTarget('https://www.example.com/a?b')).toBe('example.com');
  expect(linkTarget('https://bank.example@evil.example/')).toBe('evil.example');
  expect(linkTarget('mailto:ann@example.com?subject=Bread')).toBe('ann@example.com');
});

test('a mail link tells everybody whom it writes to', () => {
  expect(linkTarget('mailto:ann@example.com?cc=bo@example.com&BCC=thief%40evil.example')).toBe(
    'ann@example.com, bo@example.com, thief@evil.example',
  );
  expect(linkTarget('mailto:?to=thief@evil.example')).toBe('thief@evil.example');
});

test('what does not lead outward over http or mail is no link', () => {
  for (const href of ['javascript:alert(1)', 'data:text/html,x', '/chats/1', '#top', undefined]) {
    expect(linkTarget(href)).toBeNull();
  }
});
