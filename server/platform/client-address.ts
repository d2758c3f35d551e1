import type { Context } from 'hono';
import type { AppEnvironment } from './routes.ts';

/**
 * The address of whoever sent a request, to count tries by. Behind `trust_proxy` proxies of ours it is the one that the
 * outermost of them saw: each adds an address at the end of X-Forwarded-For, and what stands before those was typed by
 * the client. An IPv6 client is counted by its /64, which is what one person is given.
 */
export function clientAddress(c: Context<AppEnvironment>, trust_proxy: number): string {
  const socket = c.env.incoming.socket.remoteAddress ?? 'unknown';
  const forwarded = (c.req.header('x-forwarded-for') ?? '')
    .split(',')
    .map((address) => address.trim())
    .filter((address) => address !== '');
  const address = trust_proxy > 0 ? (forwarded.at(-trust_proxy) ?? forwarded[0] ?? socket) : socket;
  return countedAs(address);
}

function countedAs(address: string) {
  const bare = address.replace(/^::ffff:(?=\d+\.)/i, '').replace(/^\[|\]$|%.*$/g, '');
  if (!bare.includes(':')) return bare;
  const [head = '', tail] = bare.toLowerCase().split('::');
  const groups = head.split(':').filter(Boolean);
  const rest = (tail ?? '').split(':').filter(Boolean);
  while (tail !== undefined && groups.length + rest.length < 8) groups.push('0');
  return `${[...groups, ...rest]
    .slice(0, 4)
    .map((group) => group.replace(/^0+(?=.)/, ''))
    .join(':')}::/64`;
}
