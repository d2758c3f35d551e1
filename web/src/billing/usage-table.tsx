import type { Formats } from '../accounts/formats.ts';
import type { Coach } from '../coaches/coach.ts';
import { ScrollRegion } from '../platform/scroll-region.tsx';
import { nameOfGone, type UsageDay } from './usage.ts';

/** The same figures as the chart's, all measures at once, the latest day first. */
export function UsageTable({
  rows,
  coaches,
  formats,
}: {
  rows: UsageDay[];
  coaches: Coach[];
  formats: Formats;
}) {
  const { number, date } = formats;
  const nameOf = (slug: string | null) =>
    coaches.find((coach) => coach.slug === slug)?.name ?? nameOfGone(slug ?? '');
  const has_bought = rows.some(({ credits }) => credits > 0);
  return (
    <ScrollRegion
      name="What you used, by day and coach"
      className="mt-4 max-h-96 overflow-auto rounded-md border border-line bg-surface"
    >
      <table className="w-full border-collapse text-small">
        <caption className="sr-only">What you used, by day and coach, the latest first</caption>
        <thead className="sticky top-0 bg-surface text-left whitespace-nowrap">
          <tr>
            <Head>Day</Head>
            <Head>Coach</Head>
            <Head is_number>Messages</Head>
            {has_bought && <Head is_number>Of them bought</Head>}
            <Head is_number>Files</Head>
            <Head is_number>Tokens</Head>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={`${row.day} ${row.assistant_slug}`} className="border-t border-line">
              <th scope="row" className="px-3 py-1.5 text-left font-normal whitespace-nowrap">
                {date(row.day)}
              </th>
              <td className="px-3 py-1.5">{nameOf(row.assistant_slug)}</td>
              <Figure>{number(row.messages)}</Figure>
              {has_bought && <Figure>{number(row.credits)}</Figure>}
              <Figure>{number(row.files)}</Figure>
              <Figure>{number(row.tokens)}</Figure>
            </tr>
          ))}
        </tbody>
      </table>
    </ScrollRegion>
  );
}

function Head({ children, is_number = false }: { children: string; is_number?: boolean }) {
  return (
    <th scope="col" className={`px-3 py-2 font-medium ${is_number ? 'text-right' : ''}`}>
      {children}
    </th>
  );
}

function Figure({ children }: { children: string }) {
  return <td className="px-3 py-1.5 text-right tabular-nums">{children}</td>;
}
