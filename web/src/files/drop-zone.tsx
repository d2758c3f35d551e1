import { type DragEvent, type ReactNode, useRef, useState } from 'react';

type DropZoneProps = {
  /** What becomes of files that are dropped, shown while they are above it. */
  invitation: string;
  onFiles: (files: File[]) => void;
  children: ReactNode;
};

/** A part of the page on which files may be dropped anywhere. */
export function DropZone({ invitation, onFiles, children }: DropZoneProps) {
  const [over, setOver] = useState(false);
  // Entering a child fires before leaving its parent; only when all are left is the drag over.
  const depth = useRef(0);
  const carriesFiles = (event: DragEvent) => event.dataTransfer.types.includes('Files');
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: dropping is an extra; a button takes files as well.
    <div
      className="relative flex min-h-0 min-w-0 flex-1 flex-col"
      onDragEnter={(event) => {
        if (!carriesFiles(event)) return;
        depth.current++;
        setOver(true);
      }}
      onDragLeave={(event) => {
        if (!carriesFiles(event)) return;
        depth.current = Math.max(0, depth.current - 1);
        if (depth.current === 0) setOver(false);
      }}
      onDragOver={(event) => {
        if (carriesFiles(event)) event.preventDefault();
      }}
      onDrop={(event) => {
        if (!carriesFiles(event)) return;
        event.preventDefault();
        depth.current = 0;
        setOver(false);
        onFiles([...event.dataTransfer.files]);
      }}
    >
      {children}
      {over && (
        <div className="pointer-events-none absolute inset-3 z-20 flex items-center justify-center rounded-xl border-2 border-dashed border-focus bg-paper/90 text-lead">
          {invitation}
        </div>
      )}
    </div>
  );
}
