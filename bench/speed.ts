// `npm run bench`: what the README says about speed, measured anew. See docs/decisions/0011-speed.md.
import { writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { isPinned } from './speed/ask.ts';
import {
  measureBegin,
  measureMemory,
  measureStatements,
  measureTurns,
  type Phase,
  type TurnsMeasured,
} from './speed/measure-turns.ts';
import { type Row, renderTable, round } from './speed/report.ts';
import { measureSecondStart } from './speed/second-start.ts';
import { type Parts, startParts } from './speed/start-parts.ts';
import { median } from './speed/statistics.ts';

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    json: { type: 'string' },
    profile: { type: 'string' },
  },
});
const { quick } = options;

// Words come slower where there are more streams: what is asked of the core stays below what the relay can do with it.
const few: Phase[] = [
  { streams: 1, first_ms: 50, word_ms: 20, seconds: quick ? 3 : 8 },
  { streams: 10, first_ms: 50, word_ms: 20, seconds: quick ? 3 : 6 },
];
const many: Phase[] = [
  { streams: 200, first_ms: 500, word_ms: 100, seconds: quick ? 4 : 8 },
  ...(quick ? [] : [{ streams: 1_000, first_ms: 1_000, word_ms: 250, seconds: 12 }]),
];
/** Below a second, so that a turn is begin and finish and no more. */
const steady: Phase = { streams: 60, first_ms: 50, word_ms: 20, seconds: quick ? 3 : 6 };
/** More than a core can do. */
const saturated: Phase = { streams: 400, first_ms: 50, word_ms: 20, seconds: quick ? 4 : 8 };
const rounds = quick ? 1 : 3;
const held = quick ? [200] : [200, 1_000];

type Measured = { direct: TurnsMeasured; relay: TurnsMeasured; touchline: TurnsMeasured; begin_ms: number };

const load_before = loadavg()[0]!;
say('Starting …');
const parts = await startParts(quick ? 400 : 1_000, quick ? 4 : 20);
try {
  const memory = { relay: new Map<number, number>(), touchline: new Map<number, number>() };
  say('Memory …');
  for (const name of ['relay', 'touchline'] as const)
    memory[name] = await measureMemory(parts, parts[name], held);
  say('Statements …');
  const statements = await measureStatements(parts, 10);
  // Code that has not run yet is slow: everything goes through once before it counts.
  for (const name of ['relay', 'touchline'] as const)
    await measureTurns(parts, parts[name], { ...steady, seconds: 5 });

  const phases = [...few, ...many, steady, saturated];
  const measured = new Map<Phase, Measured[]>(phases.map((phase) => [phase, []]));
  for (let round = 1; round <= rounds; round++) {
    for (const phase of phases) {
      say(`Round ${round} of ${rounds}: ${phase.streams} streams, a word each ${phase.word_ms} ms …`);
      measured.get(phase)!.push(await measurePhase(parts, phase));
    }
  }
  if (options.profile) await writeProfiles(parts, options.profile);
  await parts.stop();
  say('Second start …');
  const starts_ms = await measureSecondStart(quick ? 3 : 5);

  const rows = judge(measured, memory, statements, starts_ms);
  const load = [load_before, loadavg()[0]!];
  const machine =
    `${cpus()[0]?.model ?? 'unknown processor'}, ${cpus().length} cores, Node ${process.version}, ` +
    `${process.platform}; load before and after ${load.map((value) => value.toFixed(1)).join(' and ')}` +
    (isPinned ? '; the server on a core of its own' : '; cores are shared');
  console.log(`${renderTable(rows)}\n\n${machine}`);
  if (options.json) {
    const phases_measured = [...measured].map(([phase, results]) => ({ phase, rounds: results }));
    const held_bytes = { relay: [...memory.relay], touchline: [...memory.touchline] };
    const result = { machine, rows, phases: phases_measured, held_bytes, statements, starts_ms };
    writeFileSync(options.json, `${JSON.stringify(result, null, 2)}\n`);
  }
} finally {
  await parts.stop();
}

async function measurePhase(parts: Parts, phase: Phase): Promise<Measured> {
  const direct = await measureTurns(parts, parts.direct, phase);
  const relay = await measureTurns(parts, parts.relay, phase);
  const touchline = await measureTurns(parts, parts.touchline, phase);
  const begin_ms = few.includes(phase) ? await measureBegin(parts, phase) : Number.NaN;
  return { direct, relay, touchline, begin_ms };
}

function judge(
  measured: Map<Phase, Measured[]>,
  memory: { relay: Map<number, number>; touchline: Map<number, number> },
  statements: { before_model: number; in_all: number },
  starts_ms: number[],
): Row[] {
  const rows: Row[] = [];
  const over = (
    phase: Phase,
    way: 'relay' | 'touchline',
    p: 'first_p50_ms' | 'first_p99_ms' = 'first_p50_ms',
  ) => median(measured.get(phase)!.map((result) => result[way][p] - result.direct.first_p50_ms));
  const ratio = (phase: Phase, of: (turns: TurnsMeasured) => number) =>
    median(measured.get(phase)!.map((result) => of(result.touchline) / of(result.relay)));
  const middle = (phase: Phase, way: 'relay' | 'touchline', of: (turns: TurnsMeasured) => number) =>
    median(measured.get(phase)!.map((result) => of(result[way])));

  for (const phase of few) {
    const floor = (result: Measured) =>
      result.relay.first_p50_ms - result.direct.first_p50_ms + result.begin_ms;
    const times = median(
      measured
        .get(phase)!
        .map((result) => (result.touchline.first_p50_ms - result.direct.first_p50_ms) / floor(result)),
    );
    const begin_ms = median(measured.get(phase)!.map((result) => result.begin_ms));
    rows.push({
      what: `overhead to the first word, ${phase.streams} stream${phase.streams > 1 ? 's' : ''}`,
      goal: '1.5 × (relay + one `begin`)',
      measured: `${round(times)} ×: ${round(over(phase, 'touchline'))} ms, relay ${round(over(phase, 'relay'))}, begin ${round(begin_ms)}`,
      met: times <= 1.5,
    });
  }
  const at_10_ms = over(few[1]!, 'touchline');
  const limits = new Map([
    [200, 1.5],
    [1_000, 3],
  ]);
  for (const phase of many) {
    const times = over(phase, 'touchline') / at_10_ms;
    const limit = limits.get(phase.streams)!;
    rows.push({
      what: `the same, ${phase.streams} streams`,
      goal: `${limit} × its value at 10`,
      measured: `${round(times)} ×: ${round(over(phase, 'touchline'))} ms (p99 ${round(over(phase, 'touchline', 'first_p99_ms'))}), relay ${round(over(phase, 'relay'))} (p99 ${round(over(phase, 'relay', 'first_p99_ms'))})`,
      met: times <= limit,
    });
  }
  const gaps = ratio(many[0]!, (turns) => turns.gap_p99_ms);
  rows.push({
    what: 'word to word, p99 beyond the upstream’s own, 200 streams',
    goal: '3 × the relay',
    measured: `${round(gaps)} ×: ${round(middle(many[0]!, 'touchline', (turns) => turns.gap_p99_ms))} ms, relay ${round(middle(many[0]!, 'relay', (turns) => turns.gap_p99_ms))}`,
    met: gaps <= 3,
  });
  const per_core = (turns: TurnsMeasured) => 1000 / turns.server_cpu_ms;
  const turns_ratio = ratio(saturated, per_core);
  const busy = middle(saturated, 'touchline', (turns) => turns.server_busy);
  rows.push({
    what: 'turns a second and core of the server',
    goal: 'at least 0.75 × the relay',
    measured: `${round(turns_ratio)} ×: ${round(middle(saturated, 'touchline', per_core))}, relay ${round(middle(saturated, 'relay', per_core))} (served ${round(middle(saturated, 'touchline', (turns) => turns.turns_per_s))} at ${round(busy * 100)} % of its core)`,
    met: turns_ratio >= 0.75,
  });
  for (const count of held) {
    const [relay, touchline] = [memory.relay.get(count)!, memory.touchline.get(count)!];
    rows.push({
      what: `memory an open stream, ${count} streams`,
      goal: '1.4 × the relay',
      measured: `${round(touchline / relay)} ×: ${round(touchline / 1000)} kB, relay ${round(relay / 1000)}`,
      met: touchline / relay <= 1.4,
    });
  }
  const with_postgres = median(
    measured
      .get(steady)!
      .map(
        ({ touchline, relay }) => (touchline.server_cpu_ms + touchline.postgres_cpu_ms) / relay.server_cpu_ms,
      ),
  );
  rows.push({
    what: 'processor a thousand turns, with PostgreSQL',
    goal: '1.9 × the relay',
    measured: `${round(with_postgres)} ×: ${round(middle(steady, 'touchline', (turns) => turns.server_cpu_ms))} s and PostgreSQL ${round(middle(steady, 'touchline', (turns) => turns.postgres_cpu_ms))} s, relay ${round(middle(steady, 'relay', (turns) => turns.server_cpu_ms))}`,
    met: Number.isNaN(with_postgres) ? undefined : with_postgres <= 1.9,
  });
  const bytes = middle(steady, 'touchline', (turns) => turns.bytes_per_turn);
  rows.push({
    what: 'bytes to the browser a turn of 30 words, headers and all',
    goal: '1,600',
    measured: `${round(bytes)}, relay ${round(middle(steady, 'relay', (turns) => turns.bytes_per_turn))}`,
    met: bytes <= 1_600,
  });
  rows.push({
    what: 'database statements a turn',
    goal: '2, one before the model',
    measured: `${statements.in_all}, ${statements.before_model} before the model`,
    met: statements.in_all === 2 && statements.before_model === 1,
  });
  rows.push({
    what: 'second start to the first answer, embedded database included',
    goal: 'under 1 s',
    measured: `${round(median(starts_ms))} ms (${starts_ms.map((ms) => Math.round(ms)).join(', ')})`,
    met: median(starts_ms) < 1_000,
  });
  return rows;
}

/** Where the processor time of the relay and of Touchline goes, as files that Chrome's developer tools open. */
async function writeProfiles(parts: Parts, folder: string) {
  for (const name of ['relay', 'touchline'] as const) {
    const { server } = parts[name];
    await server!.ask('profile');
    await measureTurns(parts, parts[name], { ...steady, seconds: 10 });
    await server!.ask('profiled', join(folder, `${name}.cpuprofile`));
  }
}

function say(sentence: string) {
  process.stderr.write(`${sentence}\n`);
}
