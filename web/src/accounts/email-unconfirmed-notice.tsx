import { OutboxLink, SendAgainButton } from './send-again-button.tsx';
import { useEmailVerification } from './use-email-verification.ts';

/** Why a message waits until the address is confirmed, and the way on. When it is, the notice says that too. */
export function EmailUnconfirmedNotice() {
  const verification = useEmailVerification();
  const { me, sent, problem } = verification;
  if (me === undefined) return null;
  return (
    <div className="mb-2 rounded-md border border-line bg-surface px-4 py-3">
      <div role="alert">
        {me.email_confirmed ? (
          <p>Your email is confirmed. You can send your message now.</p>
        ) : (
          <>
            <p className="font-medium">Your message waits here until your email is confirmed.</p>
            <p className="mt-1 text-muted">
              {me.unconfirmed_messages} messages are free to try. Open the link that we mailed to{' '}
              <span className="text-ink">{me.email}</span>, then send your message; it stays here, and nothing
              was counted.
            </p>
          </>
        )}
      </div>
      {!me.email_confirmed && (
        <div className="mt-3 flex flex-wrap items-center gap-x-4 gap-y-2">
          <SendAgainButton verification={verification} />
          <OutboxLink />
          <p role="status" className="text-small text-muted">
            {sent && 'Sent again. Use the new link.'}
          </p>
          <p role="alert" className="basis-full text-danger empty:hidden">
            {problem}
          </p>
        </div>
      )}
    </div>
  );
}
