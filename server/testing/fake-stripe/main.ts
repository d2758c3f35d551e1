/**
 * Starts the double by hand: `PORT=4020 SITE_URL=http://localhost:3000 node server/testing/fake-stripe/main.ts`. Prints what the
 * server needs; `npm run stripe:sync` with the same settings makes the prices. Its pages can be paid at with a click.
 */
import { startFakeStripe } from './fake-stripe.ts';

const fake = await startFakeStripe({
  port: Number(process.env.PORT ?? 0),
  ...(process.env.SITE_URL ? { site_url: process.env.SITE_URL } : {}),
});
process.stdout.write(
  `STRIPE_API_URL=${fake.url}\nSTRIPE_SECRET_KEY=${fake.secret_key}\nSTRIPE_WEBHOOK_SECRET=${fake.webhook_secret}\n`,
);

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => void fake.close());
}
