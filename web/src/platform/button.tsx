import type { ComponentProps } from 'react';

const looks = {
  primary: 'bg-pitch text-chalk hover:bg-pitch-strong',
  quiet: 'border border-line bg-surface text-ink hover:bg-hover',
  danger: 'bg-danger-fill text-chalk hover:opacity-90',
};

/** A button with words. `aria-disabled` rather than `disabled` keeps the focus where it is while something is under way. */
export function Button({
  look = 'quiet',
  className = '',
  ...rest
}: ComponentProps<'button'> & { look?: keyof typeof looks }) {
  return (
    <button
      type="button"
      {...rest}
      className={`inline-flex min-h-10 items-center justify-center gap-2 rounded-md px-4 font-medium transition-colors disabled:opacity-50 aria-disabled:opacity-60 ${looks[look]} ${className}`}
    />
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
