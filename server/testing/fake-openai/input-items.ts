import { z } from 'zod';
import { badRequest, checkIdPrefix } from './api-error.ts';
import { newId } from './ids.ts';
import type { Item } from './state.ts';

const cacheBreakpoint = z.strictObject({ mode: z.literal('explicit') }).optional();

export const inputTextSchema = z.strictObject({
  type: z.literal('input_text'),
  text: z.string(),
  prompt_cache_breakpoint: cacheBreakpoint,
});

export const inputImageSchema = z.strictObject({
  type: z.literal('input_image'),
  image_url: z.string().nullish(),
  file_id: z.string().nullish(),
  detail: z.enum(['low', 'high', 'auto', 'original']).default('auto'),
  prompt_cache_breakpoint: cacheBreakpoint,
});

export const inputFileSchema = z.strictObject({
  type: z.literal('input_file'),
  file_id: z.string().nullish(),
  filename: z.string().optional(),
  file_data: z.string().optional(),
  file_url: z.string().optional(),
  detail: z.enum(['auto', 'low', 'high']).optional(),
  prompt_cache_breakpoint: cacheBreakpoint,
});

const inputPart = z.discriminatedUnion('type', [inputTextSchema, inputImageSchema, inputFileSchema]);
const phase = z.enum(['commentary', 'final_answer']).nullish();
const status = z.enum(['in_progress', 'completed', 'incomplete']);

const inputMessageSchema = z.strictObject({
  type: z.literal('message').optional(),
  role: z.enum(['user', 'assistant', 'system', 'developer']),
  content: z.union([z.string(), z.array(inputPart)]),
  phase,
  status: status.optional(),
});

const outputTextSchema = z.strictObject({
  type: z.literal('output_text'),
  text: z.string(),
  annotations: z.array(z.looseObject({ type: z.string() })),
  logprobs: z.array(z.unknown()),
});

const outputMessageSchema = z.strictObject({
  id: z.string(),
  type: z.literal('message'),
  role: z.literal('assistant'),
  content: z.array(
    z.discriminatedUnion('type', [
      outputTextSchema,
      z.strictObject({ type: z.literal('refusal'), refusal: z.string() }),
    ]),
  ),
  phase,
  status,
});

const fileSearchCallSchema = z.strictObject({
  id: z.string(),
  type: z.literal('file_search_call'),
  status: z.enum(['in_progress', 'searching', 'completed', 'incomplete', 'failed']),
  queries: z.array(z.string()),
  results: z.array(z.looseObject({})).nullish(),
});

const reasoningSchema = z.strictObject({
  id: z.string(),
  type: z.literal('reasoning'),
  summary: z.array(z.strictObject({ type: z.literal('summary_text'), text: z.string() })),
  content: z.array(z.strictObject({ type: z.literal('reasoning_text'), text: z.string() })).optional(),
  encrypted_content: z.string().nullish(),
  status: status.optional(),
});

const itemReferenceSchema = z.strictObject({
  type: z.literal('item_reference').nullish(),
  id: z.string(),
});

/** The kinds that Touchline never sends: taken as they come, unchecked but for their name. */
const otherItemSchema = z.looseObject({
  type: z.enum([
    'additional_tools',
    'apply_patch_call',
    'apply_patch_call_output',
    'code_interpreter_call',
    'compaction',
    'compaction_trigger',
    'computer_call',
    'computer_call_output',
    'custom_tool_call',
    'custom_tool_call_output',
    'function_call',
    'function_call_output',
    'image_generation_call',
    'local_shell_call',
    'local_shell_call_output',
    'mcp_approval_request',
    'mcp_approval_response',
    'mcp_call',
    'mcp_list_tools',
    'program',
    'program_output',
    'shell_call',
    'shell_call_output',
    'tool_search_call',
    'tool_search_output',
    'web_search_call',
  ]),
});

export const inputItemSchema = z.union([
  inputMessageSchema,
  outputMessageSchema,
  fileSearchCallSchema,
  reasoningSchema,
  itemReferenceSchema,
  otherItemSchema,
]);

export type InputItem = z.output<typeof inputItemSchema>;

/**
 * Throws the 400 for parts on the wrong side of the conversation: an assistant message carries
 * `output_text` and `refusal`, every other message `input_…` parts. The specification's schema of an
 * easy message does not say so; the API does.
 */
export function checkMessageParts(items: unknown, param: string) {
  if (!Array.isArray(items)) return;
  items.forEach((item, at) => {
    if (!Array.isArray(item?.content) || typeof item.role !== 'string') return;
    const supported =
      item.role === 'assistant' ? ['output_text', 'refusal'] : ['input_text', 'input_image', 'input_file'];
    item.content.forEach((part: { type?: unknown; image_url?: unknown }, partAt: number) => {
      if (part?.type === 'input_image') checkImage(part, `${param}[${at}].content[${partAt}]`);
      if (typeof part?.type !== 'string' || supported.includes(part.type)) return;
      throw badRequest(
        `Invalid value: '${part.type}'. Supported values are: ${supported.map((one) => `'${one}'`).join(', ')}.`,
        'invalid_value',
        `${param}[${at}].content[${partAt}]`,
      );
    });
  });
}

/** How a picture of each type begins. */
const signatures: Record<string, RegExp> = {
  png: /^\x89PNG\r\n/,
  jpeg: /^\xff\xd8\xff/,
  webp: /^RIFF[\s\S]{4}WEBP/,
  gif: /^GIF8[79]a/,
};

/** A picture is a whole one in a data URL; addresses would have to be fetched, and pictures by id are never sent. */
function checkImage({ image_url }: { image_url?: unknown }, param: string) {
  const [, type, data] = /^data:image\/(\w+);base64,([A-Za-z0-9+/]+={0,2})$/.exec(String(image_url)) ?? [];
  if (!type || !data) {
    throw badRequest(
      `Invalid '${param}.image_url'. Expected a base64-encoded data URL with an image MIME type.`,
      'invalid_value',
      `${param}.image_url`,
    );
  }
  const start = Buffer.from(data, 'base64').toString('latin1');
  if (signatures[type]?.test(start)) return;
  throw badRequest(
    'The image data you provided does not represent a valid image. Please check your input and try again with one of the supported image formats: png, jpeg, gif and webp.',
    'invalid_image_format',
    `${param}.image_url`,
  );
}

/** What was sent, as the API keeps it: every item with an id, every message with a status and parts. */
export function storedItems(
  input: string | InputItem[],
  param: string,
  findItem: (id: string) => Item,
): Item[] {
  const items = typeof input === 'string' ? [{ role: 'user' as const, content: input }] : input;
  return items.map((item, at) => {
    if ('role' in item && 'content' in item && isMessage(item))
      return storedMessage(item, `${param}[${at}].id`);
    if ('type' in item && item.type && item.type !== 'item_reference') {
      return { ...item, id: (item as { id?: string }).id ?? newId('item'), type: item.type };
    }
    return findItem((item as { id: string }).id);
  });
}

type Message = z.output<typeof inputMessageSchema> | z.output<typeof outputMessageSchema>;

function isMessage(item: InputItem): item is Message {
  return !('type' in item) || item.type === undefined || item.type === 'message';
}

function storedMessage(message: Message, idParam: string): Item {
  if ('id' in message) checkIdPrefix(message.id, 'msg', idParam);
  const { phase } = message;
  return {
    id: 'id' in message ? message.id : newId('msg'),
    type: 'message',
    status: 'completed',
    role: message.role,
    content:
      typeof message.content !== 'string'
        ? message.content
        : message.role === 'assistant'
          ? [{ type: 'output_text', text: message.content, annotations: [], logprobs: [] }]
          : [{ type: 'input_text', text: message.content }],
    ...(phase ? { phase } : {}),
  };
}

/** The words of a stored message; empty for every other item. */
export function textOf(item: Item): string {
  if (item.type !== 'message' || !Array.isArray(item.content)) return '';
  return item.content
    .map((part: { text?: string; refusal?: string }) => part.text ?? part.refusal ?? '')
    .join('\n');
}
