import { useEffect, useId, useRef } from 'react';
import type { Coach } from '../coaches/coach.ts';
import { UploadList } from '../files/upload-list.tsx';
import { Button } from '../platform/button.tsx';
import { usePlatform } from '../platform/platform-context.ts';
import { AttachButton } from './attach-button.tsx';
import { removeAttachment, uploadAttachment } from './attach-files.ts';
import { useChat, useDraft } from './chat-context.ts';
import { DraftNotice } from './draft-notice.tsx';
import { focusAtEnd, MessageField } from './message-field.tsx';
import { useWaitsFor } from './obstacles.ts';

const hints = {
  answering: 'You can send this when the reply is complete.',
  empty: 'Write something first.',
  replaces: 'A new reply takes the place of what follows.',
};

type MessageEditorProps = {
  draft_key: string;
  coach: Coach | undefined;
  /** Files of the message that is edited: it keeps them whatever is taken out here. */
  kept_file_ids: string[];
  /** A turn can begin now. */
  free: boolean;
  onSend: () => void;
  onCancel: () => void;
};

/** A message of the chat, opened for editing in its place. Escape leaves it as it was. */
export function MessageEditor({
  draft_key,
  coach,
  kept_file_ids,
  free,
  onSend,
  onCancel,
}: MessageEditorProps) {
  const { drafts } = useChat();
  const { api, config } = usePlatform();
  const draft = useDraft(draft_key);
  const field = useRef<HTMLTextAreaElement>(null);
  const hint_id = useId();
  const context = { api, drafts, config };

  // It also opens when a sent message is refused; whoever writes the next one meanwhile is left alone.
  useEffect(() => {
    const active = document.activeElement;
    const is_writing = active instanceof HTMLTextAreaElement && active.value !== '';
    if (!is_writing) focusAtEnd(field.current);
  }, []);

  const empty = draft.content.trim() === '';
  const obstacle = useWaitsFor(draft_key, coach);
  const waits_for = empty ? hints.empty : (obstacle ?? (free ? null : hints.answering));
  const can_send = waits_for === null;
  const hint = waits_for ?? hints.replaces;
  const send = () => {
    if (can_send) onSend();
  };
  const cancel = () => {
    for (const { id } of draft.attachments) removeAttachment(context, draft_key, id, kept_file_ids);
    onCancel();
  };

  return (
    <form
      aria-label="Edit your message"
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      <DraftNotice draft_key={draft_key} />
      <div className="rounded-xl border border-line-strong bg-surface focus-within:border-focus focus-within:outline-1 focus-within:outline-focus">
        <UploadList
          name="Attached files"
          uploads={draft.attachments}
          onRemove={(id) => {
            removeAttachment(context, draft_key, id, kept_file_ids);
            field.current?.focus();
          }}
          onRetry={(id) => {
            void uploadAttachment(context, draft_key, id);
            field.current?.focus();
          }}
        />
        <MessageField
          field={field}
          draft_key={draft_key}
          name="Edit your message"
          hint_id={hint_id}
          highest_px={400}
          onSend={send}
          onEscape={cancel}
        />
        <div className="flex flex-wrap items-center gap-2 p-1.5">
          <span
            id={hint_id}
            className="basis-full px-2.5 text-small text-muted sm:order-1 sm:min-w-0 sm:flex-1 sm:basis-0 sm:px-0"
          >
            {hint}
          </span>
          <AttachButton draft_key={draft_key} onAttached={() => field.current?.focus()} />
          <Button onClick={cancel} className="order-2 ml-auto">
            Cancel
          </Button>
          <Button type="submit" look="primary" aria-disabled={!can_send} className="order-2">
            Save &amp; send
          </Button>
        </div>
      </div>
    </form>
  );
}
