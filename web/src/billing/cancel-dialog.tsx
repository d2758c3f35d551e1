import { useId } from 'react';
import { useFormats } from '../accounts/formats.ts';
import { Button } from '../platform/button.tsx';
import { Problem } from '../platform/fields.tsx';
import type { Billing, PlanCatalog, Subscription } from './billing.ts';
import { Facts, PlanDialog } from './change-dialog.tsx';
import { includedLines, planTitle } from './plan-words.ts';
import { usePlanChange } from './use-plan-change.ts';

type Props = {
  catalog: PlanCatalog;
  billing: Billing;
  subscription: Subscription;
  onClose: () => void;
  onDone: (sentence: string) => void;
};

/** Says until when a cancelled plan stays and what stays after it, before it is cancelled. */
export function CancelDialog({ catalog, billing, subscription, onClose, onDone }: Props) {
  const id = useId();
  const formats = useFormats();
  const { busy, problem, change } = usePlanChange();
  const title = subscription.plan === null ? 'your plan' : planTitle(catalog, subscription.plan);
  const free = catalog.plans.find(({ price }) => price === null);
  const end = subscription.current_period_end;
  const until = end === null ? 'the end of what you have paid for' : formats.moment(end);
  const granted = billing.grant && billing.grant.plan !== 'free' ? billing.grant : null;
  const includes = free ? includedLines(free.includes, formats).slice(0, 1).join() : '';

  const confirm = async () => {
    const result = await change('cancel');
    if (result?.state) {
      const day = result.state.subscription?.cancel_at ?? end;
      onDone(`${title} is cancelled. You keep it${day === null ? '' : ` until ${formats.moment(day)}`}.`);
    }
  };

  return (
    <PlanDialog titleId={id} onClose={onClose}>
      <h2 id={id} className="mb-3 text-lead font-semibold">
        Cancel {title}?
      </h2>
      <Facts
        facts={[
          `You keep ${title} until ${until}. After that nothing is charged any more.`,
          granted
            ? `Then you have ${planTitle(catalog, granted.plan)}, which was given to you until ${formats.date(granted.until)}.`
            : `Then you are on ${free?.title ?? 'the free plan'}: ${includes.charAt(0).toLowerCase()}${includes.slice(1)}.`,
          `Your chats and your files stay${billing.credits > 0 ? ', and so do the messages that you bought' : ''}.`,
          ...(subscription.status === 'past_due'
            ? ['The payment that did not go through is still tried; the plan may end earlier without it.']
            : []),
          'You can change your mind until then, on this page.',
        ]}
      />
      <Problem className="mt-4">{problem}</Problem>
      <div className="mt-6 flex flex-wrap justify-end gap-2.5">
        <Button onClick={onClose}>Keep {title}</Button>
        <Button look="danger" aria-disabled={busy} onClick={() => void confirm()}>
          {busy ? 'Cancelling' : `Cancel ${title}`}
        </Button>
      </div>
    </PlanDialog>
  );
}
