import { setTimeout as delay } from 'node:timers/promises';
import { type DrillOptions, number, type Outcome } from './outcome.ts';
import { playOnStage } from './play-on-stage.ts';
import { createRandom } from './random.ts';
import { countConnections, countSockets, residentMemory } from './server-process.ts';
import type { Stage } from './stage.ts';
import type { Member } from './turn-log.ts';

/** What a server may keep open beyond what it had: connections of its pools, which come and go by themselves. */
const spare_sockets = 20;
const growth_mib = 100;

type DropOptions = DrillOptions & {
  /** How often; with one round alone, neither memory nor the connections to the model and the database are compared. */
  rounds?: number;
  word_ms?: number;
};

/**
 * `times` replies are read by one reader each. All readers are dropped in the middle, a fifth of them comes back, at
 * whichever server. The replies go on and are kept, who came back has every word once, and nothing of the dropped
 * connections is left behind.
 */
export async function dropReaders({
  seed,
  times,
  admin_url,
  log_path,
  rounds = 2,
  word_ms = 300,
}: DropOptions): Promise<Outcome> {
  const random = createRandom(seed);
  return await playOnStage({ random, admin_url, log_path, word_ms }, async (stage) => {
    const round: Round = { members: await stage.addMembers(50), readers: times, word_ms };
    const measured: Measured[][] = [];
    if (rounds > 1) {
      await dropRound(stage, 'warm', { ...round, readers: Math.min(times, 100) });
      // Connections to the model are kept for some seconds.
      await delay(8_000);
    }
    const before = measure(stage);
    for (let count = 1; count <= rounds; count++) {
      await dropRound(stage, `round${count}`, round);
      measured.push(await measureSettled(stage, rounds > 1 ? before : undefined));
    }

    const after = measured.at(-1)!;
    for (const [index, { readers, sockets, memory_mib }] of after.entries()) {
      if (readers > 0) stage.complain(`a server keeps ${readers} connections that nobody reads`);
      if (rounds === 1) continue;
      const earlier = { sockets: before[index]!.sockets, memory_mib: measured.at(-2)![index]!.memory_mib };
      if (sockets > earlier.sockets + spare_sockets) {
        stage.complain(`a server keeps ${sockets} sockets, ${earlier.sockets} before`);
      }
      if (memory_mib > earlier.memory_mib + growth_mib) {
        stage.complain(`a server has grown from ${earlier.memory_mib} to ${memory_mib} MiB in one round`);
      }
    }
    const { rows } = await stage.pool.query<{ status: string }>(
      `select status from public.turns where status <> 'done'`,
    );
    for (const { status } of rows) stage.complain(`a reply without its reader has ended as ${status}`);
    const describe = (what: keyof Measured) =>
      [before, ...measured]
        .map((servers) => servers.map((server) => server[what]).join(' and '))
        .join(', then ');
    return `${rounds} × ${number(times)} readers dropped, ${number(Math.ceil(times / 5))} back; sockets of the servers ${describe('sockets')}; MiB ${describe('memory_mib')}`;
  });
}

type Round = { members: Member[]; readers: number; word_ms: number };

async function dropRound(stage: Stage, name: string, { members, readers, word_ms }: Round) {
  const random = stage.random.of(name);
  let ended = 0;
  await Promise.all(
    Array.from({ length: readers }, async (_, index) => {
      const choices = random.of(`reader ${index}`);
      const turn = stage.newTurn(stage.newChat(members[index % members.length]!, choices), {
        name: `${name}.${index}`,
        words: choices.between(20, 40),
        id: choices.uuid(),
      });
      // Not all at once: one after the other, as people come.
      await delay(choices.between(0, 10 * word_ms));
      const leaving = new AbortController();
      const reading = stage.client.send(turn, {
        signal: leaving.signal,
        // In the middle of the reply, counted from the acknowledgement.
        onAnswer(code) {
          if (code === undefined) setTimeout(() => leaving.abort(), choices.between(2, 15) * word_ms);
        },
      });
      const left = await reading;
      if (left.end) ended++;
      else if (index % 5 === 0) {
        await delay(choices.between(0, 5 * word_ms));
        await stage.client.join(turn, {}, left);
      }
    }),
  );
  if (ended > readers / 5)
    stage.complain(`${ended} of ${readers} replies had ended before their readers were dropped`);
  // Nobody reads the others: they end by themselves.
  await stage.untilQuiet();
}

/** `readers`: connections of whoever asked for something. */
type Measured = { readers: number; sockets: number; memory_mib: number };

function measure(stage: Stage): Measured[] {
  return stage.servers.map(({ pid, port }) => ({
    readers: countConnections(port) ?? 0,
    sockets: countSockets(pid) ?? 0,
    memory_mib: residentMemory(pid) ?? 0,
  }));
}

/** Measures when the servers have closed what they do not need any more, or have not for a minute and a half. */
async function measureSettled(stage: Stage, before: Measured[] | undefined): Promise<Measured[]> {
  const deadline = Date.now() + 90_000;
  for (;;) {
    const measured = measure(stage);
    const isSettled = measured.every(
      ({ readers, sockets }, index) =>
        readers === 0 && (!before || sockets <= before[index]!.sockets + spare_sockets),
    );
    if (isSettled || Date.now() > deadline) return measured;
    await delay(500);
  }
}
