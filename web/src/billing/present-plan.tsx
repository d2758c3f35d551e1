import Check from 'lucide-react/icons/check';
import { type ReactNode, useId } from 'react';
import { useFormats } from '../accounts/formats.ts';
import { Button } from '../platform/button.tsx';
import { Problem } from '../platform/fields.tsx';
import { countOf } from './allowance-words.ts';
import { type Billing, isLive, type PlanCatalog, type Subscription, useNextInvoice } from './billing.ts';
import { includedLines, planTitle, priceWords } from './plan-words.ts';
import { PortalButton } from './stripe-button.tsx';
import { usePlanChange } from './use-plan-change.ts';
import type { StripePage } from './use-stripe-page.ts';

type Props = {
  catalog: PlanCatalog;
  billing: Billing;
  page: StripePage;
  onCancel: () => void;
  /** Something was done; a sentence says what holds now. */
  onDone: (sentence: string) => void;
};

/** The plan that a member has: what it costs, what is left of it, what comes next, and what can be done about that. */
export function PresentPlan(props: Props) {
  const { catalog, billing, page, onCancel } = props;
  const formats = useFormats();
  const { subscription, is_on } = billing;
  const paid = isLive(subscription) ? subscription : null;
  return (
    <div className="mt-4 flex flex-col gap-4">
      {subscription !== null && <SubscriptionNotice {...props} subscription={subscription} />}
      <div className="rounded-lg border border-line bg-surface p-5">
        <div className="flex flex-wrap items-baseline justify-between gap-x-4">
          <p className="font-display text-title">{planTitle(catalog, billing.plan)}</p>
          <PresentPrice billing={billing} />
        </div>
        <ul className="mt-2 flex flex-col gap-1 text-muted">
          {sourceLines(billing, catalog, formats).map((line) => (
            <li key={line}>{line}</li>
          ))}
          <NextInvoiceLine billing={billing} />
          <li>{allowanceLine(billing, formats)}</li>
        </ul>
        <ul
          aria-label="What your plan includes"
          className="mt-4 grid gap-x-4 gap-y-1.5 border-t border-line pt-4 sm:grid-cols-2"
        >
          {includedLines(billing.quota, formats).map((line) => (
            <li key={line} className="flex items-start gap-2">
              <Check size={16} aria-hidden="true" className="mt-1 shrink-0 text-link" />
              <span>{line}</span>
            </li>
          ))}
        </ul>
        {is_on && (billing.has_customer || paid) && (
          <div className="mt-4 flex flex-wrap gap-2.5">
            {billing.has_customer && <PortalButton page={page} />}
            {paid && paid.cancel_at === null && <Button onClick={onCancel}>Cancel plan</Button>}
          </div>
        )}
        {is_on && billing.has_customer && (
          <p className="mt-3 text-small text-muted">
            Cards, invoices and tax data are kept at Stripe. We never see your card.
          </p>
        )}
      </div>
    </div>
  );
}

function PresentPrice({ billing: { subscription, source } }: { billing: Billing }) {
  const formats = useFormats();
  if (source !== 'subscription' || !isLive(subscription) || subscription.amount_minor === null) return null;
  return (
    <p className="text-muted">
      {priceWords(subscription.amount_minor, subscription.currency ?? 'usd', subscription.interval, formats)}
    </p>
  );
}

type Writes = Pick<ReturnType<typeof useFormats>, 'date' | 'moment' | 'number'>;

function sourceLines({ source, grant, subscription, plan }: Billing, catalog: PlanCatalog, formats: Writes) {
  const lines: string[] = [];
  const paid = isLive(subscription) ? subscription : null;
  if (source === 'grant' && grant) {
    lines.push(`Given to you until ${formats.moment(grant.until)}. It ends by itself, and costs nothing.`);
    lines.push(
      paid
        ? `${planTitle(catalog, paid.plan)}, which you pay for, goes on meanwhile and after it.`
        : `After that you are on ${planTitle(catalog, 'free')}. Your chats and files stay.`,
    );
  }
  if (source === 'by_hand') lines.push('Given to you by whoever runs this site.');
  if (source === 'free') lines.push('It costs nothing, and does not end.');
  if (source === 'subscription' && grant && grant.plan !== plan) {
    lines.push(`${planTitle(catalog, grant.plan)} was given to you until ${formats.date(grant.until)}.`);
  }
  const renews = paid?.status !== 'past_due' && paid?.cancel_at === null && paid.next === null;
  if (renews && paid.current_period_end) {
    lines.push(`Paid until ${formats.moment(paid.current_period_end)}; it renews by itself.`);
  }
  return lines;
}

function allowanceLine({ quota, usage, credits, renews_at }: Billing, { number, moment }: Writes) {
  const bought = credits > 0 ? `, and ${number(credits)} that you bought` : '';
  if (quota.messages === null) return `Messages without a limit${bought}.`;
  const left = Math.max(0, quota.messages - usage.messages);
  return `${number(left)} of ${countOf(quota.messages, 'message', number)} left${bought}. The month begins anew on ${moment(renews_at)}.`;
}

function NextInvoiceLine({ billing: { is_on, subscription } }: { billing: Billing }) {
  const { date, money } = useFormats();
  const paid = isLive(subscription) && subscription.status !== 'past_due' ? subscription : null;
  const wanted = is_on && paid !== null && paid.cancel_at === null;
  const { data: invoice, error, refetch } = useNextInvoice(wanted);
  if (!wanted) return null;
  if (invoice) {
    return (
      <li>
        Next payment: <span className="text-ink">{money(invoice.amount_due_minor, invoice.currency)}</span> on{' '}
        {date(invoice.at)}.
      </li>
    );
  }
  if (error === null) return null;
  return (
    <li>
      What is charged next could not be asked at Stripe just now.{' '}
      <button type="button" className="text-link underline" onClick={() => void refetch()}>
        Ask again
      </button>
    </li>
  );
}

/** What is not as usual with a subscription: it ends, it changes, or a payment did not go through. */
function SubscriptionNotice({
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
