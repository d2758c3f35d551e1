import ArrowUp from 'lucide-react/icons/arrow-up';
import Square from 'lucide-react/icons/square';
import { type RefObject, useEffect, useId, useImperativeHandle, useRef } from 'react';
import { LowAllowanceLine } from '../billing/allowance-notice.tsx';
import type { Coach } from '../coaches/coach.ts';
import { UploadList } from '../files/upload-list.tsx';
import { IconButton } from '../platform/button.tsx';
import { usePlatform } from '../platform/platform-context.ts';
import { isTouchScreen } from '../platform/use-media-query.ts';
import { AttachButton } from './attach-button.tsx';
import { removeAttachment, uploadAttachment } from './attach-files.ts';
import { useChat, useDraft } from './chat-context.ts';
import { AccountNotice, DraftNotice } from './draft-notice.tsx';
import { focusAtEnd, MessageField } from './message-field.tsx';
import { useAccountObstacle, useWaitsFor } from './obstacles.ts';

export type ComposerHandle = { focus: () => void };

const hints = {
  answering: 'You can send this when the reply is complete.',
  opening: 'The chat is still opening.',
  keys: 'Enter sends. Shift and Enter begins a new line.',
};

type ComposerProps = {
  handle: RefObject<ComposerHandle | null>;
  draft_key: string;
  /** Whom it goes to; undefined while that is not known, and for a coach that is gone. */
  coach: Coach | undefined;
  placeholder: string;
  /** A reply is running: it can be stopped, and the next message waits. */
  running: boolean;
  stopping: boolean;
  /** It is not known yet which coach this goes to. */
  opening?: boolean;
  /** Why nothing can be sent now, as a sentence; null when it can. */
  blocked: string | null;
  onSend: () => void;
  onStop: () => void;
};

/** Where a new message is written and files are attached. */
export function Composer(props: ComposerProps) {
  const { draft_key, coach, running, opening = false } = props;
  const { drafts } = useChat();
  const { api, config } = usePlatform();
  const draft = useDraft(draft_key);
  const field = useRef<HTMLTextAreaElement>(null);
  const hint_id = useId();
  const low_id = useId();
  const context = { api, drafts, config };

  useImperativeHandle(props.handle, () => ({ focus: () => focusAtEnd(field.current) }));

  useEffect(() => {
    if (!isTouchScreen()) focusAtEnd(field.current, { preventScroll: true });
  }, []);

  const empty = draft.content.trim() === '';
  const obstacle = useAccountObstacle(draft_key, coach);
  const draft_waits_for = useWaitsFor(draft_key, coach);
  const waits_for = opening ? hints.opening : draft_waits_for;
  const reason = props.blocked ?? waits_for;
  const can_send = !running && !empty && reason === null;
  const hint = empty
    ? (waits_for ?? '')
    : running
      ? hints.answering
      : (waits_for ?? (isTouchScreen() ? '' : hints.keys));

  // The button that was pressed gives way to another one; the field keeps the focus. On a touch screen that would open the keyboard.
  const keepFocus = () => {
    if (!isTouchScreen()) field.current?.focus();
  };

  return (
    <div className="mx-auto w-full max-w-column">
      <DraftNotice draft_key={draft_key} blocked={props.blocked} />
      <AccountNotice draft_key={draft_key} coach={coach} />
      {obstacle === null && <LowAllowanceLine id={low_id} />}
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (!can_send) return;
          props.onSend();
          keepFocus();
        }}
        className="rounded-xl border border-line-strong bg-surface focus-within:border-focus focus-within:outline-1 focus-within:outline-focus"
      >
        <UploadList
          name="Attached files"
          uploads={draft.attachments}
          onRemove={(id) => {
            removeAttachment(context, draft_key, id);
            field.current?.focus();
          }}
          onRetry={(id) => {
            void uploadAttachment(context, draft_key, id);
            keepFocus();
          }}
        />
        <MessageField
          field={field}
          draft_key={draft_key}
          name="Message"
          hint_id={`${hint_id} ${low_id}`}
          placeholder={props.placeholder}
          highest_px={240}
          onSend={() => can_send && props.onSend()}
        />
        <div className="flex items-center gap-2 p-1.5">
          <AttachButton draft_key={draft_key} onAttached={() => field.current?.focus()} />
          <span id={hint_id} className="min-w-0 flex-1 truncate text-small text-muted">
            {hint}
          </span>
          {running ? (
            <IconButton
              name="Stop"
              aria-disabled={props.stopping}
              onClick={() => {
                props.onStop();
                keepFocus();
              }}
              className="border border-line-strong"
            >
              <Square size={14} className="fill-current" />
            </IconButton>
          ) : (
            <button
              type="submit"
              aria-label="Send"
              title={reason ?? 'Send'}
              disabled={!can_send}
              className="inline-flex size-9 pointer-coarse:size-10 items-center justify-center rounded-md bg-pitch text-chalk transition-colors hover:bg-pitch-strong disabled:bg-sunken disabled:text-muted"
            >
              <ArrowUp size={18} />
            </button>
          )}
        </div>
      </form>
    </div>
  );
}
