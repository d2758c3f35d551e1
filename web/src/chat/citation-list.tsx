import type { Citation } from './message.ts';

/** The places in the member's files that a reply stands on. */
export function CitationList({
  citations,
  onOpen,
}: {
  citations: Citation[];
  onOpen: (citation: Citation) => void;
}) {
  if (citations.length === 0) return null;
  return (
    <div className="mt-5 border-t border-line pt-3">
      <h3 className="text-small font-medium text-muted">From your files</h3>
      <ol aria-label="From your files" className="mt-1 -ml-2 flex flex-col items-start">
        {citations.map((citation) => (
          <li key={citation.number} className="max-w-full">
            <button
              type="button"
              onClick={() => onOpen(citation)}
              className="flex min-h-8 max-w-full items-center gap-2.5 rounded-md px-2 text-left text-small hover:bg-hover"
            >
              <span className="w-4 shrink-0 text-right text-muted tabular-nums">{citation.number}</span>
              <span className="truncate text-link">{citation.file_name}</span>
              {citation.page !== null && <span className="shrink-0 text-muted">Page {citation.page}</span>}
            </button>
          </li>
        ))}
      </ol>
    </div>
  );
}
