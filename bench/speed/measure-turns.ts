import type { Load, ReadTurn } from './client.ts';
import type { Parts, Way } from './start-parts.ts';
import { percentile, sum } from './statistics.ts';
import type { Pace, UpstreamTurn } from './upstream.ts';

/** How many streams read at once, at which pace their words come, and for how long it is measured. */
export type Phase = { streams: number; first_ms: number; word_ms: number; seconds: number };

const words = 30;

export type TurnsMeasured = {
  turns: number;
  /** Time to the first word, without the time that the upstream itself took. */
  first_p50_ms: number;
  first_p99_ms: number;
  /** What a wait between two words was longer than at the upstream. */
  gap_p99_ms: number;
  bytes_per_turn: number;
  turns_per_s: number;
  /** Processor time of the server between; NaN where there is none. */
  server_cpu_ms: number;
  postgres_cpu_ms: number;
  /** Share of its core that the server used. */
  server_busy: number;
};

/** Lets streams read turn after turn in one way. Throws where one fails or loses a word. */
export async function measureTurns(parts: Parts, way: Way, phase: Phase): Promise<TurnsMeasured> {
  const { upstream, client } = parts;
  const { first_ms, word_ms } = phase;
  const turn_ms = first_ms + words * word_ms;
  await upstream.ask('pace', { first_ms, word_ms, words } satisfies Pace);
  const load: Load = {
    streams: way.streams(phase.streams),
    word_mark: way.word_mark,
    spread_ms: turn_ms,
    // The first turn of each stream warms up.
    warm_ms: turn_ms,
    duration_ms: turn_ms + phase.seconds * 1000,
  };
  const before = await readCpu(parts, way);
  const read = await client.ask<{ turns: ReadTurn[]; failures: string[] }>('load', load);
  const after = await readCpu(parts, way);
  if (read.failures[0]) throw new Error(`${read.failures.length} streams failed: ${read.failures[0]}`);
  const seen = await upstream.ask<Map<string, UpstreamTurn>>('turns');
  const { turns } = read;
  const first_ms_each: number[] = [];
  const gaps_ms: number[] = [];
  for (const turn of turns) {
    const left = seen.get(turn.tag)!;
    if (turn.words_ms.length !== words) {
      throw new Error(`a turn ${way.name} brought ${turn.words_ms.length} words of ${words}`);
    }
    first_ms_each.push(turn.words_ms[0]! - turn.sent_ms - (left.left_ms[0]! - left.arrived_ms));
    for (let index = 1; index < words; index++) {
      const gap_ms = turn.words_ms[index]! - turn.words_ms[index - 1]!;
      gaps_ms.push(gap_ms - (left.left_ms[index]! - left.left_ms[index - 1]!));
    }
  }
  const ended = turns.map((turn) => turn.ended_ms).sort((one, other) => one - other);
  const span_s = (ended.at(-1)! - ended[0]!) / 1000;
  return {
    turns: turns.length,
    first_p50_ms: percentile(first_ms_each, 0.5),
    first_p99_ms: percentile(first_ms_each, 0.99),
    gap_p99_ms: percentile(gaps_ms, 0.99),
    bytes_per_turn: sum(turns.map((turn) => turn.bytes)) / turns.length,
    turns_per_s: (turns.length - 1) / span_s,
    // Of all turns, those that warmed up as well.
    server_cpu_ms: ((after.server_s - before.server_s) * 1000) / seen.size,
    postgres_cpu_ms: ((after.postgres_s - before.postgres_s) * 1000) / seen.size,
    server_busy: (after.server_s - before.server_s) / ((after.at_ms - before.at_ms) / 1000),
  };
}

async function readCpu(parts: Parts, way: Way) {
  return {
    at_ms: performance.now(),
    server_s: way.server ? await way.server.ask<number>('cpu') : Number.NaN,
    postgres_s: parts.postgresCpu(),
  };
}

/** Milliseconds, median, of one `begin` on PostgreSQL with as many chats at the same pace. */
export async function measureBegin(parts: Parts, phase: Phase): Promise<number> {
  const took_ms = await parts.begin.ask<number[]>('begin', {
    members: parts.members.slice(0, phase.streams),
    turn_ms: phase.first_ms + words * phase.word_ms,
    duration_ms: phase.seconds * 1000,
  });
  return percentile(took_ms, 0.5);
}

/** Resident bytes for each stream that is held open in the middle of its reply, by the number of streams. */
export async function measureMemory(parts: Parts, way: Way, counts: number[]): Promise<Map<number, number>> {
  const { upstream, client } = parts;
  const warming = { streams: way.streams(20), word_mark: way.word_mark, spread_ms: 0, warm_ms: 0 };
  await upstream.ask('pace', { first_ms: 0, word_ms: 0, words } satisfies Pace);
  await client.ask('load', { ...warming, duration_ms: 1_500 } satisfies Load);
  const empty = await way.server!.ask<number>('memory');
  const bytes = new Map<number, number>();
  for (const count of counts) {
    await upstream.ask('pace', { first_ms: 0, word_ms: 0, words, hold_after: 3 } satisfies Pace);
    await client.ask('load', {
      streams: way.streams(count),
      word_mark: way.word_mark,
      spread_ms: count * 5,
      warm_ms: 0,
      duration_ms: 0,
      once: true,
    } satisfies Load);
    while ((await upstream.ask<number>('holding')) < count) await sleep(50);
    bytes.set(count, ((await way.server!.ask<number>('memory')) - empty) / count);
    await upstream.ask('release');
    const { failures } = await client.ask<{ failures: string[] }>('rest');
    if (failures[0]) throw new Error(`a held stream failed: ${failures[0]}`);
  }
  return bytes;
}

/** Database statements of a turn: until its request reaches the model, and in all. */
export async function measureStatements(parts: Parts, turns: number) {
  const { upstream, client } = parts;
  const counted = await parts.startCounted();
  try {
    const before_model: number[] = [];
    const in_all: number[] = [];
    const load: Load = {
      streams: counted.touchline.streams(1),
      word_mark: counted.touchline.word_mark,
      spread_ms: 0,
      warm_ms: 0,
      duration_ms: 0,
      once: true,
    };
    for (let turn = 0; turn < turns; turn++) {
      await upstream.ask('pace', { first_ms: 0, word_ms: 0, words, hold_after: 0 } satisfies Pace);
      const start = counted.count();
      await client.ask('load', load);
      while ((await upstream.ask<number>('holding')) < 1) await sleep(5);
      before_model.push(counted.count() - start);
      await upstream.ask('release');
      const { failures } = await client.ask<{ failures: string[] }>('rest');
      if (failures[0]) throw new Error(`a turn failed: ${failures[0]}`);
      in_all.push(counted.count() - start);
    }
    // A turn that was slow here lasted longer than a second and was kept once: not what is counted.
    return { before_model: percentile(before_model, 0.5), in_all: percentile(in_all, 0.5) };
  } finally {
    await counted.stop();
  }
}

function sleep(ms: number) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
