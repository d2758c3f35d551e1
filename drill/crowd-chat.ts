import { type DrillOptions, number, type Outcome } from './outcome.ts';
import { playOnStage } from './play-on-stage.ts';
import { createRandom } from './random.ts';
import type { Turn } from './turn-log.ts';

/**
 * `times` messages are sent to one chat at the same moment, on two servers. One begins, every other one is told that the
 * coach is still answering. Then all come again until each had its turn: one after the other, in one line.
 */
export async function crowdChat({ seed, times, admin_url, log_path }: DrillOptions): Promise<Outcome> {
  const random = createRandom(seed);
  // The first reply lasts until everybody has an answer.
  const everybodyAnswered = Promise.withResolvers<void>();
  const options = {
    random,
    admin_url,
    log_path,
    word_ms: 5,
    model_answers_after: everybodyAnswered.promise,
    comparing: { knows_lines: false },
  };
  return await playOnStage(options, async (stage) => {
    const [member] = await stage.addMembers(1);
    const chat = stage.newChat(member!, random);
    const turns = Array.from({ length: times }, (_, index) => {
      const choices = random.of(`turn ${index}`);
      return stage.newTurn(chat, { name: `m${index}`, words: choices.between(3, 20), id: choices.uuid() });
    });
    const first = { taken: 0, waiting: 0 };
    const answered = new Set<Turn>();
    await Promise.all(
      turns.map((turn) =>
        stage.client.send(turn, {
          waits_on: ['turn_in_progress'],
          onAnswer(code) {
            // Not its first request: a busy server may have asked to come again.
            if (code === 'unavailable' || answered.has(turn)) return;
            answered.add(turn);
            if (code === undefined) first.taken++;
            if (code === 'turn_in_progress') first.waiting++;
            if (first.taken + first.waiting === times) everybodyAnswered.resolve();
          },
        }),
      ),
    );
    if (first.taken !== 1 || first.waiting !== times - 1) {
      stage.complain(`at first ${first.taken} began and ${first.waiting} were told to wait`);
    }
    const [shown] = (
      await stage.pool.query(
        `select count(*)::int as messages, count(*) filter (where is_chosen)::int as chosen from public.chat_messages`,
      )
    ).rows;
    if (shown.chosen !== 2 * times || shown.messages !== 2 * times) {
      stage.complain(`of ${2 * times} messages ${shown.messages} are there and ${shown.chosen} are shown`);
    }
    return `${number(times)} messages at once for one chat, each until it was answered, ${number(turns.reduce((sum, turn) => sum + turn.sends, 0))} requests`;
  });
}
