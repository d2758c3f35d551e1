import { Button } from '../platform/button.tsx';

type FailedTurnNoticeProps = {
  detail: string;
  onRetry: () => void;
  /** Takes the words back into the composer; null where the server has them already. */
  onTakeBack: (() => void) | null;
};

/** What went wrong with the last message, and the way on. */
export function FailedTurnNotice({ detail, onRetry, onTakeBack }: FailedTurnNoticeProps) {
  return (
    <div role="alert" className="rounded-lg border border-line bg-danger-tint px-4 py-3">
      <p className="text-danger">{detail}</p>
      <div className="mt-3 flex flex-wrap gap-2.5">
        <Button onClick={onRetry}>Try again</Button>
        {onTakeBack && <Button onClick={onTakeBack}>Change the message</Button>}
      </div>
    </div>
  );
}
