import { useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useId, useRef, useState } from 'react';
import type { Formats } from '../accounts/formats.ts';
import { sentenceFor } from '../platform/api-error.ts';
import { Button } from '../platform/button.tsx';
import { Done, Problem, SelectField, TextField } from '../platform/fields.tsx';
import { usePlatform } from '../platform/platform-context.ts';
import type { Plan } from './billing.ts';
import { endOfDay } from './grants.ts';
import { dateIn } from './usage.ts';

type GrantFormProps = { plans: Plan[]; formats: Formats; time_zone: string };
type Wrong = { email?: string; until?: string };

const day_ms = 86_400_000;
const first_days = 14;

/** Gives a plan to a member by address, until a day is over where the operator is. */
export function GrantForm({ plans, formats, time_zone }: GrantFormProps) {
  const { api } = usePlatform();
  const queryClient = useQueryClient();
  const reasons_id = useId();
  // The free plan is what everybody has: as a grant it would change nothing.
  const given = plans.filter(({ price, slug }) => price !== null || slug !== 'free');
  const [email, setEmail] = useState('');
  const [plan, setPlan] = useState(given[0]?.slug ?? '');
  const [date, setDate] = useState(() => dateIn(time_zone, new Date(Date.now() + first_days * day_ms)));
  const [note, setNote] = useState('');
  const [wrong, setWrong] = useState<Wrong>({});
  const [problem, setProblem] = useState<string | null>(null);
  const [done, setDone] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const email_field = useRef<HTMLInputElement>(null);
  const date_field = useRef<HTMLInputElement>(null);
  const until = endOfDay(date, time_zone);

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    if (busy) return;
    const found = whatIsWrong(email, until);
    setWrong(found);
    setDone(null);
    setProblem(null);
    if (found.email) return email_field.current?.focus();
    if (found.until || until === null) return date_field.current?.focus();
    setBusy(true);
    try {
      const address = email.trim();
      await api.post('/api/admin/grants', {
        ...{ email: address, plan, until: until.toISOString(), note },
      });
      const title = given.find(({ slug }) => slug === plan)?.title ?? plan;
      setDone(`${address} has the ${title} plan until ${formats.moment(until)}.`);
      setEmail('');
      setNote('');
      email_field.current?.focus();
    } catch (error) {
      setProblem(sentenceFor(error));
    } finally {
      setBusy(false);
      void queryClient.invalidateQueries({ queryKey: ['grants'] });
      // It may have been given to the operator's own account.
      void queryClient.invalidateQueries({ queryKey: ['me'] });
    }
  };

  return (
    <form onSubmit={submit} noValidate className="mt-5 flex flex-col gap-5">
      <TextField
        ref={email_field}
        label="The member’s email address"
        type="email"
        autoComplete="off"
        autoCapitalize="none"
        spellCheck={false}
        maxLength={320}
        value={email}
        onChange={({ target }) => setEmail(target.value)}
        problem={wrong.email ?? null}
      />
      <SelectField
        label="Plan"
        hint="It only ever gives more: whoever pays for a larger plan keeps that one."
        value={plan}
        onChange={({ target }) => setPlan(target.value)}
      >
        {given.map(({ slug, title }) => (
          <option key={slug} value={slug}>
            {title}
          </option>
        ))}
      </SelectField>
      <TextField
        ref={date_field}
        label="Until the end of"
        type="date"
        min={dateIn(time_zone, new Date())}
        value={date}
        onChange={({ target }) => setDate(target.value)}
        problem={wrong.until ?? null}
        hint={
          until && !wrong.until
            ? `It ends by itself: ${formats.moment(until)} in ${time_zone.replaceAll('_', ' ')}.`
            : null
        }
      />
      <TextField
        label="Note"
        list={reasons_id}
        maxLength={500}
        value={note}
        onChange={({ target }) => setNote(target.value)}
        hint="For you and other operators: why it is given. The member does not see it, and is not mailed."
      />
      <datalist id={reasons_id}>
        <option value="Trial" />
        <option value="Partner" />
        <option value="Apology" />
      </datalist>
      <Problem>{problem}</Problem>
      <div className="flex flex-wrap items-center gap-4">
        <Button type="submit" look="primary" aria-disabled={busy} className="min-h-11">
          {busy ? 'Giving' : 'Give the plan'}
        </Button>
        <Done>{done}</Done>
      </div>
    </form>
  );
}

function whatIsWrong(email: string, until: Date | null): Wrong {
  const wrong: Wrong = {};
  if (!/^\S+@\S+$/.test(email.trim())) wrong.email = 'Type the address that the member signs in with.';
  if (until === null) wrong.until = 'Choose the last day.';
  else if (until.getTime() <= Date.now()) wrong.until = 'This day is over. Choose one that is to come.';
  return wrong;
}
