import { EmailUnconfirmedNotice } from '../accounts/email-unconfirmed-notice.tsx';
import { useMe } from '../accounts/me.ts';
import { useDraft } from './chat-context.ts';

/** Why what was written came back, or why it cannot go out (`blocked`). */
export function DraftNotice({ draft_key, blocked = null }: { draft_key: string; blocked?: string | null }) {
  const { notice, notice_code } = useDraft(draft_key);
  if (notice_code === 'email_unconfirmed') return <EmailUnconfirmedNotice />;
  if ((notice ?? blocked) === null) return null;
  return (
    <p role="alert" className="mb-2 rounded-md bg-danger-tint px-3 py-2 text-danger">
      {notice ?? blocked}
    </p>
  );
}

/** True as long as a draft that was refused for it waits until the member's address is confirmed. */
export function useWaitsForEmail(draft_key: string) {
  const { notice_code } = useDraft(draft_key);
  const { data: me } = useMe();
  return notice_code === 'email_unconfirmed' && me?.email_confirmed === false;
}
