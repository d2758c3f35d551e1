import { Link } from '@tanstack/react-router';
import { Button } from '../platform/button.tsx';
import { usePlatform } from '../platform/platform-context.ts';
import type { useEmailVerification } from './use-email-verification.ts';

/** Has the mail that confirms the address sent again, or says how long that has to wait. */
export function SendAgainButton({
  verification: { sending, wait_s, send },
}: {
  verification: ReturnType<typeof useEmailVerification>;
}) {
  const wait = wait_s < 120 ? `${wait_s} s` : `${Math.ceil(wait_s / 60)} min`;
  return (
    <Button
      aria-disabled={sending || wait_s > 0}
      onClick={() => void send()}
      className="min-h-9 px-3 whitespace-nowrap tabular-nums"
    >
      {sending ? 'Sending' : wait_s > 0 ? `Send again (${wait})` : 'Send again'}
    </Button>
  );
}

/** The way to the mails that stay on this machine, where they do. */
export function OutboxLink({ name = 'Open the outbox' }: { name?: string }) {
  const { config } = usePlatform();
  if (!config.outbox) return null;
  return (
    <Link to="/outbox" className="rounded-sm text-link underline">
      {name}
    </Link>
  );
}
