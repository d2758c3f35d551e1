const longest_title = 60;
const longest_look = 600;
const greeting =
  /^(hi|hello|hey|dear coach|good (morning|afternoon|evening)|hallo|guten (tag|morgen|abend)|bonjour|hola)\b[\s,.!:;–-]*(there|coach|zusammen)?[\s,.!:;–-]*/iu;

/**
 * A title for the sidebar from a chat's first message: its first sentence without greeting and Markdown, cut at a
 * word. Falls back to the first file's name, then to the coach's name.
 */
export function titleFromMessage(content: string, fallback: string): string {
  // A title needs little, and some of these patterns would take seconds over a whole message.
  const plain = content
    .slice(0, longest_look)
    .replace(/```[\s\S]*?(```|$)/g, ' ')
    .replace(/!?\[([^\]]*)\]\([^)]*\)/g, '$1')
    .replace(/^[\s>#*+-]+/gm, ' ')
    .replace(/[*_`~|<>]/g, '')
    .replace(/[\p{Cc}\p{Cf}\s]+/gu, ' ')
    .trim();
  const withoutGreeting = plain.replace(greeting, '') || plain;
  const sentence = /^.{8,}?[.?!…](?=\s)/u.exec(withoutGreeting)?.[0] ?? withoutGreeting;
  const title =
    cutAtWord(sentence.replace(/[\s.!…:;,]+$/u, ''), longest_title) || cutAtWord(fallback, longest_title);
  return title.charAt(0).toUpperCase() + title.slice(1);
}

function cutAtWord(text: string, length: number) {
  const characters = [...text];
  if (characters.length <= length) return text;
  // One character more tells whether the last word is whole.
  const cut = characters.slice(0, length + 1).join('');
  const atWord = cut.replace(/\s+\S*$/u, '');
  return `${(atWord === cut ? characters.slice(0, length).join('') : atWord).replace(/[\s,;:–-]+$/u, '')}…`;
}
