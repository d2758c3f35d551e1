import { z } from 'zod';
import { inputFileSchema, inputImageSchema, inputItemSchema, inputTextSchema } from './input-items.ts';
import { includeSchema, metadataSchema } from './shared-schemas.ts';

const comparisonFilterSchema = z.strictObject({
  type: z.enum(['eq', 'ne', 'gt', 'gte', 'lt', 'lte', 'in', 'nin']),
  key: z.string(),
  value: z.union([z.string(), z.number(), z.boolean(), z.array(z.union([z.string(), z.number()]))]),
});

export type ComparisonFilter = z.output<typeof comparisonFilterSchema>;
export type Filter = ComparisonFilter | { type: 'and' | 'or'; filters: Filter[] };

/** A filter on the attributes of vector store files, comparisons joined by `and` and `or` to any depth. */
export const filterSchema: z.ZodType<Filter> = z.lazy(() =>
  z.union([
    comparisonFilterSchema,
    z.strictObject({ type: z.enum(['and', 'or']), filters: z.array(filterSchema) }),
  ]),
);

const fileSearchToolSchema = z.strictObject({
  type: z.literal('file_search'),
  vector_store_ids: z.array(z.string()).min(1),
  max_num_results: z.int().min(1).max(50).optional(),
  ranking_options: z
    .strictObject({
      ranker: z.enum(['auto', 'default-2024-11-15']).optional(),
      score_threshold: z.number().min(0).max(1).optional(),
      hybrid_search: z.strictObject({ embedding_weight: z.number(), text_weight: z.number() }).optional(),
    })
    .optional(),
  filters: filterSchema.nullish(),
});

export type FileSearchTool = z.output<typeof fileSearchToolSchema>;

const functionToolSchema = z.strictObject({
  type: z.literal('function'),
  name: z.string(),
  description: z.string().nullish(),
  parameters: z.record(z.string(), z.unknown()).nullable(),
  output_schema: z.record(z.string(), z.unknown()).nullish(),
  strict: z.boolean().nullable(),
  defer_loading: z.boolean().optional(),
  allowed_callers: z.array(z.string()).nullish(),
});

/** The tools that Touchline never gives: taken as they come, unchecked but for their name, and never called. */
const otherToolSchema = z.looseObject({
  type: z.enum([
    'apply_patch',
    'code_interpreter',
    'computer',
    'computer_use_preview',
    'custom',
    'image_generation',
    'local_shell',
    'mcp',
    'namespace',
    'programmatic_tool_calling',
    'shell',
    'tool_search',
    'web_search',
    'web_search_2025_08_26',
    'web_search_preview',
    'web_search_preview_2025_03_11',
  ]),
});

const toolSchema = z.union([fileSearchToolSchema, functionToolSchema, otherToolSchema]);

const textFormat = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('text') }),
  z.strictObject({ type: z.literal('json_object') }),
  z.strictObject({
    type: z.literal('json_schema'),
    name: z.string(),
    description: z.string().optional(),
    schema: z.record(z.string(), z.unknown()),
    strict: z.boolean().nullish(),
  }),
]);

const moderationMode = z.strictObject({ mode: z.enum(['score', 'block']) }).nullish();

/** The body of `POST /v1/responses`: every parameter of the specification, and no other. */
export const createResponseSchema = z.strictObject({
  model: z.string().optional(),
  input: z.union([z.string(), z.array(inputItemSchema)]).optional(),
  instructions: z.string().nullish(),
  conversation: z.union([z.string(), z.strictObject({ id: z.string() })]).nullish(),
  previous_response_id: z.string().nullish(),
  tools: z.array(toolSchema).optional(),
  tool_choice: z
    .union([
      z.enum(['none', 'auto', 'required']),
      z.looseObject({
        type: z.enum([
          'allowed_tools',
          'apply_patch',
          'code_interpreter',
          'computer',
          'computer_use',
          'computer_use_preview',
          'custom',
          'file_search',
          'function',
          'image_generation',
          'mcp',
          'programmatic_tool_calling',
          'shell',
          'web_search_preview',
          'web_search_preview_2025_03_11',
        ]),
      }),
    ])
    .optional(),
  parallel_tool_calls: z.boolean().nullish(),
  max_tool_calls: z.int().nullish(),
  include: includeSchema.nullish(),
  stream: z.boolean().nullish(),
  stream_options: z.strictObject({ include_obfuscation: z.boolean().optional() }).nullish(),
  store: z.boolean().nullish(),
  background: z.boolean().nullish(),
  metadata: metadataSchema.optional(),
  safety_identifier: z.string().max(64).nullish(),
  user: z.string().optional(),
  max_output_tokens: z.int().min(16).nullish(),
  temperature: z.number().min(0).max(2).nullish(),
  top_p: z.number().min(0).max(1).nullish(),
  top_logprobs: z.int().min(0).max(20).optional(),
  truncation: z.enum(['auto', 'disabled']).nullish(),
  reasoning: z
    .strictObject({
      mode: z.string().optional(),
      effort: z.enum(['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max']).nullish(),
      summary: z.enum(['auto', 'concise', 'detailed']).nullish(),
      context: z.enum(['auto', 'current_turn', 'all_turns']).nullish(),
      generate_summary: z.enum(['auto', 'concise', 'detailed']).nullish(),
    })
    .nullish(),
  text: z
    .strictObject({ format: textFormat.optional(), verbosity: z.enum(['low', 'medium', 'high']).nullish() })
    .optional(),
  service_tier: z.enum(['auto', 'default', 'flex', 'scale', 'priority', 'fast', 'ultrafast']).nullish(),
  prompt: z
    .strictObject({
      id: z.string(),
      version: z.string().nullish(),
      variables: z
        .record(z.string(), z.union([z.string(), inputTextSchema, inputImageSchema, inputFileSchema]))
        .nullish(),
    })
    .nullish(),
  prompt_cache_key: z.string().nullish(),
  prompt_cache_retention: z.enum(['in_memory', '24h']).nullish(),
  prompt_cache_options: z
    .strictObject({
      ttl: z.literal('30m').optional(),
      mode: z.enum(['implicit', 'explicit']).optional(),
    })
    .optional(),
  moderation: z
    .strictObject({
      model: z.string(),
      policy: z.strictObject({ input: moderationMode, output: moderationMode }).nullish(),
    })
    .nullish(),
  context_management: z
    .array(z.strictObject({ type: z.string(), compact_threshold: z.int().min(1000).nullish() }))
    .min(1)
    .nullish(),
});

export type CreateResponse = z.output<typeof createResponseSchema>;
