import MailOpen from 'lucide-react/icons/mail-open';
import X from 'lucide-react/icons/x';
import { useEffect, useRef, useState } from 'react';
import { IconButton } from '../platform/button.tsx';
import { showToast } from '../platform/toasts.tsx';
import { OutboxLink, SendAgainButton } from './send-again-button.tsx';
import { useEmailVerification } from './use-email-verification.ts';

const dismissed_key = 'touchline.confirm-email.dismissed';

function isDismissed(member_id: string) {
  try {
    return sessionStorage.getItem(dismissed_key) === member_id;
  } catch {
    return false;
  }
}

/** Above every page, as long as the member's address is not confirmed; it can be put away until the browser is closed. */
export function ConfirmEmailBanner() {
  const verification = useEmailVerification();
  const { me, sent_at, sent, problem } = verification;
  const [put_away, setPutAway] = useState(false);
  const confirmed = me?.email_confirmed;
  const was_confirmed = useRef(confirmed);
  useEffect(() => {
    if (was_confirmed.current === false && confirmed) showToast('Your email is confirmed.');
    was_confirmed.current = confirmed;
  }, [confirmed]);

  if (me === undefined || confirmed || put_away || isDismissed(me.id)) return null;
  const dismiss = () => {
    try {
      sessionStorage.setItem(dismissed_key, me.id);
    } catch {
      // Storage may be closed to us; it then stays away until the page is loaded again.
    }
    setPutAway(true);
    document.getElementById('content')?.focus();
  };
  return (
    <section
      aria-label="Confirm your email"
      className="flex items-start gap-2 border-b border-line bg-surface py-2 pr-2 pl-4 sm:items-center"
    >
      <MailOpen size={18} aria-hidden="true" className="mt-1 shrink-0 text-link sm:mt-0" />
      <div className="flex min-w-0 flex-1 flex-wrap items-center gap-x-4 gap-y-2 px-1">
        <div className="min-w-0 flex-1 basis-72">
          <p>
            <strong className="font-medium">Confirm your email.</strong>{' '}
            {sent_at === null ? 'You get a link at ' : 'We mailed a link to '}
            {me.email}. Until you open it, you can send {me.unconfirmed_messages} messages.
          </p>
          <p role="status" className="text-muted">
            {sent && 'Sent again. Use the new link: the one from before no longer works.'}
          </p>
          <p role="alert" className="text-danger">
            {problem}
          </p>
        </div>
        <div className="flex flex-wrap items-center gap-x-4 gap-y-2">
          <SendAgainButton verification={verification} />
          <OutboxLink name="Outbox" />
        </div>
      </div>
      <IconButton name="Dismiss" onClick={dismiss}>
        <X size={16} />
      </IconButton>
    </section>
  );
}
