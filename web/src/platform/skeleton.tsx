/** Grey lines where text will stand. They show only after 300 ms, so that a quick answer does not flash. */
export function Skeleton({ name, widths }: { name: string; widths: string[] }) {
  return (
    <div role="status" aria-label={name} className="appear-late flex flex-col gap-3">
      {widths.map((width, position) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: the lines never change places.
        <div key={position} className={`h-4 rounded-sm bg-sunken ${width}`} />
      ))}
    </div>
  );
}
