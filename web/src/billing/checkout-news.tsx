import { Link } from '@tanstack/react-router';
import CircleCheck from 'lucide-react/icons/circle-check';
import type { ReactNode } from 'react';
import { useFormats } from '../accounts/formats.ts';
import { countOf } from './allowance-words.ts';
import type { PlanCatalog } from './billing.ts';
import { planTitle } from './plan-words.ts';
import type { CheckoutReturn } from './use-checkout-return.ts';

/** What became of a visit to Stripe, for whoever is back from it. */
export function CheckoutNews({ back, catalog }: { back: CheckoutReturn; catalog: PlanCatalog | undefined }) {
  const { number } = useFormats();
  switch (back.what) {
    case 'none':
      return null;
    case 'canceled':
      return (
        <News title="You came back without paying">
          <p>Nothing was charged, and your plan is as it was. You can choose again whenever you like.</p>
        </News>
      );
    case 'expired':
      return (
        <News title="This checkout has run out">
          <p>Nothing was charged. Choose again below; it opens a new one.</p>
        </News>
      );
    case 'unknown':
      return (
        <News title="There is no such checkout">
          <p>
            It does not exist, or it belongs to another account. Nothing was charged to you here. How your
            plan stands is below.
          </p>
        </News>
      );
    case 'refused':
      return (
        <News title="Your payment could not be looked up">
          <p>{back.sentence}</p>
        </News>
      );
    case 'waiting':
      return (
        <News title="We are waiting for Stripe" busy>
          <p>{waitingWords(back)}</p>
        </News>
      );
    case 'processing':
      return (
        <News title="Your payment is on its way">
          <p>
            Your bank takes longer for it, up to some days. What you bought is here as soon as the payment is,
            by itself; you need not do anything, and nothing is lost.
          </p>
        </News>
      );
    case 'complete': {
      const { bought } = back;
      const title =
        bought === null
          ? 'Your payment arrived'
          : 'top_up' in bought
            ? `${countOf(bought.messages, 'message', number)} added`
            : `${catalog ? planTitle(catalog, bought.plan) : 'Your plan'} is active`;
      return (
        <News title={title} done>
          <p>
            Thank you.{' '}
            {bought !== null &&
              'top_up' in bought &&
              'They are used after those of your plan, and never expire. '}
            The invoice stands under Cards and invoices.{' '}
            <Link to="/" className="text-link underline">
              Go to your coaches
            </Link>
          </p>
        </News>
      );
    }
  }
}

function waitingWords({ late, is_open }: { late: boolean; is_open: boolean }) {
  if (!late) return 'Your payment is being looked up. This takes a few seconds.';
  return is_open
    ? 'Stripe says that this is not paid yet. If you left before you paid, nothing was charged. If you have paid, it shows here by itself; you can leave this page.'
    : 'This takes longer than usual, and can take up to an hour. What you have paid is not lost: it shows here by itself, and you can leave this page meanwhile.';
}

/** What has just happened, at the top of the page. */
export function News({
  title,
  done = false,
  busy = false,
  children,
}: {
  title: string;
  done?: boolean;
  busy?: boolean;
  children?: ReactNode;
}) {
  return (
    <div className="appear mb-6 flex items-start gap-3 rounded-lg border border-line-strong bg-surface px-5 py-4">
      {done && <CircleCheck size={20} aria-hidden="true" className="mt-0.5 shrink-0 text-link" />}
      {busy && <span aria-hidden="true" className="breathe mt-2 size-2.5 shrink-0 rounded-full bg-link" />}
      <div className="min-w-0">
        <p className="font-semibold">{title}</p>
        {children && <div className="mt-1 text-muted">{children}</div>}
      </div>
    </div>
  );
}
