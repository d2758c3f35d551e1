import { useObjectUrl } from '../platform/use-object-url.ts';
import { FileIcon } from './file-icon.tsx';
import type { FileUpload } from './file-upload.ts';
import { Picture } from './picture.tsx';

const look = 'my-1 size-8 shrink-0 rounded-sm object-cover';

/** A file on its way, at a glance: a picture small, anything else by the icon of its kind. */
export function FileThumbnail({ upload }: { upload: FileUpload }) {
  const { source } = upload;
  // What is refused may be no picture at all.
  const is_shown = source?.type.startsWith('image/') && upload.state !== 'failed';
  const url = useObjectUrl(is_shown && source ? source : undefined);
  if (url) return <img src={url} alt="" className={look} />;
  const uploaded = upload.state === 'ready' ? upload.file : null;
  if (source === null && uploaded?.kind === 'image') {
    return <Picture path={`/api/files/${uploaded.id}`} size={320} alt="" className={look} />;
  }
  return <FileIcon file_type={uploaded?.file_type ?? source?.type ?? ''} />;
}
