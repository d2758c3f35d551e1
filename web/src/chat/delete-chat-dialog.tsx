import { useId } from 'react';
import { Button } from '../platform/button.tsx';
import { Dialog } from '../platform/dialog.tsx';

type DeleteChatDialogProps = { title: string; onCancel: () => void; onConfirm: () => void };

/** Asks before a chat is deleted, and says what goes with it. */
export function DeleteChatDialog({ title, onCancel, onConfirm }: DeleteChatDialogProps) {
  const id = useId();
  return (
    <Dialog
      labelledBy={id}
      onClose={onCancel}
      className="sheet m-auto w-[calc(100%-2rem)] max-w-form rounded-xl border border-line bg-surface p-6 shadow-raised"
    >
      <h2 id={id} className="text-lead font-semibold">
        Delete this chat?
      </h2>
      <p className="mt-2 text-muted">
        “{title}” goes for good, with every message in it and the files that you gave it. This cannot be
        undone.
      </p>
      <div className="mt-6 flex justify-end gap-2.5">
        <Button onClick={onCancel}>Cancel</Button>
        <Button look="danger" onClick={onConfirm}>
          Delete chat
        </Button>
      </div>
    </Dialog>
  );
}
