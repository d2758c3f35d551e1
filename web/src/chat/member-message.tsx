import { FileChip } from '../files/file-chip.tsx';
import type { ConversationItem } from './conversation.ts';

/** What the member wrote, as it was written, with its files. */
export function MemberMessage({ item }: { item: ConversationItem }) {
  return (
    <article aria-label="You" className="flex flex-col items-end gap-2">
      {item.files.length > 0 && (
        <ul aria-label="Files" className="flex max-w-[88%] flex-wrap justify-end gap-1.5">
          {item.files.map((file) => (
            <li key={file.id} className="max-w-full">
              <FileChip file={file} />
            </li>
          ))}
        </ul>
      )}
      {item.content && (
        <div className="max-w-[88%] rounded-xl bg-sunken px-4 py-2.5 text-body break-words whitespace-pre-wrap">
          {item.content}
        </div>
      )}
    </article>
  );
}
