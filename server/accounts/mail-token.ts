import { createHash, randomBytes } from 'node:crypto';

/** The secret of a link in a mail: 256 random bits in 43 characters that a URL may carry. */
export function createMailToken(): string {
  return randomBytes(32).toString('base64url');
}

/** What the database keeps of it: SHA-256 in hexadecimal. Its length makes a salt or a slow hash needless. */
export function hashMailToken(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}
