import type { ModelTurn, ModelUsage } from '../platform/models/model.ts';

/** What a turn costs that no upstream has worked on. */
export const no_usage: ModelUsage = { input_tokens: 0, cached_tokens: 0, output_tokens: 0 };

/** English prose has about four characters a token (OpenAI's tokenizer guide); other scripts have fewer. */
const characters_per_token = 4;

/** What a reply that was stopped before its usage was reported has cost, estimated from the text. */
export function estimateUsage(turn: ModelTurn, reply: string): ModelUsage {
  const read = [turn.instructions, turn.message.content, ...turn.history.map((message) => message.content)];
  const characters = read.reduce((sum, text) => sum + text.length, 0);
  return {
    input_tokens: Math.ceil(characters / characters_per_token),
    cached_tokens: 0,
    output_tokens: Math.ceil(reply.length / characters_per_token),
  };
}
