import ArrowDown from 'lucide-react/icons/arrow-down';
import { type ReactNode, useEffect, useMemo } from 'react';
import type { Coach } from '../coaches/coach.ts';
import { ScrollRegion } from '../platform/scroll-region.tsx';
import { CoachMessage } from './coach-message.tsx';
import { type ConversationItem, conversationItems } from './conversation.ts';
import type { LiveTurn } from './live-turn.ts';
import { MemberMessage } from './member-message.tsx';
import type { Citation, Message } from './message.ts';
import { turnStatusSentence } from './turn-status.ts';
import { useNearView } from './use-near-view.ts';
import { useStickToBottom } from './use-stick-to-bottom.ts';

type ConversationViewProps = {
  messages: Message[];
  live: LiveTurn | undefined;
  coach: Coach | undefined;
  /** Loads earlier messages; null when there are none, or they are loading. */
  loadEarlier: (() => void) | null;
  onCitation: (citation: Citation) => void;
  /** Stands above the first message, and below the last one. */
  above: ReactNode;
  below: ReactNode;
};

/** The messages in one column. It follows the newest words as long as the reader is at the end. */
export function ConversationView(props: ConversationViewProps) {
  const { messages, live, coach, loadEarlier, onCitation } = props;
  const items = useMemo(() => conversationItems(messages, live), [messages, live]);
  const { scroller, content, onScroll, at_end, toEnd } = useStickToBottom(items[0]?.key);
  const top = useNearView(() => loadEarlier?.(), '800px');

  // A message that the reader has just sent is always brought into view.
  const sent_id = live?.request ? live.id : undefined;
  useEffect(() => {
    if (sent_id !== undefined) toEnd();
  }, [sent_id, toEnd]);

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
          {items.map((item) => (
            <ItemView key={item.key} item={item} live={live} coach={coach} onCitation={onCitation} />
          ))}
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

type ItemViewProps = Pick<ConversationViewProps, 'live' | 'coach' | 'onCitation'> & {
  item: ConversationItem;
};

function ItemView({ item, live, coach, onCitation }: ItemViewProps) {
  if (item.sender === 'user') return <MemberMessage item={item} />;
  const is_live = live !== undefined && item.key === `${live.id}:assistant`;
  const status = item.growing ? (is_live ? turnStatusSentence(live) : 'Connecting again') : null;
  return <CoachMessage item={item} coach={coach} onCitation={onCitation} status={status} />;
}
