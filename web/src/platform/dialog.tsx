import { type ReactNode, useEffect, useRef } from 'react';

type DialogProps = {
  /** What the dialog is called; give `labelledBy` instead when its title is on the screen. */
  name?: string;
  labelledBy?: string;
  className: string;
  onClose: () => void;
  children: ReactNode;
};

/**
 * A modal dialog on the browser's own `<dialog>`: focus, Escape and the inert page behind come with it,
 * and no style element is injected, which the content security policy would refuse.
 * It is open as long as it is rendered; focus returns to where it was.
 */
export function Dialog({ name, labelledBy, className, onClose, children }: DialogProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const close = useRef(onClose);
  close.current = onClose;
  useEffect(() => {
    const element = dialog.current;
    if (element === null) return;
    const opener = document.activeElement;
    element.showModal();
    return () => {
      element.close();
      if (opener instanceof HTMLElement && opener.isConnected) opener.focus();
    };
  }, []);
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: a click on the backdrop is an extra; Escape closes too.
    <dialog
      ref={dialog}
      aria-label={name}
      aria-labelledby={labelledBy}
      className={`modal ${className}`}
      onCancel={(event) => {
        event.preventDefault();
        close.current();
      }}
      onClick={(event) => {
        if (event.target === event.currentTarget) close.current();
      }}
    >
      {children}
    </dialog>
  );
}
