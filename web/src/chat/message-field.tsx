import { type RefObject, useLayoutEffect } from 'react';
import { pastedFiles } from '../files/pasted-files.ts';
import { usePlatform } from '../platform/platform-context.ts';
import { isTouchScreen } from '../platform/use-media-query.ts';
import { attachFiles } from './attach-files.ts';
import { useChat, useDraft } from './chat-context.ts';

type MessageFieldProps = {
  field: RefObject<HTMLTextAreaElement | null>;
  draft_key: string;
  name: string;
  /** The element that says what the keys do, or why nothing can be sent. */
  hint_id: string;
  placeholder?: string;
  /** It grows with what is written in it, up to here. */
  highest_px: number;
  onSend: () => void;
  onEscape?: () => void;
};

/**
 * Where a draft's words are written. Enter sends, Shift and Enter begins a new line; on a touch screen Enter begins
 * the line. Ctrl or Cmd and Enter sends everywhere. Pasted files are attached.
 */
export function MessageField(props: MessageFieldProps) {
  const { field, draft_key, highest_px, onEscape } = props;
  const { drafts } = useChat();
  const { api, config } = usePlatform();
  const { content } = useDraft(draft_key);

  // biome-ignore lint/correctness/useExhaustiveDependencies: the field grows with what is written in it.
  useLayoutEffect(() => {
    const element = field.current;
    if (element === null) return;
    // What is around it keeps its height while it is measured, so that nothing scrolls.
    const frame = element.parentElement;
    if (frame !== null) frame.style.minHeight = `${frame.offsetHeight}px`;
    element.style.height = 'auto';
    element.style.height = `${Math.min(element.scrollHeight, highest_px)}px`;
    if (frame !== null) frame.style.minHeight = '';
  }, [content]);

  return (
    <textarea
      ref={field}
      rows={1}
      aria-label={props.name}
      aria-describedby={props.hint_id}
      placeholder={props.placeholder}
      value={content}
      onChange={(event) => drafts.write(draft_key, event.target.value)}
      onPaste={(event) => {
        const files = pastedFiles(event.clipboardData);
        if (files.length === 0) return;
        event.preventDefault();
        attachFiles({ api, drafts, config }, draft_key, files);
      }}
      onKeyDown={(event) => {
        if (event.nativeEvent.isComposing || event.keyCode === 229) return;
        if (event.key === 'Escape' && onEscape) {
          event.stopPropagation();
          onEscape();
          return;
        }
        const sends = event.ctrlKey || event.metaKey || !(event.shiftKey || isTouchScreen());
        if (event.key !== 'Enter' || !sends) return;
        event.preventDefault();
        props.onSend();
      }}
      className="block w-full resize-none bg-transparent px-4 pt-3 pb-1 text-[1.0625rem] leading-normal outline-none placeholder:text-muted"
    />
  );
}

/** Puts the cursor behind the last word. */
export function focusAtEnd(element: HTMLTextAreaElement | null, options?: FocusOptions) {
  element?.focus(options);
  element?.setSelectionRange(element.value.length, element.value.length);
}
