import { performance } from 'node:perf_hooks';
import { parseArgs } from 'node:util';
import OpenAI from 'openai';
import { loadConfig } from '../server/platform/config.ts';

/**
 * `npm run bench:background -- --times 20`: what `background: true` costs in time to the first word at the upstream that
 * is configured (OPENAI_API_KEY, OPENAI_BASE_URL). Plain and background requests take turns in one run. Costs a few
 * cents of tokens.
 */
const { values } = parseArgs({
  options: { times: { type: 'string', default: '20' }, model: { type: 'string', default: 'gpt-5-mini' } },
});
const times = Number(values.times);
const config = loadConfig(process.cwd()).openai;
if (!config || !Number.isInteger(times) || times < 1) {
  process.stderr.write('Set OPENAI_API_KEY, and give --times a whole number from 1 on.\n');
  process.exit(2);
}
const client = new OpenAI({ apiKey: config.api_key, baseURL: config.base_url, maxRetries: 0 });

/** Milliseconds from the request to the first word. */
async function timeToFirstWord(background: boolean): Promise<number> {
  const started_ms = performance.now();
  const stream = await client.responses.create({
    model: config!.model ?? values.model,
    input: 'Name three breads, in one short sentence.',
    stream: true,
    background,
    store: true,
  });
  let first_ms: number | undefined;
  for await (const event of stream) {
    if (event.type === 'response.output_text.delta') first_ms ??= performance.now() - started_ms;
  }
  if (first_ms === undefined) throw new Error('the reply had no words');
  return first_ms;
}

const measured = { plain: [] as number[], background: [] as number[] };
await timeToFirstWord(false);
for (let time = 0; time < times; time++) {
  measured.plain.push(await timeToFirstWord(false));
  measured.background.push(await timeToFirstWord(true));
}

function quantile(sample: number[], share: number) {
  const sorted = sample.toSorted((one, other) => one - other);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]!;
}
process.stdout.write('| time to the first word | p50, ms | p90, ms |\n|---|---|---|\n');
for (const [name, sample] of Object.entries(measured)) {
  process.stdout.write(
    `| ${name} | ${quantile(sample, 0.5).toFixed(0)} | ${quantile(sample, 0.9).toFixed(0)} |\n`,
  );
}
const ratio = quantile(measured.background, 0.5) / quantile(measured.plain, 0.5);
process.stdout.write(
  `\nIn the background: ${ratio.toFixed(2)} × (median of ${times}, ${config.base_url}).\n`,
);
