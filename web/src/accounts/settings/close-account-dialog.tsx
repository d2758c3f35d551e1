import { type FormEvent, useId, useRef, useState } from 'react';
import { sentenceFor } from '../../platform/api-error.ts';
import { Button } from '../../platform/button.tsx';
import { Dialog } from '../../platform/dialog.tsx';
import { Problem, TextField } from '../../platform/fields.tsx';
import { usePlatform } from '../../platform/platform-context.ts';
import { useAuth } from '../auth-context.ts';
import { useFormats } from '../formats.ts';
import type { Me } from '../me.ts';

const kept_ms = 30 * 24 * 60 * 60 * 1000;

/** Says what becomes of a deleted account, and has the address typed before it is closed. */
export function CloseAccountDialog({ me, onClose }: { me: Me; onClose: () => void }) {
  const id = useId();
  const { api, config } = usePlatform();
  const { signOut } = useAuth();
  const { date } = useFormats();
  const field = useRef<HTMLInputElement>(null);
  const [typed, setTyped] = useState('');
  const [busy, setBusy] = useState(false);
  const [wrong, setWrong] = useState<string | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const erased_on = date(new Date(Date.now() + kept_ms));

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    if (busy) return;
    const confirmation = typed.trim();
    if (confirmation.toLowerCase() !== me.email.toLowerCase()) {
      setWrong('This is not the address of your account. Type it as it stands above.');
      return field.current?.focus();
    }
    setBusy(true);
    setProblem(null);
    try {
      const { erased_on } = await api.post<{ erased_on: string }>('/api/me/close', { confirmation });
      await signOut({ to: `/account-closed?until=${encodeURIComponent(erased_on)}` });
    } catch (error) {
      setProblem(`Your account is still open. ${sentenceFor(error)}`);
      setBusy(false);
    }
  };

  return (
    <Dialog
      labelledBy={id}
      onClose={onClose}
      className="sheet m-auto w-[calc(100%-2rem)] max-w-[30rem] rounded-xl border border-line bg-surface p-6 shadow-raised"
    >
      <h2 id={id} className="text-lead font-semibold">
        Delete your account?
      </h2>
      <ul className="mt-3 flex list-disc flex-col gap-2 pl-5 text-muted marker:text-line-strong">
        <li>It closes now: you are signed out on every device, and a paid plan ends.</li>
        <li>
          <span className="text-ink">Until {erased_on}</span> you can restore it: sign in again.
        </li>
        <li>
          Then your profile, chats and files are erased{config.model === 'openai' && ', here and at OpenAI'}.
          A last mail lists what was erased.
        </li>
      </ul>
      <form onSubmit={submit} noValidate className="mt-5 flex flex-col gap-4">
        <p>
          To go ahead, type <strong className="font-semibold">{me.email}</strong>
        </p>
        <TextField
          ref={field}
          label="Your email address"
          type="email"
          autoComplete="off"
          autoCapitalize="none"
          spellCheck={false}
          value={typed}
          onChange={({ target }) => {
            setTyped(target.value);
            setWrong(null);
          }}
          problem={wrong}
        />
        <Problem>{problem}</Problem>
        <div className="mt-2 flex flex-wrap justify-end gap-2.5">
          <Button onClick={onClose}>Keep my account</Button>
          <Button type="submit" look="danger" aria-disabled={busy || typed.trim() === ''}>
            {busy ? 'Deleting' : 'Delete account'}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
