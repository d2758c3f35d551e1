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
  // Some proxies add the port.
  const bare = address.replace(/^\[([^\]]*)\](:\d+)?$|^([^:]+):\d+$/, '$1$3').replace(/%.*$/, '');
  const mapped = /^::ffff:(?:(\d+(?:\.\d+){3})|([0-9a-f]{1,4}):([0-9a-f]{1,4}))$/i.exec(bare);
  if (mapped?.[1]) return mapped[1];
  if (mapped) {
    const [high, low] = [Number.parseInt(mapped[2]!, 16), Number.parseInt(mapped[3]!, 16)];
    return [high >> 8, high & 255, low >> 8, low & 255].join('.');
  }
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
