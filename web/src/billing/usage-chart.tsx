import { type CSSProperties, type KeyboardEvent, type PointerEvent, useState } from 'react';
import type { Formats } from '../accounts/formats.ts';
import { accentStyle } from '../coaches/coach.ts';
import type { UsageChart as Chart, ChartDay, Measure, Series } from './usage.ts';
import { amountOf, figureOf } from './usage-words.ts';

type UsageChartProps = { chart: Chart; measure: Measure; formats: Formats };

/** What is there can be seen, however high another day is: a share of the chart's height. */
const lowest_share = 0.015;

/**
 * Stacked bars by day. It is one stop for the keyboard, a slider over the days: the arrows choose the day whose figures
 * are shown and spoken; so does a pointer.
 */
export function UsageChart({ chart, measure, formats }: UsageChartProps) {
  const { days, top } = chart;
  const [shown, setShown] = useState<number | null>(null);
  const [chosen, setChosen] = useState(days.length - 1);
  // There may be fewer days than before.
  const current = Math.min(chosen, days.length - 1);
  const choose = (position: number) => {
    const next = Math.min(days.length - 1, Math.max(0, position));
    setChosen(next);
    setShown(next);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const steps: Record<string, number> = {
      ...{ ArrowLeft: current - 1, ArrowDown: current - 1, ArrowRight: current + 1, ArrowUp: current + 1 },
      ...{ PageDown: current - 7, PageUp: current + 7, Home: 0, End: days.length - 1 },
    };
    const next = steps[event.key];
    if (event.key === 'Escape') return setShown(null);
    if (next === undefined) return;
    event.preventDefault();
    choose(next);
  };
  const onPointer = (event: PointerEvent<HTMLElement>) => {
    const { left, width } = event.currentTarget.getBoundingClientRect();
    choose(Math.floor(((event.clientX - left) / width) * days.length));
  };
  const pointed = shown === null ? undefined : days[Math.min(shown, days.length - 1)];

  return (
    <div>
      <div className="relative mt-5 h-52">
        <Scale top={top} measure={measure} formats={formats} />
        <div
          role="slider"
          tabIndex={0}
          aria-label="Day"
          aria-orientation="horizontal"
          aria-valuemin={1}
          aria-valuemax={days.length}
          aria-valuenow={current + 1}
          aria-valuetext={describeDay(days[current]!, measure, formats)}
          onKeyDown={onKeyDown}
          onFocus={() => setShown(current)}
          onBlur={() => setShown(null)}
          onPointerMove={onPointer}
          onPointerDown={onPointer}
          onPointerLeave={() => setShown(null)}
          className="absolute inset-y-0 right-0 left-10 touch-pan-y"
        >
          <svg
            aria-hidden="true"
            viewBox={`0 0 ${days.length} 1`}
            preserveAspectRatio="none"
            className="block size-full"
          >
            {pointed && <rect x={days.indexOf(pointed)} y={0} width={1} height={1} className="fill-hover" />}
            {days.map((day, position) => (
              <Bar key={day.day} day={day} position={position} top={top} />
            ))}
          </svg>
        </div>
        {pointed && <DayCard day={pointed} days={days} measure={measure} formats={formats} />}
      </div>
      <div aria-hidden="true" className="mt-1.5 ml-10 flex justify-between text-small text-muted">
        {[0, (days.length - 1) >> 1, days.length - 1].map((position) => (
          <span key={position}>{formats.shortDay(days[position]!.day)}</span>
        ))}
      </div>
    </div>
  );
}

function Scale({ top, measure, formats }: { top: number } & Omit<UsageChartProps, 'chart'>) {
  return (
    <div aria-hidden="true" className="absolute inset-0 flex flex-col justify-between">
      {[top, top / 2, 0].map((value) => (
        <div key={value} className="flex h-0 items-center gap-2">
          <span className="w-8 text-right text-small text-muted tabular-nums">
            {formats.shortNumber(figureOf(value, measure))}
          </span>
          <span className="h-px flex-1 bg-line" />
        </div>
      ))}
    </div>
  );
}

/** One day, from the first series at the bottom; a fine line parts it from the next. */
function Bar({ day, position, top }: { day: ChartDay; position: number; top: number }) {
  if (day.total === 0) return null;
  const height = Math.max(lowest_share, day.total / top);
  let below = 0;
  return day.parts.map(({ series, amount }) => {
    const part = (amount / day.total) * height;
    below += part;
    return (
      <rect
        key={series.key}
        x={position + 0.14}
        y={1 - below}
        width={0.72}
        height={part}
        style={colourOf(series)}
        vectorEffect="non-scaling-stroke"
        className={`coach-accent fill-(--accent) ${day.parts.length > 1 ? 'stroke-paper' : ''}`}
      />
    );
  });
}

/** The figures of a day beside its bar, inside the chart. */
function DayCard({
  day,
  days,
  measure,
  formats,
}: {
  day: ChartDay;
  days: ChartDay[];
  measure: Measure;
  formats: Formats;
}) {
  const share = (days.indexOf(day) + 0.5) / days.length;
  const side = share > 0.5 ? { right: `calc((100% - 2.5rem) * ${1 - share} + 0.75rem)` } : undefined;
  return (
    <div
      aria-hidden="true"
      style={side ?? { left: `calc(2.5rem + (100% - 2.5rem) * ${share} + 0.75rem)` }}
      className="pointer-events-none absolute top-1 z-10 w-max max-w-[min(15rem,52%)] rounded-md border border-line bg-surface px-3 py-2 text-small shadow-raised"
    >
      <p className="font-medium">{formats.weekday(day.day)}</p>
      <p>{amountOf(day.total, measure, formats)}</p>
      {day.credits > 0 && <p className="text-muted">{formats.number(day.credits)} of them bought</p>}
      <ul className="mt-1">
        {day.parts.map(({ series, amount }) => (
          <li key={series.key} className="flex items-baseline gap-2">
            <Dot series={series} />
            <span className="min-w-0 flex-1">{series.name}</span>
            <span className="tabular-nums">{formats.number(figureOf(amount, measure))}</span>
          </li>
        ))}
      </ul>
    </div>
  );
}

/** `Thursday 3 December: 12 messages. Carousel coach 8, Story coach 4.` */
function describeDay(day: ChartDay, measure: Measure, formats: Formats) {
  const parts = day.parts
    .map(({ series, amount }) => `${series.name} ${formats.number(figureOf(amount, measure))}`)
    .join(', ');
  return `${formats.weekday(day.day)}: ${amountOf(day.total, measure, formats)}.${parts && ` ${parts}.`}`;
}

/** Which colour is whose, with what each came to. */
export function UsageLegend({ chart, measure, formats }: UsageChartProps) {
  return (
    <ul aria-label="By coach" className="mt-4 flex flex-wrap gap-x-5 gap-y-1.5">
      {chart.series.map((series) => (
        <li key={series.key} className="flex items-center gap-2">
          <Dot series={series} />
          {series.name}
          <span className="whitespace-nowrap text-muted tabular-nums">
            {amountOf(series.total, measure, formats)}
          </span>
        </li>
      ))}
    </ul>
  );
}

const spare_colours = 4;

/** A coach's own colour; without a coach one of the spare ones. */
function colourOf({ coach, spare }: Series): CSSProperties {
  if (coach !== undefined) return accentStyle(coach);
  const colour = `var(--color-chart-${1 + (spare % spare_colours)})`;
  return { '--accent-light': colour, '--accent-dark': colour } as CSSProperties;
}

function Dot({ series }: { series: Series }) {
  return (
    <span
      aria-hidden="true"
      style={colourOf(series)}
      className="coach-accent inline-block size-2.5 shrink-0 rounded-full bg-(--accent)"
    />
  );
}
