import type { ComponentProps } from 'react';

/** A part of the page that scrolls by itself; it takes the focus, so that it also scrolls from the keyboard. */
export function ScrollRegion({
  name,
  className = '',
  ...rest
}: ComponentProps<'section'> & { name: string }) {
  return (
    <section
      {...rest}
      aria-label={name}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: without it, what overflows is out of the keyboard's reach.
      tabIndex={0}
      data-scrolls
      className={`-outline-offset-2 ${className}`}
    />
  );
}
