import Check from 'lucide-react/icons/check';
import { useFormats } from '../accounts/formats.ts';
import { Button } from '../platform/button.tsx';
import { type Billing, isLive, type PlanCatalog, useNextInvoice } from './billing.ts';
import { allowanceLine, includedLines, planTitle, priceWords } from './plan-words.ts';
import { PortalButton } from './stripe-button.tsx';
import { SubscriptionNotice } from './subscription-notice.tsx';
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
