import { setTimeout as delay } from 'node:timers/promises';
import { createRoute, z } from '@hono/zod-openapi';
import { erasures_job } from '../accounts/jobs.ts';
import { fileSchema } from '../files/routes.ts';
import { citationSchema } from '../knowledge/citation.ts';
import { readCursor, writeCursor } from '../platform/cursor.ts';
import type { Database } from '../platform/database.ts';
import { notFound } from '../platform/errors.ts';
import type { Jobs } from '../platform/jobs.ts';
import { createRouter, jsonResponse, problemResponse, signedIn, uuidParam } from '../platform/routes.ts';
import { isRunning } from './queries.ts';
import { type RunningTurns, TurnStopped } from './running-turns.ts';
import {
  deleteChatSession,
  findChatSession,
  listChatSessions,
  listMessages,
  type MessageRow,
  renameChatSession,
} from './session-queries.ts';
import { failureOf } from './turn-failure.ts';

const chatSession = z
  .object({
    id: z.uuid(),
    assistant_slug: z.string(),
    title: z.string(),
    created_at: z.string(),
    updated_at: z.string(),
  })
  .openapi('ChatSession');

const turnStatus = z.enum(['accepted', 'answering', 'done', 'stopped', 'failed']);

const messageFile = fileSchema.extend({
  kind: z.enum(['document', 'image']),
  width: z.int().nullable().openapi({ description: 'Pixels of an image, as it is shown.' }),
  height: z.int().nullable(),
  deleted: z.boolean().openapi({ description: 'You deleted it: its name is all that is left.' }),
});

const message = z
  .object({
    id: z.uuid(),
    sender: z.enum(['user', 'assistant']),
    content: z.string().openapi({ description: 'Markdown.' }),
    created_at: z.string(),
    turn_id: z.uuid().nullable(),
    turn_status: turnStatus.nullable(),
    incomplete: z.boolean().openapi({ description: 'The reply ran into a limit of the model.' }),
    history_shortened: z
      .boolean()
      .openapi({ description: 'The chat had grown too long: the coach was not told its oldest messages.' }),
    files_missing: z
      .boolean()
      .openapi({ description: 'The files could not be made ready: the coach had to do without them.' }),
    files: z.array(messageFile),
    citations: z.array(citationSchema),
  })
  .openapi('Message');

const limit = (fallback: number, most: number) => z.coerce.number().int().min(1).max(most).default(fallback);

const listRoute = createRoute({
  method: 'get',
  path: '/api/chat-sessions',
  summary: 'Your chats, newest first',
  security: signedIn,
  request: { query: z.object({ limit: limit(30, 100), cursor: z.string().optional() }) },
  responses: {
    200: jsonResponse(
      z.object({ chat_sessions: z.array(chatSession), next_cursor: z.string().nullable() }),
      'A page of chats',
    ),
    default: problemResponse,
  },
});

const getRoute = createRoute({
  method: 'get',
  path: '/api/chat-sessions/{id}',
  summary: 'One chat',
  security: signedIn,
  request: { params: uuidParam },
  responses: { 200: jsonResponse(chatSession, 'The chat'), default: problemResponse },
});

const renameRoute = createRoute({
  method: 'patch',
  path: '/api/chat-sessions/{id}',
  summary: 'Rename a chat',
  security: signedIn,
  request: {
    params: uuidParam,
    body: {
      required: true,
      content: {
        'application/json': {
          schema: z.object({
            title: z
              .string()
              .transform((title) =>
                title
                  .replace(/\p{Cc}+/gu, ' ')
                  .toWellFormed()
                  .trim(),
              )
              .pipe(z.string().min(1, 'must not be empty').max(200, 'must have at most 200 characters')),
          }),
        },
      },
    },
  },
  responses: { 200: jsonResponse(chatSession, 'The chat'), default: problemResponse },
});

const deleteRoute = createRoute({
  method: 'delete',
  path: '/api/chat-sessions/{id}',
  summary: 'Delete a chat with its messages and files, here and upstream',
  security: signedIn,
  request: { params: uuidParam },
  responses: { 204: { description: 'It is gone' }, default: problemResponse },
});

const messagesRoute = createRoute({
  method: 'get',
  path: '/api/chat-sessions/{id}/messages',
  summary: 'A page of a chat, oldest first, ending before a cursor',
  security: signedIn,
  request: { params: uuidParam, query: z.object({ limit: limit(50, 200), before: z.string().optional() }) },
  responses: {
    200: jsonResponse(
      z.object({
        messages: z.array(message),
        running_turn: z.object({ id: z.uuid(), user_message_id: z.uuid() }).nullable(),
        failed_turn: z
          .object({
            id: z.uuid(),
            user_message_id: z.uuid(),
            error_code: z.string(),
            error_detail: z.string(),
            content: z.string(),
            files: z.array(messageFile).openapi({ description: 'They can be sent again with it.' }),
          })
          .nullable()
          .openapi({ description: 'The last turn, when it failed: its message can be sent again.' }),
        next_cursor: z.string().nullable(),
      }),
      'A page of messages',
    ),
    default: problemResponse,
  },
});

const stop_patience_ms = 3_000;

type SessionServices = { database: Database; jobs: Jobs; running_turns: RunningTurns };

/** The routes of chats and their history. */
export function sessionRoutes({ database, jobs, running_turns }: SessionServices) {
  const routes = createRouter();

  /** Ends the reply of a chat that is to be deleted, so that it is settled and its reader told; in vain elsewhere. */
  async function stopReply(auth_id: string, session_id: string) {
    const running = running_turns.ofChat(session_id);
    if (running?.auth_id !== auth_id) return;
    running.abort.abort(new TurnStopped());
    await Promise.race([running.ended, delay(stop_patience_ms)]);
  }

  routes.openapi(listRoute, async (c) => {
    const { limit, cursor } = c.req.valid('query');
    const from = readCursor(cursor);
    const after = from && { updated_at: from.time, id: from.id };
    const rows = await listChatSessions(database, c.var.signed_in.auth_id, { limit: limit + 1, after });
    const page = rows.slice(0, limit);
    const last = rows.length > limit ? page.at(-1) : undefined;
    return c.json(
      { chat_sessions: page, next_cursor: last ? writeCursor(last.updated_at, last.id) : null },
      200,
    );
  });

  routes.openapi(getRoute, async (c) => {
    const session = await findChatSession(database, c.var.signed_in.auth_id, c.req.valid('param').id);
    if (!session) throw notFound('chat');
    return c.json(session, 200);
  });

  routes.openapi(renameRoute, async (c) => {
    const { title } = c.req.valid('json');
    const session = await renameChatSession(
      database,
      c.var.signed_in.auth_id,
      c.req.valid('param').id,
      title,
    );
    if (!session) throw notFound('chat');
    return c.json(session, 200);
  });

  routes.openapi(deleteRoute, async (c) => {
    const { auth_id } = c.var.signed_in;
    const { id } = c.req.valid('param');
    await stopReply(auth_id, id);
    if (!(await deleteChatSession(database, auth_id, id))) throw notFound('chat');
    jobs.wake(erasures_job);
    return c.body(null, 204);
  });

  routes.openapi(messagesRoute, async (c) => {
    const { auth_id } = c.var.signed_in;
    const { id } = c.req.valid('param');
    const { limit, before } = c.req.valid('query');
    const from = readCursor(before);
    const rows = await listMessages(database, auth_id, id, {
      limit: limit + 1,
      before: from && { created_at: from.time, id: from.id },
    });
    if (rows.length === 0 && !from && !(await findChatSession(database, auth_id, id))) throw notFound('chat');
    const page = rows.slice(0, limit);
    const oldest = rows.length > limit ? page.at(-1) : undefined;
    const newest = from ? undefined : page[0];
    return c.json(
      {
        messages: page.toReversed().map(describeMessage),
        running_turn: describeRunning(newest),
        failed_turn: describeFailed(page, newest),
        next_cursor: oldest ? writeCursor(oldest.created_at, oldest.id) : null,
      },
      200,
    );
  });

  return routes;
}

function describeMessage({
  turn_error_code: _,
  turn_incomplete: incomplete,
  turn_history_shortened: history_shortened,
  turn_files_missing: files_missing,
  ...row
}: MessageRow) {
  const isReply = row.sender === 'assistant';
  return {
    ...row,
    incomplete: incomplete && isReply,
    history_shortened: history_shortened && isReply,
    files_missing: files_missing && isReply,
  };
}

function describeRunning(newest: MessageRow | undefined) {
  if (newest?.sender !== 'user' || !isRunning(newest.turn_status)) return null;
  return { id: newest.turn_id!, user_message_id: newest.id };
}

function describeFailed(page: MessageRow[], newest: MessageRow | undefined) {
  if (newest?.turn_status !== 'failed') return null;
  const asked = page.find((row) => row.sender === 'user');
  if (asked?.turn_status !== 'failed') return null;
  const error = failureOf(asked.turn_error_code);
  return {
    id: asked.turn_id!,
    user_message_id: asked.id,
    error_code: error.code,
    error_detail: error.message,
    content: asked.content,
    files: asked.files.filter(({ deleted }) => !deleted),
  };
}
