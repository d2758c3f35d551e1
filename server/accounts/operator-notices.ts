import type { Database } from '../platform/database.ts';
import { AppError } from '../platform/errors.ts';
import type { Job, Jobs } from '../platform/jobs.ts';
import type { Logger } from '../platform/logger.ts';
import type { Mail } from '../platform/mail/mail.ts';
import type { Mailer } from '../platform/mail/mailer.ts';
import {
  listDueOperatorNotices,
  markOperatorNoticeSent,
  noteForOperators,
  type OperatorNoticeKind,
} from './operator-notice-queries.ts';

const operator_notices_job = 'send_operator_notices';

/** A thing that happens at every message is noted this often by one process. */
const note_again_ms = 60 * 60_000;

/** The mail of each notice; the feature that notices something owns its words. */
export type OperatorNoticeMails = Record<
  OperatorNoticeKind,
  (input: { to: string; site_url: string }) => Mail
>;

/** Tells the operators of something that they have to see to: once, by mail, behind the scenes. Never throws. */
export type TellOperators = (kind: OperatorNoticeKind) => void;

export function createTellOperators(database: Database, jobs: Jobs, logger: Logger): TellOperators {
  const noted_ms = new Map<OperatorNoticeKind, number>();
  return (kind) => {
    const now_ms = performance.now();
    if (now_ms - (noted_ms.get(kind) ?? Number.NEGATIVE_INFINITY) < note_again_ms) return;
    noted_ms.set(kind, now_ms);
    noteForOperators(database, kind)
      .then(({ operators, due }) => {
        if (operators === 0) noted_ms.delete(kind);
        if (due > 0) jobs.wake(operator_notices_job);
      })
      .catch((error) => {
        noted_ms.delete(kind);
        logger.warn({ error, kind }, 'a notice to the operators could not be noted');
      });
  };
}

type NoticeServices = { database: Database; mailer: Mailer; mails: OperatorNoticeMails; site_url: string };

/** Sends the notices that are due; what cannot be sent now comes again five minutes later. */
export function operatorNoticeJob({ database, mailer, mails, site_url }: NoticeServices): Job {
  return {
    name: operator_notices_job,
    schedule: '*/5 * * * *',
    async run() {
      let failure: unknown;
      for (const notice of await listDueOperatorNotices(database)) {
        try {
          await mailer.send(mails[notice.kind]({ to: notice.email, site_url }));
        } catch (error) {
          if (!(error instanceof AppError) || !error.details?.recipient_refused) {
            failure = error;
            continue;
          }
        }
        await markOperatorNoticeSent(database, notice);
      }
      if (failure) throw failure;
    },
  };
}
