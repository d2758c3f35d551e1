import { useRef } from 'react';

type NameFieldProps = {
  label: string;
  name: string;
  longest: number;
  /** How many of the first characters are selected; all, unless given. */
  selected?: number;
  /** Null leaves the name as it was. `by_key`: it was ended from the keyboard. */
  onDone: (next: string | null, by_key: boolean) => void;
};

/** A name that is changed in its place. Enter and leaving the field keep the new one, Escape keeps the old one. */
export function NameField({ label, name, longest, selected = name.length, onDone }: NameFieldProps) {
  const done = useRef(false);
  const finish = (value: string | null, by_key: boolean) => {
    if (done.current) return;
    done.current = true;
    const next = value?.trim();
    onDone(next && next !== name ? next : null, by_key);
  };
  return (
    <input
      aria-label={label}
      defaultValue={name}
      maxLength={longest}
      // The field replaces what the member has just chosen to rename.
      ref={(input) => {
        if (!input || document.activeElement === input || done.current) return;
        setTimeout(() => {
          input.focus();
          input.setSelectionRange(0, selected);
        });
      }}
      onBlur={(event) => finish(event.currentTarget.value, false)}
      onKeyDown={(event) => {
        if (event.nativeEvent.isComposing) return;
        if (event.key === 'Enter') finish(event.currentTarget.value, true);
        if (event.key === 'Escape') {
          event.stopPropagation();
          finish(null, true);
        }
      }}
      className="min-h-8 w-full rounded-md border border-line-strong bg-surface px-1.5 text-[1rem] sm:text-label"
    />
  );
}
