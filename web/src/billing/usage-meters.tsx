import { Link } from '@tanstack/react-router';
import type { Formats } from '../accounts/formats.ts';
import type { Me } from '../accounts/me.ts';
import { countOf } from './allowance-words.ts';
import { wordsOf } from './plan-words.ts';

type MetersProps = { me: Me; formats: Formats };

/** What the plan includes for a month, and what of it is used; room for files and bought messages beside it. */
export function UsageMeters({ me, formats }: MetersProps) {
  const { number, size } = formats;
  const { subscription_quota: quota, subscription_usage: usage, storage } = me;
  return (
    <ul aria-label="What you used" className="mt-5 grid gap-x-8 gap-y-6 sm:grid-cols-2">
      <Meter name="Messages" used={usage.messages} limit={quota.messages} write={number} />
      <Meter name="Files" used={usage.files} limit={quota.files} write={number} />
      <Meter
        name="Reading and writing"
        used={usage.tokens}
        limit={quota.tokens}
        write={number}
        said={wordsSaid(me, formats)}
        note={`What your coaches read and wrote for you. It is counted in tokens, of about four characters: ${number(usage.tokens)}${quota.tokens === null ? '' : ` of ${number(quota.tokens)}`}.`}
      />
      {storage && (
        <Meter
          name="Room for files"
          used={storage.used_bytes}
          limit={storage.limit_bytes}
          write={size}
          note="What you have stored now; it does not renew."
        />
      )}
      {me.credits > 0 && (
        <li className="sm:col-span-2">
          <p className="font-medium">{countOf(me.credits, 'bought message', number)} left</p>
          <p className="text-small text-muted">
            They are used when your plan has none left, and do not expire.
          </p>
        </li>
      )}
    </ul>
  );
}

/** Words are told in two digits, which would make nearly all of them look like all: so in hundredths of a limit. */
function wordsSaid(
  { subscription_quota: { tokens: limit }, subscription_usage: { tokens } }: Me,
  formats: Formats,
) {
  if (limit === null) return `About ${countOf(wordsOf(tokens), 'word', formats.number)}`;
  const words = `${countOf(wordsOf(limit), 'word', formats.number)}`;
  const share = limit === 0 ? 1 : Math.min(1, tokens / limit);
  return `${formats.percent(Math.floor(share * 100) / 100)} of about ${words}`;
}

type MeterProps = {
  name: string;
  used: number;
  limit: number | null;
  write: (value: number) => string;
  /** In place of the figures, where they would say too little. */
  said?: string;
  note?: string;
};

function Meter({ name, used, limit, write, said, note }: MeterProps) {
  const share = limit === null ? 0 : limit === 0 ? 1 : Math.min(1, used / limit);
  return (
    <li>
      <p className="flex flex-wrap justify-between gap-x-3">
        <span className="font-medium">{name}</span>
        <span className="tabular-nums">
          {said ?? `${write(used)}${limit === null ? '' : ` of ${write(limit)}`}`}
        </span>
      </p>
      {limit === null ? (
        <p className="mt-1 text-small text-muted">Without a limit.</p>
      ) : (
        <div aria-hidden="true" className="mt-2 h-2 overflow-hidden rounded-full bg-sunken">
          <div
            className={`h-full rounded-full ${share >= 1 ? 'bg-danger' : 'bg-link'}`}
            style={{ width: `${share * 100}%` }}
          />
        </div>
      )}
      {limit !== null && share >= 1 && <p className="mt-1 text-small text-danger">None left.</p>}
      {note && <p className="mt-1 text-small text-muted">{note}</p>}
    </li>
  );
}

/** When the plan's counters begin anew, where the member is. `time_zone`: the one that it is told in. */
export function RenewalLine({ me, formats, time_zone }: MetersProps & { time_zone: string }) {
  return (
    <p className="mt-1.5 text-muted">
      Since {formats.date(me.period_started_at)}. Renews on{' '}
      <strong className="font-medium text-ink">{formats.moment(me.renews_at)}</strong>, in the time of{' '}
      {time_zone.replaceAll('_', ' ')}.{' '}
      <Link to="/settings/profile" className="text-link underline">
        Change the time zone
      </Link>
    </p>
  );
}
