import { accentStyle, type Coach } from './coach.ts';

/** Who the coach is, how to start, how it works and what one walks away with; a click on a starter hands its words on. */
export function CoachIntro({ coach, onStarter }: { coach: Coach; onStarter: (starter: string) => void }) {
  return (
    <div style={accentStyle(coach)} className="coach-accent">
      <p className="text-lead text-muted">{coach.tagline}</p>
      <p className="mt-4 text-body">{coach.description}</p>
      <h2 className="mt-6 font-semibold">Ways to start</h2>
      <ul className="mt-2 flex flex-col items-start gap-2">
        {coach.starters.map((starter) => (
          <li key={starter}>
            <button
              type="button"
              onClick={() => onStarter(starter)}
              className="rounded-lg border border-line bg-surface px-3.5 py-2 text-left text-link hover:bg-hover"
            >
              {starter}
            </button>
          </li>
        ))}
      </ul>
      <div className="mt-8 border-l-2 border-(--accent) pl-5">
        <h2 className="font-semibold">How you work together</h2>
        <ol className="mt-1.5 flex flex-col gap-1">
          {coach.steps.map((step, position) => (
            <li key={step} className="flex gap-3">
              <span className="w-3 shrink-0 text-muted tabular-nums">{position + 1}</span>
              {step}
            </li>
          ))}
        </ol>
        <p className="mt-3">
          <span className="text-muted">Your finished work: </span>
          {coach.deliverable}
        </p>
      </div>
    </div>
  );
}
