import { useQuery } from '@tanstack/react-query';
import { useEffect, useRef } from 'react';
import { useFormats } from '../accounts/formats.ts';
import { useProfileNews } from '../accounts/use-profile-news.ts';
import { Button, LinkOut } from '../platform/button.tsx';
import { usePlatform } from '../platform/platform-context.ts';
import type { Confirmation, PlanWish } from './billing.ts';
import type { ChangePreview } from './change-words.ts';

type Props = {
  titleId: string;
  wish: PlanWish;
  confirmation: Confirmation;
  onClose: () => void;
  /** The payment is confirmed, and the plan is changed. */
  onConfirmed: () => void;
};

/** The bank wants the payment confirmed: leads to the page for it, and sees when that is done. */
export function ConfirmPayment({ titleId, wish, confirmation: { url, until }, onClose, onConfirmed }: Props) {
  const { api } = usePlatform();
  const { moment } = useFormats();
  const tellTabs = useProfileNews();
  // The question for a preview asks Stripe how the plan stands, so that it is known also where no event comes.
  const { data: is_changed } = useQuery({
    queryKey: ['change-confirmed', wish.plan, wish.interval, url],
    queryFn: async ({ signal }) => {
      const query = new URLSearchParams({ plan: wish.plan, interval: wish.interval });
      const { when } = await api.get<ChangePreview>(`/api/billing/change-preview?${query}`, signal);
      return when === 'unchanged';
    },
    refetchInterval: 5_000,
    refetchOnWindowFocus: 'always',
    gcTime: 0,
  });
  useEffect(() => {
    if (!is_changed) return;
    tellTabs();
    onConfirmed();
  }, [is_changed, tellTabs, onConfirmed]);
  // What was pressed to come here is gone.
  const title = useRef<HTMLHeadingElement>(null);
  useEffect(() => title.current?.focus(), []);

  return (
    <>
      <h2 id={titleId} ref={title} tabIndex={-1} className="text-lead font-semibold outline-none">
        Your bank wants you to confirm the payment
      </h2>
      <div className="mt-3 flex flex-col gap-2.5">
        <p>Nothing has been charged, and your plan is as it was.</p>
        <p className="text-muted">
          Confirm the payment on Stripe’s page, which opens beside this one. As soon as you have, your plan
          changes and this page says so by itself.
        </p>
        <p className="text-muted">
          There is time until {moment(until)}. If you leave it, nothing is charged and your plan stays as it
          is.
        </p>
      </div>
      <div className="mt-6 flex flex-wrap justify-end gap-2.5">
        <Button onClick={onClose}>Not now</Button>
        <LinkOut href={url}>Confirm the payment</LinkOut>
      </div>
    </>
  );
}
