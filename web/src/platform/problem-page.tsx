import type { ReactNode } from 'react';
import { Mark } from './mark.tsx';

/** A page for when there is nothing else to show: what happened, and what to do. `inside` another page it is no landmark of its own. */
export function ProblemPage({
  title,
  children,
  actions,
  inside = false,
}: {
  title: string;
  children: ReactNode;
  actions: ReactNode;
  inside?: boolean;
}) {
  const Page = inside ? 'div' : 'main';
  return (
    <Page className="mx-auto flex min-h-full max-w-column flex-col justify-center gap-4 px-6 py-16">
      <title>{`${title} · Touchline`}</title>
      <Mark className="size-10" />
      <h1 className="font-display text-title">{title}</h1>
      <div className="text-body text-muted">{children}</div>
      <div className="flex flex-wrap gap-3">{actions}</div>
    </Page>
  );
}
