import type { z } from 'zod';
import { type ApiError, badRequest } from './api-error.ts';

type Issue = z.core.$ZodIssue;
type Path = PropertyKey[];

/** The parsed value, or the `ApiError` with which OpenAI answers the first thing that is wrong with it. */
export function validate<Schema extends z.ZodType>(schema: Schema, value: unknown): z.output<Schema> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw errorOf(parsed.error.issues[0]!, [], value);
}

function errorOf(issue: Issue, prefix: Path, root: unknown): ApiError {
  const path = [...prefix, ...issue.path];
  const param = written(path);
  const value = valueAt(root, path);

  switch (issue.code) {
    case 'unrecognized_keys': {
      const unknown = written([...path, issue.keys[0]!]);
      return badRequest(`Unknown parameter: '${unknown}'.`, 'unknown_parameter', unknown);
    }
    case 'invalid_union':
      return unionError(issue, path, root);
    case 'invalid_key':
      return errorOf(issue.issues[0]!, path, root);
    case 'invalid_type':
      return value === undefined ? missing(param) : wrongType(param, nameOfType(issue.expected), value);
    case 'invalid_value':
      return value === undefined ? missing(param) : wrongValue(param, value, issue.values);
    case 'too_big':
      return outOfBounds(param, value, issue.origin, 'max', Number(issue.maximum));
    case 'too_small':
      return outOfBounds(param, value, issue.origin, 'min', Number(issue.minimum));
    case 'custom':
      return badRequest(issue.message, String(issue.params?.code ?? 'invalid_value'), param);
    default:
      return badRequest(`Invalid '${param}': ${issue.message}`, 'invalid_value', param);
  }
}

/**
 * Of the alternatives, the one that was meant is the one whose kind (`type`, `role`) and JSON type fit;
 * among several, the one with the fewest complaints.
 */
function unionError(issue: Issue & { code: 'invalid_union' }, path: Path, root: unknown): ApiError {
  const value = valueAt(root, path);
  if (value === undefined) return missing(written(path));

  const wrongJsonType = (branch: Issue[]) =>
    branch.some((one) => one.path.length === 0 && one.code === 'invalid_type');
  const names = ['type', 'role'];
  const wrongKind = (branch: Issue[]) =>
    branch.some((one) =>
      one.code === 'unrecognized_keys'
        ? one.path.length === 0 && one.keys.some((key) => names.includes(key))
        : one.code === 'invalid_value' && names.includes(String(one.path[0])),
    );

  const fitting = issue.errors.filter((branch) => !wrongJsonType(branch) && branch.length > 0);
  const meant = fitting.filter((branch) => !wrongKind(branch)).sort((a, b) => a.length - b.length)[0];
  if (meant) return errorOf(meant[0]!, path, root);

  if (fitting.length > 0) {
    const at = fitting[0]!.find((one) => one.code === 'invalid_value')?.path ?? [];
    const kinds = fitting.flatMap((branch) =>
      branch.flatMap((one) => (one.code === 'invalid_value' && one.path[0] === at[0] ? one.values : [])),
    );
    const given = valueAt(root, [...path, ...at]);
    const param = written([...path, ...at]);
    return given === undefined ? missing(param) : wrongValue(param, given, [...new Set(kinds)]);
  }
  const expected = issue.errors.flatMap((branch) =>
    branch.flatMap((one) => (one.code === 'invalid_type' ? [nameOfType(one.expected)] : [])),
  );
  return wrongType(written(path), `one of ${[...new Set(expected)].join(' or ')}`, value);
}

function missing(param: string) {
  return badRequest(`Missing required parameter: '${param}'.`, 'missing_required_parameter', param);
}

function wrongType(param: string, expected: string, value: unknown) {
  const got = nameOfType(jsonType(value));
  return badRequest(
    `Invalid type for '${param}': expected ${expected}, but got ${got} instead.`,
    'invalid_type',
    param,
  );
}

function wrongValue(param: string, value: unknown, supported: readonly unknown[]) {
  if (typeof value !== typeof supported[0]) return wrongType(param, nameOfType(typeof supported[0]), value);
  const list = supported.map((one) => `'${one}'`).join(', ');
  return badRequest(`Invalid value: '${value}'. Supported values are: ${list}.`, 'invalid_value', param);
}

/** `too_big` and `too_small` in the words and codes of OpenAI, which name the kind of value and the bound. */
function outOfBounds(param: string, value: unknown, origin: string, bound: 'max' | 'min', limit: number) {
  const side = bound === 'max' ? 'above' : 'below';
  if (origin === 'string' || origin === 'array') {
    const length = (value as string | unknown[]).length;
    const words = bound === 'max' ? ['too long', 'maximum'] : ['too short', 'minimum'];
    return badRequest(
      `Invalid '${param}': ${origin} ${words[0]}. Expected ${nameOfType(origin)} with ${words[1]} length ${limit}, ` +
        `but got ${nameOfType(origin)} with length ${length} instead.`,
      length === 0 ? `empty_${origin}` : `${origin}_${side}_${bound}_length`,
      param,
    );
  }
  const kind = Number.isInteger(Number(value)) ? 'integer' : 'decimal';
  return badRequest(
    `Invalid '${param}': ${kind} ${side} ${bound}imum value. Expected a value ${bound === 'max' ? '<=' : '>='} ${limit}, but got ${value} instead.`,
    `${kind}_${side}_${bound}_value`,
    param,
  );
}

/** A path as OpenAI writes it: `input[0].content[1].text`. */
function written(path: Path) {
  return path
    .map((step, at) => (typeof step === 'number' ? `[${step}]` : at > 0 ? `.${String(step)}` : String(step)))
    .join('');
}

function valueAt(root: unknown, path: Path): unknown {
  return path.reduce<unknown>((value, step) => (value as Record<PropertyKey, unknown> | null)?.[step], root);
}

function jsonType(value: unknown) {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  return Number.isInteger(value) ? 'int' : typeof value;
}

function nameOfType(type: string) {
  const names: Record<string, string> = {
    array: 'an array',
    boolean: 'a boolean',
    int: 'an integer',
    null: 'null',
    number: 'a decimal',
    object: 'an object',
    record: 'an object',
    string: 'a string',
  };
  return names[type] ?? `a ${type}`;
}
