import FileX from 'lucide-react/icons/file-x';
import { type MemberFile, readableSize } from './file.ts';
import { FileIcon } from './file-icon.tsx';
import { useDownload } from './use-download.ts';

const look =
  'flex max-w-full items-center gap-2 rounded-md border border-line px-2.5 py-1.5 text-left text-small';

/** A file that was sent with a message; a click downloads the original. Of a deleted one the name is left. */
export function FileChip({ file }: { file: MemberFile }) {
  const download = useDownload();
  if (file.deleted) {
    return (
      <p className={`${look} border-dashed text-muted`}>
        <FileX size={15} aria-hidden="true" className="shrink-0" />
        <span className="truncate">{file.file_name}</span>
        <span className="shrink-0">deleted</span>
      </p>
    );
  }
  return (
    <button
      type="button"
      title={`Download ${file.file_name}`}
      onClick={() => download(file)}
      className={`${look} bg-surface hover:bg-hover`}
    >
      <FileIcon file_type={file.file_type} size={15} />
      <span className="truncate">{file.file_name}</span>
      <span className="shrink-0 text-muted">{readableSize(file.file_size)}</span>
    </button>
  );
}
