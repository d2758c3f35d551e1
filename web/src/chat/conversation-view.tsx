import ArrowDown from 'lucide-react/icons/arrow-down';
import { type ReactNode, useEffect, useMemo, useRef } from 'react';
import type { Coach } from '../coaches/coach.ts';
import type { MemberFile } from '../files/file.ts';
import { ScrollRegion } from '../platform/scroll-region.tsx';
import { useNearView } from '../platform/use-near-view.ts';
import { CoachMessage } from './coach-message.tsx';
import { type ConversationItem, conversationItems } from './conversation.ts';
import { editDraftKey } from './drafts.ts';
import type { LiveTurn } from './live-turn.ts';
import { MemberMessage } from './member-message.tsx';
import type { ChatHistory, Citation } from './message.ts';
import { MessageEditor } from './message-editor.tsx';
import { turnStatusSentence } from './turn-status.ts';
import { useStickToBottom } from './use-stick-to-bottom.ts';

type ConversationViewProps = {
  chat_session_id: string;
  history: ChatHistory | undefined;
  live: LiveTurn | undefined;
  coach: Coach | undefined;
  /** Loads earlier messages; null when there are none, or they are loading. */
  loadEarlier: (() => void) | null;
  onCitation: (citation: Citation) => void;
  /** A turn can begin at a message that stands here. */
  free: boolean;
  /** The last turn failed, which the notice below tells with the way on. */
  failed: boolean;
  /** The message that is open for editing. */
  edited_message_id: string | null;
  onEdit: (message: { message_id: string; content: string; files: MemberFile[] }) => void;
  onSendEdit: () => void;
  onCancelEdit: () => void;
  onAnswerAgain: (message_id: string) => void;
  /** Stands above the first message, and below the last one. */
  above: ReactNode;
  below: ReactNode;
};

/** The messages in one column. It follows the newest words as long as the reader is at the end. */
export function ConversationView(props: ConversationViewProps) {
  const { history = no_history, live, loadEarlier } = props;
  const items = useMemo(() => conversationItems(history, live), [history, live]);
  const last_message = items.findLast(({ sender }) => sender === 'user');
  const { scroller, content, onScroll, at_end, toEnd } = useStickToBottom(items[0]?.key);
  const top = useNearView(() => loadEarlier?.(), '800px');

  // A message that the reader has just sent is always brought into view.
  const sent_id = live?.request ? live.id : undefined;
  useEffect(() => {
    if (sent_id !== undefined) toEnd();
  }, [sent_id, toEnd]);

  const repeatable_id = props.free && !props.failed ? (last_message?.message_id ?? null) : null;
  const answerAgain = repeatable_id === null ? null : () => props.onAnswerAgain(repeatable_id);

  return (
    <div className="relative flex min-h-0 flex-1 flex-col">
      <ScrollRegion
        ref={scroller}
        name="Messages"
        onScroll={onScroll}
        className="min-h-0 flex-1 overflow-y-auto [overflow-anchor:none]"
      >
        <div
          ref={content}
          className="relative mx-auto flex max-w-[calc(var(--container-column)+2.5rem)] flex-col gap-8 px-5 pt-6 pb-8"
        >
          <div ref={top} className="-mb-8" />
          {props.above}
          {items.map((item, position) =>
            item.sender === 'user' ? (
              <MemberItem
                {...props}
                key={item.key}
                item={item}
                is_last_message={item === last_message}
                onAnswerAgain={position === items.length - 1 ? answerAgain : null}
              />
            ) : (
              <CoachMessage
                key={item.key}
                item={item}
                coach={props.coach}
                onCitation={props.onCitation}
                status={item.growing && live !== undefined ? turnStatusSentence(live) : null}
                is_last={position === items.length - 1}
                onAnswerAgain={position === items.length - 1 ? answerAgain : null}
              />
            ),
          )}
          {props.below}
        </div>
      </ScrollRegion>
      {!at_end && (
        <button
          type="button"
          onClick={() => {
            toEnd();
            scroller.current?.focus({ preventScroll: true });
          }}
          className="appear absolute bottom-3 left-1/2 flex min-h-9 -translate-x-1/2 items-center gap-2 rounded-full border border-line bg-surface px-3.5 text-small shadow-raised hover:bg-hover"
        >
          <ArrowDown size={15} className="text-muted" />
          To the newest
        </button>
      )}
    </div>
  );
}

type MemberItemProps = Pick<
  ConversationViewProps,
  'chat_session_id' | 'coach' | 'free' | 'edited_message_id' | 'onEdit' | 'onSendEdit' | 'onCancelEdit'
> & {
  item: ConversationItem;
  is_last_message: boolean;
  /** Null where the message has its reply, or waits for it. */
  onAnswerAgain: (() => void) | null;
};

/** A message of the member's, or its editor. Leaving the editor leads back to where it was opened. */
function MemberItem({ item, is_last_message, onAnswerAgain, ...props }: MemberItemProps) {
  const edit_button = useRef<HTMLButtonElement>(null);
  const returns = useRef(false);
  const { message_id, content, files } = item;
  const editing = message_id !== null && message_id === props.edited_message_id;
  useEffect(() => {
    if (editing || !returns.current) return;
    returns.current = false;
    edit_button.current?.focus();
  }, [editing]);

  if (!editing) {
    return (
      <MemberMessage
        item={item}
        edit_button={edit_button}
        onEdit={
          props.free && is_last_message && message_id !== null
            ? () => props.onEdit({ message_id, content, files })
            : null
        }
        onAnswerAgain={onAnswerAgain}
      />
    );
  }
  return (
    <article aria-label="You">
      <MessageEditor
        draft_key={editDraftKey(props.chat_session_id)}
        coach={props.coach}
        kept_file_ids={files.map(({ id }) => id)}
        free={props.free}
        onSend={props.onSendEdit}
        onCancel={() => {
          returns.current = true;
          props.onCancelEdit();
        }}
      />
    </article>
  );
}

const no_history: ChatHistory = { messages: [], running_turn: null, failed_turn: null, asked_at_ms: 0 };
