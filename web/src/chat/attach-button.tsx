import FolderOpen from 'lucide-react/icons/folder-open';
import Paperclip from 'lucide-react/icons/paperclip';
import Upload from 'lucide-react/icons/upload';
import { useRef, useState } from 'react';
import { LibraryPicker } from '../library/library-picker.tsx';
import { Menu, MenuContent, MenuItem, MenuTrigger } from '../platform/menu.tsx';
import { usePlatform } from '../platform/platform-context.ts';
import { attachFiles, attachLibraryFiles } from './attach-files.ts';
import { useChat, useDraft } from './chat-context.ts';

/** Chooses files for a draft, from the device or from the library. */
export function AttachButton({ draft_key, onAttached }: { draft_key: string; onAttached: () => void }) {
  const { drafts } = useChat();
  const { api, config } = usePlatform();
  const { attachments } = useDraft(draft_key);
  const picker = useRef<HTMLInputElement>(null);
  const trigger = useRef<HTMLButtonElement>(null);
  const [is_choosing, setChoosing] = useState(false);
  const context = { api, drafts, config };
  return (
    <>
      <input
        ref={picker}
        type="file"
        multiple
        hidden
        accept={config.file_extensions.join(',')}
        onChange={(event) => {
          attachFiles(context, draft_key, [...(event.target.files ?? [])]);
          event.target.value = '';
          onAttached();
        }}
      />
      <Menu>
        <MenuTrigger
          ref={trigger}
          aria-label="Attach files"
          title="Attach files"
          className="inline-flex size-9 shrink-0 items-center justify-center rounded-md text-muted transition-colors pointer-coarse:size-10 hover:bg-hover hover:text-ink data-[state=open]:bg-hover"
        >
          <Paperclip size={18} />
        </MenuTrigger>
        <MenuContent side="top" align="start">
          <MenuItem onSelect={() => picker.current?.click()}>
            <Upload size={16} className="text-muted" />
            Upload files
          </MenuItem>
          <MenuItem onSelect={() => setChoosing(true)}>
            <FolderOpen size={16} className="text-muted" />
            From your library
          </MenuItem>
        </MenuContent>
      </Menu>
      {is_choosing && (
        <LibraryPicker
          room={Math.max(0, config.max_files_per_message - attachments.length)}
          onClose={() => {
            setChoosing(false);
            trigger.current?.focus();
          }}
          onChoose={(files) => {
            setChoosing(false);
            attachLibraryFiles(context, draft_key, files);
            onAttached();
          }}
        />
      )}
    </>
  );
}
