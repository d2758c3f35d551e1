/**
 * Finds marks like `[[2]]` in a reply that arrives in pieces. `read` returns the text without them and, between, the
 * numbers; what may be the beginning of a mark waits for the next piece, and `rest` returns it at the end.
 * Numbers outside 1 to `count` are dropped.
 */
export function createMarkReader(count: number) {
  let held = '';

  function read(piece: string): (string | number)[] {
    const text = held + piece;
    const parts: (string | number)[] = [];
    let from = 0;
    for (const mark of text.matchAll(/\[\[(\d{1,3})\]\]/g)) {
      push(text.slice(from, mark.index));
      const number = Number(mark[1]);
      if (number >= 1 && number <= count) parts.push(number);
      from = mark.index + mark[0].length;
    }
    const open = /\[(\[(\d{0,3}\]?)?)?$/.exec(text.slice(from));
    const end = open ? from + open.index : text.length;
    push(text.slice(from, end));
    held = text.slice(end);
    return parts;

    function push(stretch: string) {
      if (stretch) parts.push(stretch);
    }
  }

  function rest(): string[] {
    const text = held;
    held = '';
    return text ? [text] : [];
  }

  return { read, rest };
}
