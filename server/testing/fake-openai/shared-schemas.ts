import { z } from 'zod';

/** Up to 16 pairs; keys of up to 64 and values of up to 512 characters. */
export const metadataSchema = atMost16Pairs(z.record(z.string().max(64), z.string().max(512))).nullable();

/** As metadata, but the values may be numbers and booleans too: a file search can filter by them. */
export const attributesSchema = atMost16Pairs(
  z.record(z.string().max(64), z.union([z.string().max(512), z.number(), z.boolean()])),
).nullable();

export const includeSchema = z.array(
  z.enum([
    'file_search_call.results',
    'web_search_call.results',
    'web_search_call.action.sources',
    'message.input_image.image_url',
    'computer_call_output.output.image_url',
    'code_interpreter_call.outputs',
    'reasoning.encrypted_content',
    'message.output_text.logprobs',
  ]),
);

function atMost16Pairs<Pairs extends z.ZodType<Record<string, unknown>>>(schema: Pairs) {
  return schema.refine((pairs) => Object.keys(pairs).length <= 16, {
    message: 'Invalid object: too many properties. Expected at most 16.',
    params: { code: 'object_above_max_properties' },
  });
}
