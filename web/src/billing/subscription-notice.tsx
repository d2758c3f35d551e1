import { type ReactNode, useId } from 'react';
import { useFormats } from '../accounts/formats.ts';
import { Button } from '../platform/button.tsx';
import { Problem } from '../platform/fields.tsx';
import { type Billing, isLive, type PlanCatalog, type Subscription } from './billing.ts';
import { planTitle, priceWords } from './plan-words.ts';
import { PortalButton } from './stripe-button.tsx';
import { usePlanChange } from './use-plan-change.ts';
import type { StripePage } from './use-stripe-page.ts';

type Props = {
  catalog: PlanCatalog;
  billing: Billing;
  page: StripePage;
  /** Something was done; a sentence says what holds now. */
  onDone: (sentence: string) => void;
};

/** What is not as usual with a subscription: it ends, it changes, or a payment did not go through. */
export function SubscriptionNotice({
  catalog,
  billing,
  subscription,
  page,
  onDone,
}: Props & { subscription: Subscription }) {
  const { date, moment } = useFormats();
  const title = subscription.plan === null ? 'your plan' : planTitle(catalog, subscription.plan);
  const { is_on } = billing;
  if (subscription.status === 'past_due') {
    return (
      <Notice urgent title="Your last payment did not go through">
        <p>
          Your bank may have declined it, or the card has run out; it happens. You keep {title} while Stripe
          tries again over the next days, and nothing of yours is lost. With a card that works, the next try
          goes through by itself.
        </p>
        {is_on && (
          <PortalButton page={page} name="past-due" look="primary">
            Update your card
          </PortalButton>
        )}
      </Notice>
    );
  }
  if (!isLive(subscription)) return <EndedNotice {...{ catalog, billing, subscription, title }} />;
  if (subscription.cancel_at !== null) {
    return (
      <Notice title={`${title} ends on ${date(subscription.cancel_at)}`}>
        <p>
          You have cancelled it. Until {moment(subscription.cancel_at)} you keep everything that it includes,
          and nothing is charged any more. Your chats and files stay after that.
        </p>
        {is_on && <KeepButton name={`Keep ${title}`} done={`${title} goes on as before.`} onDone={onDone} />}
      </Notice>
    );
  }
  const { next } = subscription;
  if (next === null) return null;
  const next_title = planTitle(catalog, next.plan);
  const is_same = next.plan === subscription.plan;
  const price = catalog.plans.find(({ slug }) => slug === next.plan)?.price;
  return (
    <Notice
      title={
        is_same
          ? `From ${date(next.at)} you pay by the ${next.interval}`
          : `${next_title} begins on ${date(next.at)}`
      }
    >
      <p>
        Until {moment(next.at)} you keep {title} as it is
        <NextPrice price={price} next={next} currency={catalog.currency} />
      </p>
      {is_on && (
        <KeepButton
          name={is_same ? `Stay with paying by the ${subscription.interval}` : `Keep ${title}`}
          done={`${title} goes on as before.`}
          onDone={onDone}
        />
      )}
    </Notice>
  );
}

/** A subscription that gives nothing any more, or nothing yet. */
function EndedNotice({
  catalog,
  billing,
  subscription: { status, end_reason, ended_at },
  title,
}: Pick<Props, 'catalog' | 'billing'> & { subscription: Subscription; title: string }) {
  const { date } = useFormats();
  const present = planTitle(catalog, billing.plan);
  if (status === 'incomplete') {
    return (
      <Notice title={`Your payment for ${title} is not finished`}>
        <p>Your bank has still to say yes. {title} begins as soon as it has, by itself.</p>
      </Notice>
    );
  }
  if (status === 'unpaid' || end_reason === 'payment_failed') {
    return (
      <Notice title={`${title} has ended`}>
        <p>
          The payment did not go through, and neither did the tries after it, so you are on {present} now.
          Nothing more is charged. Your chats and files are safe; with another card you can choose a plan
          again below.
        </p>
      </Notice>
    );
  }
  return (
    <Notice title={`${title} has ended${ended_at === null ? '' : ` on ${date(ended_at)}`}`}>
      <p>You are on {present} now, and nothing more is charged. Your chats and files are as they were.</p>
    </Notice>
  );
}

function NextPrice({
  price,
  next,
  currency,
}: {
  price: Record<'month' | 'year', number> | null | undefined;
  next: NonNullable<Subscription['next']>;
  currency: string;
}) {
  const formats = useFormats();
  if (!price || !next.interval) return <>, and nothing more is charged before then.</>;
  return <>; then it is {priceWords(price[next.interval], currency, next.interval, formats)}, before tax.</>;
}

function KeepButton({
  name,
  done,
  onDone,
}: {
  name: string;
  done: string;
  onDone: (sentence: string) => void;
}) {
  const { busy, problem, change } = usePlanChange();
  const keep = async () => {
    const result = await change('keep');
    if (result?.state) onDone(done);
  };
  return (
    <>
      <Button look="primary" aria-disabled={busy} onClick={() => void keep()}>
        {busy ? 'One moment' : name}
      </Button>
      <Problem>{problem}</Problem>
    </>
  );
}

/** Something that a member has to know about the plan. `urgent`: to be seen to. */
function Notice({
  title,
  urgent = false,
  children,
}: {
  title: string;
  urgent?: boolean;
  children: ReactNode;
}) {
  const id = useId();
  return (
    <section
      aria-labelledby={id}
      className={`rounded-lg border px-5 py-4 ${urgent ? 'border-danger bg-danger-tint' : 'border-line-strong bg-surface'}`}
    >
      <h3 id={id} className="font-semibold">
        {title}
      </h3>
      <div className="mt-1.5 flex flex-col items-start gap-3">{children}</div>
    </section>
  );
}
