import type { IncomingMessage, ServerResponse } from 'node:http';
import { paySession } from './checkout.ts';
import { confirmInvoice } from './pending-updates.ts';
import type { StripeObject, StripeState } from './state.ts';
import { payOpenInvoices } from './subscriptions.ts';

/**
 * The pages that people see at Stripe: paying, an invoice, and the portal. Returns whether it was one. After something was done there,
 * `tellSite` is called with the number of events that there were before, and the browser goes back to the site.
 */
export async function servePage(
  request: IncomingMessage,
  response: ServerResponse,
  pathname: string,
  state: StripeState,
  tellSite: (from: number) => Promise<void>,
): Promise<boolean> {
  const [, page, id] = /^\/(c\/pay|p\/session|i)\/(\w+)$/.exec(pathname) ?? [];
  if (!page || !id) return false;
  const object = state.objects.get(id);
  const from = state.events.length;
  const back = (location: string) => response.writeHead(303, { location }).end();
  if (!object) {
    response.writeHead(404).end('There is nothing at this address.');
  } else if (page === 'i') {
    const isDone = request.method === 'POST' && confirmInvoice(state, object);
    await tellSite(from);
    const isOpen = object.status === 'open';
    show(
      response,
      isOpen ? 'Confirm this payment' : isDone ? 'Invoice paid' : 'This invoice cannot be paid',
      isOpen ? '<form method="post"><button>Confirm to your bank</button></form>' : '',
    );
  } else if (page === 'p/session') {
    if (request.method === 'POST') {
      payOpenInvoices(state, object.customer);
      await tellSite(from);
      back(object.return_url);
    } else showPortal(response, object);
  } else if (object.status !== 'open') {
    show(
      response,
      'This page has expired',
      `<p><a href="${object.cancel_url ?? '/'}">Back to the site</a></p>`,
    );
  } else if (request.method === 'POST' && !state.declines_cards) {
    paySession(state, object);
    await tellSite(from);
    back(String(object.success_url).replace('{CHECKOUT_SESSION_ID}', object.id));
  } else {
    const amount = `${(object.amount_total / 100).toFixed(2)} ${String(object.currency).toUpperCase()}`;
    const declined = request.method === 'POST' ? '<p role="alert">Your card was declined.</p>' : '';
    show(
      response,
      `Pay ${amount}`,
      `${declined}<form method="post"><button>Pay ${amount}</button></form><p><a href="${object.cancel_url ?? '/'}">Back</a></p>`,
    );
  }
  return true;
}

function showPortal(response: ServerResponse, { return_url }: StripeObject) {
  show(
    response,
    'Cards and invoices',
    `<form method="post"><button>Use a card that works</button></form><p><a href="${return_url ?? '/'}">Back to the site</a></p>`,
  );
}

function show(response: ServerResponse, title: string, content: string) {
  response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' });
  response.end(
    `<!doctype html><html lang="en"><title>${title}</title><h1>${title}</h1>${content}<p>This stands for Stripe. No money moves.</p></html>`,
  );
}
