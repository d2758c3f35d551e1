import Paperclip from 'lucide-react/icons/paperclip';
import { useRef } from 'react';
import { IconButton } from '../platform/button.tsx';
import { usePlatform } from '../platform/platform-context.ts';
import { attachFiles } from './attach-files.ts';
import { useChat } from './chat-context.ts';

/** Chooses files for a draft. */
export function AttachButton({ draft_key, onAttached }: { draft_key: string; onAttached: () => void }) {
  const { drafts } = useChat();
  const { api, config } = usePlatform();
  const picker = useRef<HTMLInputElement>(null);
  return (
    <>
      <input
        ref={picker}
        type="file"
        multiple
        hidden
        accept={config.file_extensions.join(',')}
        onChange={(event) => {
          attachFiles({ api, drafts, config }, draft_key, [...(event.target.files ?? [])]);
          event.target.value = '';
          onAttached();
        }}
      />
      <IconButton name="Attach files" onClick={() => picker.current?.click()}>
        <Paperclip size={18} />
      </IconButton>
    </>
  );
}
