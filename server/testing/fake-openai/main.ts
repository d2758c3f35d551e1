/** Starts the double by hand: `PORT=4010 node server/testing/fake-openai/main.ts`. Prints what a client needs. */
import { startFakeOpenAI } from './fake-openai.ts';

const fake = await startFakeOpenAI({
  port: Number(process.env.PORT ?? 0),
  token_delay_ms: Number(process.env.TOKEN_DELAY_MS ?? 20),
});
process.stdout.write(`OPENAI_BASE_URL=${fake.url}\nOPENAI_API_KEY=${fake.api_key}\n`);

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => void fake.close());
}
