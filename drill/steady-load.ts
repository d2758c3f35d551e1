import { setTimeout as delay } from 'node:timers/promises';
import type { Random } from './random.ts';
import type { Stage } from './stage.ts';
import { type Chat, endOf, knownMessages, type Member, type Turn } from './turn-log.ts';

type LoadOptions = {
  random: Random;
  members: Member[];
  turns_per_s: number;
  /** Requests that read: the own profile, the chats, a chat's messages. */
  reads_per_s: number;
};

/** A chat in which the load writes. `version` counts its turns, so that a read knows whether it was overtaken. */
type UsedChat = { chat: Chat; busy: boolean; version: number };

/**
 * Members who write and read at an even pace, whatever happens to the servers: new chats and old ones, edits, answers made
 * again, stops, and second readers. In a chat one turn follows the other, so the line of each is known.
 */
export function startLoad(stage: Stage, { random, members, turns_per_s, reads_per_s }: LoadOptions) {
  const chats: UsedChat[] = [];
  const going = new Set<Promise<unknown>>();
  let isPaused = false;
  let count = 0;
  let reads = 0;

  const track = (work: Promise<unknown>) => {
    const tracked = work.finally(() => going.delete(tracked));
    going.add(tracked);
  };
  const timers = [
    setInterval(() => isPaused || track(makeTurn(random.of(`turn ${++count}`), count)), 1_000 / turns_per_s),
    setInterval(() => isPaused || track(readSomething(random.of(`read ${++reads}`))), 1_000 / reads_per_s),
  ];

  async function makeTurn(choices: Random, number: number) {
    const idle = chats.filter(({ busy, chat }) => !busy && chat.line.length < 12);
    let used = idle.length === 0 || choices.chance(0.2) ? undefined : choices.pick(idle);
    if (!used) {
      used = { chat: stage.newChat(choices.pick(members), choices), busy: false, version: 0 };
      chats.push(used);
    }
    const { chat } = used;
    used.busy = true;
    used.version++;
    const earlier = choices.chance(0.25) ? chat.line.at(-1) : undefined;
    const kind = choices.chance(0.5) ? 'edits' : 'repeats';
    const turn = stage.newTurn(chat, {
      name: `m${number}`,
      words: chooseWords(choices),
      id: choices.uuid(),
      ...(earlier ? { [kind]: earlier } : {}),
    });
    if (choices.chance(0.15)) track(stopLater(turn, choices.between(0, 4_000)));
    if (choices.chance(0.2)) track(joinLater(turn, choices.between(100, 3_000)));
    await stage.client.send(turn);
    used.version++;
    used.busy = turn.refused === undefined && endOf(turn) === undefined;
  }

  async function stopLater(turn: Turn, after_ms: number) {
    await delay(after_ms);
    await stage.client.stop(turn);
  }

  async function joinLater(turn: Turn, after_ms: number) {
    await delay(after_ms);
    if (turn.user_message_id !== undefined) await stage.client.join(turn);
  }

  async function readSomething(choices: Random) {
    const used = chats.length > 0 && choices.chance(0.6) ? choices.pick(chats) : undefined;
    if (!used) {
      const path = choices.chance(0.5) ? '/api/me' : '/api/chat-sessions';
      await stage.client.get(choices.pick(members), path);
      return;
    }
    const { chat, version } = used;
    const known = used.busy ? undefined : knownMessages(chat);
    if (!known || known.length === 0) return;
    const answer = await stage.client.get(
      chat.member,
      `/api/chat-sessions/${chat.session_id}/messages?limit=200`,
    );
    if (!answer || used.version !== version) return;
    const shown = answer.messages.map(({ sender, content }: (typeof known)[number]) => ({ sender, content }));
    if (JSON.stringify(shown) !== JSON.stringify(known)) {
      stage.complain(
        `chat ${chat.session_id} showed ${shown.length} messages, not the ${known.length} that were told`,
      );
    }
  }

  return {
    /** How many requests were begun, without what stops, joins and tries again. */
    counts: () => ({ turns: count, reads }),
    pause() {
      isPaused = true;
    },
    resume() {
      isPaused = false;
    },
    /** Resolves when everybody has their end. */
    async settled() {
      while (going.size > 0) await Promise.all(going);
    },
    stop() {
      for (const timer of timers) clearInterval(timer);
    },
  };
}

/** Most replies are short; one of twenty takes several seconds. */
function chooseWords(choices: Random) {
  const kind = choices.number();
  if (kind < 0.7) return choices.between(3, 40);
  return kind < 0.95 ? choices.between(40, 150) : choices.between(150, 700);
}
