import { Link } from '@tanstack/react-router';
import { useFormats } from '../accounts/formats.ts';
import { useMe } from '../accounts/me.ts';
import { lowAllowanceLine, quotaWords, usedUpWords } from './allowance-words.ts';
import { usePlans } from './billing.ts';

/** What is left of the plan, in one quiet line, as soon as it is little. `id`: for the field that it belongs to. */
export function LowAllowanceLine({ id }: { id: string }) {
  const { data: me } = useMe();
  const formats = useFormats();
  const line = me && lowAllowanceLine(me, formats);
  if (!line) return null;
  return (
    <p id={id} className="mb-1.5 px-1 text-small text-muted">
      {line}{' '}
      <Link to="/settings/plan" className="text-link underline">
        Get more
      </Link>
    </p>
  );
}

/**
 * That the plan is used up, when it renews, and how to go on before. `refused`: something was sent and came back, so it
 * is spoken, and the notice stays to say when it can go.
 */
export function UsedUpNotice({ refused }: { refused: boolean }) {
  const { data: me } = useMe();
  const formats = useFormats();
  const is_on = usePlans().data?.is_on;
  if (me === undefined) return null;
  const words = usedUpWords(me, formats);
  if (words === null && !refused) return null;
  return (
    <div className="mb-2 rounded-md border border-line bg-surface px-4 py-3">
      <div role={refused ? 'alert' : 'status'}>
        {words === null ? (
          <p>Your plan has messages again. You can go on now.</p>
        ) : (
          <>
            <p className="font-medium">{words.title}</p>
            <p className="mt-1 text-muted">
              {words.when} What you write stays here until you send it
              {refused && '; nothing was counted'}.
            </p>
          </>
        )}
      </div>
      {words !== null && <WaysToGetMore is_on={is_on} />}
    </div>
  );
}

function WaysToGetMore({ is_on }: { is_on: boolean | undefined }) {
  if (is_on === undefined) return null;
  return (
    <p className="mt-1.5">
      {is_on ? 'To go on now: ' : 'To go on before, ask whoever runs this site for '}
      <Link to="/settings/plan" className="text-link underline">
        {is_on ? 'a larger plan, or messages on top' : 'a larger plan'}
      </Link>
      .
    </p>
  );
}

/** Below a file that was refused because the plan is used up: when that changes, and how to go on before. */
export function FilesRenewalLine({ counter }: { counter: 'files' | 'storage' }) {
  const { data: me } = useMe();
  const formats = useFormats();
  if (me === undefined) return null;
  return (
    <p className="text-muted">
      {quotaWords(counter, me.renews_at, formats).when}{' '}
      <Link to="/settings/plan" className="text-link underline">
        Get more
      </Link>
    </p>
  );
}
