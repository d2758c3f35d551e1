import { lazy, memo, Suspense, useState } from 'react';
import { AccentDot } from '../coaches/accent-dot.tsx';
import type { Coach } from '../coaches/coach.ts';
import { CopyButton } from '../platform/copy-button.tsx';
import { AnswerAgainButton } from './answer-again-button.tsx';
import { CitationList } from './citation-list.tsx';
import type { ConversationItem } from './conversation.ts';
import type { Citation } from './message.ts';
import { settledText } from './settled-text.ts';

// Reading Markdown weighs as much as the rest of the page and is not needed to sign in or to choose a coach.
const loadReplyMarkdown = () => import('./reply-markdown.tsx');
const ReplyMarkdown = lazy(loadReplyMarkdown);

/** Begins to load what draws a reply, so that it is there before the first one. */
export function preloadReplies() {
  loadReplyMarkdown().catch(() => {
    // Drawing the reply tries again, and tells when it does not work.
  });
}

const endings = {
  stopped: 'You stopped this reply here.',
  failed: 'This reply broke off here.',
  incomplete: 'This reply reached its longest length. Ask your coach to go on.',
};

type CoachMessageProps = {
  item: ConversationItem;
  coach: Coach | undefined;
  onCitation: (citation: Citation) => void;
  /** What the member waits for, while the reply grows. */
  status: string | null;
  is_last: boolean;
  /** Null where the reply cannot be made again now. */
  onAnswerAgain: (() => void) | null;
};

/** A coach's reply with its sources. */
export const CoachMessage = memo(function CoachMessage({
  item,
  coach,
  onCitation,
  status,
  is_last,
  onAnswerAgain,
}: CoachMessageProps) {
  const content = item.growing ? settledText(item.content) : item.content;
  // A mark waits until the words that it belongs to are shown.
  const citations = item.growing
    ? item.citations.filter(({ index }) => index <= content.length)
    : item.citations;
  const openCitation = useCitationOpener(item.citations, onCitation);
  const name = coach?.name ?? 'Coach';
  return (
    <article aria-label={name} aria-busy={item.growing}>
      <h2 className="mb-1.5 flex items-center gap-2 text-small font-medium text-muted">
        <AccentDot coach={coach} className={status === null ? 'size-2' : 'breathe size-2'} />
        {name}
      </h2>
      {content !== '' && (
        <Suspense fallback={<div className="reply appear-late whitespace-pre-wrap">{content}</div>}>
          <ReplyMarkdown markdown={content} citations={citations} onCitation={openCitation} />
        </Suspense>
      )}
      {status !== null && <p className={`text-muted ${content === '' ? '' : 'mt-3'}`}>{status}</p>}
      {!item.growing && (
        <>
          <CitationList citations={item.citations} onOpen={onCitation} />
          {item.ending && <p className="mt-3 text-small text-muted">{endings[item.ending]}</p>}
          {item.files_missing && (
            <p className="mt-3 text-small text-muted">
              Your files could not be made ready: your coach had to answer without them. They are made ready
              again by themselves; ask again in a few minutes.
            </p>
          )}
          {item.history_shortened && is_last && (
            <p className="mt-3 text-small text-muted">
              This chat has grown long: your coach no longer reads its beginning. For something new, begin a
              new chat.
            </p>
          )}
          <div className="mt-1.5 -ml-2 flex items-center gap-1">
            {item.content !== '' && <CopyButton name="Copy reply" text={() => item.content} />}
            {onAnswerAgain && <AnswerAgainButton onClick={onAnswerAgain} />}
          </div>
        </>
      )}
    </article>
  );
});

/** Stays the same function while citations arrive, so that finished blocks are not drawn again. */
function useCitationOpener(citations: Citation[], onCitation: (citation: Citation) => void) {
  const [latest] = useState({ citations, onCitation });
  latest.citations = citations;
  latest.onCitation = onCitation;
  const [open] = useState(() => (number: number) => {
    const citation = latest.citations.find((candidate) => candidate.number === number);
    if (citation) latest.onCitation(citation);
  });
  return open;
}
