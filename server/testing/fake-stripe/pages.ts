import type { IncomingMessage, ServerResponse } from 'node:http';
import { paySession } from './checkout.ts';
import type { StripeState } from './state.ts';

/**
 * The pages that people see at Stripe: paying, and the portal. Returns whether it was one. After paying, `tellSite` is called
 * with the number of events that there were before, and the browser goes back to the site.
 */
export async function servePage(
  request: IncomingMessage,
  response: ServerResponse,
  pathname: string,
  state: StripeState,
  tellSite: (from: number) => Promise<void>,
): Promise<boolean> {
  const [, page, id] = /^\/(c\/pay|p\/session)\/(\w+)$/.exec(pathname) ?? [];
  if (!page || !id) return false;
  const object = state.objects.get(id);
  if (!object) {
    response.writeHead(404).end('There is nothing at this address.');
  } else if (page === 'p/session') {
    show(response, 'Cards and invoices', `<p><a href="${object.return_url ?? '/'}">Back to the site</a></p>`);
  } else if (object.status !== 'open') {
    show(
      response,
      'This page has expired',
      `<p><a href="${object.cancel_url ?? '/'}">Back to the site</a></p>`,
    );
  } else if (request.method === 'POST') {
    const from = state.events.length;
    paySession(state, object);
    await tellSite(from);
    const location = String(object.success_url).replace('{CHECKOUT_SESSION_ID}', object.id);
    response.writeHead(303, { location }).end();
  } else {
    const amount = `${(object.amount_total / 100).toFixed(2)} ${String(object.currency).toUpperCase()}`;
    show(
      response,
      `Pay ${amount}`,
      `<form method="post"><button>Pay ${amount}</button></form><p><a href="${object.cancel_url ?? '/'}">Back</a></p>`,
    );
  }
  return true;
}

function show(response: ServerResponse, title: string, content: string) {
  response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' });
  response.end(
    `<!doctype html><html lang="en"><title>${title}</title><h1>${title}</h1>${content}<p>This stands for Stripe. No money moves.</p></html>`,
  );
}
