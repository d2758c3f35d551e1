import { useFormats } from '../accounts/formats.ts';
import { countOf } from './allowance-words.ts';
import type { Billing, PlanCatalog } from './billing.ts';
import { topUpWords } from './plan-words.ts';
import { StripeButton, StripeProblem } from './stripe-button.tsx';
import type { StripePage } from './use-stripe-page.ts';

/** Messages that are bought once, and how many of them are left. */
export function TopUps({
  catalog,
  billing,
  page,
}: {
  catalog: PlanCatalog;
  billing: Billing;
  page: StripePage;
}) {
  const formats = useFormats();
  const { number, money } = formats;
  return (
    <>
      <p className="mt-1.5 text-muted">
        Bought once, on any plan.{' '}
        {billing.credits > 0
          ? `You have ${countOf(billing.credits, 'bought message', number)} left.`
          : 'You have none at the moment.'}
      </p>
      <ul aria-label="Messages to buy" className="mt-4 flex flex-col gap-3">
        {catalog.top_ups.map((top_up) => (
          <li
            key={top_up.slug}
            className="flex flex-wrap items-center gap-x-4 gap-y-3 rounded-lg border border-line bg-surface px-5 py-4"
          >
            <div className="min-w-0 flex-1 basis-56">
              <h3 className="font-semibold">
                {top_up.title}{' '}
                <span className="font-normal text-muted">{money(top_up.price, catalog.currency)}</span>
              </h3>
              <p className="text-muted">{topUpWords(top_up, formats)}</p>
            </div>
            {catalog.is_on && (
              <div className="flex flex-col max-sm:w-full">
                <StripeButton
                  page={page}
                  name={top_up.slug}
                  aria-label={`Buy ${top_up.title} for ${money(top_up.price, catalog.currency)}`}
                  onPress={() => page.buy(top_up.slug, { top_up: top_up.slug })}
                >
                  Buy
                </StripeButton>
                <StripeProblem page={page} name={top_up.slug} />
              </div>
            )}
          </li>
        ))}
      </ul>
    </>
  );
}
