import { useQuery, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useRef, useState } from 'react';
import { Button } from '../../platform/button.tsx';
import { Problem, TextField } from '../../platform/fields.tsx';
import { usePlatform } from '../../platform/platform-context.ts';
import { useAuth } from '../auth-context.ts';
import { useFormats } from '../formats.ts';
import type { Me } from '../me.ts';
import { OutboxLink } from '../send-again-button.tsx';
import { changeErrorSentence } from './change-error-sentence.ts';

/** A change of address that waits until both mailboxes have confirmed it. `until`: null where only Auth knows. */
type PendingChange = { new_email: string; until: string | null };

const pending_key = ['email-change'];
const error_words = {
  unchanged: 'Your address is as it was.',
  uncertain:
    'Your address is as it was. The mails could not be sent just now: check your connection, wait a moment and try again.',
};
const day_ms = 24 * 60 * 60 * 1000;

/** Changes the address: nothing holds before a link was opened in both mailboxes. */
export function ChangeEmailForm({ me }: { me: Me }) {
  const { config } = usePlatform();
  const { auth } = useAuth();
  const queryClient = useQueryClient();
  const field = useRef<HTMLInputElement>(null);
  const [email, setEmail] = useState('');
  const [busy, setBusy] = useState(false);
  const [wrong, setWrong] = useState<string | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const { data: pending } = useQuery({
    queryKey: pending_key,
    queryFn: async (): Promise<PendingChange | null> => {
      const { data, error } = await auth.client.getUser();
      if (error) throw error;
      const { new_email, email_change_sent_at } = data.user ?? {};
      return new_email ? { new_email, until: endOf(email_change_sent_at) } : null;
    },
  });

  /** On Supabase the operator sets how long links live; here it is a day. */
  function endOf(sent_at: string | undefined) {
    if (config.mode === 'supabase' || !sent_at) return null;
    return new Date(Date.parse(sent_at) + day_ms).toISOString();
  }

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    if (busy) return;
    const new_email = email.trim().toLowerCase();
    const refusal = !/^\S+@\S+$/.test(new_email)
      ? 'Enter the new email address.'
      : new_email === me.email.toLowerCase()
        ? 'This is your address already. Enter the new one.'
        : null;
    setWrong(refusal);
    setProblem(null);
    if (refusal !== null) return field.current?.focus();
    setBusy(true);
    const options = { emailRedirectTo: `${location.origin}/confirm-email` };
    const { error } = await auth.client.updateUser({ email: new_email }, options);
    setBusy(false);
    if (error) return setProblem(changeErrorSentence(error, error_words));
    setEmail('');
    const until = endOf(new Date().toISOString());
    queryClient.setQueryData<PendingChange>(pending_key, { new_email, until });
  };

  return (
    <>
      <p className="mt-1.5 text-muted">
        You sign in with <span className="text-ink">{me.email}</span>
        {me.email_confirmed ? '.' : ', which is not confirmed yet.'}
      </p>
      <div role="status" className="empty:hidden">
        {pending && <Pending me={me} pending={pending} />}
      </div>
      <form onSubmit={submit} noValidate className="mt-5 flex flex-col gap-5">
        <TextField
          ref={field}
          label="New email address"
          name="email"
          type="email"
          inputMode="email"
          autoComplete="email"
          autoCapitalize="none"
          spellCheck={false}
          value={email}
          onChange={({ target }) => {
            setEmail(target.value);
            setWrong(null);
          }}
          problem={wrong}
          hint="We mail a link to both addresses, the old one and the new one. Your address changes when both were opened."
        />
        <Problem>{problem}</Problem>
        <div>
          <Button type="submit" aria-disabled={busy} className="min-h-11">
            {busy ? 'Sending the mails' : 'Change address'}
          </Button>
        </div>
      </form>
    </>
  );
}

function Pending({ me, pending: { new_email, until } }: { me: Me; pending: PendingChange }) {
  const { moment } = useFormats();
  return (
    <div className="appear mt-5 rounded-md border border-line bg-surface px-4 py-3">
      <p className="font-medium">Two mailboxes have to say yes.</p>
      <p className="mt-1 text-muted">
        Open the link in the mail to <span className="text-ink">{me.email}</span> and the one in the mail to{' '}
        <span className="text-ink">{new_email}</span>
        {until === null ? '. The links work for a short while only' : `, both by ${moment(until)}`}. Until
        then you sign in as before. <OutboxLink />
      </p>
    </div>
  );
}
