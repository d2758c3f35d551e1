import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import Download from 'lucide-react/icons/download';
import X from 'lucide-react/icons/x';
import { Fragment } from 'react';
import { readableLength } from '../files/file.ts';
import { Picture } from '../files/picture.tsx';
import { useDownload } from '../files/use-download.ts';
import { sentenceFor } from '../platform/api-error.ts';
import { Button, IconButton } from '../platform/button.tsx';
import { Dialog } from '../platform/dialog.tsx';
import { usePlatform } from '../platform/platform-context.ts';
import { ScrollRegion } from '../platform/scroll-region.tsx';
import { Skeleton } from '../platform/skeleton.tsx';
import { type LibraryFile, previewQuery } from './library.ts';
import { StateLine } from './library-item.tsx';

/** A file's inside, as the coaches read it, in a sheet over the page. */
export function PreviewPanel({ file, onClose }: { file: LibraryFile; onClose: () => void }) {
  const download = useDownload();
  const { file_name, chats, chat_count } = file;
  return (
    <Dialog
      name={`File: ${file_name}`}
      onClose={onClose}
      className="sheet m-0 mt-auto max-h-[85dvh] w-full max-w-none overflow-hidden rounded-t-xl bg-surface open:flex sm:mr-0 sm:ml-auto sm:h-dvh sm:max-h-none sm:w-[34rem] sm:max-w-[34rem] sm:rounded-none"
    >
      <div className="flex min-h-0 min-w-0 flex-1 flex-col">
        <div className="flex items-start gap-2 border-b border-line py-3 pr-2 pl-5">
          <div className="min-w-0 flex-1 py-1">
            <h2 className="font-semibold break-words">{file_name}</h2>
            <p className="text-small text-muted">
              {readableLength(file)}
              {file.width && file.height ? `, ${file.width} × ${file.height} pixels` : ''}
            </p>
            <StateLine file={file} />
          </div>
          <IconButton name="Close the file" onClick={onClose}>
            <X size={18} />
          </IconButton>
        </div>
        <ScrollRegion name="Inside the file" className="min-h-0 flex-1 overflow-y-auto px-5 py-4">
          {file.kind === 'image' ? <Image file={file} /> : <Words file={file} />}
          {chat_count > 0 && (
            <section className="mt-6 border-t border-line pt-4">
              <h3 className="text-small font-medium text-muted">
                {chat_count > chats.length ? `In ${chat_count} chats, the latest of them` : 'In these chats'}
              </h3>
              <ul className="mt-1.5 flex flex-col gap-1">
                {chats.map(({ id, title }) => (
                  <li key={id}>
                    <Link
                      to="/chats/$chatSessionId"
                      params={{ chatSessionId: id }}
                      className="text-link underline"
                    >
                      {title || 'Untitled chat'}
                    </Link>
                  </li>
                ))}
              </ul>
            </section>
          )}
        </ScrollRegion>
        <div className="border-t border-line px-5 py-3 pb-[max(0.75rem,env(safe-area-inset-bottom))]">
          <Button onClick={() => void download(file, `/api/library/${file.id}`)}>
            <Download size={16} />
            Download the original
          </Button>
        </div>
      </div>
    </Dialog>
  );
}

function Image({ file }: { file: LibraryFile }) {
  return (
    <>
      <Picture
        path={`/api/library/${file.id}`}
        size={1280}
        alt={file.file_name}
        width={file.width}
        height={file.height}
        className="h-auto w-full max-w-full rounded-md object-contain"
      />
      <p className="mt-3 text-small text-muted">A coach sees a picture when a message brings it along.</p>
    </>
  );
}

function Words({ file }: { file: LibraryFile }) {
  const { api } = usePlatform();
  const { data, error, refetch } = useQuery(previewQuery(api, file.id));
  if (data === undefined && error !== null) {
    return (
      <div role="alert" className="flex flex-col items-start gap-3">
        <p>{sentenceFor(error)}</p>
        <Button onClick={() => refetch()}>Try again</Button>
      </div>
    );
  }
  if (data === undefined) {
    return <Skeleton name="Loading the file" widths={['w-full', 'w-11/12', 'w-full', 'w-2/3']} />;
  }
  return (
    <div className="flex flex-col gap-3 leading-relaxed break-words whitespace-pre-line">
      {data.passages.map(({ ordinal, page, content }, position) => (
        <Fragment key={ordinal}>
          {page !== null && page !== data.passages[position - 1]?.page && (
            <h3 className="mt-2 text-small font-medium text-muted first:mt-0">Page {page}</h3>
          )}
          <p>{content}</p>
        </Fragment>
      ))}
      {data.is_shortened && (
        <p className="text-small text-muted">It goes on. Download the original to read all of it.</p>
      )}
    </div>
  );
}
