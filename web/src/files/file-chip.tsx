import FileText from 'lucide-react/icons/file-text';
import { type MemberFile, readableSize } from './file.ts';
import { useDownload } from './use-download.ts';

/** A file that was sent with a message; a click downloads the original. */
export function FileChip({ file }: { file: MemberFile }) {
  const download = useDownload();
  return (
    <button
      type="button"
      title={`Download ${file.file_name}`}
      onClick={() => download(file)}
      className="flex max-w-full items-center gap-2 rounded-md border border-line bg-surface px-2.5 py-1.5 text-left text-small hover:bg-hover"
    >
      <FileText size={15} className="shrink-0 text-muted" />
      <span className="truncate">{file.file_name}</span>
      <span className="shrink-0 text-muted">{readableSize(file.file_size)}</span>
    </button>
  );
}
