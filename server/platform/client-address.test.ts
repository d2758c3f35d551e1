import type { Context } from 'hono';
import { expect, test } from 'vitest';
import { clientAddress } from './client-address.ts';
import type { AppEnvironment } from './routes.ts';

function asked(remoteAddress: string | undefined, forwarded?: string) {
  return {
    env: { incoming: { socket: { remoteAddress } } },
    req: { header: () => forwarded },
  } as unknown as Context<AppEnvironment>;
}

test('without a proxy of ours, what a client writes about itself is not believed', () => {
  expect(clientAddress(asked('203.0.113.7', '198.51.100.1'), 0)).toBe('203.0.113.7');
});

test('behind proxies of ours, the address is the one that the outermost saw; what was typed before it is not', () => {
  const forwarded = '10.9.8.7, 198.51.100.1, 192.0.2.4';
  expect(clientAddress(asked('127.0.0.1', forwarded), 1)).toBe('192.0.2.4');
  expect(clientAddress(asked('127.0.0.1', forwarded), 2)).toBe('198.51.100.1');
  expect(clientAddress(asked('127.0.0.1', '192.0.2.4'), 2)).toBe('192.0.2.4');
  expect(clientAddress(asked('127.0.0.1'), 1)).toBe('127.0.0.1');
});

test.each([
  ['::ffff:192.0.2.4', '192.0.2.4'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  ['2001:db8:1:2:ffff::1', '2001:db8:1:2::/64'],
  ['2001:0db8:0001:0002::1', '2001:db8:1:2::/64'],
  ['fe80::1%eth0', 'fe80:0:0:0::/64'],
  ['::1', '0:0:0:0::/64'],
  ['192.0.2.4:50123', '192.0.2.4'],
  ['[2001:db8:1:2::1]:50123', '2001:db8:1:2::/64'],
  ['::ffff:c000:204', '192.0.2.4'],
])('%s is counted as %s: an IPv6 client has a whole /64', (address, counted) => {
  expect(clientAddress(asked(address), 0)).toBe(counted);
});

test('a connection that is gone is counted too', () => {
  expect(clientAddress(asked(undefined), 0)).toBe('unknown');
});
