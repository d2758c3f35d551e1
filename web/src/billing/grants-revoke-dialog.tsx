import { useQueryClient } from '@tanstack/react-query';
import { useId, useState } from 'react';
import type { Formats } from '../accounts/formats.ts';
import { sentenceFor } from '../platform/api-error.ts';
import { Button } from '../platform/button.tsx';
import { Dialog } from '../platform/dialog.tsx';
import { Problem } from '../platform/fields.tsx';
import { usePlatform } from '../platform/platform-context.ts';
import { showToast } from '../platform/toasts.tsx';
import type { Grant } from './grants.ts';

type RevokeGrantDialogProps = { grant: Grant; plan_title: string; formats: Formats; onClose: () => void };

/** Asks before a plan that was given is taken back. */
export function RevokeGrantDialog({ grant, plan_title, formats, onClose }: RevokeGrantDialogProps) {
  const id = useId();
  const { api } = usePlatform();
  const queryClient = useQueryClient();
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);

  const revoke = async () => {
    if (busy) return;
    setBusy(true);
    setProblem(null);
    try {
      await api.delete(`/api/admin/grants/${grant.id}`);
      showToast(`The ${plan_title} plan was taken back.`);
      onClose();
    } catch (error) {
      setProblem(sentenceFor(error));
      setBusy(false);
    } finally {
      void queryClient.invalidateQueries({ queryKey: ['grants'] });
      void queryClient.invalidateQueries({ queryKey: ['me'] });
    }
  };

  return (
    <Dialog
      labelledBy={id}
      onClose={onClose}
      className="sheet m-auto w-[calc(100%-2rem)] max-w-[30rem] rounded-xl border border-line bg-surface p-6 shadow-raised"
    >
      <h2 id={id} className="text-lead font-semibold">
        Take the {plan_title} plan back?
      </h2>
      <p className="mt-3 text-muted">
        <span className="wrap-anywhere text-ink">{grant.email}</span> has it until{' '}
        {formats.moment(grant.until)}. It would end now; then what they pay for holds, or else the free plan.
        What they made stays theirs.
      </p>
      <Problem className="mt-4">{problem}</Problem>
      <div className="mt-5 flex flex-wrap justify-end gap-2.5">
        <Button onClick={onClose}>Leave it</Button>
        <Button look="danger" aria-disabled={busy} onClick={() => void revoke()}>
          {busy ? 'Taking back' : 'Take back'}
        </Button>
      </div>
    </Dialog>
  );
}
