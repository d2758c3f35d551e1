import { join } from 'node:path';
import { eraseAccountsJob } from './accounts/erase-accounts.ts';
import type { Exporter } from './accounts/export.ts';
import { accountExporter } from './accounts/exporter.ts';
import { accountJobs } from './accounts/jobs.ts';
import { accountClosedMail } from './accounts/mails/closing-mails.ts';
import { exportsJob } from './accounts/make-export.ts';
import {
  createTellOperators,
  type OperatorNoticeMails,
  operatorNoticeJob,
  type TellOperators,
} from './accounts/operator-notices.ts';
import { type Closers, closersJob } from './accounts/run-closers.ts';
import { sendOrGiveUp } from './accounts/send-or-give-up.ts';
import { createSignOuts, signInJob } from './accounts/sign-outs.ts';
import { stripeSubscriptionCloser } from './billing/closer.ts';
import { billingExporter } from './billing/exporter.ts';
import { billingJobs } from './billing/jobs.ts';
import { billingDifferenceMail } from './billing/mails.ts';
import type { PlanCatalog } from './billing/plans.ts';
import { createStripeClient } from './billing/stripe-client.ts';
import { chatExporter } from './chat/exporter.ts';
import { balanceExhaustedMail } from './chat/mails.ts';
import { createRunningTurns } from './chat/running-turns.ts';
import { stopTurnsOf } from './chat/stop-turns.ts';
import type { Coach } from './coaches/coach-file.ts';
import { createPracticeCoach } from './coaches/practice-coach.ts';
import { fileExporter } from './files/exporter.ts';
import { fileJobs } from './files/jobs.ts';
import { createModelImageReader } from './files/model-image.ts';
import { createShowPicture } from './files/show-picture.ts';
import { createUploads } from './files/uploads.ts';
import { installationMark } from './knowledge/erase-orphans.ts';
import { knowledgeJobs } from './knowledge/jobs.ts';
import { createVectorStores } from './knowledge/vector-stores.ts';
import { listErasers } from './list-erasers.ts';
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
import { createRateLimits } from './platform/rate-limit.ts';
import { createS3, createS3Storage } from './platform/s3-storage.ts';
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
  const storage = config.s3
    ? createS3Storage(createS3(config.s3), join(config.data_folder, 'uploads'))
    : createDiskStorage(config.data_folder);
  const upstream = config.openai && createOpenAIUpstream(config.openai);
  const model = upstream
    ? createOpenAIModel(upstream.config)
    : createPracticeCoach(coaches, { word_delay_ms: parts.word_delay_ms });
  let marking: Promise<string> | undefined;
  const mark = () => {
    marking ??= installationMark(database, parts.site_url);
    marking.catch(() => {
      marking = undefined;
    });
    return marking;
  };
  const vector_stores = upstream && createVectorStores({ database, upstream, logger, mark });
  const stripe = config.stripe && createStripeClient(config.stripe);
  const erasers = listErasers({ database, storage, upstream, stripe });
  const mailer = createMailer(config, logger);
  const { site_url } = parts;
  // What a job of billing notices is told through the jobs, which are not there yet.
  const tellOperators: TellOperators = (kind) => tell(kind);
  const closers: Closers = {
    async closed_mail({ email: to, erase_after }) {
      if (to && erase_after) await sendOrGiveUp(mailer, accountClosedMail({ to, site_url, erase_after }));
    },
    ...(stripe
      ? {
          stripe_subscription: stripeSubscriptionCloser({
            database,
            logger,
            plans: parts.plans,
            stripe,
            tellOperators,
          }),
        }
      : {}),
  };
  // In the order in which they stand in the copy that a member gets.
  const exporters: Exporter[] = [
    accountExporter(database, storage),
    chatExporter(database, coaches),
    fileExporter(database, storage),
    billingExporter(database),
  ];
  const running_turns = createRunningTurns(database, logger);
  const sign_outs = createSignOuts(config, database, logger);
  const notices = { database, mailer, site_url, mails: operatorNoticeMails };
  const jobs: Jobs = startJobs(
    database_url,
    [
      ...accountJobs(database, erasers, logger),
      signInJob(config, database),
      closersJob(database, closers, logger),
      eraseAccountsJob({ database, erasers, mailer, logger, site_url }),
      exportsJob({ database, storage, exporters, mailer, logger, site_url }),
      ...fileJobs(database),
      ...(upstream && vector_stores
        ? knowledgeJobs({ database, upstream, vector_stores, mark, logger })
        : []),
      ...billingJobs({
        config,
        database,
        logger,
        plans: parts.plans,
        stripe,
        tellOperators,
        site_url,
        mailer,
      }),
      operatorNoticeJob(notices),
    ],
    logger,
  );
  const tell = createTellOperators(database, jobs, logger);
  return {
    config,
    logger,
    site_url,
    mailer,
    pool,
    database,
    rate_limits: createRateLimits(pool),
    storage,
    coaches,
    plans: parts.plans,
    model,
    upstream,
    vector_stores,
    uploads: createUploads({ database, storage, logger, config }),
    readModelImage: createModelImageReader(storage, join(config.data_folder, 'uploads')),
    showPicture: createShowPicture(storage, join(config.data_folder, 'uploads')),
    stripe,
    erasers,
    closers,
    onClosed(auth_id: string) {
      sign_outs.remember(auth_id);
      stopTurnsOf(running_turns, auth_id);
    },
    jobs,
    local_auth,
    web_folder: join(parts.web_folder),
    sign_outs,
    verifyToken: createTokenVerifier(config, local_auth?.secrets, sign_outs.hasEnded),
    running_turns,
    tellOperators,
    bell: createBell(database_url, 'touchline_turns', logger),
  };
}
