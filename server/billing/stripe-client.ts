import type Stripe from 'stripe';
import type { StripeConfig } from '../platform/config.ts';
import { AppError } from '../platform/errors.ts';

/** The SDK, loaded at its first use: it takes longer to load than all else that a start does. */
export type StripeClient = { config: StripeConfig; load: () => Promise<Stripe> };

export function createStripeClient(config: StripeConfig): StripeClient {
  let loading: Promise<Stripe> | undefined;
  async function load() {
    const { default: Sdk } = await import('stripe');
    const { protocol, hostname, port } = new URL(config.api_url);
    return new Sdk(config.secret_key, {
      host: hostname,
      port: port || (protocol === 'http:' ? 80 : 443),
      protocol: protocol === 'http:' ? 'http' : 'https',
      telemetry: false,
      timeout: 15_000,
      // A POST is tried again under the same idempotency key, so that it is done once.
      maxNetworkRetries: 2,
    });
  }
  return {
    config,
    load() {
      loading ??= load();
      return loading;
    },
  };
}

type StripeFailure = { type?: string; code?: string; statusCode?: number };

const unanswered = ['StripeConnectionError', 'StripeAPIError', 'StripeIdempotencyError'];

/** Whether Stripe says that there is no such thing. */
export function isMissing(error: unknown): boolean {
  return (error as StripeFailure).code === 'resource_missing';
}

/**
 * Changes something at Stripe. Throws `billing_unavailable`, saying that nobody knows what became of it, where no answer came
 * that tells; whatever else Stripe says is thrown on as it is.
 */
export async function changeAtStripe<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    throw isUncertain(error) ? uncertainOutcome(error) : error;
  }
}

/**
 * Whether nobody knows if Stripe has done what it was asked for: no answer, one that tells of trouble at Stripe, or that the
 * same request is still under way.
 */
export function isUncertain(error: unknown): boolean {
  const { type, statusCode } = error as StripeFailure;
  return (
    type !== undefined && (unanswered.includes(type) || (type.startsWith('Stripe') && statusCode === 409))
  );
}

const unconfirmed = ['subscription_payment_intent_requires_action', 'authentication_required'];

/** Whether a payment did not go through because the bank wants its customer to confirm it (3-D Secure). */
export function wantsConfirmation(error: unknown): boolean {
  return unconfirmed.includes((error as StripeFailure).code ?? '');
}

/** What is said where something may have been done. */
export function uncertainOutcome(cause: unknown): AppError {
  return new AppError(
    'billing_unavailable',
    'Stripe did not answer, so it is not certain whether this was done. Look in a minute how your plan stands; doing it again charges nothing twice.',
    { cause, retry_after_ms: 30_000 },
  );
}

const nothingPaid = 'Nothing was charged.';
const nothing_done =
  'Payments cannot be reached at the moment. Your plan is as it was, and nothing was charged; try again in a minute.';

/**
 * What a person is told when Stripe could not do something. An error that is none of Stripe's comes back as it is.
 * `away`: the sentence for when Stripe cannot be reached.
 */
export function explainStripeFailure(error: unknown, away = nothing_done): unknown {
  const { type, statusCode } = error as StripeFailure;
  if (!type?.startsWith('Stripe')) return error;
  if (type === 'StripeCardError') {
    return new AppError(
      'payment_failed',
      `The payment did not go through, so your plan is as it was. ${nothingPaid} Try another card under “Cards and invoices”.`,
      { cause: error },
    );
  }
  if (type === 'StripeInvalidRequestError' && statusCode !== 401 && statusCode !== 403) {
    return new AppError(
      'billing_changed',
      'This could not be changed as it stands at Stripe. Load the page again to see how it stands, and try once more.',
      { cause: error },
    );
  }
  return new AppError('billing_unavailable', away, { cause: error, retry_after_ms: 30_000 });
}
