import type { ReactNode } from 'react';
import { DropZone } from '../files/drop-zone.tsx';
import { usePlatform } from '../platform/platform-context.ts';
import { attachFiles } from './attach-files.ts';
import { useChat } from './chat-context.ts';

/** Files dropped anywhere on the chat are attached to its draft. */
export function DraftDropZone({ draft_key, children }: { draft_key: string; children: ReactNode }) {
  const { api, config } = usePlatform();
  const { drafts } = useChat();
  return (
    <DropZone
      invitation="Drop your files to attach them"
      onFiles={(files) => attachFiles({ api, drafts, config }, draft_key, files)}
    >
      {children}
    </DropZone>
  );
}
