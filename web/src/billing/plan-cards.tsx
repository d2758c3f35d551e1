import Check from 'lucide-react/icons/check';
import { useState } from 'react';
import { useFormats } from '../accounts/formats.ts';
import { type Coach, useCoaches } from '../coaches/coach.ts';
import { Button } from '../platform/button.tsx';
import {
  type Billing,
  type Interval,
  isLive,
  type Plan,
  type PlanCatalog,
  type PlanWish,
  type Subscription,
} from './billing.ts';
import {
  type Choice,
  choiceOf,
  coachesWords,
  includedLines,
  planTitle,
  priceWords,
  yearlySaving,
  yearlySavingWords,
} from './plan-words.ts';
import { StripeButton, StripeProblem } from './stripe-button.tsx';
import type { StripePage } from './use-stripe-page.ts';

type Props = {
  catalog: PlanCatalog;
  billing: Billing;
  page: StripePage;
  onChange: (wish: PlanWish) => void;
  onCancel: () => void;
};

/** Every plan, by the month or by the year, and the way to it from the present one. */
export function PlanCards({ catalog, billing, page, onChange, onCancel }: Props) {
  const formats = useFormats();
  const { data: coaches } = useCoaches();
  const paid = isLive(billing.subscription) ? billing.subscription : null;
  const [chosen, setChosen] = useState<Interval>();
  const interval = chosen ?? paid?.interval ?? 'month';
  const has_prices = catalog.plans.some(({ price }) => price !== null);
  const saving = yearlySavingWords(catalog.plans, formats);
  return (
    <>
      {has_prices && <IntervalSwitch interval={interval} saving={saving} onSwitch={setChosen} />}
      <ul aria-label="Plans" className="mt-5 grid gap-4 sm:grid-cols-2">
        {catalog.plans.map((plan) => (
          <PlanCard
            key={plan.slug}
            plan={plan}
            coaches={coaches}
            catalog={catalog}
            billing={billing}
            interval={interval}
            choice={choiceOf(catalog.plans, paid, { plan: plan.slug, interval })}
            paid={paid}
            page={page}
            onChange={onChange}
            onCancel={onCancel}
          />
        ))}
      </ul>
    </>
  );
}

function IntervalSwitch({
  interval,
  saving,
  onSwitch,
}: {
  interval: Interval;
  saving: string | null;
  onSwitch: (interval: Interval) => void;
}) {
  const options = [
    ['month', 'Monthly', null],
    ['year', 'Yearly', saving],
  ] as const;
  return (
    <fieldset className="mt-4 inline-flex rounded-lg border border-line bg-sunken p-1">
      <legend className="sr-only">How often you pay</legend>
      {options.map(([value, name, more]) => (
        <label
          key={value}
          className="relative flex min-h-10 items-center gap-1.5 rounded-md border border-transparent px-4 text-muted has-checked:border-line-strong has-checked:bg-surface has-checked:text-ink has-checked:shadow-raised has-focus-visible:outline-2 has-focus-visible:outline-focus"
        >
          <input
            type="radio"
            name="interval"
            value={value}
            checked={interval === value}
            onChange={() => onSwitch(value)}
            className="absolute inset-0 cursor-pointer opacity-0"
          />
          <span className="font-medium">{name}</span>
          {more && <span className="text-small text-muted">{more}</span>}
        </label>
      ))}
    </fieldset>
  );
}

function PlanCard({
  plan,
  coaches,
  catalog,
  billing,
  interval,
  choice,
  paid,
  page,
  onChange,
  onCancel,
}: Props & {
  plan: Plan;
  coaches: Coach[] | undefined;
  interval: Interval;
  choice: Choice;
  paid: (Subscription & PlanWish) | null;
}) {
  const formats = useFormats();
  const is_present = plan.slug === billing.plan;
  const saved = yearlySaving(plan);
  const lines = includedLines(plan.includes, formats);
  const opened = coaches && coachesWords(coaches, plan.slug);
  return (
    <li
      className={`flex flex-col rounded-lg border bg-surface p-5 ${is_present ? 'border-link' : 'border-line'}`}
    >
      <div className="flex items-center justify-between gap-3">
        <h3 className="text-lead font-semibold">{plan.title}</h3>
        {is_present && (
          <span className="rounded-full bg-pitch px-2.5 py-0.5 text-small text-chalk">Your plan</span>
        )}
      </div>
      <p className="mt-1 text-muted">{plan.summary}</p>
      <p className="mt-3 text-title font-semibold">
        {formats.money(plan.price?.[interval] ?? 0, catalog.currency)}
        {plan.price !== null && <span className="text-label font-normal text-muted"> a {interval}</span>}
      </p>
      {plan.price !== null && interval === 'year' && saved > 0 && (
        <p className="text-small text-muted">
          {formats.money(saved, catalog.currency)} less than twelve single months
        </p>
      )}
      <ul aria-label={`What ${plan.title} includes`} className="mt-3.5 mb-5 flex flex-col gap-1.5">
        {[...lines, ...(opened ? [opened] : [])].map((line) => (
          <li key={line} className="flex items-start gap-2">
            <Check size={16} aria-hidden="true" className="mt-1 shrink-0 text-link" />
            <span>{line}</span>
          </li>
        ))}
      </ul>
      {catalog.is_on && (
        <div className="mt-auto flex flex-col">
          <ChoiceButton {...{ plan, catalog, billing, interval, choice, paid, page, onChange, onCancel }} />
          <StripeProblem page={page} name={plan.slug} />
        </div>
      )}
    </li>
  );
}

function ChoiceButton({
  plan,
  catalog,
  interval,
  choice,
  paid,
  page,
  onChange,
  onCancel,
}: Props & { plan: Plan; interval: Interval; choice: Choice; paid: Subscription | null }) {
  const { date, ...formats } = useFormats();
  const wish = { plan: plan.slug, interval };
  const price = plan.price && priceWords(plan.price[interval], catalog.currency, interval, formats);
  const next = paid?.next ?? null;
  const is_next = next !== null && next.plan === plan.slug && (next.interval ?? interval) === interval;
  if (is_next) return <Quiet>Yours from {date(next.at)}</Quiet>;
  switch (choice) {
    case 'none':
    case 'present':
      return null;
    case 'buy':
      return (
        <StripeButton
          page={page}
          name={plan.slug}
          look="primary"
          aria-label={`Choose ${plan.title}, ${price}`}
          onPress={() => page.buy(plan.slug, wish)}
        >
          Choose {plan.title}
        </StripeButton>
      );
    case 'cancel':
      return paid?.cancel_at ? (
        <Quiet>Yours from {date(paid.cancel_at)}</Quiet>
      ) : (
        <Button onClick={onCancel}>Cancel {paid?.plan ? planTitle(catalog, paid.plan) : 'plan'}</Button>
      );
    default:
      return (
        <Button look={choice === 'upgrade' ? 'primary' : 'quiet'} onClick={() => onChange(wish)}>
          {choiceNames[choice](plan.title)}
        </Button>
      );
  }
}

const choiceNames = {
  upgrade: (title: string) => `Upgrade to ${title}`,
  downgrade: (title: string) => `Change to ${title}`,
  yearly: () => 'Pay by the year',
  monthly: () => 'Pay by the month',
};

function Quiet({ children }: { children: React.ReactNode }) {
  return <p className="flex min-h-10 items-center text-muted">{children}</p>;
}
