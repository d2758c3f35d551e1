import { randomBytes } from 'node:crypto';

type Prefix = 'conv' | 'file' | 'fs' | 'msg' | 'req' | 'resp' | 'rs' | 'vs' | 'vsfb' | 'item';

/** A new id as OpenAI writes it: `file-…` for files, `<prefix>_…` for everything else. */
export function newId(prefix: Prefix) {
  return prefix === 'file'
    ? `file-${randomBytes(11).toString('hex')}`
    : `${prefix}_${randomBytes(24).toString('hex')}`;
}

/** The time as OpenAI counts it: whole seconds since 1970. */
export function unixNow() {
  return Math.floor(Date.now() / 1000);
}
