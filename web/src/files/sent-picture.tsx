import Download from 'lucide-react/icons/download';
import X from 'lucide-react/icons/x';
import { useState } from 'react';
import { Button, IconButton } from '../platform/button.tsx';
import { Dialog } from '../platform/dialog.tsx';
import type { MemberFile } from './file.ts';
import { Picture } from './picture.tsx';
import { useDownload } from './use-download.ts';

/** The height of a picture among the words of a chat, in pixels. */
const height_px = 160;

/** A picture that was sent with a message: small, and large on a click. */
export function SentPicture({ file }: { file: MemberFile }) {
  const [is_open, setOpen] = useState(false);
  const { width, height } = file;
  const shown_width = width && height ? Math.round(Math.min(width / height, 2) * height_px) : height_px;
  return (
    <>
      <button
        type="button"
        title={`Look at ${file.file_name}`}
        onClick={() => setOpen(true)}
        className="block max-w-full overflow-hidden rounded-lg border border-line"
      >
        <Picture
          path={`/api/files/${file.id}`}
          size={320}
          alt={file.file_name}
          width={shown_width}
          height={height_px}
          className="h-40 max-w-full object-cover"
        />
      </button>
      {is_open && <LargePicture file={file} onClose={() => setOpen(false)} />}
    </>
  );
}

function LargePicture({ file, onClose }: { file: MemberFile; onClose: () => void }) {
  const download = useDownload();
  return (
    <Dialog
      name={file.file_name}
      onClose={onClose}
      className="m-auto max-h-[94dvh] max-w-[min(60rem,94vw)] rounded-xl border border-line bg-surface shadow-raised"
    >
      <div className="flex items-center gap-2 border-b border-line py-2 pr-2 pl-5">
        <h2 className="min-w-0 flex-1 truncate font-semibold">{file.file_name}</h2>
        <Button onClick={() => download(file)}>
          <Download size={16} />
          Download
        </Button>
        <IconButton name="Close the picture" onClick={onClose}>
          <X size={18} />
        </IconButton>
      </div>
      <Picture
        path={`/api/files/${file.id}`}
        size={1280}
        alt={file.file_name}
        width={file.width}
        height={file.height}
        className="mx-auto block h-auto max-h-[calc(94dvh-4.5rem)] max-w-full object-contain"
      />
    </Dialog>
  );
}
