import { useId, useState } from 'react';
import { Button } from '../../platform/button.tsx';
import { Dialog } from '../../platform/dialog.tsx';
import { Problem } from '../../platform/fields.tsx';
import { usePlatform } from '../../platform/platform-context.ts';
import { useAuth } from '../auth-context.ts';

/** Asks before every device is signed out. */
export function SignOutEverywhereDialog({ onClose }: { onClose: () => void }) {
  const id = useId();
  const { config } = usePlatform();
  const { signOut } = useAuth();
  // Supabase lets a token that is out run to its end; our own gate does not.
  const others = config.mode === 'supabase' ? 'an hour' : 'seconds';
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);

  const confirm = async () => {
    if (busy) return;
    setBusy(true);
    setProblem(null);
    try {
      await signOut({ everywhere: true });
    } catch {
      setProblem('Nobody was signed out: it did not work just now. Check your connection and try again.');
      setBusy(false);
    }
  };

  return (
    <Dialog
      labelledBy={id}
      onClose={onClose}
      className="sheet m-auto w-[calc(100%-2rem)] max-w-form rounded-xl border border-line bg-surface p-6 shadow-raised"
    >
      <h2 id={id} className="text-lead font-semibold">
        Sign out everywhere?
      </h2>
      <p className="mt-2 mb-4 text-muted">
        Every device is signed out, this one at once, the others within {others}. What you have written here
        and not sent is removed from this browser.
      </p>
      <Problem>{problem}</Problem>
      <div className="mt-6 flex flex-wrap justify-end gap-2.5">
        <Button onClick={onClose}>Cancel</Button>
        <Button look="primary" aria-disabled={busy} onClick={() => void confirm()}>
          {busy ? 'Signing out' : 'Sign out everywhere'}
        </Button>
      </div>
    </Dialog>
  );
}
