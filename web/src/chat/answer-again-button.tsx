import RotateCw from 'lucide-react/icons/rotate-cw';

/** Asks the coach for another reply to the last message. */
export function AnswerAgainButton({ onClick }: { onClick: () => void }) {
  return (
    <button
      type="button"
      onClick={onClick}
      className="inline-flex min-h-9 pointer-coarse:min-h-10 items-center gap-2 rounded-md px-2.5 text-small text-muted transition-colors hover:bg-hover hover:text-ink"
    >
      <RotateCw size={15} />
      Answer again
    </button>
  );
}
