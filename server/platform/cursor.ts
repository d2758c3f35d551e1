import { z } from '@hono/zod-openapi';
import { AppError } from './errors.ts';

/** A page's cursor is the sorting key of the last row told: opaque to the client. `time`: as the database gave it. */
export function writeCursor(time: string, id: string): string {
  return Buffer.from(`${time} ${id}`).toString('base64url');
}

const cursorText = /^(\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:\d\d)) (\S+)$/;

/** The key that a cursor stands for; undefined without one. Throws `invalid_request` for what is none of ours. */
export function readCursor(cursor: string | undefined): { time: string; id: string } | undefined {
  if (cursor === undefined) return undefined;
  const found = cursorText.exec(Buffer.from(cursor, 'base64url').toString());
  if (!found || !isTime(found[1]!) || !z.uuid().safeParse(found[2]).success) {
    throw new AppError('invalid_request', 'This page does not exist. Load the list again.');
  }
  return { time: found[1]!, id: found[2]! };
}

/** `Date` takes 30 February for a day of March; the database does not take it. */
function isTime(text: string) {
  const day = new Date(text.slice(0, 10));
  return (
    !Number.isNaN(Date.parse(text)) &&
    !Number.isNaN(day.getTime()) &&
    day.toISOString().slice(0, 10) === text.slice(0, 10)
  );
}
