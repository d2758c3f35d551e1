import { sentenceFor } from '../platform/api-error.ts';
import { Button } from '../platform/button.tsx';
import { Skeleton } from '../platform/skeleton.tsx';
import { useFocusOnArrival } from '../platform/use-focus-on-arrival.ts';
import { useCoaches } from './coach.ts';
import { CoachCard } from './coach-card.tsx';

/** The first page: who one can work with. */
export function HomePage() {
  const { data: coaches, error, refetch } = useCoaches();
  const heading = useFocusOnArrival<HTMLHeadingElement>('home');
  return (
    <div className="mx-auto w-full max-w-cards px-5 pt-8 pb-10 sm:px-8 sm:pt-14">
      <title>Choose a coach · Touchline</title>
      <h1 ref={heading} tabIndex={-1} className="font-display text-display">
        What do you want to finish?
      </h1>
      <p className="mt-2 max-w-column text-body text-muted">
        Choose a coach. It leads you step by step, reads the files you give it, and stays until the work is
        done.
      </p>
      <div className="mt-8">
        {coaches && coaches.length > 0 && (
          <div className="grid grid-cols-[repeat(auto-fit,minmax(min(18.5rem,100%),1fr))] gap-5">
            {coaches.map((coach) => (
              <CoachCard key={coach.slug} coach={coach} />
            ))}
          </div>
        )}
        {coaches?.length === 0 && (
          <p className="text-muted">
            No coach is open to you yet. Ask the people who run this site to switch one on.
          </p>
        )}
        {coaches === undefined && error === null && (
          <Skeleton name="Loading the coaches" widths={['w-2/3', 'w-1/2', 'w-3/5']} />
        )}
        {coaches === undefined && error !== null && (
          <div role="alert" className="flex flex-col items-start gap-3">
            <p>{sentenceFor(error)}</p>
            <Button onClick={() => refetch()}>Try again</Button>
          </div>
        )}
      </div>
    </div>
  );
}
