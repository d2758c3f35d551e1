/** Things under the heading of their day. */
export type DayGroup<Item> = { heading: string; items: Item[] };

/**
 * Puts chats, newest first, under Today, Yesterday, the last 7 days, then the month (with its year when it
 * is another one). Days begin at midnight where the reader is.
 */
export function groupByDay<Item extends { updated_at: string }>(
  items: Item[],
  now = new Date(),
): DayGroup<Item>[] {
  const groups: DayGroup<Item>[] = [];
  for (const item of items) {
    const heading = headingFor(new Date(item.updated_at), now);
    const group = groups.find((known) => known.heading === heading);
    if (group === undefined) groups.push({ heading, items: [item] });
    else group.items.push(item);
  }
  return groups;
}

function headingFor(date: Date, now: Date) {
  const midnight = (days_ago: number) =>
    new Date(now.getFullYear(), now.getMonth(), now.getDate() - days_ago);
  if (date >= midnight(0)) return 'Today';
  if (date >= midnight(1)) return 'Yesterday';
  if (date >= midnight(6)) return 'The last 7 days';
  const same_year = date.getFullYear() === now.getFullYear();
  return date.toLocaleDateString('en', same_year ? { month: 'long' } : { month: 'long', year: 'numeric' });
}
