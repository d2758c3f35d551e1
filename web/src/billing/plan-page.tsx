import { useEffect, useRef, useState } from 'react';
import { SettingsPage, SettingsSection } from '../accounts/settings/settings-frame.tsx';
import { sentenceFor } from '../platform/api-error.ts';
import { Button } from '../platform/button.tsx';
import { Skeleton } from '../platform/skeleton.tsx';
import { type Billing, isLive, type PlanCatalog, type PlanWish, useBilling, usePlans } from './billing.ts';
import { CancelDialog } from './cancel-dialog.tsx';
import { ChangeDialog } from './change-dialog.tsx';
import { CheckoutNews, News } from './checkout-news.tsx';
import { PlanCards } from './plan-cards.tsx';
import { PresentPlan } from './present-plan.tsx';
import { TopUps } from './top-ups.tsx';
import { type CheckoutReturn, useCheckoutReturn } from './use-checkout-return.ts';
import { useStripePage } from './use-stripe-page.ts';

/** The member's plan, what others cost and include, and messages on top. Stripe leads back here. */
export function PlanPage() {
  return (
    <SettingsPage title="Plan" lead="What you have, what it costs, and what comes next.">
      {() => <PlanSections />}
    </SettingsPage>
  );
}

function PlanSections() {
  const back = useCheckoutReturn();
  const plans = usePlans();
  const billing = useBilling();
  const error = plans.error ?? billing.error;
  if (plans.data !== undefined && billing.data !== undefined) {
    return <Loaded catalog={plans.data} billing={billing.data} back={back} />;
  }
  return (
    <>
      <div role="status">
        <CheckoutNews back={back} catalog={plans.data} />
      </div>
      {error === null ? (
        <Skeleton name="Loading your plan" widths={['w-1/3', 'w-full', 'w-1/2', 'w-full']} />
      ) : (
        <div role="alert" className="flex flex-col items-start gap-3">
          <p>Your plan could not be read. Nothing was changed. {sentenceFor(error)}</p>
          <Button
            onClick={() => {
              void plans.refetch();
              void billing.refetch();
            }}
          >
            Try again
          </Button>
        </div>
      )}
    </>
  );
}

type Asking = { what: 'change'; wish: PlanWish } | { what: 'cancel' };

function Loaded({
  catalog,
  billing,
  back,
}: {
  catalog: PlanCatalog;
  billing: Billing;
  back: CheckoutReturn;
}) {
  const page = useStripePage();
  const news = useRef<HTMLDivElement>(null);
  const [asking, setAsking] = useState<Asking | null>(null);
  const [done, setDone] = useState<{ sentence: string } | null>(null);
  const paid = isLive(billing.subscription) ? billing.subscription : null;
  const ask = (next: Asking) => {
    setDone(null);
    page.forgetProblem();
    setAsking(next);
  };
  const onDone = (sentence: string) => {
    setAsking(null);
    setDone({ sentence });
  };
  const close = () => setAsking(null);
  // What was pressed may be gone, so whoever is led by the focus goes where it says what holds now.
  useEffect(() => {
    if (done === null) return;
    news.current?.focus({ preventScroll: true });
    news.current?.scrollIntoView({ block: 'center' });
  }, [done]);

  return (
    <>
      <div ref={news} role="status" tabIndex={-1} className="rounded-lg outline-none">
        {done === null ? <CheckoutNews back={back} catalog={catalog} /> : <News title={done.sentence} done />}
      </div>
      <SettingsSection title="Your plan">
        <PresentPlan
          catalog={catalog}
          billing={billing}
          page={page}
          onCancel={() => ask({ what: 'cancel' })}
          onDone={onDone}
        />
      </SettingsSection>
      <SettingsSection title="Plans">
        {!catalog.is_on && (
          <p className="mt-1.5 text-muted">
            Nothing can be bought here: whoever runs this site gives plans by hand. Ask them for the one that
            you want.
          </p>
        )}
        <PlanCards
          catalog={catalog}
          billing={billing}
          page={page}
          onChange={(wish) => ask({ what: 'change', wish })}
          onCancel={() => ask({ what: 'cancel' })}
        />
        {catalog.is_on && (
          <p className="mt-4 text-small text-muted">
            Prices are before tax. You pay at Stripe, where promotion codes are taken too. A larger plan
            begins at once, and what is left of the present one counts; a smaller one begins when the time
            that you have paid for is over. You can cancel at any time.
          </p>
        )}
      </SettingsSection>
      {catalog.is_on && catalog.top_ups.length > 0 && (
        <SettingsSection title="More messages">
          <TopUps catalog={catalog} billing={billing} page={page} />
        </SettingsSection>
      )}
      {asking?.what === 'change' && (
        <ChangeDialog
          catalog={catalog}
          billing={billing}
          wish={asking.wish}
          onClose={close}
          onDone={onDone}
        />
      )}
      {asking?.what === 'cancel' && paid !== null && (
        <CancelDialog
          catalog={catalog}
          billing={billing}
          subscription={paid}
          onClose={close}
          onDone={onDone}
        />
      )}
    </>
  );
}
