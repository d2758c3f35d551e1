import type { FakeOpenAI } from '../server/testing/fake-openai/fake-openai.ts';

type Tokens = { input_tokens: number; output_tokens: number };

/**
 * Keeps what the model reported as used, by message, and forgets the rest of what the double remembers of past replies: a
 * long drill would fill the memory with it.
 */
export function createTokenLog(openai: FakeOpenAI) {
  const reported = new Map<string, Tokens[]>();

  function collect() {
    for (const [id, { response, input_items, ended }] of openai.state.responses) {
      if (!ended) continue;
      const usage = response.usage as Tokens | undefined;
      const asked = input_items.at(-1) as { content?: { text?: string }[] } | undefined;
      const content = asked?.content?.[0]?.text;
      if (usage && content) reported.set(content, [...(reported.get(content) ?? []), usage]);
      openai.state.responses.delete(id);
    }
    openai.requests.splice(0, openai.requests.length);
  }

  const timer = setInterval(collect, 2_000);
  return {
    /** Takes in what was reported up to now. */
    collect,
    tokensFor: (content: string): Tokens[] => reported.get(content) ?? [],
    stop: () => clearInterval(timer),
  };
}
