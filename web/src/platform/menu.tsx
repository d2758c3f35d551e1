import { DropdownMenu } from 'radix-ui';
import type { ComponentProps } from 'react';

// Menus are not modal and stand inside their parent rather than in a portal: a modal one would inject a
// style element, which the content security policy refuses, and a portal would lie behind a <dialog>.

/** The root of a menu; its trigger and `MenuContent` go inside. */
export function Menu(props: ComponentProps<typeof DropdownMenu.Root>) {
  return <DropdownMenu.Root modal={false} {...props} />;
}

export const MenuTrigger = DropdownMenu.Trigger;

const item_look =
  'flex min-h-9 pointer-coarse:min-h-11 items-center gap-2.5 rounded-md px-2.5 text-label outline-none select-none data-highlighted:bg-hover';

/** The sheet of a menu. */
export function MenuContent(props: ComponentProps<typeof DropdownMenu.Content>) {
  return (
    <DropdownMenu.Content
      sideOffset={6}
      collisionPadding={8}
      {...props}
      className="appear z-50 min-w-44 rounded-lg border border-line bg-surface p-1 text-ink shadow-raised"
    />
  );
}

/** One entry. */
export function MenuItem(props: ComponentProps<typeof DropdownMenu.Item>) {
  return <DropdownMenu.Item {...props} className={`${item_look} ${props.className ?? ''}`} />;
}

/** One of several entries of which exactly one holds. */
export function MenuRadioItem({ children, ...rest }: ComponentProps<typeof DropdownMenu.RadioItem>) {
  return (
    <DropdownMenu.RadioItem {...rest} className={`${item_look} group`}>
      {children}
      <span aria-hidden="true" className="ml-auto size-2 rounded-full group-data-[state=checked]:bg-link" />
    </DropdownMenu.RadioItem>
  );
}

export const MenuRadioGroup = DropdownMenu.RadioGroup;

/** A heading over a group of entries. */
export function MenuLabel({ children }: { children: string }) {
  return (
    <DropdownMenu.Label className="px-2.5 pt-1.5 pb-1 text-small text-muted">{children}</DropdownMenu.Label>
  );
}

/** A line between groups of entries. */
export function MenuSeparator() {
  return <DropdownMenu.Separator className="my-1 h-px bg-line" />;
}
