import { accentStyle, type Coach } from './coach.ts';

/** A dot in the coach's colour. Decoration; the coach's name is told elsewhere. */
export function AccentDot({ coach, className = 'size-2' }: { coach: Coach | undefined; className?: string }) {
  return (
    <span
      aria-hidden="true"
      style={accentStyle(coach)}
      className={`coach-accent inline-block shrink-0 rounded-full bg-(--accent) ${className}`}
    />
  );
}
