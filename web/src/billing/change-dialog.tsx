import { useQuery } from '@tanstack/react-query';
import { type ReactNode, useId, useState } from 'react';
import { useFormats } from '../accounts/formats.ts';
import { ApiError } from '../platform/api-error.ts';
import { Button } from '../platform/button.tsx';
import { Dialog } from '../platform/dialog.tsx';
import { Problem } from '../platform/fields.tsx';
import { usePlatform } from '../platform/platform-context.ts';
import { Skeleton } from '../platform/skeleton.tsx';
import type { Billing, Confirmation, PlanCatalog, PlanWish } from './billing.ts';
import { type ChangePreview, changeWords } from './change-words.ts';
import { chargeProblem } from './charge-problem.ts';
import { ConfirmPayment } from './confirm-payment.tsx';
import { usePlanChange } from './use-plan-change.ts';

type Props = {
  catalog: PlanCatalog;
  billing: Billing;
  wish: PlanWish;
  onClose: () => void;
  /** The change is made; a sentence says what holds now. */
  onDone: (sentence: string) => void;
};

/** Shows what another plan costs and when it begins, before it is paid. */
export function ChangeDialog({ catalog, billing, wish, onClose, onDone }: Props) {
  const id = useId();
  const { api } = usePlatform();
  const formats = useFormats();
  const { busy, problem, change } = usePlanChange();
  const [outdated, setOutdated] = useState(false);
  const [confirmation, setConfirmation] = useState<Confirmation | null>(null);
  const {
    data: preview,
    error,
    isFetching,
    refetch,
  } = useQuery({
    queryKey: ['change-preview', wish.plan, wish.interval],
    queryFn: ({ signal }) =>
      api.get<ChangePreview>(
        `/api/billing/change-preview?${new URLSearchParams({ plan: wish.plan, interval: wish.interval })}`,
        signal,
      ),
    // What is charged is what stands here, so it is asked each time, and does not change while it is read.
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 0,
  });
  const words = preview && changeWords(preview, { catalog, billing, formats });

  const confirm = async () => {
    if (preview === undefined || words === undefined || isFetching) return;
    setOutdated(false);
    const { from, previewed_at_s, price_minor, currency } = preview;
    const shown = { from, previewed_at_s, price_minor, currency };
    const result = await change('change', { ...wish, shown });
    if (result?.confirmation) return setConfirmation(result.confirmation);
    if (result?.state) return onDone(words.done);
    if (result?.error instanceof ApiError && result.error.code === 'preview_outdated') {
      setOutdated(true);
      await refetch();
    }
  };

  if (confirmation !== null && words !== undefined) {
    return (
      <PlanDialog titleId={id} onClose={onClose}>
        <ConfirmPayment
          titleId={id}
          wish={wish}
          confirmation={confirmation}
          onClose={onClose}
          onConfirmed={() => onDone(words.done)}
        />
      </PlanDialog>
    );
  }
  return (
    <PlanDialog titleId={id} onClose={onClose}>
      <h2 id={id} className="text-lead font-semibold">
        {words?.title ?? 'Change your plan'}
      </h2>
      <div aria-busy={isFetching} className="mt-3">
        {words !== undefined && !isFetching && <Facts facts={words.facts} />}
        {(isFetching || preview === undefined) && error === null && (
          <Skeleton name="Asking Stripe what it costs" widths={['w-full', 'w-4/5', 'w-full']} />
        )}
      </div>
      <Problem className="mt-4">
        {outdated && error === null
          ? 'What stood here before did not hold any more, so nothing was changed or charged. This is how it stands now.'
          : (problem ?? (error && chargeProblem(error)))}
      </Problem>
      <div className="mt-6 flex flex-wrap justify-end gap-2.5">
        <Button onClick={onClose}>{words?.confirm === null ? 'Close' : 'Not now'}</Button>
        {error !== null && !isFetching && (
          <Button look="primary" onClick={() => void refetch()}>
            Try again
          </Button>
        )}
        {error === null && words?.confirm !== null && (
          <Button
            look="primary"
            aria-disabled={busy || isFetching || words === undefined}
            onClick={() => void confirm()}
          >
            {busy ? 'Changing your plan' : (words?.confirm ?? 'One moment')}
          </Button>
        )}
      </div>
    </PlanDialog>
  );
}

/** The sheet on which something about the plan is decided. */
export function PlanDialog({
  titleId,
  onClose,
  children,
}: {
  titleId: string;
  onClose: () => void;
  children: ReactNode;
}) {
  return (
    <Dialog
      labelledBy={titleId}
      onClose={onClose}
      className="sheet m-auto w-[calc(100%-2rem)] max-w-[30rem] rounded-xl border border-line bg-surface p-6 shadow-raised"
    >
      {children}
    </Dialog>
  );
}

/** What a decision means, a line each; the first is what it costs today. */
export function Facts({ facts }: { facts: string[] }) {
  return (
    <ul className="flex flex-col gap-2.5">
      {facts.map((fact, position) => (
        <li key={fact} className={position === 0 ? 'text-body font-medium' : 'text-muted'}>
          {fact}
        </li>
      ))}
    </ul>
  );
}
