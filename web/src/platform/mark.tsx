/** Touchline's mark: the corner of a pitch, chalk on green. Decoration; the name stands beside it. */
export function Mark({ className = 'size-7' }: { className?: string }) {
  return (
    <svg viewBox="0 0 32 32" className={className} aria-hidden="true">
      <rect width="32" height="32" rx="7" className="fill-mark" />
      <g fill="none" className="stroke-chalk" strokeWidth="2.25" strokeLinecap="round" strokeLinejoin="round">
        <path d="M9 5.5V23h17.5" />
        <path d="M9 13a10 10 0 0 1 10 10" />
      </g>
    </svg>
  );
}
