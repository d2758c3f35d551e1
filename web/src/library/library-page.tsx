import { useQueryClient } from '@tanstack/react-query';
import Search from 'lucide-react/icons/search';
import Upload from 'lucide-react/icons/upload';
import { useEffect, useId, useRef, useState } from 'react';
import { useFormats } from '../accounts/formats.ts';
import { DropZone } from '../files/drop-zone.tsx';
import { readableSize } from '../files/file.ts';
import { pastedFiles } from '../files/pasted-files.ts';
import { UploadList } from '../files/upload-list.tsx';
import { useFilePicker } from '../files/use-file-picker.tsx';
import { sentenceFor } from '../platform/api-error.ts';
import { Button } from '../platform/button.tsx';
import { usePlatform } from '../platform/platform-context.ts';
import { ScrollRegion } from '../platform/scroll-region.tsx';
import { Skeleton } from '../platform/skeleton.tsx';
import { useStored } from '../platform/store.ts';
import { useFocusOnArrival } from '../platform/use-focus-on-arrival.ts';
import { useNearView } from '../platform/use-near-view.ts';
import { useSettled } from '../platform/use-settled.ts';
import { LibraryItem } from './library-item.tsx';
import { addToLibrary, dropUpload, retryUpload, uploadStore } from './library-uploads.ts';
import { PreviewPanel } from './preview-panel.tsx';
import { useLibrary } from './use-library.ts';

/** Every file of the member's: found, looked at, renamed, deleted, and new ones added. */
export function LibraryPage() {
  const { api, config } = usePlatform();
  const queryClient = useQueryClient();
  const heading = useFocusOnArrival<HTMLHeadingElement>('library');
  const [typed, setTyped] = useState('');
  const search = useSettled(typed.trim());
  const list = useLibrary(search);
  const { hasNextPage, isFetchingNextPage, isFetchNextPageError, fetchNextPage } = list;
  const uploads = useStored(uploadStore, 'all') ?? [];
  const [shown_id, setShownId] = useState<string | null>(null);
  const add = (files: File[]) => addToLibrary({ api, config, queryClient }, files);
  const files = list.data?.files ?? [];
  const shown = files.find(({ id }) => id === shown_id);
  const is_empty = list.data !== undefined && files.length === 0 && search === '' && uploads.length === 0;
  const end = useNearView(() => {
    if (hasNextPage && !isFetchingNextPage && !isFetchNextPageError) void fetchNextPage();
  }, '400px');

  usePastedFiles(add);

  return (
    <DropZone invitation="Drop your files to add them to the library" onFiles={add}>
      <title>Library · Touchline</title>
      <ScrollRegion name="Library" className="min-h-0 flex-1 overflow-y-auto">
        <div className="mx-auto w-full max-w-cards px-5 pt-8 pb-16 sm:px-8 sm:pt-12">
          <div className="flex flex-wrap items-end justify-between gap-x-6 gap-y-4">
            <div>
              <h1 ref={heading} tabIndex={-1} className="font-display text-display">
                Library
              </h1>
              <p className="mt-1.5 max-w-column text-muted">
                Everything you have given your coaches. What is in the library they can look things up in, in
                every chat.
              </p>
            </div>
            <AddButton onFiles={add} />
          </div>
          <div className="-mx-2 mt-3">
            <UploadList
              name="Files on their way"
              uploads={uploads}
              onRemove={dropUpload}
              onRetry={(id) => retryUpload({ api, config, queryClient }, id)}
            />
          </div>
          {!is_empty && list.data !== undefined && (
            <div className="mt-6 flex flex-wrap items-center justify-between gap-x-6 gap-y-3">
              <SearchField value={typed} onChange={setTyped} />
              <StorageLine storage={list.data.storage} />
            </div>
          )}
          {is_empty && <EmptyLibrary />}
          {list.data !== undefined && files.length === 0 && search !== '' && (
            <p role="status" className="mt-8 text-muted">
              No file’s name holds “{search}”.
            </p>
          )}
          {files.length > 0 && (
            <ul aria-label="Your files" className="mt-4 divide-y divide-line border-y border-line">
              {files.map((file) => (
                <LibraryItem key={file.id} file={file} onOpen={() => setShownId(file.id)} />
              ))}
            </ul>
          )}
          {list.data === undefined && list.error === null && (
            <div className="mt-8">
              <Skeleton name="Loading your files" widths={['w-2/3', 'w-1/2', 'w-3/5', 'w-2/5']} />
            </div>
          )}
          {list.error !== null && (
            <div role="alert" className="mt-6 flex flex-col items-start gap-3">
              <p>
                {isFetchNextPageError && 'The older files did not load. '}
                {sentenceFor(list.error)}
              </p>
              <Button onClick={() => (isFetchNextPageError ? fetchNextPage() : list.refetch())}>
                Try again
              </Button>
            </div>
          )}
          <div ref={end} />
        </div>
      </ScrollRegion>
      {shown && <PreviewPanel file={shown} onClose={() => setShownId(null)} />}
    </DropZone>
  );
}

/** Files that are pasted anywhere on the page; words that are pasted into a field stay words. */
function usePastedFiles(onFiles: (files: File[]) => void) {
  const latest = useRef(onFiles);
  latest.current = onFiles;
  useEffect(() => {
    const paste = (event: ClipboardEvent) => {
      const files = pastedFiles(event.clipboardData);
      if (files.length === 0) return;
      event.preventDefault();
      latest.current(files);
    };
    addEventListener('paste', paste);
    return () => removeEventListener('paste', paste);
  }, []);
}

function AddButton({ onFiles }: { onFiles: (files: File[]) => void }) {
  const { picker, open } = useFilePicker(onFiles);
  return (
    <>
      {picker}
      <Button look="primary" onClick={open}>
        <Upload size={16} aria-hidden="true" />
        Add files
      </Button>
    </>
  );
}

function SearchField({ value, onChange }: { value: string; onChange: (value: string) => void }) {
  const id = useId();
  return (
    <div className="relative w-full sm:w-80">
      <label htmlFor={id} className="sr-only">
        Search by name
      </label>
      <Search
        size={16}
        aria-hidden="true"
        className="pointer-events-none absolute inset-y-0 left-3 my-auto text-muted"
      />
      <input
        id={id}
        type="search"
        value={value}
        maxLength={200}
        placeholder="Search by name"
        onChange={(event) => onChange(event.target.value)}
        className="min-h-10 w-full rounded-md border border-line-strong bg-surface pr-3 pl-9 text-[1rem]"
      />
    </div>
  );
}

function StorageLine({ storage }: { storage: { used_bytes: number; limit_bytes: number | null } }) {
  const { size } = useFormats();
  const { used_bytes, limit_bytes } = storage;
  return (
    <p className="text-small text-muted">
      {limit_bytes === null
        ? `${readableSize(used_bytes)} stored`
        : `${size(used_bytes)} of ${size(limit_bytes)} used`}
    </p>
  );
}

function EmptyLibrary() {
  const { config } = usePlatform();
  return (
    <div className="mt-8 rounded-xl border border-dashed border-line-strong px-6 py-12 text-center">
      <p className="text-lead font-medium">Nothing here yet</p>
      <p className="mx-auto mt-2 max-w-column text-muted">
        Add what your coaches should know of you in every chat: your brand’s voice, what you sell, what your
        customers say. They quote it with the page that it stands on. Files that you give to a chat appear
        here too.
      </p>
      <p className="mx-auto mt-4 max-w-column text-small text-muted">
        Drop them here or paste them.{' '}
        {config.file_extensions.map((one) => one.slice(1).toUpperCase()).join(', ')} up to{' '}
        {readableSize(config.max_file_bytes)} each.
      </p>
    </div>
  );
}
