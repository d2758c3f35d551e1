import { Button } from '../platform/button.tsx';
import type { TurnFailure } from './conversation.ts';
import { isUnsent, type LiveTurn } from './live-turn.ts';

type FailedTurnNoticeProps = {
  failure: TurnFailure;
  live: LiveTurn | undefined;
  onRetry: () => void;
  /** Gives up what has not gone out; its words go back to where they were written. */
  onTakeBack: () => void;
  /** Opens the failed message for editing; null where that is not possible now. */
  onEdit: (() => void) | null;
};

/** What went wrong with the last turn, and the way on. */
export function FailedTurnNotice({ failure, live, onRetry, onTakeBack, onEdit }: FailedTurnNoticeProps) {
  const too_long = failure.code === 'message_too_long';
  const wants_other_words = too_long || failure.code === 'model_refused';
  return (
    <div role="alert" className="rounded-lg border border-line bg-danger-tint px-4 py-3">
      <p className="text-danger">{failure.detail}</p>
      {failure.had_reply && <p className="mt-1">The reply that was there before stands again.</p>}
      <div className="mt-3 flex flex-wrap gap-2.5">
        {!too_long && <Button onClick={onRetry}>Try again</Button>}
        {isUnsent(live) && (
          <Button onClick={onTakeBack}>
            {live?.request?.repeats_message_id ? 'Leave it as it was' : 'Change the message'}
          </Button>
        )}
        {wants_other_words && onEdit && <Button onClick={onEdit}>Change the message</Button>}
      </div>
    </div>
  );
}

/** Why the next message has to wait, while the last request may not have gone out. */
export function unsentSentence({ request }: LiveTurn) {
  return request?.repeats_message_id
    ? 'Your coach has not been asked again yet. Try that again first, or leave it.'
    : 'Your last message has not gone out yet. Try it again or change it first.';
}
