import type { Config } from '../platform/config.ts';
import { type Asked, ask } from './ask.ts';
import { type Finding, findingsAbout } from './finding.ts';

const { good, note, wrong } = findingsAbout('stripe');

/** What billing reads there; a restricted key may lack the right to some. */
const parts = [
  ...['prices', 'customers', 'subscriptions', 'checkout/sessions', 'invoices', 'charges', 'refunds'],
  'payment_intents',
];

/** Whether Stripe takes the key, in which mode, and whether its events can be checked. Changes nothing there. */
export async function checkStripe(stripe: Config['stripe']): Promise<Finding[]> {
  if (!stripe) return [note('STRIPE_SECRET_KEY is not set: billing is off, and plans are given by hand.')];
  return [...(await checkKey(stripe)), checkWebhookSecret(stripe.webhook_secret)];
}

async function checkKey({ api_url, secret_key }: NonNullable<Config['stripe']>): Promise<Finding[]> {
  if (!/^(sk|rk)_/.test(secret_key)) {
    const what = secret_key.startsWith('pk_') ? 'the publishable key' : 'no secret key of Stripe';
    return [
      wrong(
        `STRIPE_SECRET_KEY holds ${what}: set the secret key (sk_… or rk_…) from the dashboard, Developers, API keys.`,
      ),
    ];
  }
  const answers = await Promise.all(
    parts.map((part) => ask(`${api_url}/v1/${part}?limit=1`, { authorization: `Bearer ${secret_key}` })),
  );
  const isStripe = new URL(api_url).hostname === 'api.stripe.com';
  const who = isStripe ? 'Stripe' : 'The server of STRIPE_API_URL';
  const failed = answers.find(({ status }) => status !== 200 && status !== 403);
  if (failed) return [wrong(explain(failed, who, isStripe ? 'the network' : 'STRIPE_API_URL'))];
  const refused = parts.filter((_part, at) => answers[at]!.status === 403);
  if (refused.length > 0) {
    return [
      wrong(
        `The key may not read ${refused.join(', ')} (403): allow it in the dashboard, Developers, API keys, or set the secret key itself.`,
      ),
    ];
  }
  if (!answers.every(isList)) {
    return [wrong(`${who} does not answer as Stripe does: correct STRIPE_API_URL.`)];
  }
  if (/^.k_live_/.test(secret_key)) return [good(`${who} takes the key, in live mode: payments are real.`)];
  return [good(`${who} takes the key, in test mode: no money moves.`)];
}

function isList(answer: Asked) {
  return (
    answer.status !== undefined && Array.isArray((answer.body as { data?: unknown } | null | undefined)?.data)
  );
}

function explain(answer: Asked, who: string, where: string) {
  if (answer.status === undefined) return `${who} cannot be reached (${answer.failure}): check ${where}.`;
  if (answer.status === 401) {
    return `${who} refuses STRIPE_SECRET_KEY (401): copy the secret key from the dashboard, Developers, API keys.`;
  }
  if (answer.status === 404) return `${who} does not have Stripe's interface (404): correct STRIPE_API_URL.`;
  return `${who} does not serve at the moment (${answer.status}): try again in a minute.`;
}

function checkWebhookSecret(secret: string | undefined) {
  if (secret === undefined) {
    return note(
      'STRIPE_WEBHOOK_SECRET is not set: no event of Stripe is taken. Copy the signing secret from the dashboard, Developers, Webhooks.',
    );
  }
  return secret.startsWith('whsec_')
    ? good(
        'STRIPE_WEBHOOK_SECRET looks like a signing secret. Whether it is the right one shows with the first event.',
      )
    : wrong(
        'STRIPE_WEBHOOK_SECRET is no signing secret, which begins with whsec_: copy it from the dashboard, Developers, Webhooks.',
      );
}
