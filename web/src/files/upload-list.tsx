import RotateCw from 'lucide-react/icons/rotate-cw';
import X from 'lucide-react/icons/x';
import { FilesRenewalLine } from '../billing/allowance-notice.tsx';
import { IconButton } from '../platform/button.tsx';
import { type MemberFile, readableLength } from './file.ts';
import { FileThumbnail } from './file-thumbnail.tsx';
import type { FileUpload } from './file-upload.ts';

type UploadListProps = {
  name: string;
  uploads: FileUpload<MemberFile>[];
  onRemove: (id: string) => void;
  onRetry: (id: string) => void;
};

/** Files on their way: their progress, or why one was not taken. */
export function UploadList({ name, uploads, onRemove, onRetry }: UploadListProps) {
  if (uploads.length === 0) return null;
  return (
    <ul aria-label={name} className="flex max-h-52 flex-col gap-1 overflow-y-auto px-2 pt-2">
      {uploads.map((upload) => (
        <li key={upload.id} className="rounded-md bg-sunken pl-3">
          <div className="flex items-center gap-2.5">
            <FileThumbnail upload={upload} />
            <div className="min-w-0 flex-1 py-1.5 text-small">
              <p className="flex gap-2">
                <span title={upload.file_name} className="truncate">
                  {upload.file_name}
                </span>
                <span className="shrink-0 text-muted">
                  {readableLength(upload.state === 'ready' ? upload.file : upload)}
                </span>
              </p>
              {upload.state === 'failed' && upload.detail !== '' && (
                <p role="alert" className="text-danger">
                  {upload.detail}
                </p>
              )}
              {upload.state === 'failed' && upload.used_up && <FilesRenewalLine counter={upload.used_up} />}
              {upload.state === 'uploading' && (
                <progress
                  aria-label={`Uploading ${upload.file_name}`}
                  value={upload.share}
                  max={1}
                  className="mt-1 block h-1 w-full appearance-none overflow-hidden rounded-full bg-line accent-pitch [&::-moz-progress-bar]:bg-link [&::-webkit-progress-bar]:bg-line [&::-webkit-progress-value]:bg-link"
                />
              )}
              {upload.state === 'uploading' && upload.share === 1 && <p className="text-muted">Reading it</p>}
            </div>
            {upload.state === 'failed' && upload.retryable && (
              <IconButton name={`Try ${upload.file_name} again`} onClick={() => onRetry(upload.id)}>
                <RotateCw size={15} />
              </IconButton>
            )}
            <IconButton
              name={
                upload.state === 'uploading' ? `Cancel ${upload.file_name}` : `Remove ${upload.file_name}`
              }
              onClick={() => onRemove(upload.id)}
            >
              <X size={16} />
            </IconButton>
          </div>
        </li>
      ))}
    </ul>
  );
}
