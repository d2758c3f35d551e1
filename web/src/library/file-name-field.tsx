import { useRef } from 'react';

type FileNameFieldProps = {
  file_name: string;
  /** Null leaves the name as it was. */
  onDone: (next: string | null, by_key: boolean) => void;
};

/** Enter and leaving the field keep the new name, Escape keeps the old one. What comes before the ending is selected. */
export function FileNameField({ file_name, onDone }: FileNameFieldProps) {
  const done = useRef(false);
  const finish = (value: string | null, by_key: boolean) => {
    if (done.current) return;
    done.current = true;
    const next = value?.trim();
    onDone(next && next !== file_name ? next : null, by_key);
  };
  return (
    <input
      aria-label="File name"
      defaultValue={file_name}
      maxLength={255}
      // The field replaces what the member has just chosen to rename.
      ref={(input) => {
        if (!input || document.activeElement === input || done.current) return;
        setTimeout(() => {
          input.focus();
          const ending = file_name.lastIndexOf('.');
          input.setSelectionRange(0, ending > 0 ? ending : file_name.length);
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
