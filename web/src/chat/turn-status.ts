import type { LiveTurn } from './live-turn.ts';

const sentences = {
  sending: 'Sending your message',
  preparing_files: 'Getting your files ready',
  searching_files: 'Looking through your files',
  thinking: 'Thinking',
  answering: null,
};

/** What a member waits for, in words; null while the reply flows. */
export function turnStatusSentence(turn: LiveTurn) {
  if (turn.outcome !== null) return null;
  if (turn.stopping) return 'Stopping';
  const repeats = turn.request?.repeats_message_id != null;
  if (!turn.connected) {
    if (turn.user_message_id !== null || turn.request === null) return 'Connecting again';
    return repeats ? 'Trying to reach your coach' : 'Trying to send your message';
  }
  if (turn.status === 'sending' && repeats) return 'Asking your coach again';
  const { status, progress } = turn;
  if (status === 'preparing_files' && progress !== undefined && progress.total > 1) {
    return `${sentences[status]}: ${progress.ready} of ${progress.total}`;
  }
  return sentences[status];
}
