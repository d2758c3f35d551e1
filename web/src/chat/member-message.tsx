import Pencil from 'lucide-react/icons/pencil';
import type { RefObject } from 'react';
import { FileChip } from '../files/file-chip.tsx';
import { SentPicture } from '../files/sent-picture.tsx';
import { IconButton } from '../platform/button.tsx';
import { AnswerAgainButton } from './answer-again-button.tsx';
import type { ConversationItem } from './conversation.ts';

type MemberMessageProps = {
  item: ConversationItem;
  edit_button: RefObject<HTMLButtonElement | null>;
  /** Null where the message cannot be edited now. */
  onEdit: (() => void) | null;
  /** Null where the message has its reply, or waits for it. */
  onAnswerAgain: (() => void) | null;
};

/** What the member wrote, as it was written, with its files. */
export function MemberMessage({ item, edit_button, onEdit, onAnswerAgain }: MemberMessageProps) {
  return (
    <article aria-label="You" className="flex flex-col items-end gap-2">
      {item.files.length > 0 && (
        <ul aria-label="Files" className="flex max-w-[88%] flex-wrap justify-end gap-1.5">
          {item.files.map((file) => (
            <li key={file.id} className="max-w-full">
              {file.kind === 'image' && !file.deleted ? (
                <SentPicture file={file} />
              ) : (
                <FileChip file={file} />
              )}
            </li>
          ))}
        </ul>
      )}
      <div className="flex w-full items-center justify-end gap-1">
        {onEdit && (
          <IconButton ref={edit_button} name="Edit message" onClick={onEdit} className="mb-1 self-end">
            <Pencil size={15} />
          </IconButton>
        )}
        {item.content && (
          <div className="max-w-[min(88%,calc(100%-2.75rem))] rounded-xl bg-sunken px-4 py-2.5 text-body break-words whitespace-pre-wrap">
            {item.content}
          </div>
        )}
      </div>
      {onAnswerAgain && (
        <div className="-mr-2.5 flex flex-wrap items-center justify-end gap-x-1">
          <p className="text-small text-muted">Your coach has not answered this.</p>
          <AnswerAgainButton onClick={onAnswerAgain} />
        </div>
      )}
    </article>
  );
}
