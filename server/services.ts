import { join } from 'node:path';
import { accountJobs } from './accounts/jobs.ts';
import {
  createTellOperators,
  type OperatorNoticeMails,
  operatorNoticeJob,
  type TellOperators,
} from './accounts/operator-notices.ts';
import { deleteClosedProfile } from './accounts/queries.ts';
import type { Erasers } from './accounts/run-erasures.ts';
import { billingErasers } from './billing/erasers.ts';
import { billingJobs } from './billing/jobs.ts';
import { billingDifferenceMail } from './billing/mails.ts';
import type { PlanCatalog } from './billing/plans.ts';
import { createStripeClient } from './billing/stripe-client.ts';
import { balanceExhaustedMail } from './chat/mails.ts';
import { chatErasers } from './chat/prepare-conversation.ts';
import { createRunningTurns } from './chat/running-turns.ts';
import type { Coach } from './coaches/coach-file.ts';
import { createPracticeCoach } from './coaches/practice-coach.ts';
import { fileJobs } from './files/jobs.ts';
import { knowledgeErasers } from './knowledge/erasers.ts';
import { createTokenVerifier } from './platform/auth.ts';
import { createBell } from './platform/bell.ts';
import type { Config } from './platform/config.ts';
import { createDatabase, createPool } from './platform/database.ts';
import { type Jobs, startJobs } from './platform/jobs.ts';
import type { LocalAuth } from './platform/local-auth.ts';
import type { Logger } from './platform/logger.ts';
import { createMailer } from './platform/mail/mailer.ts';
import { createOpenAIUpstream } from './platform/models/openai-client.ts';
import { createOpenAIModel } from './platform/models/openai-model.ts';
import { createDiskStorage } from './platform/storage.ts';
import type { LocalAuthSecrets } from './platform/supabase.ts';

type Parts = {
  config: Config;
  logger: Logger;
  database_url: string;
  /** Where people reach the site, for the links in mails; without a slash at the end. */
  site_url: string;
  coaches: Coach[];
  plans: PlanCatalog;
  /** The Auth in our process; undefined on Supabase. */
  local_auth: (LocalAuth & { secrets: LocalAuthSecrets }) | undefined;
  /** Where the built web app lies. */
  web_folder: string;
  /** How long the practice coach waits between words. */
  word_delay_ms?: number;
};

/** What each notice to the operators says: the feature that notices it owns the words. */
const operatorNoticeMails: OperatorNoticeMails = {
  model_balance_exhausted: balanceExhaustedMail,
  billing_difference: billingDifferenceMail,
};

export type Services = ReturnType<typeof createServices>;

/** Builds every client once. The database has its schema already. */
export function createServices(parts: Parts) {
  const { config, logger, database_url, coaches, local_auth } = parts;
  const pool = createPool(database_url, config.database_pool_size, logger);
  const database = createDatabase(pool);
  const storage = createDiskStorage(config.data_folder);
  const upstream = config.openai && createOpenAIUpstream(config.openai);
  const model = upstream
    ? createOpenAIModel(upstream.config)
    : createPracticeCoach(coaches, { word_delay_ms: parts.word_delay_ms });
  const stripe = config.stripe && createStripeClient(config.stripe);
  const erasers: Erasers = {
    async profile(id) {
      await deleteClosedProfile(database, id);
      await storage.deleteFolder(id);
    },
    stored_file: (key) => storage.delete(key),
    ...(upstream ? { ...knowledgeErasers(upstream), ...chatErasers(upstream) } : {}),
    ...(stripe ? billingErasers(stripe) : {}),
  };
  const mailer = createMailer(config, logger);
  const notices = { database, mailer, site_url: parts.site_url, mails: operatorNoticeMails };
  // What a job of billing notices is told through the jobs, which are not there yet.
  const tellOperators: TellOperators = (kind) => tell(kind);
  const jobs: Jobs = startJobs(
    database_url,
    [
      ...accountJobs(database, erasers, logger),
      ...fileJobs(database),
      ...billingJobs({
        config,
        database,
        logger,
        plans: parts.plans,
        stripe,
        tellOperators,
        site_url: parts.site_url,
      }),
      operatorNoticeJob(notices),
    ],
    logger,
  );
  const tell = createTellOperators(database, jobs, logger);
  return {
    config,
    logger,
    site_url: parts.site_url,
    mailer,
    pool,
    database,
    storage,
    coaches,
    plans: parts.plans,
    model,
    upstream,
    stripe,
    erasers,
    jobs,
    local_auth,
    web_folder: join(parts.web_folder),
    verifyToken: createTokenVerifier(config, local_auth?.secrets),
    running_turns: createRunningTurns(database, logger),
    tellOperators,
    bell: createBell(database_url, 'touchline_turns', logger),
  };
}
