import { usedUp, useMe } from '../accounts/me.ts';
import type { Coach } from '../coaches/coach.ts';
import { useDraft } from './chat-context.ts';

/** What has to change before any message can be sent to a coach. */
type AccountObstacle = 'email_unconfirmed' | 'plan_required' | 'quota_exhausted';

/**
 * What of the account stands in the way of what is written under a key: known before it is sent, or from the refusal
 * (`notice_code`), until the profile says that it is gone.
 */
export function useAccountObstacle(draft_key: string, coach: Coach | undefined): AccountObstacle | null {
  const { notice_code } = useDraft(draft_key);
  const { data: me, isFetching } = useMe();
  if (me === undefined) return null;
  if (notice_code === 'email_unconfirmed' && !me.email_confirmed) return 'email_unconfirmed';
  if (coach !== undefined && !coach.plans.includes(me.subscription_plan)) return 'plan_required';
  if (usedUp(me) !== null) return 'quota_exhausted';
  // The refusal knew better than this page, which asks again.
  const is_refused = notice_code === 'plan_required' || notice_code === 'quota_exhausted';
  return is_refused && isFetching ? notice_code : null;
}

const hints = {
  uploading: 'Your files are still on their way.',
  email_unconfirmed: 'You can send this when your email is confirmed.',
  plan_required: 'Your plan does not include this coach.',
  quota_exhausted: 'Waits until your plan renews.',
};

/** What the words under a key wait for, whoever shows them, as a sentence; null: they can be sent. */
export function useWaitsFor(draft_key: string, coach: Coach | undefined): string | null {
  const { attachments } = useDraft(draft_key);
  const obstacle = useAccountObstacle(draft_key, coach);
  if (attachments.some(({ state }) => state === 'uploading')) return hints.uploading;
  return obstacle && hints[obstacle];
}
