import type { ReplyRequest } from '../server/testing/fake-openai/reply.ts';

/** A member's message: its name, which no other message has, and how long the reply is to be. */
export function writeMessage(name: string, words: number) {
  return `Message ${name}, ${words} words`;
}

/** The one reply to such a message: every word of it is known beforehand, and stands in no other reply. */
export function replyTo(content: string): string {
  const [, name, words] = /^Message (\S+), (\d+) words$/.exec(content) ?? [];
  if (!name) throw new Error('the model was asked something else than a message of the drill');
  return Array.from({ length: Number(words) }, (_, index) => {
    // Two UTF-16 units a character, and two bytes: counting in anything else than UTF-16 units shows.
    if (index % 7 === 6) return `🥨${index}`;
    return index % 5 === 4 ? `für${index}` : `${name}.${index}`;
  }).join(' ');
}

export type Heard = { role: string; text: string }[];

/** The model of a drill. It says what is known beforehand, and remembers what it was told before each message. */
export function createScriptedModel() {
  const heard = new Map<string, Heard[]>();
  return {
    reply({ input, earlier }: ReplyRequest) {
      const before = earlier.map(({ role, text }) => ({ role, text }));
      heard.set(input, [...(heard.get(input) ?? []), before]);
      return replyTo(input);
    },
    /** What came before a message each time that it was asked, oldest first. */
    heardBefore: (content: string): Heard[] => heard.get(content) ?? [],
  };
}
