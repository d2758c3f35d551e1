import { Link } from '@tanstack/react-router';
import X from 'lucide-react/icons/x';
import { useId, useState } from 'react';
import { type MemberFile, readableLength } from '../files/file.ts';
import { FileIcon } from '../files/file-icon.tsx';
import { Picture } from '../files/picture.tsx';
import { sentenceFor } from '../platform/api-error.ts';
import { Button, IconButton } from '../platform/button.tsx';
import { Dialog } from '../platform/dialog.tsx';
import { ScrollRegion } from '../platform/scroll-region.tsx';
import { Skeleton } from '../platform/skeleton.tsx';
import { useNearView } from '../platform/use-near-view.ts';
import { useSettled } from '../platform/use-settled.ts';
import { fileForMessage, type LibraryFile } from './library.ts';
import { useLibrary } from './use-library.ts';

type LibraryPickerProps = {
  /** Files that the message has already. */
  attached_ids: string[];
  /** How many more the message carries. */
  room: number;
  onChoose: (files: MemberFile[]) => void;
  onClose: () => void;
};

/** Chooses files that the member has given before, for a message. */
export function LibraryPicker({ attached_ids, room, onChoose, onClose }: LibraryPickerProps) {
  const id = useId();
  const [typed, setTyped] = useState('');
  const list = useLibrary(useSettled(typed.trim()));
  const [chosen, setChosen] = useState<LibraryFile[]>([]);
  const files = list.data?.files ?? [];
  const { hasNextPage, isFetchingNextPage, isFetchNextPageError, fetchNextPage } = list;
  const end = useNearView(() => {
    if (hasNextPage && !isFetchingNextPage && !isFetchNextPageError) void fetchNextPage();
  }, '200px');
  const toggle = (file: LibraryFile) =>
    setChosen((before) =>
      before.some((one) => one.id === file.id)
        ? before.filter((one) => one.id !== file.id)
        : [...before, file],
    );
  return (
    <Dialog
      labelledBy={id}
      onClose={onClose}
      className="sheet m-auto h-[min(40rem,90dvh)] w-[calc(100%-2rem)] max-w-column overflow-hidden rounded-xl border border-line bg-surface shadow-raised open:flex"
    >
      <div className="flex min-h-0 min-w-0 flex-1 flex-col">
        <div className="flex items-center gap-2 py-3 pr-2 pl-5">
          <h2 id={id} className="flex-1 text-lead font-semibold">
            From your library
          </h2>
          <IconButton name="Close the library" onClick={onClose}>
            <X size={18} />
          </IconButton>
        </div>
        <div className="border-b border-line px-5 pb-3">
          <input
            type="search"
            aria-label="Search by name"
            placeholder="Search by name"
            value={typed}
            maxLength={200}
            onChange={(event) => setTyped(event.target.value)}
            className="min-h-10 w-full rounded-md border border-line-strong bg-surface px-3 text-[1rem]"
          />
        </div>
        <ScrollRegion name="Your files" className="min-h-0 flex-1 overflow-y-auto p-2">
          <ul>
            {files.map((file) => {
              const is_chosen = chosen.some((one) => one.id === file.id);
              const is_attached = attached_ids.includes(file.id);
              return (
                <li key={file.id}>
                  <label className="flex min-h-12 items-center gap-3 rounded-md px-3 py-1.5 has-disabled:opacity-50 hover:bg-hover">
                    <input
                      type="checkbox"
                      checked={is_chosen || is_attached}
                      disabled={is_attached || (!is_chosen && chosen.length >= room)}
                      onChange={() => toggle(file)}
                      className="size-4 shrink-0 accent-pitch"
                    />
                    {file.kind === 'image' ? (
                      <Picture
                        path={`/api/library/${file.id}`}
                        size={320}
                        alt=""
                        className="size-9 shrink-0 rounded-sm object-cover"
                      />
                    ) : (
                      <span className="flex size-9 shrink-0 items-center justify-center">
                        <FileIcon file_type={file.file_type} size={18} />
                      </span>
                    )}
                    <span className="min-w-0 flex-1">
                      <span className="block truncate">{file.file_name}</span>
                      <span className="block text-small text-muted">
                        {is_attached ? 'Attached already' : readableLength(file)}
                      </span>
                    </span>
                  </label>
                </li>
              );
            })}
          </ul>
          {list.data !== undefined && files.length === 0 && (
            <p role="status" className="px-3 py-4 text-muted">
              {typed.trim() === '' ? (
                <>
                  There are no files yet. Add some in{' '}
                  <Link to="/library" className="text-link underline">
                    your library
                  </Link>
                  , or upload one here.
                </>
              ) : (
                `No file’s name holds “${typed.trim()}”.`
              )}
            </p>
          )}
          {list.data === undefined && list.error === null && (
            <div className="p-3">
              <Skeleton name="Loading your files" widths={['w-2/3', 'w-1/2', 'w-3/5']} />
            </div>
          )}
          {list.error !== null && (
            <div role="alert" className="flex flex-col items-start gap-3 p-3">
              <p>{sentenceFor(list.error)}</p>
              <Button onClick={() => (isFetchNextPageError ? fetchNextPage() : list.refetch())}>
                Try again
              </Button>
            </div>
          )}
          <div ref={end} />
        </ScrollRegion>
        <div className="flex flex-wrap items-center justify-end gap-2.5 border-t border-line px-5 py-3">
          {chosen.length >= room && (
            <p role="status" className="mr-auto text-small text-muted">
              A message carries no more than that.
            </p>
          )}
          <Button onClick={onClose}>Cancel</Button>
          <Button
            look="primary"
            aria-disabled={chosen.length === 0}
            onClick={() => {
              if (chosen.length > 0) onChoose(chosen.map(fileForMessage));
            }}
          >
            {chosen.length > 1 ? `Attach ${chosen.length} files` : 'Attach file'}
          </Button>
        </div>
      </div>
    </Dialog>
  );
}
