import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useId, useState } from 'react';
import type { Formats } from '../accounts/formats.ts';
import { useCoaches } from '../coaches/coach.ts';
import { sentenceFor } from '../platform/api-error.ts';
import { Button } from '../platform/button.tsx';
import { usePlatform } from '../platform/platform-context.ts';
import { Skeleton } from '../platform/skeleton.tsx';
import { arrangeUsage, dateIn, type Measure, usageQuery } from './usage.ts';
import { UsageChart, UsageLegend } from './usage-chart.tsx';
import { UsageTable } from './usage-table.tsx';
import { amountOf } from './usage-words.ts';

const ranges = [
  [30, '30 days'],
  [90, '90 days'],
] as const;

const measures = [
  ['messages', 'Messages'],
  ['tokens', 'Words'],
  ['files', 'Files'],
] as const;

/** What was used by day and coach: as a chart, and as the table behind it. */
export function UsageSection({ time_zone, formats }: { time_zone: string; formats: Formats }) {
  const { api } = usePlatform();
  const [count, setCount] = useState<30 | 90>(30);
  const [measure, setMeasure] = useState<Measure>('messages');
  const [as_table, setAsTable] = useState(false);
  const usage = useQuery(usageQuery(api, count, time_zone));
  const coaches = useCoaches();
  const table_id = useId();

  if (usage.data === undefined || coaches.data === undefined) {
    const error = usage.error ?? coaches.error;
    if (error === null)
      return <Skeleton name="Loading what you used" widths={['w-1/2', 'w-full', 'w-full']} />;
    return (
      <div role="alert" className="mt-3 flex flex-col items-start gap-3">
        <p>What you used could not be read. {sentenceFor(error)}</p>
        <Button onClick={() => Promise.all([usage.refetch(), coaches.refetch()])}>Try again</Button>
      </div>
    );
  }

  const today = dateIn(time_zone, new Date());
  const chart = arrangeUsage(usage.data, { measure, count, today, coaches: coaches.data });
  return (
    <>
      <div className="mt-4 flex flex-wrap gap-x-6 gap-y-3">
        <Choice name="What is shown" choices={measures} value={measure} onChange={setMeasure} />
        <Choice name="How far back" choices={ranges} value={count} onChange={setCount} />
      </div>
      {chart.total === 0 ? (
        <Empty measure={measure} count={count} />
      ) : (
        <figure aria-busy={usage.isPlaceholderData}>
          <figcaption className="mt-5">
            <span className="text-lead font-semibold">
              {measure === 'tokens' && 'About '}
              {amountOf(chart.total, measure, formats)}
            </span>{' '}
            <span className="text-muted">
              {measure === 'tokens' && 'read and written '}from {formats.date(chart.days[0]!.day)} to{' '}
              {formats.date(chart.days.at(-1)!.day)}
            </span>
          </figcaption>
          <UsageLegend chart={chart} measure={measure} formats={formats} />
          <UsageChart chart={chart} measure={measure} formats={formats} />
        </figure>
      )}
      {usage.data.length > 0 && (
        <>
          <Button
            aria-expanded={as_table}
            aria-controls={table_id}
            onClick={() => setAsTable(!as_table)}
            className="mt-6"
          >
            {as_table ? 'Hide the table' : 'Show as table'}
          </Button>
          <div id={table_id}>
            {as_table && <UsageTable rows={usage.data} coaches={coaches.data} formats={formats} />}
          </div>
        </>
      )}
    </>
  );
}

function Empty({ measure, count }: { measure: Measure; count: number }) {
  const things = { messages: 'message', tokens: 'word', files: 'file' }[measure];
  return (
    <p className="mt-5 rounded-md border border-line bg-surface px-4 py-6 text-muted">
      No {things} in the last {count} days.{' '}
      {measure === 'messages' && (
        <Link to="/" className="text-link underline">
          Choose a coach to begin
        </Link>
      )}
    </p>
  );
}

type ChoiceProps<Value> = {
  name: string;
  choices: readonly (readonly [Value, string])[];
  value: Value;
  onChange: (value: Value) => void;
};

/** A few choices side by side, of which one holds. */
function Choice<Value extends string | number>({ name, choices, value, onChange }: ChoiceProps<Value>) {
  const group = useId();
  return (
    <fieldset className="flex flex-wrap gap-1 rounded-md bg-sunken p-1">
      <legend className="sr-only">{name}</legend>
      {choices.map(([choice, words]) => (
        <label
          key={choice}
          className="relative flex min-h-9 cursor-pointer items-center rounded-sm border border-transparent px-3 text-muted has-checked:border-line-strong has-checked:bg-surface has-checked:font-medium has-checked:text-ink has-focus-visible:outline-2 has-focus-visible:outline-offset-1 has-focus-visible:outline-focus"
        >
          <input
            type="radio"
            name={group}
            checked={choice === value}
            onChange={() => onChange(choice)}
            className="absolute inset-0 cursor-pointer opacity-0"
          />
          {words}
        </label>
      ))}
    </fieldset>
  );
}
