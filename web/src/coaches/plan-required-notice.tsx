import { Link } from '@tanstack/react-router';
import { useMe } from '../accounts/me.ts';
import type { Coach } from './coach.ts';

/** `Starter`, `Starter or Pro`, `Starter, Pro or Enterprise` */
export function plansOf({ plan_titles }: Coach) {
  return new Intl.ListFormat('en-GB', { type: 'disjunction' }).format(plan_titles);
}

/** True where it is known that the member's plan does not include a coach. */
export function useIsClosed(coach: Coach | undefined) {
  const { data: me } = useMe();
  return me !== undefined && coach !== undefined && !coach.plans.includes(me.subscription_plan);
}

/** Which plan opens a coach. `refused`: something was sent to it and came back. */
export function PlanRequiredNotice({ coach, refused }: { coach: Coach; refused: boolean }) {
  const is_closed = useIsClosed(coach);
  if (!is_closed && !refused) return null;
  return (
    <div className="mb-2 rounded-md border border-line bg-surface px-4 py-3">
      <div role={refused ? 'alert' : 'status'}>
        {is_closed ? (
          <>
            <p className="font-medium">
              {coach.name} comes with the {plansOf(coach)} plan.
            </p>
            <p className="mt-1 text-muted">
              Yours does not include it yet. What you write stays here until you send it
              {refused && '; nothing was counted'}.
            </p>
          </>
        ) : (
          <p>Your plan includes {coach.name} now. You can go on.</p>
        )}
      </div>
      {is_closed && (
        <Link to="/settings/plan" className="mt-1.5 inline-block text-link underline">
          See plans
        </Link>
      )}
    </div>
  );
}
