import { useQueryClient } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { ApiError, sentenceFor } from '../platform/api-error.ts';
import { usePlatform } from '../platform/platform-context.ts';
import { type Me, useMe } from './me.ts';

/** The server mails no second link before that. */
const pause_ms = 60_000;

/** What is known of the mail that confirms the address, and how to have it sent again. */
export function useEmailVerification() {
  const { api } = usePlatform();
  const queryClient = useQueryClient();
  const { data: me } = useMe();
  const [sending, setSending] = useState(false);
  const [sent, setSent] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const [not_before_ms, setNotBefore] = useState(0);
  const sent_at = me?.email_verification.sent_at ?? null;
  // Where this computer's clock is wrong, the wait is still no longer than the pause.
  const mailed_ms = sent_at === null ? 0 : Math.min(Date.parse(sent_at), Date.now());
  const wait_s = useSecondsUntil(Math.max(not_before_ms, mailed_ms + pause_ms));

  async function send() {
    if (sending || wait_s > 0) return;
    setSending(true);
    setSent(false);
    setProblem(null);
    try {
      await api.post('/api/me/email-verification');
      setSent(true);
      const email_verification = { sent_at: new Date().toISOString() };
      queryClient.setQueryData<Me>(['me'], (before) => before && { ...before, email_verification });
    } catch (error) {
      if (error instanceof ApiError && error.code === 'already_confirmed') {
        void queryClient.invalidateQueries({ queryKey: ['me'] });
      } else {
        setProblem(sentenceFor(error));
        if (error instanceof ApiError && error.retry_after_ms !== null) {
          setNotBefore(Date.now() + error.retry_after_ms);
        }
      }
    } finally {
      setSending(false);
    }
  }

  return { me, sent_at, sending, sent, problem, wait_s, send };
}

/** Whole seconds until then, counted down; 0 when it has come. */
function useSecondsUntil(then_ms: number) {
  const left = () => Math.max(0, Math.ceil((then_ms - Date.now()) / 1000));
  const [, redraw] = useState(0);
  const waiting = left() > 0;
  // biome-ignore lint/correctness/useExhaustiveDependencies: another moment begins another count.
  useEffect(() => {
    if (!waiting) return;
    const timer = setInterval(() => redraw((count) => count + 1), 1000);
    return () => clearInterval(timer);
  }, [waiting, then_ms]);
  return left();
}
