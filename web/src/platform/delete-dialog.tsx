import { type ReactNode, useId } from 'react';
import { Button } from './button.tsx';
import { Dialog } from './dialog.tsx';

type DeleteDialogProps = {
  /** The question. */
  title: string;
  /** What goes with it. */
  children: ReactNode;
  /** What the button is called that does it. */
  action: string;
  onCancel: () => void;
  onConfirm: () => void;
};

/** Asks before something is deleted for good. */
export function DeleteDialog({ title, children, action, onCancel, onConfirm }: DeleteDialogProps) {
  const id = useId();
  return (
    <Dialog
      labelledBy={id}
      onClose={onCancel}
      className="sheet m-auto w-[calc(100%-2rem)] max-w-form rounded-xl border border-line bg-surface p-6 shadow-raised"
    >
      <h2 id={id} className="text-lead font-semibold break-words">
        {title}
      </h2>
      <p className="mt-2 text-muted">{children}</p>
      <div className="mt-6 flex justify-end gap-2.5">
        <Button onClick={onCancel}>Cancel</Button>
        <Button look="danger" onClick={onConfirm}>
          {action}
        </Button>
      </div>
    </Dialog>
  );
}
