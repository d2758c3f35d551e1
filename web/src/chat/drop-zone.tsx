import { type DragEvent, type ReactNode, useRef, useState } from 'react';
import { usePlatform } from '../platform/platform-context.ts';
import { attachFiles } from './attach-files.ts';
import { useChat } from './chat-context.ts';

/** Files dropped anywhere on the chat are attached to its draft. */
export function DropZone({ draft_key, children }: { draft_key: string; children: ReactNode }) {
  const { api, config } = usePlatform();
  const { drafts } = useChat();
  const [over, setOver] = useState(false);
  // Entering a child fires before leaving its parent; only when all are left is the drag over.
  const depth = useRef(0);
  const carriesFiles = (event: DragEvent) => event.dataTransfer.types.includes('Files');
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: dropping is an extra; the button attaches files as well.
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
        attachFiles({ api, drafts, config }, draft_key, [...event.dataTransfer.files]);
      }}
    >
      {children}
      {over && (
        <div className="pointer-events-none absolute inset-3 z-20 flex items-center justify-center rounded-xl border-2 border-dashed border-focus bg-paper/90 text-lead">
          Drop your files to attach them
        </div>
      )}
    </div>
  );
}
