import type { Stage } from './stage.ts';
import { endOf } from './turn-log.ts';

/** What a drill did, and what is not as it must be; empty when all is well. */
export type Outcome = { did: string; acknowledged: string; differences: string[] };

/** What every drill is told. `times`: how often it does what it does. */
export type DrillOptions = {
  seed: string;
  times: number;
  /** A PostgreSQL with the template of `createTestServer`. */
  admin_url: string;
  /** Where the servers write their logs. */
  log_path: string;
};

/** What the members were told, in numbers. */
export function describeAcknowledged({ turns }: Pick<Stage, 'turns'>): string {
  const taken = turns.filter((turn) => turn.user_message_id !== undefined);
  const ends = new Map<string, number>();
  const refusals = new Map<string, number>();
  const count = (counts: Map<string, number>, what: string) => counts.set(what, (counts.get(what) ?? 0) + 1);
  for (const turn of taken) {
    const end = endOf(turn);
    count(ends, end ? (end.event === 'end' ? end.status : end.code) : 'no end was read');
  }
  for (const turn of turns) for (const code of turn.refusals) count(refusals, code);
  const readings = turns.flatMap((turn) => turn.readings).filter((reading) => reading.told.length > 0);
  const characters = readings.reduce((sum, { text }) => sum + text.length, 0);
  const sum = (what: 'breaks' | 'joins') => readings.reduce((total, reading) => total + reading[what], 0);
  return [
    `${number(taken.length)} of ${number(turns.length)} messages taken in (${list(ends)})`,
    `refusals: ${list(refusals) || 'none'}`,
    `${number(characters)} characters told to ${number(readings.length)} readers, ${number(sum('breaks'))} breaks, ${number(sum('joins'))} joins`,
  ].join('; ');
}

function list(counts: Map<string, number>) {
  return [...counts]
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([what, many]) => `${number(many)} ${what}`)
    .join(', ');
}

export function number(value: number) {
  return value.toLocaleString('en');
}
