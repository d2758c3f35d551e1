import type { HistoryMeasured, Page } from './measure-history.ts';
import type { Phase, TurnsMeasured } from './measure-turns.ts';
import { type Row, round } from './report.ts';
import { median } from './statistics.ts';

/** What one round measured of a phase. `begin_ms` is NaN where it was not asked for. */
export type Measured = {
  direct: TurnsMeasured;
  relay: TurnsMeasured;
  touchline: TurnsMeasured;
  begin_ms: number;
};

type Measurements = {
  phases: {
    measured: Map<Phase, Measured[]>;
    /** 1 and 10 streams. */
    few: Phase[];
    /** 200 and 1,000. */
    many: Phase[];
    steady: Phase;
    saturated: Phase;
    /** The numbers of streams that memory was measured with. */
    held: number[];
  };
  /** Bytes a stream, by the number of streams. */
  memory: { relay: Map<number, number>; touchline: Map<number, number> };
  statements: { before_model: number; in_all: number };
  starts_ms: number[];
};

/** The goals, beside what was measured for each; ratios are medians of the rounds. */
export function judge({ phases, memory, statements, starts_ms }: Measurements): Row[] {
  const { measured, few, many, steady, saturated, held } = phases;
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
  // At the same load: more than a core can do is read in larger pieces, which makes each turn cheaper.
  const turns_ratio = ratio(steady, per_core);
  const served = (way: 'relay' | 'touchline') => round(middle(saturated, way, (turns) => turns.turns_per_s));
  const busy = (way: 'relay' | 'touchline') =>
    Math.round(middle(saturated, way, (turns) => turns.server_busy) * 100);
  rows.push({
    what: 'turns for a second of the server’s processor time',
    goal: 'at least 0.75 × the relay',
    measured: `${round(turns_ratio)} ×: ${round(middle(steady, 'touchline', per_core))}, relay ${round(middle(steady, 'relay', per_core))}; with 400 streams ${served('touchline')} turns a second (its core ${busy('touchline')} % busy), relay ${served('relay')} (${busy('relay')} %)`,
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

export function judgeHistory(history: Record<Page, HistoryMeasured[]>): Row[] {
  return Object.entries(history).map(([page, [small, large]]) => {
    const times = large!.http_ms / small!.http_ms;
    const beyond_ms = large!.http_ms - large!.sql_ms;
    return {
      what: `a page of the ${page}, ${small!.messages.toLocaleString('en')} to ${large!.messages.toLocaleString('en')} messages, p50`,
      goal: '1.2 ×, and the plain SQL + 1.5 ms',
      measured: `${round(times)} ×: ${round(small!.http_ms)} to ${round(large!.http_ms)} ms, the SQL + ${round(beyond_ms)} ms`,
      met: times <= 1.2 && beyond_ms <= 1.5,
    };
  });
}
