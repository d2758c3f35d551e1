import { z } from 'zod';
import { badRequest } from './api-error.ts';

const limitUpTo = (max: number) => z.coerce.number().pipe(z.int().min(1).max(max)).optional();
const order = z.enum(['asc', 'desc']).optional();
const cursor = z.string().optional();

/** The query of conversation items and of a response's input items. */
export const itemListQuery = { limit: limitUpTo(100), order, after: cursor };
/** The query of everything in vector stores. */
export const vectorStoreListQuery = { limit: limitUpTo(100), order, after: cursor, before: cursor };
export const fileListQuery = {
  limit: limitUpTo(10_000),
  order,
  after: cursor,
  purpose: z.string().optional(),
};

type PageQuery = { limit?: number; order?: 'asc' | 'desc'; after?: string; before?: string };

/** One page of `entries` (oldest first), newest first unless the query says otherwise. */
export function listPage<Entry extends { id: string }>(
  entries: Entry[],
  query: PageQuery,
  options: { limit: number; object?: string },
) {
  const ordered = query.order === 'asc' ? entries : entries.toReversed();
  const start = query.after ? positionOf(ordered, query.after, 'after') + 1 : 0;
  const end = query.before ? positionOf(ordered, query.before, 'before') : ordered.length;
  const rest = ordered.slice(start, end);
  const limit = query.limit ?? options.limit;
  // With `before` the page lies right in front of the cursor.
  const data = query.before && !query.after ? rest.slice(-limit) : rest.slice(0, limit);
  return {
    object: 'list',
    data,
    first_id: data[0]?.id ?? '',
    last_id: data.at(-1)?.id ?? '',
    has_more: rest.length > data.length,
  };
}

function positionOf(entries: { id: string }[], id: string, param: string) {
  const at = entries.findIndex((entry) => entry.id === id);
  if (at < 0) throw badRequest(`Invalid '${param}': no object with id '${id}'.`, 'invalid_value', param);
  return at;
}
