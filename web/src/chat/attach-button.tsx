import FolderOpen from 'lucide-react/icons/folder-open';
import Paperclip from 'lucide-react/icons/paperclip';
import Upload from 'lucide-react/icons/upload';
import { useRef, useState } from 'react';
import { useFilePicker } from '../files/use-file-picker.tsx';
import { LibraryPicker } from '../library/library-picker.tsx';
import { Menu, MenuContent, MenuItem, MenuTrigger } from '../platform/menu.tsx';
import { usePlatform } from '../platform/platform-context.ts';
import { attachFiles, attachLibraryFiles, libraryIdsOf } from './attach-files.ts';
import { useChat, useDraft } from './chat-context.ts';

/** Chooses files for a draft, from the device or from the library. */
export function AttachButton({ draft_key, onAttached }: { draft_key: string; onAttached: () => void }) {
  const { drafts } = useChat();
  const { api, config } = usePlatform();
  const { attachments } = useDraft(draft_key);
  const trigger = useRef<HTMLButtonElement>(null);
  const [is_choosing, setChoosing] = useState(false);
  const context = { api, drafts, config };
  const { picker, open } = useFilePicker((files) => {
    attachFiles(context, draft_key, files);
    onAttached();
  });
  return (
    <>
      {picker}
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
          <MenuItem onSelect={() => open()}>
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
          attached_ids={libraryIdsOf(attachments)}
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
