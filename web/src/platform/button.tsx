import ExternalLink from 'lucide-react/icons/external-link';
import type { ComponentProps, ReactNode } from 'react';

const looks = {
  primary: 'bg-pitch text-chalk hover:bg-pitch-strong',
  quiet: 'border border-line bg-surface text-ink hover:bg-hover',
  danger: 'bg-danger-fill text-chalk hover:opacity-90',
};

const shape =
  'inline-flex min-h-10 items-center justify-center gap-2 rounded-md px-4 font-medium transition-colors disabled:opacity-50 aria-disabled:opacity-60';

/** A button with words. `aria-disabled` rather than `disabled` keeps the focus where it is while something is under way. */
export function Button({
  look = 'quiet',
  className = '',
  ...rest
}: ComponentProps<'button'> & { look?: keyof typeof looks }) {
  return <button type="button" {...rest} className={`${shape} ${looks[look]} ${className}`} />;
}

/** A link to another site that stands where a button would; it opens beside this page, and says so. */
export function LinkOut({ href, children }: { href: string; children: ReactNode }) {
  return (
    <a href={href} target="_blank" rel="noopener noreferrer" className={`${shape} ${looks.primary}`}>
      {children}
      <ExternalLink size={16} aria-hidden="true" />
      <span className="sr-only">(opens in a new tab)</span>
    </a>
  );
}

/** A button with an icon only; its name is spoken and shown as a tooltip. */
export function IconButton({
  name,
  className = '',
  children,
  ...rest
}: Omit<ComponentProps<'button'>, 'name'> & { name: string }) {
  return (
    <button
      type="button"
      aria-label={name}
      title={name}
      {...rest}
      className={`inline-flex size-9 pointer-coarse:size-10 shrink-0 items-center justify-center rounded-md text-muted transition-colors hover:bg-hover hover:text-ink disabled:opacity-40 ${className}`}
    >
      {children}
    </button>
  );
}
