/** Things under the heading of their day. */
type DayGroup<Item> = { heading: string; items: Item[] };

/**
 * Puts chats, newest first, under Today, Yesterday, the last 7 days, then the month (with its year when it
 * is another one). Days begin at midnight in `time_zone`, of the IANA database; null: where the browser is.
 */
export function groupByDay<Item extends { updated_at: string }>(
  items: Item[],
  now = new Date(),
  time_zone: string | null = null,
): DayGroup<Item>[] {
  const groups: DayGroup<Item>[] = [];
  const dayOf = createDayOf(time_zone);
  for (const item of items) {
    const heading = headingFor(dayOf(new Date(item.updated_at)), dayOf(now));
    const group = groups.find((known) => known.heading === heading);
    if (group === undefined) groups.push({ heading, items: [item] });
    else group.items.push(item);
  }
  return groups;
}

/** A day as it is counted in a time zone: its year, its month from 0, and how many days lie before it. */
type Day = { year: number; month: number; number: number };

function createDayOf(time_zone: string | null) {
  const { format } = formatFor(time_zone);
  return (date: Date): Day => {
    const [month, day, year] = format(date).split('/').map(Number) as [number, number, number];
    return { year, month: month - 1, number: Date.UTC(year, month - 1, day) / 86_400_000 };
  };
}

function formatFor(time_zone: string | null) {
  try {
    return new Intl.DateTimeFormat('en-US', { timeZone: time_zone ?? undefined });
  } catch {
    // Chosen in a browser that knows more time zones than this one.
    return new Intl.DateTimeFormat('en-US');
  }
}

function headingFor(day: Day, today: Day) {
  const days_ago = today.number - day.number;
  if (days_ago <= 0) return 'Today';
  if (days_ago === 1) return 'Yesterday';
  if (days_ago <= 6) return 'The last 7 days';
  const month = new Date(2000, day.month).toLocaleDateString('en', { month: 'long' });
  return day.year === today.year ? month : `${month} ${day.year}`;
}
