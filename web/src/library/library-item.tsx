import { Link } from '@tanstack/react-router';
import Ellipsis from 'lucide-react/icons/ellipsis';
import LoaderCircle from 'lucide-react/icons/loader-circle';
import TriangleAlert from 'lucide-react/icons/triangle-alert';
import { useEffect, useRef, useState } from 'react';
import { useFormats } from '../accounts/formats.ts';
import { readableLength } from '../files/file.ts';
import { FileIcon } from '../files/file-icon.tsx';
import { Picture } from '../files/picture.tsx';
import { useDownload } from '../files/use-download.ts';
import { DeleteDialog } from '../platform/delete-dialog.tsx';
import { Menu, MenuContent, MenuItem, MenuSeparator, MenuTrigger } from '../platform/menu.tsx';
import { NameField } from '../platform/name-field.tsx';
import { deletionWords, type LibraryFile, stateWords } from './library.ts';
import { useLibraryChanges } from './use-library-changes.ts';

/** Chats that are named in the list; the panel names more. */
const most_chats = 2;

/** One file in the list, with renaming in place and all that can be done with it. */
export function LibraryItem({ file, onOpen }: { file: LibraryFile; onOpen: () => void }) {
  const { rename, keep, remove } = useLibraryChanges();
  const download = useDownload();
  const { date } = useFormats();
  const [mode, setMode] = useState<'row' | 'renaming' | 'deleting'>('row');
  const trigger = useRef<HTMLButtonElement>(null);
  const returns = useRef(false);

  // What was opened from the options leads back to them.
  useEffect(() => {
    if (mode !== 'row' || !returns.current) return;
    returns.current = false;
    trigger.current?.focus();
  }, [mode]);

  const { file_name } = file;
  return (
    <li className="group flex items-start gap-3 py-3">
      <span className="flex size-11 shrink-0 items-center justify-center overflow-hidden rounded-md bg-sunken">
        {file.kind === 'image' ? (
          <Picture path={`/api/library/${file.id}`} size={320} alt="" className="size-11 object-cover" />
        ) : (
          <FileIcon file_type={file.file_type} size={20} />
        )}
      </span>
      <div className="min-w-0 flex-1">
        {mode === 'renaming' ? (
          <NameField
            label="File name"
            name={file_name}
            longest={255}
            // What comes before the ending.
            selected={file_name.lastIndexOf('.') > 0 ? file_name.lastIndexOf('.') : file_name.length}
            onDone={(next, by_key) => {
              returns.current = by_key;
              setMode('row');
              if (next !== null) void rename(file, next);
            }}
          />
        ) : (
          <button
            type="button"
            title={file_name}
            onClick={onOpen}
            className="block max-w-full truncate rounded-sm text-left font-medium hover:underline"
          >
            {file_name}
          </button>
        )}
        <p className="mt-0.5 flex flex-wrap items-baseline gap-x-3 text-small text-muted">
          <span>{readableLength(file)}</span>
          <span>Added {date(file.created_at)}</span>
          <Places file={file} />
        </p>
        <StateLine file={file} />
      </div>
      <Menu>
        <MenuTrigger
          ref={trigger}
          aria-label={`File options: ${file_name}`}
          title="File options"
          className="flex size-9 shrink-0 items-center justify-center rounded-md text-muted pointer-coarse:size-10 hover:bg-hover hover:text-ink data-[state=open]:bg-hover"
        >
          <Ellipsis size={18} />
        </MenuTrigger>
        <MenuContent align="end" onCloseAutoFocus={(event) => mode !== 'row' && event.preventDefault()}>
          <MenuItem onSelect={onOpen}>Look inside</MenuItem>
          <MenuItem onSelect={() => void download(file, `/api/library/${file.id}`)}>Download</MenuItem>
          <MenuItem onSelect={() => setMode('renaming')}>Rename</MenuItem>
          {!file.in_library && (
            <MenuItem onSelect={() => void keep(file, true)}>Put into the library</MenuItem>
          )}
          {file.in_library && file.chat_count > 0 && (
            <MenuItem onSelect={() => void keep(file, false)}>Take out of the library</MenuItem>
          )}
          <MenuSeparator />
          <MenuItem className="text-danger" onSelect={() => setMode('deleting')}>
            Delete
          </MenuItem>
        </MenuContent>
      </Menu>
      {mode === 'deleting' && (
        <DeleteDialog
          title={`Delete “${file_name}”?`}
          action="Delete file"
          onCancel={() => {
            returns.current = true;
            setMode('row');
          }}
          onConfirm={() => {
            // The list stays, whatever becomes of its entry.
            const list = trigger.current?.closest<HTMLElement>('[data-scrolls]');
            setMode('row');
            requestAnimationFrame(() => list?.focus());
            void remove(file);
          }}
        >
          {deletionWords(file)}
        </DeleteDialog>
      )}
    </li>
  );
}

/** Where the file is: in the library, in chats. */
function Places({ file: { in_library, chats, chat_count } }: { file: LibraryFile }) {
  const named = chats.slice(0, most_chats);
  const more = chat_count - named.length;
  return (
    <>
      {in_library && <span>In the library</span>}
      {chat_count > 0 && (
        <span className="min-w-0">
          {in_library ? 'and in ' : 'Only in '}
          {named.map(({ id, title }, position) => (
            <span key={id}>
              {position > 0 && ', '}
              <Link to="/chats/$chatSessionId" params={{ chatSessionId: id }} className="text-link underline">
                {title || 'Untitled chat'}
              </Link>
            </span>
          ))}
          {more > 0 && ` and ${more === 1 ? '1 more chat' : `${more} more chats`}`}
        </span>
      )}
    </>
  );
}

/** How the file stands with the coaches, where that needs a word. */
export function StateLine({ file }: { file: LibraryFile }) {
  const words = stateWords(file);
  if (words === null) return null;
  if (file.state === 'failed') {
    return (
      <p className="mt-1 flex items-start gap-1.5 text-small text-danger">
        <TriangleAlert size={14} aria-hidden="true" className="mt-0.5 shrink-0" />
        {file.reason ?? words}
      </p>
    );
  }
  return (
    <p className="mt-1 flex items-center gap-1.5 text-small text-muted">
      <LoaderCircle size={14} aria-hidden="true" className="shrink-0 motion-safe:animate-spin" />
      {words}
    </p>
  );
}
