import { setTimeout as delay } from 'node:timers/promises';
import { ask } from './ask.ts';
import { type DrillOptions, number, type Outcome } from './outcome.ts';
import { playOnStage } from './play-on-stage.ts';
import { createRandom } from './random.ts';
import type { Stage } from './stage.ts';
import { endOf, type Turn } from './turn-log.ts';

/** Beyond its patience: how long a server may take to go down on a machine that has more to do. */
const spare_ms = 30_000;
const patience_ms = { SIGTERM: 30_000, SIGINT: 3_000 };

type StopOptions = DrillOptions & {
  /** SIGINT leaves replies 3 s instead of 30. */
  signal?: keyof typeof patience_ms;
  /** How many of the replies never end by themselves; two of five unless given. */
  endless?: number;
};

/**
 * One of two servers is asked to stop while it makes `times` replies. It takes in nothing new, and lets its replies be
 * joined and stopped; those that can end do, the others are ended as `server_stopped`, given back, with their text; then it
 * exits with 0. The other server goes on.
 */
export async function stopServer({
  seed,
  times,
  admin_url,
  log_path,
  signal = 'SIGTERM',
  endless: endless_count = Math.floor((times * 2) / 5),
}: StopOptions): Promise<Outcome> {
  const random = createRandom(seed);
  // Who is silent is not given up by the model's client before the server is.
  const settings = { OPENAI_PATIENCE_S: '300' };
  return await playOnStage({ random, admin_url, log_path, word_ms: 40, settings }, async (stage) => {
    const [stopping, other] = stage.servers as [Stage['servers'][number], Stage['servers'][number]];
    const members = await stage.addMembers(20);
    const write = (index: number, words: number) => {
      const choices = random.of(`turn ${index}`);
      const chat = stage.newChat(members[index % members.length]!, choices);
      return stage.newTurn(chat, { name: `m${index}`, words, id: choices.uuid() });
    };

    const turns = Array.from({ length: times }, (_, index) => write(index, random.between(20, 60)));
    const endless = random.shuffle(turns).slice(0, endless_count);
    for (const { content } of endless) {
      stage.openai.faults.next(
        ({ path, body }) => path === '/v1/responses' && JSON.stringify(body).includes(content),
        { stall_after: 20 },
      );
    }
    let begun = 0;
    const everybodyBegan = Promise.withResolvers<void>();
    const readings = turns.map((turn) =>
      stage.client.send(turn, {
        port: stopping.port,
        // A code is a refusal: a busy server asks to come again.
        onAnswer: (code) => void (code === undefined && ++begun === times && everybodyBegan.resolve()),
      }),
    );
    await everybodyBegan.promise;
    await allHaveText(endless);
    // Some are followed from the other server.
    const followed = turns.slice(0, 10).map((turn) => stage.client.join(turn, { port: other.port }));

    const stopped_ms = performance.now();
    const exited = stopping.end(signal);
    // At least one reply keeps a server with much patience up until its member stops it.
    const halted = signal === 'SIGTERM' ? endless[0] : undefined;
    const meanwhile = Array.from({ length: 10 }, (_, index) => write(times + index, 10));
    if (halted) {
      await isStopping(stopping.port);
      const late = Array.from({ length: 5 }, (_, index) => write(times + 10 + index, 10));
      await Promise.all(late.map((turn) => expectRefusal(stage, stopping.port, turn)));
      await Promise.all(late.map((turn) => stage.client.send(turn)));
      followed.push(stage.client.join(halted, { port: stopping.port }));
    }
    await Promise.all(meanwhile.map((turn) => stage.client.send(turn)));
    if (halted) await stage.client.stop(halted);
    const code = await exited;
    const took_ms = performance.now() - stopped_ms;
    await Promise.all([...readings, ...followed]);
    if (code !== 0) stage.complain(`the server ended with ${code}`);
    if (took_ms > patience_ms[signal] + spare_ms) stage.complain(`the server took ${Math.round(took_ms)} ms`);
    for (const turn of turns) {
      const isEndless = endless.includes(turn);
      expectEnd(stage, turn, turn === halted ? 'stopped' : isEndless ? 'server_stopped' : 'done');
    }
    for (const turn of meanwhile) expectEnd(stage, turn, 'done');
    for (const { readings: all } of turns) {
      if (all[0]!.breaks > 0) stage.complain('a reader was let go before the end of the reply');
    }
    return `${signal} at ${number(times)} replies, ${endless.length} of them endless; down after ${number(Math.round(took_ms))} ms`;
  });
}

function expectEnd(stage: Stage, turn: Turn, expected: string) {
  const end = endOf(turn);
  const found = end?.event === 'end' ? end.status : end?.code;
  if (found !== expected) stage.complain(`a reply ended as ${found}, not as ${expected}`);
}

async function allHaveText(turns: Turn[]) {
  while (!turns.every(({ readings }) => readings[0]!.text !== '')) await delay(50);
}

/** Waits until a server says that it takes nothing new. */
async function isStopping(port: number) {
  for (;;) {
    const { status } = await fetch(`http://127.0.0.1:${port}/readyz`);
    if (status === 503) return;
    await delay(10);
  }
}

/** Sends a message to a server that takes nothing new. */
async function expectRefusal(stage: Stage, port: number, { id, chat, content }: Turn) {
  const answer = await ask({
    port,
    method: 'POST',
    path: `/api/chat-sessions/${chat.session_id}/turns`,
    token: chat.member.token,
    body: { id, assistant_slug: 'carousel', content },
  });
  const retry_after = Number(answer.headers['retry-after']);
  if (answer.statusCode !== 503 || !(retry_after > 0)) {
    stage.complain(`a new message was answered ${answer.statusCode}, Retry-After ${retry_after}`);
  }
  answer.resume();
}
