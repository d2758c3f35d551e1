/** A mistake in a template; `line` counts from 1 in the template, the message is a clause without a full stop. */
export class TemplateError extends Error {
  readonly line: number;

  constructor(line: number, message: string) {
    super(message);
    this.name = 'TemplateError';
    this.line = line;
  }
}

const slotForms = ['bare', 'inline', 'lead', 'rest'] as const;
type SlotForm = (typeof slotForms)[number];

type Node =
  | { kind: 'text'; text: string }
  | { kind: 'slot'; name: string; form: SlotForm | undefined }
  | { kind: 'section'; name: string; inverted: boolean; nodes: Node[] };

export type Template = { nodes: Node[] };

/** What a slot holds: a text, a list's items, or undefined where the answer is missing. Markdown, already safe. */
export type SlotValue = string | string[] | undefined;

/** A headed part of the rendered work, and the slot (for a list, its item counted from 0) that fills it. */
export type Part = { heading: string; slot: string | undefined; item: number | undefined };

/** How a text is written in a form: without its full stop, inside a sentence, its first phrase, or the rest. */
type WriteForm = (text: string, form: SlotForm) => string;

type Slots = readonly { slot: string; form: 'text' | 'list' }[];

/**
 * Reads a template: Markdown with `{{slot}}`, `{{slot.bare}}` (no full stop), `{{slot.inline}}` (inside a sentence),
 * `{{#slot}}…{{/slot}}` (when answered; for a list once an item, with `{{item}}`, `{{item.lead}}`, `{{item.rest}}`),
 * `{{^slot}}…{{/slot}}` (when not answered), `{{n}}` (counts up from 1) and `{{left_over}}` (what was cut).
 * Throws a `TemplateError` for a slot without a step and for sections that do not close.
 */
export function parseTemplate(source: string, slots: Slots): Template {
  // A section's tag alone on its line takes the line with it.
  const tags = /(?:(?<=^|\n)[ \t]*(\{\{[#^/][^{}]*\}\})[ \t]*(?:\n|$))|\{\{[^{}]*\}\}/g;
  const root: Node[] = [];
  const open: { name: string; line: number; nodes: Node[] }[] = [];
  const nodes = () => open.at(-1)?.nodes ?? root;
  const lineAt = (offset: number) => source.slice(0, offset).split('\n').length;
  const addText = (text: string, offset: number) => {
    const brace = text.search(/\{\{|\}\}/);
    if (brace >= 0) throw new TemplateError(lineAt(offset + brace), 'a pair of braces does not close');
    if (text !== '') nodes().push({ kind: 'text', text });
  };

  let end = 0;
  for (const match of source.matchAll(tags)) {
    addText(source.slice(end, match.index), end);
    end = match.index + match[0].length;
    const line = lineAt(match.index);
    const tag = (match[1] ?? match[0]).slice(2, -2).trim();
    const parts = /^([#^/]?)\s*([a-z][a-z0-9_]*)(?:\.([a-z]+))?$/.exec(tag);
    if (!parts) throw new TemplateError(line, `{{${tag}}} is not a slot`);
    const [, mark, name = '', form] = parts;
    if (form !== undefined && !isSlotForm(form)) {
      throw new TemplateError(line, `{{${tag}}} asks for an unknown form; there are ${slotForms.join(', ')}`);
    }
    checkSlot(name, line, slots, open);
    if (mark === '/') {
      const section = open.pop();
      if (section?.name !== name) throw new TemplateError(line, `{{/${name}}} closes nothing`);
    } else if (mark === '#' || mark === '^') {
      const section: Node = { kind: 'section', name, inverted: mark === '^', nodes: [] };
      nodes().push(section);
      open.push({ name, line, nodes: section.nodes });
    } else {
      nodes().push({ kind: 'slot', name, form });
    }
  }
  addText(source.slice(end), end);
  const unclosed = open.at(-1);
  if (unclosed) throw new TemplateError(unclosed.line, `the section {{#${unclosed.name}}} is not closed`);
  return { nodes: root };
}

function checkSlot(name: string, line: number, slots: Slots, open: { name: string }[]) {
  if (name === 'n' || name === 'left_over' || slots.some(({ slot }) => slot === name)) return;
  if (name === 'item') {
    const inList = open.some((section) =>
      slots.some(({ slot, form }) => slot === section.name && form === 'list'),
    );
    if (inList) return;
    throw new TemplateError(line, '{{item}} stands outside a list’s section');
  }
  throw new TemplateError(line, `the slot "${name}" has no step in the playbook`);
}

/**
 * The template filled with the values. Blank lines are closed up; `missing(slot)` is what stands in place of an
 * answer that is not there. Also the headed parts in their order, so that a member can name one.
 */
export function renderTemplate(
  template: Template,
  values: ReadonlyMap<string, SlotValue>,
  writeForm: WriteForm,
  missing: (slot: string) => string,
): { markdown: string; parts: Part[] } {
  let output = '';
  let number = 0;
  const uses: { offset: number; slot: string; item: number | undefined }[] = [];

  const write = (nodes: Node[], item: { slot: string; index: number; text: string } | undefined) => {
    for (const node of nodes) {
      if (node.kind === 'text') output += node.text;
      else if (node.kind === 'section') writeSection(node, item);
      else if (node.name === 'n') output += String(++number);
      else if (node.name === 'item' && item) {
        uses.push({ offset: output.length, slot: item.slot, item: item.index });
        output += node.form ? writeForm(item.text, node.form) : item.text;
      } else writeSlot(node.name, node.form);
    }
  };
  const writeSlot = (name: string, form: SlotForm | undefined) => {
    const value = values.get(name);
    if (name !== 'left_over') uses.push({ offset: output.length, slot: name, item: undefined });
    if (Array.isArray(value)) output += value.map((text) => `- ${text}`).join('\n');
    else if (value !== undefined) output += form ? writeForm(value, form) : value;
    else if (name !== 'left_over') output += missing(name);
  };
  const writeSection = (section: Extract<Node, { kind: 'section' }>, item: Parameters<typeof write>[1]) => {
    const value = values.get(section.name);
    if (section.inverted) {
      if (value === undefined) write(section.nodes, item);
    } else if (Array.isArray(value)) {
      for (const [index, text] of value.entries()) write(section.nodes, { slot: section.name, index, text });
    } else if (value !== undefined) write(section.nodes, item);
  };
  write(template.nodes, undefined);

  const headings = [...output.matchAll(/^#{1,6} (.+)$/gm)];
  const parts = headings.map((match, index) => {
    const from = match.index + match[0].length;
    const to = headings[index + 1]?.index ?? output.length;
    const use = uses.find(({ offset }) => offset >= from && offset < to);
    return { heading: match[1]!, slot: use?.slot, item: use?.item };
  });
  return { markdown: output.replace(/\n{3,}/g, '\n\n').trim(), parts };
}

function isSlotForm(form: string): form is SlotForm {
  return (slotForms as readonly string[]).includes(form);
}
