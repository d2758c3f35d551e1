import { Link } from '@tanstack/react-router';
import Lock from 'lucide-react/icons/lock';
import { accentStyle, type Coach } from './coach.ts';
import { plansOf, useIsClosed } from './plan-required-notice.tsx';

const starters_shown = 2;

/** One coach on the home page. The whole card leads to the coach; a starter leads there with its words written down. */
export function CoachCard({ coach }: { coach: Coach }) {
  const is_closed = useIsClosed(coach);
  return (
    <article
      style={accentStyle(coach)}
      className="coach-accent relative flex flex-col overflow-hidden rounded-lg border border-line bg-surface pt-1 transition-colors hover:border-line-strong"
    >
      <span aria-hidden="true" className="absolute inset-x-0 top-0 h-1 bg-(--accent)" />
      <div className="flex flex-1 flex-col px-5 pt-4 pb-4">
        <h2 className="text-lead font-semibold">
          <Link
            to="/coaches/$slug"
            params={{ slug: coach.slug }}
            className="after:absolute after:inset-0 after:rounded-lg focus-visible:outline-none focus-visible:after:outline-2 focus-visible:after:-outline-offset-2 focus-visible:after:outline-focus"
          >
            {coach.name}
          </Link>
        </h2>
        <p className="mt-0.5 text-muted">{coach.tagline}</p>
        <ol aria-label="Steps" className="mt-3.5 flex flex-wrap gap-x-3.5 gap-y-1 text-small text-muted">
          {coach.steps.map((step, position) => (
            <li key={step}>
              <span className="mr-1 tabular-nums">{position + 1}</span>
              <span className="text-ink">{step}</span>
            </li>
          ))}
        </ol>
        <p className="mt-3 text-small">
          <span className="text-muted">Your finished work: </span>
          {coach.deliverable}
        </p>
        {is_closed && (
          <p className="relative z-10 mt-3 flex items-start gap-2 text-small">
            <Lock size={14} aria-hidden="true" className="mt-0.5 shrink-0 text-muted" />
            <span>
              Comes with the{' '}
              <Link to="/settings/plan" className="text-link underline">
                {plansOf(coach)} plan
              </Link>
            </span>
          </p>
        )}
      </div>
      <ul aria-label="Ways to start" className="relative z-10 flex flex-col border-t border-line">
        {coach.starters.slice(0, starters_shown).map((starter, position) => (
          <li key={starter} className="not-first:border-t not-first:border-line">
            <Link
              to="/coaches/$slug"
              params={{ slug: coach.slug }}
              search={{ starter: position + 1 }}
              className="block px-5 py-2.5 text-small text-link -outline-offset-2 hover:bg-hover"
            >
              {starter}
            </Link>
          </li>
        ))}
      </ul>
    </article>
  );
}
