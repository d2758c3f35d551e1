/** As much of a Markdown syntax tree (mdast) as placing a mark needs. */
type Node = {
  type: string;
  value?: string;
  children?: Node[];
  position?: { start: { offset?: number | undefined }; end: { offset?: number | undefined } } | undefined;
  data?: { hName: string; hProperties: Record<string, string> };
};

/** Marks must not stand inside these: a link would swallow the click, code shows text as it is. */
const closed_types = new Set([
  'link',
  'linkReference',
  'inlineCode',
  'code',
  'image',
  'imageReference',
  'html',
]);
const inline_holders = new Set(['paragraph', 'heading', 'tableCell']);

/**
 * A remark plugin that puts citation marks at their offsets in the Markdown. It works on the parsed tree
 * and never on the text, so a mark cannot break what stands around it; where its offset falls on
 * something that takes no mark, it stands right behind. `<data value="n">` carries the mark's number.
 */
export function placeCitations(options: { citations: { number: number; index: number }[]; start: number }) {
  return (tree: unknown) => {
    const ordered = [...options.citations].sort((a, b) => a.index - b.index || a.number - b.number);
    // From the end, so that marks that are placed already do not move the ones before them.
    for (const { number, index } of ordered.reverse()) place(tree as Node, index - options.start, number);
  };
}

function place(tree: Node, offset: number, number: number) {
  const holder = holderFor(tree, offset);
  const mark: Node = {
    type: 'citationMark',
    data: { hName: 'data', hProperties: { value: String(number) } },
  };
  if (holder === null) {
    tree.children = [...(tree.children ?? []), { type: 'paragraph', children: [mark] }];
  } else {
    insertInto(holder, offset, mark);
  }
}

/** The last paragraph, heading or table cell that begins before the offset; else the first there is. */
function holderFor(tree: Node, offset: number): Node | null {
  let best: Node | null = null;
  let first: Node | null = null;
  const visit = (node: Node) => {
    if (inline_holders.has(node.type)) {
      first ??= node;
      if ((node.position?.start.offset ?? 0) < offset) best = node;
      return;
    }
    for (const child of node.children ?? []) visit(child);
  };
  visit(tree);
  return best ?? first;
}

function insertInto(parent: Node, offset: number, mark: Node) {
  const children = parent.children ?? [];
  let position = 0;
  while (position < children.length && startOf(children[position]!) < offset) position++;
  const before = children[position - 1];
  if (before !== undefined && offset < endOf(before) && !closed_types.has(before.type)) {
    if (before.children) return insertInto(before, offset, mark);
    if (before.type === 'text' && before.value !== undefined) {
      const cut = wordEnd(before.value, offset - startOf(before));
      const rest: Node = { type: 'text', value: before.value.slice(cut) };
      before.value = before.value.slice(0, cut);
      children.splice(position, 0, mark, rest);
      return;
    }
  }
  children.splice(position, 0, mark);
}

/** A mark inside a word moves behind it, one after a space moves before it. */
function wordEnd(value: string, cut: number) {
  if (cut <= 0) return 0;
  let end = Math.min(cut, value.length);
  if (/\s/.test(value[end - 1]!)) {
    while (end > 0 && /\s/.test(value[end - 1]!)) end--;
    return end;
  }
  while (end < value.length && /[\p{L}\p{N}]/u.test(value[end]!)) end++;
  return end;
}

// Marks have no position; they stand right behind what is before them.
const startOf = (node: Node) => node.position?.start.offset ?? Number.POSITIVE_INFINITY;
const endOf = (node: Node) => node.position?.end.offset ?? Number.POSITIVE_INFINITY;
