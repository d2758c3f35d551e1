import { deleteAuthUser } from './accounts/closing-queries.ts';
import { deleteClosedProfile } from './accounts/queries.ts';
import type { Erasers } from './accounts/run-erasures.ts';
import { billingErasers } from './billing/erasers.ts';
import type { StripeClient } from './billing/stripe-client.ts';
import { chatErasers } from './chat/prepare-conversation.ts';
import { knowledgeErasers } from './knowledge/erasers.ts';
import type { Database } from './platform/database.ts';
import type { OpenAIUpstream } from './platform/models/openai-client.ts';
import type { Storage } from './platform/storage.ts';

type Parts = {
  database: Database;
  storage: Storage;
  upstream: OpenAIUpstream | undefined;
  stripe: StripeClient | undefined;
};

/** Who erases what, by `erasures.kind`, of all features. A kind whose service is not set waits until it is. */
export function listErasers({ database, storage, upstream, stripe }: Parts): Erasers {
  return {
    profile: (id) => deleteClosedProfile(database, id),
    auth_user: (id) => deleteAuthUser(database, id),
    stored_file: (key) => storage.delete(key),
    stored_folder: (folder) => storage.deleteFolder(folder),
    ...(upstream ? { ...knowledgeErasers(upstream, database), ...chatErasers(upstream) } : {}),
    ...(stripe ? billingErasers(stripe) : {}),
  };
}
