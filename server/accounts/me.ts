import { z } from '@hono/zod-openapi';
import type { Context } from 'hono';
import { isFromThisMachine } from '../platform/mail/routes.ts';
import type { AppEnvironment } from '../platform/routes.ts';
import { unconfirmed_messages } from './email-verification.ts';
import type { Profile } from './queries.ts';
import { type RoleParts, settleRole } from './roles.ts';

const counters = z.object({
  messages: z.int().nullable(),
  files: z.int().nullable(),
  tokens: z.int().nullable(),
});

/** A member's own profile as the browser sees it. */
export const meSchema = z
  .object({
    id: z.uuid(),
    email: z.string().nullable(),
    user_name: z.string().nullable(),
    organization_name: z.string().nullable(),
    avatar_url: z
      .string()
      .nullable()
      .openapi({ description: 'Changes with the picture; wants the token too.' }),
    language: z.string().nullable().openapi({ description: 'A BCP 47 tag. Null: as the browser says.' }),
    time_zone: z.string().nullable().openapi({
      description: 'A name of the IANA database. Null: as the browser says.',
    }),
    subscription_plan: z.string(),
    subscription_quota: counters
      .extend({ storage_mb: z.int().nullable().optional() })
      .openapi({ description: 'Null: unlimited; storage_mb also where it is absent.' }),
    subscription_usage: counters,
    storage: z.object({ used_bytes: z.int(), limit_bytes: z.int().nullable() }).openapi({
      description: 'What your files weigh together, and what the plan gives room for. Null: unlimited.',
    }),
    credits: z.int().openapi({ description: 'Bought messages that are left.' }),
    period_started_at: z.string(),
    renews_at: z.string().openapi({ description: 'When the usage begins anew.' }),
    is_active: z.boolean(),
    email_confirmed: z.boolean(),
    email_verification: z.object({
      sent_at: z.string().nullable().openapi({
        description: 'When the last mail with a link to confirm this address was sent. Null: none was.',
      }),
    }),
    unconfirmed_messages: z.int().openapi({
      description: 'How many messages a member has before the address is confirmed.',
    }),
    role: z.enum(['member', 'operator']),
    created_at: z.string(),
  })
  .openapi('Me');

/** Makes the answer of a profile. `c`: the request, which may be the first operator's. */
export async function describeMe(parts: RoleParts, profile: Profile, c: Context<AppEnvironment>) {
  const { is_deleted, deleted_at, erase_after, email_verification_sent_at, ...described } = profile;
  return {
    ...described,
    email_verification: { sent_at: email_verification_sent_at },
    unconfirmed_messages,
    role: await settleRole(parts, profile, isFromThisMachine(c)),
    subscription_quota: fillCounters(profile.subscription_quota),
    subscription_usage: fillCounters(profile.subscription_usage),
  };
}

/** A counter that is absent means 0. */
function fillCounters(counters: unknown) {
  return { messages: 0, files: 0, tokens: 0, ...(counters as Record<string, number | null>) };
}
