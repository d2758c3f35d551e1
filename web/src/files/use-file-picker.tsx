import { type ReactNode, useRef } from 'react';
import { usePlatform } from '../platform/platform-context.ts';

/** The browser's own dialog for choosing files that coaches read. `picker` is rendered, wherever; `open` shows it. */
export function useFilePicker(onFiles: (files: File[]) => void): { picker: ReactNode; open: () => void } {
  const { config } = usePlatform();
  const input = useRef<HTMLInputElement>(null);
  const picker = (
    <input
      ref={input}
      type="file"
      multiple
      hidden
      accept={[...config.file_extensions, 'text/*'].join(',')}
      onChange={(event) => {
        onFiles([...(event.target.files ?? [])]);
        event.target.value = '';
      }}
    />
  );
  return { picker, open: () => input.current?.click() };
}
