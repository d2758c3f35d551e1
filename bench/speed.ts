/**
 * `npm run bench`: what the README says about speed, measured anew; docs/decisions/0011-speed.md says how. `--quick`: a minute
 * or two. `--messages 10000000`: also how long a page of the sidebar and of a chat takes with so many messages and with 100
 * thousand. `--json FILE`: everything that was measured. `--profile FOLDER`: where the processor time goes.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { isPinned } from './speed/ask.ts';
import { judge, judgeHistory, type Measured } from './speed/judge.ts';
import type { HistoryMeasured, Page } from './speed/measure-history.ts';
import {
  measureBegin,
  measureMemory,
  measureStatements,
  measureTurns,
  type Phase,
} from './speed/measure-turns.ts';
import { renderTable } from './speed/report.ts';
import { measureSecondStart } from './speed/second-start.ts';
import { type Parts, startParts } from './speed/start-parts.ts';

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    messages: { type: 'string' },
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

  const phases_measured = { measured, few, many, steady, saturated, held };
  const rows = judge({ phases: phases_measured, memory, statements, starts_ms });
  let history: Record<Page, HistoryMeasured[]> | undefined;
  if (options.messages) {
    say('Sidebar and history …');
    const { measureHistory } = await import('./speed/measure-history.ts');
    history = await measureHistory([100_000, Number(options.messages)]);
    rows.push(...judgeHistory(history));
  }
  const load = [load_before, loadavg()[0]!];
  const machine =
    `${cpus()[0]?.model ?? 'unknown processor'}, ${cpus().length} cores, Node ${process.version}, ` +
    `${process.platform}; load before and after ${load.map((value) => value.toFixed(1)).join(' and ')}` +
    (isPinned ? '; the server on a core of its own' : '; cores are shared');
  console.log(`${renderTable(rows)}\n\n${machine}`);
  if (options.json) {
    const all = [...measured].map(([phase, results]) => ({ phase, rounds: results }));
    const held_bytes = { relay: [...memory.relay], touchline: [...memory.touchline] };
    const result = { machine, rows, phases: all, held_bytes, statements, starts_ms, history };
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

/** Where the processor time of the relay and of Touchline goes, as files that Chrome's developer tools open. */
async function writeProfiles(parts: Parts, folder: string) {
  mkdirSync(folder, { recursive: true });
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
