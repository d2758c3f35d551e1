import { type Document, isMap, isNode, isPair, isScalar, LineCounter, parseDocument } from 'yaml';
import type { z } from 'zod';

/** The first thing that is wrong with a YAML text. `reason` goes on the sentence "<file>, line <line>: ". */
export class YamlError extends Error {
  readonly line: number;
  readonly reason: string;
  constructor(line: number, reason: string) {
    super(`line ${line}: ${reason}`);
    this.name = 'YamlError';
    this.line = line;
    this.reason = reason;
  }
}

type YamlDocument<Value> = {
  value: Value;
  document: Document;
  /** The line of the node at a path, or of its nearest parent where it is missing; for a key's value, the key's. */
  lineOf: (path: PropertyKey[]) => number;
};

/**
 * Reads a YAML text that must fit a schema. `whole`: what the text is called when it does not fit as a whole.
 * Throws a `YamlError` for the first thing that is wrong.
 */
export function readYaml<Schema extends z.ZodType>(
  source: string,
  schema: Schema,
  whole: string,
): YamlDocument<z.infer<Schema>> {
  const lineCounter = new LineCounter();
  const document = parseDocument(source, { lineCounter, prettyErrors: false });
  const lineAt = (offset: number) => lineCounter.linePos(offset).line;
  const broken = document.errors[0] ?? document.warnings[0];
  if (broken) throw new YamlError(lineAt(broken.pos[0]), `invalid YAML, ${oneLine(broken.message)}`);
  const lineOf = (path: PropertyKey[]) => lineAt(offsetOf(document, path));

  const parsed = schema.safeParse(readValues(document));
  if (!parsed.success) {
    const issue = parsed.error.issues[0]!;
    if (issue.code === 'unrecognized_keys') {
      const path = [...issue.path, issue.keys[0]!];
      throw new YamlError(lineOf(path), `the field "${pathName(path)}" is not known`);
    }
    const name = pathName(issue.path);
    if (!document.hasIn(issue.path))
      throw new YamlError(lineOf(issue.path), `the field "${name}" is missing`);
    throw new YamlError(
      lineOf(issue.path),
      `${name === '' ? whole : `the field "${name}"`} ${reasonOf(issue)}`,
    );
  }
  return { value: parsed.data, document, lineOf };
}

function readValues(document: Document): unknown {
  try {
    return document.toJS();
  } catch (error) {
    throw new YamlError(2, `invalid YAML, ${oneLine(error instanceof Error ? error.message : '')}`);
  }
}

/** Where the node at `path` begins, or the nearest parent where it is missing; for a key's value, the key. */
function offsetOf(document: Document, path: PropertyKey[]): number {
  for (let length = path.length; length > 0; length -= 1) {
    const parent = document.getIn(path.slice(0, length - 1), true);
    if (isMap(parent)) {
      const pair = parent.items.find((item) => isScalar(item.key) && item.key.value === path[length - 1]);
      if (isPair(pair) && isNode(pair.key)) return pair.key.range?.[0] ?? 0;
    }
    const node = document.getIn(path.slice(0, length), true);
    if (isNode(node)) return node.range?.[0] ?? 0;
  }
  return 0;
}

function pathName(path: PropertyKey[]) {
  return path
    .map((part) => (typeof part === 'number' ? `[${part + 1}]` : `.${String(part)}`))
    .join('')
    .replace(/^\./, '');
}

function reasonOf(issue: z.core.$ZodIssue): string {
  if (issue.code === 'invalid_value') return `must be one of ${issue.values.map(String).join(', ')}`;
  if (issue.code === 'invalid_type') return `must be of the type ${issue.expected}`;
  if (issue.message.startsWith('must ')) return issue.message;
  return `is not valid: ${oneLine(issue.message)}`;
}

function oneLine(message: string) {
  return message.replace(/\s+/g, ' ').trim().replace(/\.$/, '');
}
