import { UnreadableDocument } from './unreadable-document.ts';

/** Deeper than any file that a person means to be read. */
const max_depth = 100;

/**
 * A JSON as an outline that people and searches read: a `key: value` a line, indented, `-` for elements, a blank line
 * between the outer parts. Numbers keep all their digits. Throws `UnreadableDocument`.
 */
export function readJson(text: string): string {
  const json = text.replace(/^\ufeff/, '');
  try {
    JSON.parse(json);
  } catch {
    throw new UnreadableDocument('broken_json');
  }
  return [...outline(json)].join('').trim();
}

/** Token by token and without recursion, of text that is known to be right. */
function* outline(json: string): Generator<string> {
  const open: string[] = [];
  /** What the line begins with that is being written: its indent, marks of elements, a key. */
  let line: string | undefined;
  let key_is_next = false;
  const begin = () => line ?? '  '.repeat(Math.max(0, open.length - 1));
  for (const token of tokens(json)) {
    if (token === ',') {
      key_is_next = open.at(-1) === '{';
    } else if (token === '{' || token === '[') {
      if (open.length === max_depth) throw new UnreadableDocument('too_big_inside');
      if (open.length > 0 && open.length <= 2) yield '\n';
      if (open.at(-1) === '[') line = `${begin()}- `;
      else if (line !== undefined) {
        yield `${line}\n`;
        line = undefined;
      }
      open.push(token);
      key_is_next = token === '{';
    } else if (token === '}' || token === ']') {
      // Only an element that is empty has something left to write.
      if (line !== undefined) yield `${line}\n`;
      line = undefined;
      open.pop();
    } else if (token !== ':') {
      const value = token.startsWith('"') ? (JSON.parse(token) as string) : token;
      if (key_is_next) {
        line = `${begin()}${value}:`;
        key_is_next = false;
      } else {
        yield open.at(-1) === '['
          ? `${begin()}- ${value}\n`
          : line === undefined
            ? value
            : `${line} ${value}\n`;
        line = undefined;
      }
    }
  }
}

function* tokens(json: string): Generator<string> {
  const other = /[^\s{}[\],:"]+/y;
  for (let at = 0; at < json.length; ) {
    const sign = json[at]!;
    if (sign === '"') {
      const end = stringEnd(json, at);
      yield json.slice(at, end);
      at = end;
    } else if ('{}[],:'.includes(sign)) {
      yield sign;
      at++;
    } else if (/\s/.test(sign)) {
      at++;
    } else {
      other.lastIndex = at;
      const [word] = other.exec(json)!;
      yield word;
      at += word.length;
    }
  }
}

function stringEnd(json: string, start: number) {
  for (let at = start + 1; ; at++) {
    if (json[at] === '\\') at++;
    else if (json[at] === '"') return at + 1;
  }
}
