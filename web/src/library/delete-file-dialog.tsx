import { useId } from 'react';
import { Button } from '../platform/button.tsx';
import { Dialog } from '../platform/dialog.tsx';
import { deletionWords, type LibraryFile } from './library.ts';

type DeleteFileDialogProps = { file: LibraryFile; onCancel: () => void; onConfirm: () => void };

/** Asks before a file is deleted, and says what goes with it. */
export function DeleteFileDialog({ file, onCancel, onConfirm }: DeleteFileDialogProps) {
  const id = useId();
  return (
    <Dialog
      labelledBy={id}
      onClose={onCancel}
      className="sheet m-auto w-[calc(100%-2rem)] max-w-form rounded-xl border border-line bg-surface p-6 shadow-raised"
    >
      <h2 id={id} className="text-lead font-semibold break-words">
        Delete “{file.file_name}”?
      </h2>
      <p className="mt-2 text-muted">{deletionWords(file)}</p>
      <div className="mt-6 flex justify-end gap-2.5">
        <Button onClick={onCancel}>Cancel</Button>
        <Button look="danger" onClick={onConfirm}>
          Delete file
        </Button>
      </div>
    </Dialog>
  );
}
