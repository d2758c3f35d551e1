import { createRoute, z } from '@hono/zod-openapi';
import type { Context } from 'hono';
import { AppError } from '../errors.ts';
import { type AppEnvironment, createRouter, jsonResponse, problemResponse } from '../routes.ts';
import type { Mailer } from './mailer.ts';

const summary = z
  .object({
    id: z.string(),
    to: z.string(),
    subject: z.string(),
    sent_at: z.string().openapi({ description: 'ISO 8601, UTC.' }),
  })
  .openapi('OutboxEntry');

const whole = summary.extend({ text: z.string(), html: z.string() }).openapi('OutboxMail');

const listMails = createRoute({
  method: 'get',
  path: '/api/outbox',
  summary: 'The mails that were written in place of being sent, the newest first; only on this machine',
  responses: {
    200: jsonResponse(z.object({ mails: z.array(summary) }), 'The newest hundred'),
    default: problemResponse,
  },
});

const getMail = createRoute({
  method: 'get',
  path: '/api/outbox/{id}',
  summary: 'One of them, whole; only on this machine',
  request: { params: z.object({ id: z.string() }) },
  responses: { 200: jsonResponse(whole, 'The mail'), default: problemResponse },
});

/**
 * The outbox, without a sign-in: a mail that lets somebody in again has to be read by somebody who is out. So it is
 * there only while no mail server is set, and only for requests of this machine.
 */
export function outboxRoutes({ mailer }: { mailer: Mailer }) {
  const routes = createRouter();
  const open = (c: Context<AppEnvironment>) => {
    if (!mailer.outbox || !isFromThisMachine(c)) {
      throw new AppError('not_found', 'There is nothing at this address.');
    }
    return mailer.outbox;
  };
  routes.openapi(listMails, async (c) => {
    const mails = await open(c).list();
    return c.json(
      { mails: mails.map(({ id, to, subject, sent_at }) => ({ id, to, subject, sent_at })) },
      200,
    );
  });
  routes.openapi(getMail, async (c) => {
    const mail = await open(c).find(c.req.valid('param').id);
    if (!mail)
      throw new AppError('not_found', 'This mail is not there any more: the newest hundred are kept.');
    return c.json(mail, 200);
  });
  return routes;
}

/** Whether a request needs no sign-in because of its path: the outbox decides by where it comes from. */
export function isOutboxPath(path: string) {
  return path === '/api/outbox' || /^\/api\/outbox\/[^/]+$/.test(path);
}

/**
 * Whether a request was made on this machine and to it. The server listens on a loopback address then, so what is left
 * to tell apart is a page of another site whose name was made to lead here (its name is in Host), and a proxy on this
 * machine that passes on what comes from elsewhere (it says so in a header, or speaks HTTP/1.0).
 */
export function isFromThisMachine(c: Context<AppEnvironment>) {
  const headers = c.req.header();
  const isPassedOn = Object.keys(headers).some(
    (name) => /^(forwarded|via|x-real-ip|true-client-ip)$/.test(name) || /^(x-forwarded|cf|fly)-/.test(name),
  );
  const isLocalHost = /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?$/i.test(headers.host ?? '');
  return isLocalHost && !isPassedOn && c.env.incoming.httpVersion !== '1.0';
}
