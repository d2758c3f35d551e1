import type { LiveTurn } from './live-turn.ts';

const sentences = {
  sending: 'Sending your message',
  preparing_files: 'Reading your files',
  searching_files: 'Looking through your files',
  thinking: 'Thinking',
  answering: null,
};

/** What a member waits for, in words; null while the reply flows. */
export function turnStatusSentence(turn: LiveTurn) {
  if (turn.outcome !== null) return null;
  if (turn.stopping) return 'Stopping';
  if (!turn.connected)
    return turn.user_message_id === null ? 'Trying to send your message' : 'Connecting again';
  return sentences[turn.status];
}
