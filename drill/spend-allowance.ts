import { type DrillOptions, number, type Outcome } from './outcome.ts';
import { playOnStage } from './play-on-stage.ts';
import { createRandom } from './random.ts';

/**
 * A member whose plan leaves a tenth as many messages sends `times` at once, each in a chat of its own, on two servers.
 * As many begin as the plan leaves, and every other one is told that the plan is used up.
 */
export async function spendAllowance({ seed, times, admin_url, log_path }: DrillOptions): Promise<Outcome> {
  const random = createRandom(seed);
  return await playOnStage({ random, admin_url, log_path, word_ms: 5 }, async (stage) => {
    const allowance = Math.floor(times / 10);
    const [member] = await stage.addMembers(1, allowance);
    const turns = Array.from({ length: times }, (_, index) => {
      const choices = random.of(`turn ${index}`);
      const chat = stage.newChat(member!, choices);
      return stage.newTurn(chat, { name: `m${index}`, words: choices.between(3, 30), id: choices.uuid() });
    });
    await Promise.all(turns.map((turn) => stage.client.send(turn)));

    const taken = turns.filter((turn) => turn.user_message_id !== undefined).length;
    const refused = turns.filter((turn) => turn.refused?.code === 'quota_exhausted').length;
    if (taken !== allowance)
      stage.complain(`${taken} messages were taken in at an allowance of ${allowance}`);
    if (taken + refused !== times)
      stage.complain(`${times - taken - refused} were refused for another reason`);
    return `${number(times)} messages at once at an allowance of ${number(allowance)}, on ${stage.balancer.passed.join(' and ')} connections`;
  });
}
