import { EmailUnconfirmedNotice } from '../accounts/email-unconfirmed-notice.tsx';
import { UsedUpNotice } from '../billing/allowance-notice.tsx';
import type { Coach } from '../coaches/coach.ts';
import { PlanRequiredNotice } from '../coaches/plan-required-notice.tsx';
import { useDraft } from './chat-context.ts';
import { useAccountObstacle } from './obstacles.ts';

/** Why what was written came back, or why it cannot go out (`blocked`). */
export function DraftNotice({ draft_key, blocked = null }: { draft_key: string; blocked?: string | null }) {
  const { notice, notice_code } = useDraft(draft_key);
  if (notice_code === 'email_unconfirmed') return <EmailUnconfirmedNotice />;
  // These are told once, at the composer, which knows them before anything is sent.
  if (notice_code === 'plan_required' || notice_code === 'quota_exhausted') return null;
  if ((notice ?? blocked) === null) return null;
  return (
    <p role="alert" className="mb-2 rounded-md bg-danger-tint px-3 py-2 text-danger">
      {notice ?? blocked}
    </p>
  );
}

/** Why nothing can be sent to a coach at all, and the way on; it stays until what came back is sent again. */
export function AccountNotice({ draft_key, coach }: { draft_key: string; coach: Coach | undefined }) {
  const { notice_code } = useDraft(draft_key);
  const obstacle = useAccountObstacle(draft_key, coach) ?? notice_code;
  const refused = notice_code === obstacle;
  if (obstacle === 'plan_required' && coach) return <PlanRequiredNotice coach={coach} refused={refused} />;
  if (obstacle === 'quota_exhausted') return <UsedUpNotice refused={refused} />;
  return null;
}
