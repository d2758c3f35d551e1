import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response';
import { createRoute, z } from '@hono/zod-openapi';
import type { Context } from 'hono';
import type { Coach } from '../coaches/coach-file.ts';
import type { Bell } from '../platform/bell.ts';
import { AppError, notFound } from '../platform/errors.ts';
import {
  type AppEnvironment,
  createRouter,
  problemResponse,
  signedIn,
  uuidParam,
} from '../platform/routes.ts';
import { TimeLimitExceeded, withTimeLimit } from '../platform/time-limit.ts';
import { beginTurnOrRefuse } from './begin-turn.ts';
import { followTurn } from './join-turn.ts';
import { findTurn, requestStop } from './queries.ts';
import { runTurn, type TurnServices } from './run-turn.ts';
import { RunningTurn } from './running-turn.ts';
import { TurnStopped } from './running-turns.ts';
import { titleFromMessage } from './title.ts';
import { openTurnStream } from './turn-stream.ts';

const longest_message = 50_000;
const most_files = 10;

const newTurn = z
  .object({
    id: z.uuid().openapi({ description: 'Made by the sender; sending it again joins the same turn.' }),
    assistant_slug: z.string().max(63).openapi({ description: 'The coach.' }),
    content: z
      .string()
      .max(longest_message, `must have at most ${longest_message} characters`)
      // PostgreSQL's text holds neither NUL nor half of a surrogate pair.
      .transform((content) => content.replaceAll('\0', '').toWellFormed().trim())
      .default(''),
    file_ids: z.array(z.uuid()).max(most_files).default([]),
    edits_message_id: z.uuid().optional().openapi({
      description: 'Your last message, whose place this one takes; the reply to it leaves the chat.',
    }),
    repeats_message_id: z
      .uuid()
      .optional()
      .openapi({ description: 'Your last message, which is answered again; then there is no content.' }),
  })
  .refine((turn) => turn.repeats_message_id || turn.content !== '' || turn.file_ids.length > 0, {
    path: ['content'],
    message: 'must not be empty',
  })
  .refine(
    (turn) =>
      !turn.repeats_message_id ||
      (turn.content === '' && turn.file_ids.length === 0 && !turn.edits_message_id),
    { path: ['repeats_message_id'], message: 'stands alone' },
  )
  .openapi('NewTurn');

const eventStream = {
  description:
    'Server-Sent Events. `id` is the length of the reply so far in UTF-16 units. Without a name: a JSON string, the next stretch of text. Named: `turn` first, `status`, `citation`, and `end` or `error` last.',
  content: { 'text/event-stream': { schema: z.string() } },
};

const postTurn = createRoute({
  method: 'post',
  path: '/api/chat-sessions/{id}/turns',
  summary: 'Send a message and read the reply',
  description: 'The first turn makes the chat session of that id. The reply goes on when the reader leaves.',
  security: signedIn,
  request: {
    params: uuidParam,
    body: { required: true, content: { 'application/json': { schema: newTurn } } },
  },
  responses: { 200: eventStream, default: problemResponse },
});

const getEvents = createRoute({
  method: 'get',
  path: '/api/turns/{id}/events',
  summary: 'Join a running reply, or read how it ended',
  security: signedIn,
  request: { params: uuidParam, query: z.object({ after: z.coerce.number().int().min(0).default(0) }) },
  responses: { 200: eventStream, default: problemResponse },
});

const postStop = createRoute({
  method: 'post',
  path: '/api/turns/{id}/stop',
  summary: 'Stop a running reply; what was said stays',
  security: signedIn,
  request: { params: uuidParam },
  responses: { 202: { description: 'It stops within a second' }, default: problemResponse },
});

type TurnRouteServices = TurnServices & { coaches: Coach[]; bell: Bell };

/** A message is taken in within a few milliseconds; a database that hangs is away. */
const begin_timeout_ms = 8_000;

/** The routes of turns: send, join, stop. */
export function turnRoutes(services: TurnRouteServices) {
  const { database, running_turns, upstream } = services;
  const coaches = new Map(services.coaches.map((coach) => [coach.slug, coach]));
  const routes = createRouter();

  routes.openapi(postTurn, async (c) => {
    const { id: session_id } = c.req.valid('param');
    const turn = c.req.valid('json');
    const { id, assistant_slug, content } = turn;
    const coach = coaches.get(assistant_slug);
    if (!coach) throw notFound('coach');
    const { auth_id } = c.var.signed_in;
    // Sent again, it is joined, also while this process takes nothing new in.
    if (running_turns.get(id)?.auth_id === auth_id) return joinTurn(c, id, 0);
    const beginning = running_turns.takeIn(async () => {
      const begun = await beginTurnOrRefuse(database, c.var.signed_in, {
        turn_id: id,
        session_id,
        assistant_slug,
        title: titleFromMessage(content, coach.name),
        content,
        file_ids: [...new Set(turn.file_ids)],
        edits_id: turn.edits_message_id ?? null,
        repeats_id: turn.repeats_message_id ?? null,
        plans: coach.plans,
        with_history: !upstream?.has_conversations,
        with_library: coach.library,
      });
      if (!begun) return undefined;
      const { user_message_id, title } = begun;
      const running = new RunningTurn({ id, auth_id, session_id, user_message_id, title });
      running_turns.add(running);
      void runTurn(services, coach, begun, running);
      return running;
    });
    // A turn that begins after its sender was told to wait is answered too: the message finds it when it comes again.
    const running = await inTime(beginning);
    return running ? joinRunning(c, running, 0) : joinTurn(c, id, 0);
  });

  routes.openapi(getEvents, (c) => joinTurn(c, c.req.valid('param').id, c.req.valid('query').after));

  routes.openapi(postStop, async (c) => {
    const { id } = c.req.valid('param');
    if (!(await requestStop(database, c.var.signed_in.auth_id, id))) throw notFound('reply');
    running_turns.get(id)?.abort.abort(new TurnStopped());
    return c.body(null, 202);
  });

  async function joinTurn(c: Context<AppEnvironment>, id: string, after: number) {
    const { auth_id } = c.var.signed_in;
    const running = running_turns.get(id);
    if (running && running.auth_id === auth_id) return joinRunning(c, running, after);
    const row = await findTurn(database, auth_id, id);
    if (!row) throw notFound('reply');
    const leaving = new AbortController();
    const { session_id, user_message_id, title } = row;
    const stream = openStream(c, { id, session_id, user_message_id, title }, () => leaving.abort());
    followTurn(services, auth_id, row, stream, after, leaving.signal).catch((error) => {
      services.logger.warn({ error, turn_id: id }, 'a joined turn could not be followed');
      stream.close();
    });
    return RESPONSE_ALREADY_SENT;
  }

  function joinRunning(c: Context<AppEnvironment>, running: RunningTurn, after: number) {
    const { id, session_id, user_message_id, title } = running;
    let leave = () => {};
    const stream = openStream(c, { id, session_id, user_message_id, title }, () => leave());
    leave = running.join(stream, after);
    return RESPONSE_ALREADY_SENT;
  }

  function openStream(
    c: Context<AppEnvironment>,
    opening: Parameters<typeof openTurnStream>[1],
    onClose: () => void,
  ) {
    if (c.req.method === 'HEAD') throw new AppError('invalid_request', 'Read a reply with GET.');
    return openTurnStream(c.env.outgoing, opening, Object.fromEntries(c.res.headers), onClose);
  }

  return routes;
}

/** Waits for a turn to begin; throws `unavailable` when that takes too long. */
async function inTime<Begun>(beginning: Promise<Begun>): Promise<Begun> {
  try {
    return await withTimeLimit(beginning, begin_timeout_ms);
  } catch (error) {
    if (!(error instanceof TimeLimitExceeded)) throw error;
    throw new AppError(
      'unavailable',
      'The database does not answer at the moment. Your message is kept on this page; send it again in a minute. It is never counted twice.',
      { retry_after_ms: 5_000 },
    );
  }
}
