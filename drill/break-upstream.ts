import { type DrillOptions, number, type Outcome } from './outcome.ts';
import { playOnStage } from './play-on-stage.ts';
import { createRandom, type Random } from './random.ts';
import type { Stage } from './stage.ts';
import { endOf, keptText, type Member, type Turn } from './turn-log.ts';
import { type UpstreamFault, upstreamFaults } from './upstream-faults.ts';

const patience_s = 5;
/** Beyond the patience: how long a turn may take on a machine that has more to do. */
const spare_ms = 30_000;
/** Chats that are talked in at once. */
const at_once = 40;

/**
 * Every fault of the model, `times` times, all mixed: each in a chat of its own between two turns without one. Each is
 * told by its one code and in time, keeps what was said, costs nothing unless it ends well, and the next turn works.
 */
export async function breakUpstream({ seed, times, admin_url, log_path }: DrillOptions): Promise<Outcome> {
  const random = createRandom(seed);
  const settings = { OPENAI_PATIENCE_S: String(patience_s) };
  return await playOnStage({ random, admin_url, log_path, word_ms: 10, settings }, async (stage) => {
    const members = await stage.addMembers(50);
    const faults = random.shuffle(
      upstreamFaults.flatMap((fault) => Array.from({ length: times }, () => fault)),
    );
    let next = 0;
    const work = async () => {
      while (next < faults.length) {
        const index = next++;
        const choices = random.of(`chat ${index}`);
        await tryFault(stage, members[index % members.length]!, faults[index]!, `m${index}`, choices);
      }
    };
    await Promise.all(Array.from({ length: at_once }, work));
    if (stage.openai.faults.waiting > 0) stage.complain(`${stage.openai.faults.waiting} faults met nobody`);
    return `${upstreamFaults.length} faults × ${number(times)}, ${at_once} chats at once, patience ${patience_s} s`;
  });
}

async function tryFault(stage: Stage, member: Member, fault: UpstreamFault, name: string, choices: Random) {
  const chat = stage.newChat(member, choices);
  const write = (part: string) =>
    stage.newTurn(chat, { name: `${name}.${part}`, words: choices.between(12, 30), id: choices.uuid() });
  // A conversation is made by a chat's first turn; the other faults meet a chat that has one.
  if (fault.path !== '/v1/conversations') {
    const first = write('first');
    await stage.client.send(first);
    expectEnd(stage, first, 'done', 'a turn before a fault');
  }

  const turn = write('fault');
  if (fault.says !== undefined) turn.expected = fault.says;
  const conversations = stage.openai.state.conversations;
  const isOwn = ({ metadata }: { metadata: Record<string, string> }) =>
    metadata.session_id === chat.session_id;
  if (fault.losesConversation) {
    for (const [id, conversation] of conversations) if (isOwn(conversation)) conversations.delete(id);
  }
  const path = fault.path ?? '/v1/responses';
  const mark = path === '/v1/responses' ? turn.content : chat.session_id;
  for (let time = 0; time < (fault.times ?? 1); time++) {
    stage.openai.faults.next(
      (request) =>
        request.method === 'POST' && request.path === path && JSON.stringify(request.body).includes(mark),
      fault.fault,
    );
  }
  const sent_ms = performance.now();
  await stage.client.send(turn);
  const took_ms = performance.now() - sent_ms;
  expectEnd(stage, turn, fault.end, fault.name);
  // Before the first byte and in the middle: each has its patience.
  if (took_ms > 2 * patience_s * 1_000 + spare_ms) {
    stage.complain(`${fault.name} was told after ${Math.round(took_ms)} ms`);
  }
  const hasText = keptText(turn) !== '';
  const speaks = fault.hasText ?? (fault.end === 'done' || fault.end === 'incomplete');
  if (hasText !== speaks) stage.complain(`${fault.name}: ${hasText ? 'something' : 'nothing'} was said`);

  const after = write('after');
  await stage.client.send(after);
  expectEnd(stage, after, 'done', `the turn after ${fault.name}`);
}

function expectEnd(stage: Stage, turn: Turn, expected: UpstreamFault['end'], what: string) {
  const end = endOf(turn);
  const found =
    end?.event === 'end' ? (end.incomplete ? 'incomplete' : end.status) : (end?.code ?? turn.refused?.code);
  if (found !== expected) stage.complain(`${what} ended as ${found}, not as ${expected}`);
}
