import { z } from '@hono/zod-openapi';

/** A mark in a reply and the place in the member's file that it stands for. */
export const citationSchema = z
  .object({
    number: z.int().openapi({ description: 'Counts from 1 within a reply.' }),
    index: z.int().openapi({ description: 'Where the mark stands: UTF-16 offset in the reply.' }),
    file_id: z.uuid(),
    file_name: z.string(),
    page: z
      .int()
      .nullable()
      .openapi({ description: 'From 1; null where the type has no pages or no passage matched.' }),
    passage_id: z.uuid().nullable().openapi({ description: 'Null where no passage of the file matched.' }),
    quote: z.string().nullable(),
  })
  .openapi('Citation');

export type Citation = z.infer<typeof citationSchema>;
