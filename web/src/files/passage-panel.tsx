import { useQuery } from '@tanstack/react-query';
import Download from 'lucide-react/icons/download';
import X from 'lucide-react/icons/x';
import { useEffect, useRef } from 'react';
import { ApiError, sentenceFor } from '../platform/api-error.ts';
import { Button, IconButton } from '../platform/button.tsx';
import { Dialog } from '../platform/dialog.tsx';
import { usePlatform } from '../platform/platform-context.ts';
import { ScrollRegion } from '../platform/scroll-region.tsx';
import { Skeleton } from '../platform/skeleton.tsx';
import { useVeryWideScreen } from '../platform/use-media-query.ts';
import { markQuote } from './mark-quote.ts';
import { useDownload } from './use-download.ts';

/** Where in a member's file a citation points. Without a passage only the file is known. */
export type PassageReference = {
  file_id: string;
  file_name: string;
  page: number | null;
  passage_id: string | null;
  quote: string | null;
};

type Passage = {
  passage_id: string;
  file_id: string;
  file_name: string;
  page: number | null;
  content: string;
  before: string | null;
  after: string | null;
};

/** The cited place in a file: beside the chat where there is room, else as a sheet over it. */
export function PassagePanel(props: { reference: PassageReference; onClose: () => void }) {
  const beside = useVeryWideScreen();
  if (!beside) {
    return (
      <Dialog
        name="Passage"
        onClose={props.onClose}
        className="sheet m-0 mt-auto max-h-[85dvh] w-full max-w-none overflow-hidden rounded-t-xl bg-surface open:flex sm:mr-0 sm:ml-auto sm:h-dvh sm:max-h-none sm:w-panel sm:max-w-panel sm:rounded-none"
      >
        <PassageContent {...props} />
      </Dialog>
    );
  }
  return (
    <aside aria-label="Passage" className="flex w-panel shrink-0 border-l border-line bg-surface">
      <PassageContent {...props} focusOnOpen />
    </aside>
  );
}

function PassageContent({
  reference,
  onClose,
  focusOnOpen = false,
}: {
  reference: PassageReference;
  onClose: () => void;
  focusOnOpen?: boolean;
}) {
  const download = useDownload();
  const passage = usePassage(reference);
  const heading = useRef<HTMLHeadingElement>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another reference is another passage to read.
  useEffect(() => {
    if (focusOnOpen) heading.current?.focus();
  }, [reference, focusOnOpen]);
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: Escape closes from anywhere inside; the button does too.
    <div
      className="flex min-h-0 min-w-0 flex-1 flex-col"
      onKeyDown={(event) => {
        if (event.key === 'Escape') onClose();
      }}
    >
      <div className="flex items-start gap-2 border-b border-line py-3 pr-2 pl-5">
        <div className="min-w-0 flex-1 py-1">
          <h2 ref={heading} tabIndex={-1} className="font-semibold break-words outline-none">
            {reference.file_name}
          </h2>
          {reference.page !== null && <p className="text-small text-muted">Page {reference.page}</p>}
        </div>
        <IconButton name="Close the passage" onClick={onClose}>
          <X size={18} />
        </IconButton>
      </div>
      <ScrollRegion name="Passage text" className="min-h-0 flex-1 overflow-y-auto px-5 py-4">
        <PassageText reference={reference} passage={passage} />
      </ScrollRegion>
      <div
        hidden={isGone(passage)}
        className="border-t border-line px-5 py-3 pb-[max(0.75rem,env(safe-area-inset-bottom))]"
      >
        <Button onClick={() => download({ id: reference.file_id, file_name: reference.file_name })}>
          <Download size={16} />
          Download the original
        </Button>
      </div>
    </div>
  );
}

/** The quote is what the reader came for; the words around it are there to scroll to. */
function showInTheMiddle(quote: HTMLElement | null) {
  quote?.scrollIntoView({ block: 'center' });
}

function usePassage({ file_id, passage_id }: PassageReference) {
  const { api } = usePlatform();
  return useQuery({
    queryKey: ['files', file_id, 'passages', passage_id],
    queryFn: ({ signal }) => api.get<Passage>(`/api/files/${file_id}/passages/${passage_id}`, signal),
    enabled: passage_id !== null,
    staleTime: Number.POSITIVE_INFINITY,
  });
}

/** The file was deleted, or taken out of the library. */
function isGone({ error }: ReturnType<typeof usePassage>) {
  return error instanceof ApiError && error.status === 404;
}

function PassageText({
  reference: { passage_id, quote },
  passage,
}: {
  reference: PassageReference;
  passage: ReturnType<typeof usePassage>;
}) {
  const { data, error, refetch } = passage;
  if (passage_id === null) {
    return (
      <>
        {quote && <blockquote className="whitespace-pre-line">{quote}</blockquote>}
        <p className={quote ? 'mt-4 text-muted' : 'text-muted'}>
          The coach used this file as a whole; the exact place is not known. Download the original to read it.
        </p>
      </>
    );
  }
  if (isGone(passage)) {
    return (
      <>
        {quote && <blockquote className="whitespace-pre-line">{quote}</blockquote>}
        <p className={quote ? 'mt-4 text-muted' : 'text-muted'}>
          The file is not there any more: it was deleted, or taken out of the library. What the coach took
          from it stays in the reply.
        </p>
      </>
    );
  }
  if (error !== null) {
    return (
      <div role="alert" className="flex flex-col items-start gap-3">
        <p>{sentenceFor(error)}</p>
        <Button onClick={() => refetch()}>Try again</Button>
      </div>
    );
  }
  if (data === undefined) {
    return <Skeleton name="Loading the passage" widths={['w-full', 'w-11/12', 'w-full', 'w-2/3']} />;
  }
  const marked = markQuote(data.content, quote);
  return (
    <div className="flex flex-col gap-3 leading-relaxed whitespace-pre-line">
      {data.before && <p className="text-muted">{data.before}</p>}
      <p>
        {marked ? (
          <>
            {marked.before}
            <mark ref={showInTheMiddle} className="rounded-sm bg-quote text-ink">
              {marked.quote}
            </mark>
            {marked.after}
          </>
        ) : (
          data.content
        )}
      </p>
      {data.after && <p className="text-muted">{data.after}</p>}
    </div>
  );
}
