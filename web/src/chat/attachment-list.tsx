import FileText from 'lucide-react/icons/file-text';
import RotateCw from 'lucide-react/icons/rotate-cw';
import X from 'lucide-react/icons/x';
import { FilesRenewalLine } from '../billing/allowance-notice.tsx';
import { readableLength } from '../files/file.ts';
import { IconButton } from '../platform/button.tsx';
import type { Attachment } from './drafts.ts';

type AttachmentListProps = {
  attachments: Attachment[];
  onRemove: (id: string) => void;
  onRetry: (id: string) => void;
};

/** The files that will go with the next message: their progress, or why one cannot go. */
export function AttachmentList({ attachments, onRemove, onRetry }: AttachmentListProps) {
  if (attachments.length === 0) return null;
  return (
    <ul aria-label="Attached files" className="flex max-h-52 flex-col gap-1 overflow-y-auto px-2 pt-2">
      {attachments.map((attachment) => (
        <li key={attachment.id} className="rounded-md bg-sunken pl-3">
          <div className="flex items-center gap-2.5">
            <FileText size={16} className="shrink-0 text-muted" />
            <div className="min-w-0 flex-1 py-1.5 text-small">
              <p className="flex gap-2">
                <span title={attachment.file_name} className="truncate">
                  {attachment.file_name}
                </span>
                <span className="shrink-0 text-muted">
                  {readableLength(attachment.state === 'ready' ? attachment.file : attachment)}
                </span>
              </p>
              {attachment.state === 'failed' && attachment.detail !== '' && (
                <p role="alert" className="text-danger">
                  {attachment.detail}
                </p>
              )}
              {attachment.state === 'failed' && attachment.used_up && (
                <FilesRenewalLine counter={attachment.used_up} />
              )}
              {attachment.state === 'uploading' && (
                <progress
                  aria-label={`Uploading ${attachment.file_name}`}
                  value={attachment.share}
                  max={1}
                  className="mt-1 block h-1 w-full appearance-none overflow-hidden rounded-full bg-line accent-pitch [&::-moz-progress-bar]:bg-link [&::-webkit-progress-bar]:bg-line [&::-webkit-progress-value]:bg-link"
                />
              )}
              {attachment.state === 'uploading' && attachment.share === 1 && (
                <p className="text-muted">Reading it</p>
              )}
            </div>
            {attachment.state === 'failed' && attachment.retryable && (
              <IconButton name={`Try ${attachment.file_name} again`} onClick={() => onRetry(attachment.id)}>
                <RotateCw size={15} />
              </IconButton>
            )}
            <IconButton
              name={
                attachment.state === 'uploading'
                  ? `Cancel ${attachment.file_name}`
                  : `Remove ${attachment.file_name}`
              }
              onClick={() => onRemove(attachment.id)}
            >
              <X size={16} />
            </IconButton>
          </div>
        </li>
      ))}
    </ul>
  );
}
