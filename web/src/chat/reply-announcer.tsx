import { useEffect, useState } from 'react';
import type { LiveTurn } from './live-turn.ts';
import { markdownBlocks } from './markdown-blocks.ts';

const kept_ms = 1500;

/** Tells a screen reader the reply paragraph by paragraph, each when it is complete, and when the reply has ended. */
export function ReplyAnnouncer({ turn, name }: { turn: LiveTurn | undefined; name: string }) {
  const ended = turn?.outcome?.status;
  const spoken = useForgottenAfter(turn?.id, ended !== undefined);
  const blocks = turn === undefined || spoken ? [] : markdownBlocks(turn.text);
  const complete = ended === undefined ? blocks.slice(0, -1) : blocks;
  return (
    <div aria-live="polite" aria-relevant="additions" className="sr-only">
      {turn !== undefined && !spoken && ended === undefined && <p>{name} is answering.</p>}
      {complete.map(({ start, text }) => (
        <p key={start}>{plainText(text)}</p>
      ))}
      {!spoken && (ended === 'done' || ended === 'stopped') && (
        <p>{ended === 'done' ? 'The reply is complete.' : 'The reply was stopped.'}</p>
      )}
    </div>
  );
}

/** True some time after a turn has ended, so that its words do not stand in the page twice. */
function useForgottenAfter(turn_id: string | undefined, ended: boolean) {
  const [forgotten, setForgotten] = useState<string | undefined>();
  useEffect(() => {
    if (!ended) return;
    const timer = setTimeout(setForgotten, kept_ms, turn_id);
    return () => clearTimeout(timer);
  }, [turn_id, ended]);
  return turn_id !== undefined && forgotten === turn_id;
}

function plainText(markdown: string) {
  return markdown
    .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
    .replace(/^[\s>#|*+-]+|[*_`|]+/gm, ' ')
    .replace(/\s+/g, ' ')
    .trim();
}
